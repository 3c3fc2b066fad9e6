#include "link_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace limpet {

namespace {
constexpr int kBatch = 512;
constexpr size_t kBufferBytes = 64 * 1024;
// So late the thread has been kept from running: bytes wait to be read that some deadline waits for.
constexpr int64_t kLateMs = 5 * Wheel::kTickMs;
// So many batches at most are read first then.
constexpr int kMostFullBatches = 64;
}  // namespace

static_assert(LinkLoop::kReadEvents == (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET), "as the kernel names them");

LinkLoop::LinkLoop(LinkRecords* records, LinkExchange* exchange, LinkTally* tally, LinkClock clock, int epoll,
                   size_t most_pipes)
    : records_(*records),
      exchange_(*exchange),
      tally_(*tally),
      clock_(clock),
      epoll_(epoll),
      now_ms_(clock.NowMs()),
      wheel_(now_ms_),
      pipes_(most_pipes),
      buffer_(new uint8_t[kBufferBytes]) {}

void LinkLoop::Run() {
  while (!quits_) Turn();
  CloseAll();
}

int LinkLoop::SleepMs() {
  const int64_t next_ms = wheel_.NextMs();
  if (!put_off_.empty() || next_ms <= now_ms_ || !exchange_.FallAsleep(next_ms)) return 0;
  if (next_ms == kNever) return -1;
  return static_cast<int>(std::min<int64_t>((next_ms - now_ms_ + clock_.rate - 1) / clock_.rate, INT_MAX));
}

void LinkLoop::Turn() {
  epoll_event events[kBatch];
  const int count = epoll_wait(epoll_, events, kBatch, SleepMs());
  exchange_.WakeUp();
  now_ms_ = clock_.NowMs();
  for (int i = 0; i < count; i += 1) {
    if (events[i].data.u64 == kWakeMark) exchange_.SeenWake();
    else OnEvent(events[i].data.u64, events[i].events);
  }
  Obey();
  ReadPutOff();
  LookAtDeadlines(count == kBatch);
  exchange_.GiveEnded(&ended_);
}

void LinkLoop::OnEvent(uint64_t mark, uint32_t events) {
  LinkRecord* const link = records_.Find(mark >> 1);
  if (link == nullptr) return;
  const int which = static_cast<int>(mark & 1);
  Side& side = link->side[which];
  if (side.Is(kGone)) return;
  // The owner may still be on its way to make the other side known to the kernel.
  if (!link->is_known.load(std::memory_order_acquire)) exchange_.Lock();
  // A read ends short at urgent data, too.
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0) side.Set(kHung);
  if ((events & EPOLLERR) != 0) side.Set(kFailed);
  if ((events & EPOLLOUT) != 0 && side.HasWaiting()) Flush(*link, which);
  if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    side.Set(kReadable);
    Read(*link, which);
  }
  SettleLink(*link);
}

void LinkLoop::Obey() {
  while (exchange_.TakeCommands(&commands_)) {
    for (Command& command : commands_) ObeyOne(command);
  }
  // All clients that were asked for are reset by now: this host may lose its address any moment, its servers can wait.
  for (const LinkId id : to_reset_) {
    LinkRecord* const link = records_.Find(id);
    if (link == nullptr) continue;
    ResetBoth(*link);
    SettleLink(*link);
  }
  to_reset_.clear();
}

void LinkLoop::ObeyOne(Command& command) {
  if (command.kind == Command::Kind::kQuit) quits_ = true;
  LinkRecord* const link = records_.Find(command.link);
  if (link == nullptr) return;
  if (command.kind == Command::Kind::kNew) OnNew(*link);
  if (command.kind == Command::Kind::kFlush) Stop(*link);
  if (command.kind == Command::Kind::kEvict) Evict(*link, std::move(command.words));
  if (command.kind == Command::Kind::kReset) {
    SetEnd(*link, LinkEnd::kStopped);
    ResetSide(*link, kClient);
    to_reset_.push_back(command.link);
    return;
  }
  SettleLink(*link);
}

void LinkLoop::ReadPutOff() {
  turn_.swap(put_off_);
  for (const LinkId id : turn_) {
    LinkRecord* const link = records_.Find(id);
    if (link == nullptr) continue;
    link->is_put_off = false;
    Read(*link, kClient);
    Read(*link, kServer);
    SettleLink(*link);
  }
  turn_.clear();
}

void LinkLoop::LookAtDeadlines(bool is_batch_full) {
  const bool is_late = wheel_.LateMs(now_ms_) > kLateMs;
  full_batches_ = is_batch_full && is_late ? full_batches_ + 1 : 0;
  // Nobody is called silent for a pause of ours: sockets first.
  if (full_batches_ > 0 && full_batches_ < kMostFullBatches) return;
  full_batches_ = 0;
  while (WheelNode* const node = wheel_.Take(now_ms_)) OnDeadline(*static_cast<LinkRecord*>(node));
}

void LinkLoop::CloseAll() {
  for (size_t slot = 0;; slot += 1) {
    LinkRecord* const link = records_.At(slot);
    if (link == nullptr) return;
    if (link->id.load(std::memory_order_acquire) == kNoLink) continue;
    for (Side& side : link->side) {
      if (!side.Is(kGone)) close(side.fd);
      DropWaiting(side);
    }
  }
}

}  // namespace limpet
