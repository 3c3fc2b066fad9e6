// Moves the bytes of links, and ends them.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "link.h"
#include "link_clock.h"
#include "link_exchange.h"
#include "link_records.h"
#include "pipes.h"
#include "wheel.h"

namespace limpet {

// What may be asked at any time.
struct LinkTally {
  std::atomic<size_t> ended{0};
  std::atomic<size_t> pipes{0};
  std::atomic<size_t> waiting_bytes{0};
};

// There are two: one belongs to the relay's thread (link_loop.h), one to the owner's (nursery.h), and a link is one's or
// the other's. Whoever has one calls Look() when it wakes up, then tells what has happened. A record is freed by
// SettleLink() only, which is the last thing that is done to a link in each event, command and deadline.
class LinkMover {
 public:
  // What an epoll event carries: this bit, the link's id, and in the lowest bit the side.
  static constexpr uint64_t kLinkBit = uint64_t{1} << 62;
  static uint64_t Mark(LinkId link, int which) { return kLinkBit | link << 1 | static_cast<uint64_t>(which); }
  static LinkId IdOf(uint64_t mark) { return (mark & ~kLinkBit) >> 1; }
  static int SideOf(uint64_t mark) { return static_cast<int>(mark & 1); }
  // Has `epoll` tell of a side by its mark: of what comes, and of room where something waits for that. `operation`: as
  // epoll_ctl() calls it. False, with errno: it does not take it.
  static bool Register(int epoll, int operation, const Side& side, LinkId link, int which);

  // `epoll` watches the sockets of its links.
  LinkMover(LinkRecords* records, LinkTally* tally, LinkClock clock, int epoll, size_t most_pipes);
  LinkMover(const LinkMover&) = delete;
  LinkMover& operator=(const LinkMover&) = delete;

  // From now on it is now; answers it.
  int64_t Look() { return now_ms_ = clock_.NowMs(); }
  int64_t now_ms() const { return now_ms_; }
  void OnEvents(LinkRecord& link, int which, uint32_t events);
  void Obey(Command& command);
  // Servers of the clients that were reset: behind all of those.
  void ResetServers();
  bool OwesServers() const { return !to_reset_.empty(); }
  // Links that have more to read than a turn allows have their next turn.
  void ReadPutOff();
  bool HasPutOff() const { return !put_off_.empty(); }
  void LookAtDeadlines();
  // When something is due next; kNever: nothing is.
  int64_t NextDeadlineMs() const { return wheel_.NextMs(); }
  // How late LookAtDeadlines() is.
  int64_t LateMs() const { return wheel_.LateMs(now_ms_); }
  // When this one is to be looked at; kNever: it has no limit.
  int64_t Deadline(const LinkRecord& link) const;
  // It is the other mover's from now on: not one whose server is still to be reset. It may stand among those that were put
  // off; whoever reads that list must see that it is not this mover's any more.
  void Hand(LinkRecord& link);
  // Closes what a link holds, without telling anybody.
  void Close(LinkRecord& link);

  // Those that were put off, for whoever gives them away instead; emptied by that.
  std::vector<LinkId>& put_off() { return put_off_; }
  // Whoever takes them empties it.
  std::vector<EndedLink>& ended() { return ended_; }

 private:
  // link_pump.cc: bytes.
  void Read(LinkRecord& link, int which);
  void PassOnce(LinkRecord& link, int which);
  bool PassByPipe(LinkRecord& link, int which);
  size_t MostByPipe(const LinkRecord& link, int which) const;
  void DropOnce(LinkRecord& link, int which);
  void ReadEnd(LinkRecord& link, int which, ssize_t got);
  void Heard(LinkRecord& link, int which, size_t count);
  void CountTo(LinkRecord& link, int which, size_t count);
  void Send(LinkRecord& link, int which, const uint8_t* bytes, size_t count, More more);
  void Hold(LinkRecord& link, int which, size_t count);
  void RenewStall(LinkRecord& link, int which);
  void Flush(LinkRecord& link, int which);
  bool FlushKept(LinkRecord& link, int which);
  bool FlushPipe(LinkRecord& link, int which);
  void PutOff(LinkRecord& link);

  // link_end.cc: how links end.
  void OnNew(LinkRecord& link);
  void Stop(LinkRecord& link);
  void ResetBoth(LinkRecord& link);
  void SetEnd(LinkRecord& link, LinkEnd end);
  void Eof(LinkRecord& link, int which);
  void WriteFailed(LinkRecord& link, int which);
  void Broke(LinkRecord& link, int which);
  void OnDeadline(LinkRecord& link);
  void EndIdle(LinkRecord& link);
  void LookForProgress(LinkRecord& link);
  void GiveUp(LinkRecord& link);
  void Watch(LinkRecord& link) { wheel_.Place(&link, Deadline(link)); }
  // False: the link is gone.
  bool SettleLink(LinkRecord& link);
  bool SettleSide(LinkRecord& link, int which);
  bool AbortSide(LinkRecord& link, int which);
  void CloseSide(LinkRecord& link, int which);
  void ResetSide(LinkRecord& link, int which);
  void DropWaiting(Side& side);
  void Finish(LinkRecord& link);

  // link_farewell.cc: how a client is asked to leave.
  void Evict(LinkRecord& link, std::vector<uint8_t> words);
  void PassPackets(LinkRecord& link, size_t count, More more);
  void Speak(LinkRecord& link, bool with_words);
  void FarewellDue(LinkRecord& link);

  LinkRecords& records_;
  LinkTally& tally_;
  const LinkClock clock_;
  const int epoll_;
  int64_t now_ms_;
  Wheel wheel_;
  Pipes pipes_;
  const std::unique_ptr<uint8_t[]> buffer_;
  std::vector<LinkId> put_off_;
  std::vector<LinkId> turn_;
  // Servers whose clients were reset.
  std::vector<LinkId> to_reset_;
  std::vector<EndedLink> ended_;
};

}  // namespace limpet
