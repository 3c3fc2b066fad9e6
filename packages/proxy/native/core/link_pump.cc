// Moving bytes from one side of a link to the other.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "link_mover.h"

namespace limpet {

namespace {
constexpr size_t kBufferBytes = 64 * 1024;
// One side in one turn; then the other links have theirs.
constexpr int kReadsPerTurn = 8;
// Through a pipe at once: what may wait there while the peer is slow.
constexpr size_t kPipeBytes = 1 << 20;

// Whether splice() failed for what has happened to the connection; else recv() may do better.
bool IsSocketsError(int error) { return error != EAGAIN && error != EINTR && error != EINVAL && error != ENOMEM; }
}  // namespace

// Reads until it is dry, the other side is slow, or its turn is over.
void LinkMover::Read(LinkRecord& link, int which) {
  Side& from = link.side[which];
  const Side& to = link.side[!which];
  for (int reads = 0; from.Is(kReadable) && !from.Is(kGone | kEof | kAborting); reads += 1) {
    // Nobody gets it any more, but unread bytes would turn our FIN into RST.
    const bool is_dropped = from.Is(kClosing) || to.Is(kGone | kEnding | kClosing | kAborting);
    if (!is_dropped && (to.Is(kMute) || to.HasWaiting())) return;
    if (reads == kReadsPerTurn) return PutOff(link);
    if (is_dropped) DropOnce(link, which);
    else PassOnce(link, which);
  }
}

void LinkMover::PutOff(LinkRecord& link) {
  if (link.is_put_off) return;
  link.is_put_off = true;
  put_off_.push_back(link.id.load(std::memory_order_relaxed));
}

void LinkMover::PassOnce(LinkRecord& link, int which) {
  Side& from = link.side[which];
  if (from.Is(kBulk) && PassByPipe(link, which)) return;
  const ssize_t got = recv(from.fd, buffer_.get(), kBufferBytes, MSG_DONTWAIT);
  if (got <= 0) return ReadEnd(link, which, got);
  const size_t count = static_cast<size_t>(got);
  if (count == kBufferBytes) from.Set(kBulk);
  else if (!from.Is(kHung)) from.Clear(kReadable);
  Heard(link, which, count);
  // DISCONNECT and FIN come together: so they go, and nobody asks for what is known.
  const bool is_last = count < kBufferBytes && from.Is(kFinBehind) && !from.Is(kFailed | kMute);
  const More more = is_last ? More::kFollows : More::kNo;
  if (which == kServer && link.follows) PassPackets(link, count, more);
  else Send(link, !which, buffer_.get(), count, more);
  if (is_last && !link.side[!which].Is(kMute | kGone)) Eof(link, which);
}

void LinkMover::DropOnce(LinkRecord& link, int which) {
  Side& from = link.side[which];
  const ssize_t got = recv(from.fd, buffer_.get(), kBufferBytes, MSG_DONTWAIT);
  if (got <= 0) return ReadEnd(link, which, got);
  if (which == kClient) {
    Meter::Add(&link.received, static_cast<uint64_t>(got));
    Meter::Add(&link.meter->from_clients, static_cast<uint64_t>(got));
  }
  if (static_cast<size_t>(got) < kBufferBytes && !from.Is(kHung)) from.Clear(kReadable);
}

// recv() answered 0, or -1 with errno.
void LinkMover::ReadEnd(LinkRecord& link, int which, ssize_t got) {
  Side& from = link.side[which];
  if (got == -1 && errno == EINTR) return;
  const bool is_dry = got == -1 && errno == EAGAIN;
  if (got == 0 || is_dry) {
    // RST behind FIN, or one that a failed write has been told of already, is not told here.
    if (from.Is(kFailed | kMute)) return Broke(link, which);
    if (is_dry) return from.Clear(kReadable);
    return Eof(link, which);
  }
  Broke(link, which);
}

// Where the packets are followed only the inside of a large one needs no look: at most this much may go unseen.
size_t LinkMover::MostByPipe(const LinkRecord& link, int which) const {
  if (which == kClient || !link.follows || link.boundary.IsLost()) return kPipeBytes;
  return link.farewell == nullptr ? std::min<size_t>(link.boundary.Left(), kPipeBytes) : 0;
}

// False: read plainly.
bool LinkMover::PassByPipe(LinkRecord& link, int which) {
  Side& from = link.side[which];
  Side& to = link.side[!which];
  const size_t most = MostByPipe(link, which);
  if (most < kBufferBytes) return false;
  const Pipes::Index pipe = pipes_.Take();
  if (pipe == Pipes::kNone) return false;
  const ssize_t got = pipes_.Fill(pipe, from.fd, most);
  // The kernel tells of an RST once: to recv() this would be a FIN now.
  if (got == -1 && IsSocketsError(errno)) from.Set(kFailed | kHung);
  tally_.pipes.store(pipes_.Open(), std::memory_order_relaxed);
  if (got < static_cast<ssize_t>(kBufferBytes)) from.Clear(kBulk);
  if (got <= 0) {
    pipes_.GiveBack(pipe);
    // Of FIN and RST recv() tells more.
    const bool is_dry = got == -1 && errno == EAGAIN && !from.Is(kHung);
    if (is_dry) from.Clear(kReadable);
    return is_dry;
  }
  const size_t count = static_cast<size_t>(got);
  Heard(link, which, count);
  CountTo(link, !which, count);
  if (which == kServer && link.follows && !link.boundary.IsLost()) link.boundary.Skip(static_cast<uint32_t>(count));
  const int emptied = pipes_.Empty(pipe, to.fd);
  if (emptied == 0) {
    to.pipe = pipe;
    Hold(link, !which, pipes_.Holds(pipe));
    return true;
  }
  pipes_.GiveBack(pipe);
  if (emptied == -1) WriteFailed(link, !which);
  return true;
}

void LinkMover::Heard(LinkRecord& link, int which, size_t count) {
  link.side[which].last_ms = now_ms_;
  if (which != kClient) return;
  Meter::Add(&link.received, count);
  Meter::Add(&link.meter->from_clients, count);
}

void LinkMover::CountTo(LinkRecord& link, int which, size_t count) {
  if (which != kClient) return;
  Meter::Add(&link.sent, count);
  Meter::Add(&link.meter->to_clients, count);
}

void LinkMover::Send(LinkRecord& link, int which, const uint8_t* bytes, size_t count, More more) {
  Side& to = link.side[which];
  size_t sent = 0;
  if (!to.HasWaiting()) {
    const ssize_t taken = SendNow(to.fd, bytes, count, more);
    if (taken == -1) return WriteFailed(link, which);
    sent = static_cast<size_t>(taken);
  }
  CountTo(link, which, count);
  if (sent == count) return;
  Keep(&to, bytes + sent, count - sent);
  Hold(link, which, count - sent);
}

// So many bytes more wait for this side; until they have gone the other one is not read.
void LinkMover::Hold(LinkRecord& link, int which, size_t count) {
  Side& to = link.side[which];
  Side& from = link.side[!which];
  tally_.waiting_bytes.fetch_add(count, std::memory_order_relaxed);
  if (from.held_ms == kNever) RenewStall(link, !which);
  if (to.Is(kRoomTold)) return;
  to.Set(kRoomTold);
  // Edge-triggered: where there is room by now it is told again.
  Register(epoll_, EPOLL_CTL_MOD, to, link.id.load(std::memory_order_relaxed), which);
}

// From now on it has the whole limit of a stall again: it is slow, but takes something. Nobody is told of every byte that a
// peer takes, nor of every hundred thousand: so the kernel's own count is noted, to be held against a later one.
void LinkMover::RenewStall(LinkRecord& link, int which) {
  link.side[which].held_ms = now_ms_;
  if (link.is_patient) link.taken_ms = now_ms_;
  TookSome(&link.side[!which]);
}

// There is room: sends what waits; where all has gone the other side is read again.
void LinkMover::Flush(LinkRecord& link, int which) {
  Side& from = link.side[!which];
  if (!FlushPipe(link, which) || !FlushKept(link, which)) {
    if (from.held_ms != kNever && !link.side[which].Is(kGone)) RenewStall(link, !which);
    return;
  }
  if (from.held_ms != kNever) {
    from.held_ms = kNever;
    from.last_ms = now_ms_;
    Watch(link);
  }
  if (from.Is(kReadable)) Read(link, !which);
}

bool LinkMover::FlushPipe(LinkRecord& link, int which) {
  Side& to = link.side[which];
  if (to.pipe == Pipes::kNone) return true;
  const size_t before = pipes_.Holds(to.pipe);
  const int emptied = pipes_.Empty(to.pipe, to.fd);
  tally_.waiting_bytes.fetch_sub(before - pipes_.Holds(to.pipe), std::memory_order_relaxed);
  if (emptied == -1) WriteFailed(link, which);
  if (emptied != 1) return false;
  pipes_.GiveBack(to.pipe);
  to.pipe = Pipes::kNone;
  return true;
}

bool LinkMover::FlushKept(LinkRecord& link, int which) {
  Side& to = link.side[which];
  if (to.kept == nullptr) return true;
  Kept& kept = *to.kept;
  const ssize_t taken = SendNow(to.fd, kept.bytes.get() + kept.at, kept.end - kept.at);
  if (taken == -1) {
    WriteFailed(link, which);
    return false;
  }
  kept.at += static_cast<size_t>(taken);
  tally_.waiting_bytes.fetch_sub(static_cast<size_t>(taken), std::memory_order_relaxed);
  if (kept.at < kept.end) return false;
  to.kept.reset();
  return true;
}

}  // namespace limpet
