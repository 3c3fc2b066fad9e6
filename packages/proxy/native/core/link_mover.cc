// Whose turn it is.
#include "link_mover.h"

#include <sys/epoll.h>
#include <unistd.h>

namespace limpet {

namespace {
constexpr size_t kBufferBytes = 64 * 1024;
// A read ends short at urgent data, too.
constexpr uint32_t kBehindBytes = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
}  // namespace

LinkMover::LinkMover(LinkRecords* records, LinkTally* tally, LinkClock clock, int epoll, size_t most_pipes)
    : records_(*records),
      tally_(*tally),
      clock_(clock),
      epoll_(epoll),
      now_ms_(clock.NowMs()),
      wheel_(now_ms_),
      pipes_(most_pipes),
      buffer_(new uint8_t[kBufferBytes]) {}

bool LinkMover::Register(int epoll, int operation, const Side& side, LinkId link, int which) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;
  if (side.Is(kRoomTold)) event.events |= EPOLLOUT;
  event.data.u64 = Mark(link, which);
  return epoll_ctl(epoll, operation, side.fd, &event) == 0;
}

void LinkMover::OnEvents(LinkRecord& link, int which, uint32_t events) {
  Side& side = link.side[which];
  if (side.Is(kGone)) return;
  // Whatever is behind urgent data or an error takes a read of its own to be seen.
  const bool is_fin_alone = (events & kBehindBytes & ~uint32_t{EPOLLHUP}) == EPOLLRDHUP && !side.Is(kHung);
  if (is_fin_alone) side.Set(kFinBehind);
  if ((events & kBehindBytes) != 0) side.Set(kHung);
  if ((events & EPOLLERR) != 0) side.Set(kFailed);
  if ((events & EPOLLOUT) != 0 && side.HasWaiting()) Flush(link, which);
  if ((events & (EPOLLIN | kBehindBytes)) != 0) {
    side.Set(kReadable);
    Read(link, which);
  }
  SettleLink(link);
}

void LinkMover::Obey(Command& command) {
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

// This host may lose its address any moment: its clients must hear of it before that, its servers can wait.
void LinkMover::ResetServers() {
  for (const LinkId id : to_reset_) {
    LinkRecord* const link = records_.Find(id);
    if (link == nullptr) continue;
    ResetBoth(*link);
    SettleLink(*link);
  }
  to_reset_.clear();
}

void LinkMover::ReadPutOff() {
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

void LinkMover::LookAtDeadlines() {
  while (WheelNode* const node = wheel_.Take(now_ms_)) OnDeadline(*static_cast<LinkRecord*>(node));
}

void LinkMover::Hand(LinkRecord& link) {
  wheel_.Remove(&link);
  link.is_put_off = false;
}

void LinkMover::Close(LinkRecord& link) {
  for (Side& side : link.side) {
    if (!side.Is(kGone)) close(side.fd);
    DropWaiting(side);
  }
}

}  // namespace limpet
