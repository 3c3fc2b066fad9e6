#include "nursery.h"

#include <sys/epoll.h>

#include <utility>

namespace limpet {

Nursery::Nursery(LinkRecords* records, LinkTally* tally, LinkClock clock, int epoll, int64_t longest_ms,
                 Promote promote)
    // What is worth a pipe is the relay's.
    : records_(*records),
      mover_(records, tally, clock, epoll, 0),
      epoll_(epoll),
      longest_ms_(longest_ms),
      promote_(std::move(promote)) {}

LinkRecord* Nursery::Find(LinkId id) const {
  LinkRecord* const link = records_.Find(id);
  return link != nullptr && link->is_young ? link : nullptr;
}

void Nursery::Forget(const LinkRecord& link) const {
  for (const Side& side : link.side) {
    // One that is not watched says so, which is no harm.
    if (!side.Is(kGone)) epoll_ctl(epoll_, EPOLL_CTL_DEL, side.fd, nullptr);
  }
}

bool Nursery::Add(LinkRecord* link, LinkId id, bool client_is_watched, bool server_is_watched) {
  const auto watch = [&](int which, bool is_watched) {
    return LinkMover::Register(epoll_, is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, link->side[which], id, which);
  };
  if (!watch(kClient, client_is_watched) || !watch(kServer, server_is_watched)) {
    Forget(*link);
    return false;
  }
  link->is_young = true;
  link->id.store(id, std::memory_order_release);
  ages_.push_back({id, mover_.Look()});
  Obey({Command::Kind::kNew, id, {}});
  return true;
}

void Nursery::OnEvent(uint64_t mark, uint32_t events) {
  LinkRecord* const link = Find(LinkMover::IdOf(mark));
  if (link != nullptr) mover_.OnEvents(*link, LinkMover::SideOf(mark), events);
}

// Those whose clients were reset first: none of them is promoted.
void Nursery::EndTurn() {
  mover_.ResetServers();
  std::vector<LinkId> busy;
  busy.swap(mover_.put_off());
  for (const LinkId id : busy) {
    LinkRecord* const link = Find(id);
    if (link != nullptr) Give(link, id);
  }
}

void Nursery::Sweep() {
  // One whose client was reset is not promoted: it ends here.
  mover_.ResetServers();
  mover_.LookAtDeadlines();
  while (!ages_.empty() && ages_.front().since_ms + longest_ms_ <= mover_.now_ms()) {
    const LinkId id = ages_.front().id;
    ages_.pop_front();
    LinkRecord* const link = Find(id);
    if (link != nullptr) Give(link, id);
  }
}

void Nursery::Give(LinkRecord* link, LinkId id) {
  mover_.Hand(*link);
  Forget(*link);
  link->is_young = false;
  promote_(link, id);
}

}  // namespace limpet
