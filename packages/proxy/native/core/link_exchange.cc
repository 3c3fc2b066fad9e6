#include "link_exchange.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace limpet {

LinkExchange::~LinkExchange() {
  if (wake_ != -1) close(wake_);
}

bool LinkExchange::Open() {
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return wake_ != -1;
}

void LinkExchange::GiveLocked(std::unique_lock<std::mutex> lock, Command command, int64_t by_ms) {
  commands_.push_back(std::move(command));
  lock.unlock();
  has_commands_.store(true, std::memory_order_seq_cst);
  // Either it is seen here that the thread sleeps, or the thread sees before it sleeps that there are commands.
  if (by_ms >= sleeps_until_.load(std::memory_order_seq_cst)) return;
  if (is_waking_.exchange(true, std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  // It can fail only where the counter is full, and then the descriptor is readable.
  if (write(wake_, &one, sizeof one) < 0) return;
}

bool LinkExchange::FallAsleep(int64_t until_ms) {
  sleeps_until_.store(until_ms, std::memory_order_seq_cst);
  return !has_commands_.load(std::memory_order_seq_cst);
}

bool LinkExchange::TakeCommands(std::vector<Command>* out) {
  out->clear();
  if (!has_commands_.load(std::memory_order_relaxed)) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  // Under the lock: whoever gives the next one sets it again behind this.
  has_commands_.store(false, std::memory_order_seq_cst);
  out->swap(commands_);
  return !out->empty();
}

void LinkExchange::GiveEnded(std::vector<EndedLink>* ended) {
  if (ended->empty()) return;
  bool is_first;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_first = ended_.empty();
    ended_.insert(ended_.end(), ended->begin(), ended->end());
  }
  ended->clear();
  if (is_first) notify_(context_);
}

size_t LinkExchange::TakeEnded(EndedLink* out, size_t most) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t count = std::min(most, ended_.size() - taken_);
  std::copy_n(ended_.begin() + static_cast<std::ptrdiff_t>(taken_), count, out);
  taken_ += count;
  if (taken_ == ended_.size()) {
    ended_.clear();
    taken_ = 0;
  }
  return count;
}

}  // namespace limpet
