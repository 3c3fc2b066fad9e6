#include "wheel.h"

#include <algorithm>

namespace limpet {

Wheel::Wheel(int64_t now_ms) : start_ms_(now_ms) {
  for (Level* level : {&near_, &far_}) {
    for (WheelNode& head : level->slots) head.next = head.before = &head;
  }
}

void Wheel::Insert(Level* level, int64_t slot, WheelNode* node) {
  WheelNode& head = level->slots[slot];
  node->next = &head;
  node->before = head.before;
  head.before->next = node;
  head.before = node;
  level->used[slot / 64] |= uint64_t{1} << (slot % 64);
}

void Wheel::Unlink(WheelNode* node) {
  node->before->next = node->next;
  node->next->before = node->before;
  WheelNode* const head = node->next;
  node->next = node->before = nullptr;
  if (head->next != head) return;
  // It was the slot's only one: `head` is the slot itself.
  for (Level* level : {&near_, &far_}) {
    const auto slot = head - level->slots;
    if (head < level->slots || slot >= kSlots) continue;
    level->used[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  }
}

void Wheel::Remove(WheelNode* node) {
  if (node->IsPlaced()) Unlink(node);
}

void Wheel::Place(WheelNode* node, int64_t deadline_ms) {
  if (deadline_ms == kNever) return;
  const int64_t due = std::max((deadline_ms - start_ms_ + kTickMs - 1) / kTickMs, tick_ + 1);
  if (node->IsPlaced()) {
    if (node->due_tick <= due) return;
    Unlink(node);
  }
  node->due_tick = due;
  if (due < tick_ + kSlots) {
    Insert(&near_, due % kSlots, node);
    return;
  }
  // What is farther than the far level reaches waits in its farthest slot, and is placed again when that comes round.
  const int64_t far = std::min(due / kSlots, tick_ / kSlots + kSlots - 1);
  Insert(&far_, far % kSlots, node);
}

int64_t Wheel::NextUsed(const Level& level, int64_t from) {
  for (int64_t ahead = 0; ahead < kSlots;) {
    const int64_t slot = (from + ahead) % kSlots;
    const uint64_t word = level.used[slot / 64] >> (slot % 64);
    if (word != 0) return std::min<int64_t>(ahead + __builtin_ctzll(word), kSlots);
    ahead += 64 - slot % 64;
  }
  return kSlots;
}

int64_t Wheel::NextMs() const {
  int64_t next = kNever;
  const int64_t near = NextUsed(near_, (tick_ + 1) % kSlots);
  if (near < kSlots) next = tick_ + 1 + near;
  const int64_t turn = tick_ / kSlots;
  const int64_t far = NextUsed(far_, (turn + 1) % kSlots);
  // The far slot is looked at when its first tick comes.
  if (far < kSlots) next = std::min(next, (turn + 1 + far) * kSlots);
  return next == kNever ? kNever : start_ms_ + next * kTickMs;
}

void Wheel::BringNear() {
  WheelNode& head = far_.slots[(tick_ / kSlots) % kSlots];
  // Those that are still too far come back into a slot behind this one, so the list ends.
  while (head.next != &head) {
    WheelNode* const node = head.next;
    Unlink(node);
    // A deadline of this very tick is due in this slot of the near level, which is looked at next.
    if (node->due_tick <= tick_) Insert(&near_, tick_ % kSlots, node);
    else Place(node, start_ms_ + node->due_tick * kTickMs);
  }
}

void Wheel::Advance(int64_t target) {
  const int64_t near = tick_ + 1 + NextUsed(near_, (tick_ + 1) % kSlots);
  const int64_t turn = (tick_ / kSlots + 1) * kSlots;
  tick_ = std::min({near, turn, target});
  if (tick_ == turn) BringNear();
}

WheelNode* Wheel::Take(int64_t now_ms) {
  const int64_t target = (now_ms - start_ms_) / kTickMs;
  for (;;) {
    WheelNode& head = near_.slots[tick_ % kSlots];
    if (head.next != &head) {
      WheelNode* const node = head.next;
      Unlink(node);
      return node;
    }
    if (tick_ >= target) return nullptr;
    Advance(target);
  }
}

}  // namespace limpet
