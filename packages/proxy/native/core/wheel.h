// Deadlines of all links: a timer wheel of two levels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limpet {

constexpr int64_t kNever = INT64_MAX;

// Part of whatever has a deadline. Unlinked: both null.
struct WheelNode {
  WheelNode* next = nullptr;
  WheelNode* before = nullptr;
  int64_t due_tick = 0;

  bool IsPlaced() const { return next != nullptr; }
};

// A deadline is told up to one tick late, never early. Placing and removing take the same time however many there are.
// Deadlines that would move with every byte are not moved: their owner looks when they are told, and places them again.
class Wheel {
 public:
  static constexpr int64_t kTickMs = 20;

  explicit Wheel(int64_t now_ms);
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;

  // A node that is placed already is moved if the deadline is earlier than its own; kNever does nothing.
  void Place(WheelNode* node, int64_t deadline_ms);
  void Remove(WheelNode* node);
  // When Take() may have something next; kNever: nothing is placed.
  int64_t NextMs() const;
  // One that is due, removed; null: no more. `now_ms` must not go back.
  WheelNode* Take(int64_t now_ms);
  // How far behind the clock the wheel is: so long nobody has looked.
  int64_t LateMs(int64_t now_ms) const { return now_ms - start_ms_ - tick_ * kTickMs; }

 private:
  static constexpr int64_t kSlots = 512;
  // A level's slots as bits, so that the next one that holds anything is found without looking at each.
  struct Level {
    WheelNode slots[kSlots];
    uint64_t used[kSlots / 64] = {};
  };

  // Distance from slot `from` (it too) to the next used one, around the wheel; kSlots: there is none.
  static int64_t NextUsed(const Level& level, int64_t from);
  void Insert(Level* level, int64_t slot, WheelNode* node);
  void Unlink(WheelNode* node);
  // Brings what is due within the next turn of the near level into it.
  void BringNear();
  // Goes to the next tick that needs a look, at most to `target`.
  void Advance(int64_t target);

  const int64_t start_ms_;
  // The last tick that was looked at.
  int64_t tick_ = 0;
  // Near: a tick a slot. Far: kSlots ticks a slot.
  Level near_;
  Level far_;
};

}  // namespace limpet
