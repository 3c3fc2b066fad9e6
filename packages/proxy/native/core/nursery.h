// Links in their first moments, moved by the owner's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "link_mover.h"
#include "link_records.h"

namespace limpet {

// Handing a link to the relay's thread, waking it, and hearing of the end costs more than a client that leaves at once is
// worth: so a link stays here until it is old enough, or has more to move than the owner has time for. Its sockets are
// watched by the owner's epoll, which tells of them by LinkMover::kLinkBit.
//
// Everything here is for the owner's thread.
class Nursery {
 public:
  // Takes a link from here to the relay's thread.
  using Promote = std::function<void(LinkRecord*, LinkId)>;

  Nursery(LinkRecords* records, LinkTally* tally, LinkClock clock, int epoll, int64_t longest_ms, Promote promote);
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  // A turn of the owner: BeginTurn(), then what epoll says, then EndTurn().
  void BeginTurn() { mover_.Look(); }
  void OnEvent(uint64_t mark, uint32_t events);
  void EndTurn();
  // To be called about every 20 ms while there are any, behind what epoll says: limits that have passed, and age.
  void Sweep();

  // One whose record is filled. False: epoll does not take it, and knows nothing of it. `…_is_watched`: the epoll has
  // that socket already, under another name.
  bool Add(LinkRecord* link, LinkId id, bool client_is_watched, bool server_is_watched);
  void Obey(Command command) {
    mover_.Look();
    mover_.Obey(command);
  }

  bool IsEmpty() const { return ages_.empty(); }
  // EndTurn() has something to do.
  bool IsOwed() const { return mover_.OwesServers() || mover_.HasPutOff(); }

  LinkMover& mover() { return mover_; }

 private:
  struct Age {
    LinkId id;
    int64_t since_ms;
  };

  LinkRecord* Find(LinkId id) const;
  void Forget(const LinkRecord& link) const;
  void Give(LinkRecord* link, LinkId id);

  LinkRecords& records_;
  LinkMover mover_;
  const int epoll_;
  const int64_t longest_ms_;
  const Promote promote_;
  // Those that came last stand last; some have gone meanwhile.
  std::deque<Age> ages_;
};

}  // namespace limpet
