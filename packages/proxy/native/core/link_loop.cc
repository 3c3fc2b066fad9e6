#include "link_loop.h"

#include <sys/epoll.h>

#include <algorithm>
#include <climits>

namespace limpet {

namespace {
constexpr int kBatch = 512;
// So late the thread has been kept from running: bytes wait to be read that some deadline waits for.
constexpr int64_t kLateMs = 5 * Wheel::kTickMs;
// So many batches at most are read first then.
constexpr int kMostFullBatches = 64;
}  // namespace

LinkLoop::LinkLoop(LinkRecords* records, LinkExchange* exchange, LinkMover* mover, LinkClock clock, int epoll)
    : records_(*records), exchange_(*exchange), mover_(*mover), clock_(clock), epoll_(epoll) {}

void LinkLoop::Run() {
  while (!quits_) Turn();
  CloseAll();
}

int LinkLoop::SleepMs() {
  const int64_t now_ms = mover_.now_ms();
  const int64_t next_ms = mover_.NextDeadlineMs();
  if (mover_.HasPutOff() || next_ms <= now_ms || !exchange_.FallAsleep(next_ms)) return 0;
  if (next_ms == kNever) return -1;
  return static_cast<int>(std::min<int64_t>((next_ms - now_ms + clock_.rate - 1) / clock_.rate, INT_MAX));
}

void LinkLoop::Turn() {
  epoll_event events[kBatch];
  const int count = epoll_wait(epoll_, events, kBatch, SleepMs());
  exchange_.WakeUp();
  mover_.Look();
  for (int i = 0; i < count; i += 1) {
    if (events[i].data.u64 == kWakeMark) exchange_.SeenWake();
    else OnEvent(events[i].data.u64, events[i].events);
  }
  Obey();
  mover_.ReadPutOff();
  LookAtDeadlines(count == kBatch);
  exchange_.GiveEnded(&mover_.ended());
}

void LinkLoop::OnEvent(uint64_t mark, uint32_t events) {
  LinkRecord* const link = records_.Find(LinkMover::IdOf(mark));
  if (link == nullptr) return;
  // The owner may still be on its way to make the other side known to the kernel.
  if (!link->is_known.load(std::memory_order_acquire)) exchange_.Lock();
  mover_.OnEvents(*link, LinkMover::SideOf(mark), events);
}

void LinkLoop::Obey() {
  while (exchange_.TakeCommands(&commands_)) {
    for (Command& command : commands_) {
      if (command.kind == Command::Kind::kQuit) quits_ = true;
      else mover_.Obey(command);
    }
  }
  mover_.ResetServers();
}

void LinkLoop::LookAtDeadlines(bool is_batch_full) {
  const bool is_late = mover_.LateMs() > kLateMs;
  full_batches_ = is_batch_full && is_late ? full_batches_ + 1 : 0;
  // Nobody is called silent for a pause of ours: sockets first.
  if (full_batches_ > 0 && full_batches_ < kMostFullBatches) return;
  full_batches_ = 0;
  mover_.LookAtDeadlines();
}

void LinkLoop::CloseAll() {
  for (size_t slot = 0;; slot += 1) {
    LinkRecord* const link = records_.At(slot);
    if (link == nullptr) return;
    if (link->id.load(std::memory_order_acquire) != kNoLink) mover_.Close(*link);
  }
}

}  // namespace limpet
