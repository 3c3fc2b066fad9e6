// How a link ends: FIN and RST are passed on, silence has a limit, and so has everything that is still on its way then.
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "link_mover.h"

namespace limpet {

namespace {
// How long one direction may stay without a byte after the other has ended, and how long a peer may take to fetch the
// last ones. HAProxy's client-fin and server-fin.
constexpr int64_t kLingerMs = 30'000;
// A slow side may take its time: this long without a byte taken is not slow, but gone.
constexpr int64_t kLongestStallMs = 120'000;
// The kernel does not tell when a peer has acknowledged everything: it is asked at each tick at first, then more and more
// seldom.
constexpr int64_t kLookMs = Wheel::kTickMs;
constexpr int64_t kLongestLookMs = 1'000;
// So often it is looked whether a peer goes on taking its last bytes.
constexpr int64_t kProgressMs = 10'000;
// So much of what a side still sends is dropped at most before it is closed.
constexpr int kMostDrops = 16;

LinkEnd Closed(int which) { return which == kClient ? LinkEnd::kClientClosed : LinkEnd::kServerClosed; }
LinkEnd Reset(int which) { return which == kClient ? LinkEnd::kClientReset : LinkEnd::kServerReset; }

// When a side has been silent for too long. While it is not read its silence is not its own: then the limit is the
// other one's, to take what it was sent.
int64_t IdleMs(const Side& side) {
  if (side.idle_ms < 0) return kNever;
  if (side.held_ms != kNever) return side.held_ms + std::max(side.idle_ms, kLongestStallMs);
  return side.last_ms + side.idle_ms;
}

int64_t LingerMs(const LinkRecord& link) {
  return std::max({link.taken_ms, link.side[kClient].last_ms, link.side[kServer].last_ms}) + kLingerMs;
}
}  // namespace

// The first reason stays: what follows is its consequence.
void LinkMover::SetEnd(LinkRecord& link, LinkEnd end) {
  if (link.IsEnding()) return;
  link.end.store(static_cast<uint8_t>(end), std::memory_order_relaxed);
  link.end_ms = now_ms_;
  link.taken_ms = now_ms_;
  link.is_patient = end != LinkEnd::kStopped && end != LinkEnd::kClientIdle && end != LinkEnd::kServerIdle;
  if (link.is_patient) link.look_ms = std::min(link.look_ms, now_ms_ + kProgressMs);
  Watch(link);
}

void LinkMover::OnNew(LinkRecord& link) {
  for (const int which : {kClient, kServer}) {
    if (link.side[which].Is(kMute) && !link.side[which].Is(kGone)) WriteFailed(link, which);
  }
  Watch(link);
}

void LinkMover::Stop(LinkRecord& link) {
  SetEnd(link, LinkEnd::kStopped);
  link.is_patient = false;
  for (Side& side : link.side) side.Set(kClosing);
}

void LinkMover::ResetBoth(LinkRecord& link) {
  ResetSide(link, kClient);
  ResetSide(link, kServer);
}

void LinkMover::Eof(LinkRecord& link, int which) {
  Side& from = link.side[which];
  from.Set(kEof);
  from.Clear(kReadable);
  SetEnd(link, Closed(which));
  link.side[!which].Set(kEnding);
  if (which == kServer && link.farewell != nullptr && link.farewell->phase == Farewell::Phase::kPacket) {
    Speak(link, false);
  }
}

// It takes nothing any more. What it sent before is read to its end, then the other one gets RST.
void LinkMover::WriteFailed(LinkRecord& link, int which) {
  Side& side = link.side[which];
  SetEnd(link, Reset(which));
  DropWaiting(side);
  // Nothing can be delivered either way, or there is nothing left to read.
  if (side.Is(kEof) || link.side[!which].Is(kMute)) return Broke(link, which);
  side.Set(kMute | kHung | kReadable);
  PutOff(link);
}

void LinkMover::Broke(LinkRecord& link, int which) {
  Side& side = link.side[which];
  SetEnd(link, Reset(which));
  DropWaiting(side);
  close(side.fd);
  side.Set(kGone);
  link.side[!which].Set(kAborting);
}

int64_t LinkMover::Deadline(const LinkRecord& link) const {
  int64_t first = link.look_ms;
  if (link.farewell != nullptr) first = std::min(first, link.farewell->deadline_ms);
  if (link.IsEnding()) return std::min(first, LingerMs(link));
  return std::min({first, IdleMs(link.side[kClient]), IdleMs(link.side[kServer])});
}

void LinkMover::OnDeadline(LinkRecord& link) {
  link.look_ms = kNever;
  if (link.farewell != nullptr && link.farewell->deadline_ms <= now_ms_) FarewellDue(link);
  if (!link.IsEnding()) {
    if (Deadline(link) <= now_ms_) EndIdle(link);
  } else {
    LookForProgress(link);
    if (LingerMs(link) <= now_ms_) GiveUp(link);
  }
  if (SettleLink(link)) Watch(link);
}

// Whoever has taken something since the last look has its time for the rest anew.
void LinkMover::LookForProgress(LinkRecord& link) {
  if (!link.is_patient) return;
  bool is_waited_for = false;
  for (Side& side : link.side) {
    if (side.Is(kGone | kFailed | kMute)) continue;
    if (TookSome(&side)) link.taken_ms = now_ms_;
    is_waited_for = is_waited_for || side.undelivered > 0 || side.HasWaiting();
  }
  if (is_waited_for) link.look_ms = now_ms_ + kProgressMs;
}

// Nobody has said or taken anything for long. What the kernel holds after an orderly end may still be delivered behind our
// back, to one that was only frozen. What waits here cannot be.
void LinkMover::GiveUp(LinkRecord& link) {
  const bool is_orderly = link.End() == static_cast<uint8_t>(LinkEnd::kClientClosed) ||
                          link.End() == static_cast<uint8_t>(LinkEnd::kServerClosed);
  for (const int which : {kClient, kServer}) {
    const Side& side = link.side[which];
    if (is_orderly && !side.HasWaiting() && !side.Is(kGone | kAborting)) CloseSide(link, which);
    else ResetSide(link, which);
  }
}

// The broker sees the connection break, not a DISCONNECT: it publishes the Will. A side that is not read is not the
// idle one: the other one takes nothing.
void LinkMover::EndIdle(LinkRecord& link) {
  const bool is_client = IdleMs(link.side[kClient]) <= now_ms_;
  const int which = is_client ? kClient : kServer;
  const bool is_held = link.side[which].held_ms != kNever;
  if (is_held && TookSome(&link.side[!which])) return RenewStall(link, which);
  SetEnd(link, is_client != is_held ? LinkEnd::kClientIdle : LinkEnd::kServerIdle);
  for (Side& side : link.side) side.Set(kClosing);
}

bool LinkMover::SettleLink(LinkRecord& link) {
  while (SettleSide(link, kClient) || SettleSide(link, kServer)) continue;
  if (!link.side[kClient].Is(kGone) || !link.side[kServer].Is(kGone)) return true;
  Finish(link);
  return false;
}

// Does what is due behind everything that was written to this side. True: it is gone by that, and the other one may
// follow.
bool LinkMover::SettleSide(LinkRecord& link, int which) {
  Side& side = link.side[which];
  if (side.Is(kGone) || side.HasWaiting() || !side.Is(kEnding | kClosing | kAborting)) return false;
  if (side.Is(kAborting)) return AbortSide(link, which);
  // A mute one is read to its end first.
  if (side.Is(kMute) && !side.Is(kClosing)) return false;
  if (side.Is(kClosing) || side.Is(kEof)) {
    CloseSide(link, which);
    return true;
  }
  if (!side.Is(kShut)) {
    side.Set(kShut);
    shutdown(side.fd, SHUT_WR);
  }
  return false;
}

// RST drops what the kernel has not delivered yet: it waits for that, while there is somebody to deliver it to.
bool LinkMover::AbortSide(LinkRecord& link, int which) {
  const Side& side = link.side[which];
  if (!side.Is(kFailed | kMute) && Undelivered(side.fd) > 0) {
    const int64_t at_ms = now_ms_ + std::clamp((now_ms_ - link.end_ms) / 8, kLookMs, kLongestLookMs);
    if (at_ms < link.look_ms || link.look_ms <= now_ms_) {
      link.look_ms = at_ms;
      Watch(link);
    }
    return false;
  }
  ResetSide(link, which);
  return true;
}

// Both directions. An orderly close is passed on as one.
void LinkMover::CloseSide(LinkRecord& link, int which) {
  Side& side = link.side[which];
  for (int drops = 0; drops < kMostDrops && side.Is(kReadable) && !side.Is(kEof | kGone); drops += 1) {
    DropOnce(link, which);
  }
  if (side.Is(kGone)) return;
  close(side.fd);
  side.Set(kGone);
  link.side[!which].Set(kClosing);
}

void LinkMover::ResetSide(LinkRecord& link, int which) {
  Side& side = link.side[which];
  if (side.Is(kGone)) return;
  DropWaiting(side);
  const linger at_once{1, 0};
  setsockopt(side.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(side.fd);
  side.Set(kGone);
}

void LinkMover::DropWaiting(Side& side) {
  size_t dropped = 0;
  if (side.pipe != Pipes::kNone) {
    dropped += pipes_.Holds(side.pipe);
    pipes_.GiveBack(side.pipe);
    side.pipe = Pipes::kNone;
    tally_.pipes.store(pipes_.Open(), std::memory_order_relaxed);
  }
  if (side.kept != nullptr) {
    dropped += side.kept->end - side.kept->at;
    side.kept.reset();
  }
  tally_.waiting_bytes.fetch_sub(dropped, std::memory_order_relaxed);
}

void LinkMover::Finish(LinkRecord& link) {
  wheel_.Remove(&link);
  link.farewell.reset();
  const LinkId id = link.id.load(std::memory_order_relaxed);
  const uint64_t received = link.received.load(std::memory_order_relaxed);
  const uint64_t sent = link.sent.load(std::memory_order_relaxed);
  ended_.push_back({id, static_cast<LinkEnd>(link.End()), received, sent});
  tally_.ended.fetch_add(1, std::memory_order_relaxed);
  link.id.store(kNoLink, std::memory_order_release);
}

}  // namespace limpet
