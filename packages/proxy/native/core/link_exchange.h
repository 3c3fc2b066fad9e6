// What the owner's thread and the relay's thread tell each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "relay.h"

namespace limpet {

struct Command {
  enum class Kind : uint8_t {
    kNew,    // There is a link: it has deadlines.
    kFlush,  // StopMode::kFlush.
    kReset,  // StopMode::kReset.
    kEvict,
    kQuit,
  };
  Kind kind;
  LinkId link = kNoLink;
  std::vector<uint8_t> words;
};

// Commands go in, ended links come out. A wake-up is a system call here and a switch of threads there: one is sent only
// where the relay's thread sleeps for longer than the command can wait, and only one until it is awake.
class LinkExchange {
 public:
  static constexpr int64_t kNow = INT64_MIN + 1;

  LinkExchange(Relay::Notify notify, void* context) : notify_(notify), context_(context) {}
  ~LinkExchange();
  LinkExchange(const LinkExchange&) = delete;
  LinkExchange& operator=(const LinkExchange&) = delete;

  // False, with errno: no descriptor.
  bool Open();
  // Becomes readable, edge-triggered, when there is something to do.
  int WakeDescriptor() const { return wake_; }

  // The owner's: holds the relay's thread off while it makes a link known to the kernel; the relay's: waits for that.
  std::unique_lock<std::mutex> Lock() { return std::unique_lock<std::mutex>(mutex_); }
  // The owner's. To be obeyed by then, in the relay's milliseconds.
  void Give(Command command, int64_t by_ms) { GiveLocked(Lock(), std::move(command), by_ms); }
  void GiveLocked(std::unique_lock<std::mutex> lock, Command command, int64_t by_ms);
  // The owner's. At most so many.
  size_t TakeEnded(EndedLink* out, size_t most);

  // The relay's: sleeps until then at most. False: there are commands, it must not.
  bool FallAsleep(int64_t until_ms);
  void WakeUp() { sleeps_until_.store(kAwake, std::memory_order_seq_cst); }
  // The relay's: the descriptor was seen to be readable; the next command wakes again.
  void SeenWake() { is_waking_.store(false, std::memory_order_seq_cst); }
  // The relay's. False: there are none.
  bool TakeCommands(std::vector<Command>* out);
  // The relay's. Empties `ended`.
  void GiveEnded(std::vector<EndedLink>* ended);

 private:
  static constexpr int64_t kAwake = INT64_MIN;

  const Relay::Notify notify_;
  void* const context_;
  int wake_ = -1;
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::vector<EndedLink> ended_;
  // Of `ended_`, so many were taken.
  size_t taken_ = 0;
  std::atomic<bool> has_commands_{false};
  std::atomic<bool> is_waking_{false};
  std::atomic<int64_t> sleeps_until_{kAwake};
};

}  // namespace limpet
