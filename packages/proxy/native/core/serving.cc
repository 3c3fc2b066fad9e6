// The reactor serves a stream that something is due for: it writes, reads, and tells.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "reactor.h"

namespace limpet {

namespace {

// What a peer sends to a stream that is being closed is dropped, but not for ever.
constexpr int kMostDrops = 16;

}  // namespace

void Reactor::Serve(uint64_t id, Stream* stream) {
  stream->queued = false;
  if (stream->connecting && !ServeDial(id, stream)) return;
  if (stream->writable && stream->HasPending() && stream->error == 0) ServePending(id, stream);
  if ((stream->failing || stream->error != 0) && !ServeBroken(id, stream)) return;
  if (stream->leave >= Leave::kClose) return ServeLeave(id, stream);
  if (stream->leave == Leave::kFin && !stream->fin_sent && !stream->HasPending()) {
    shutdown(stream->fd, SHUT_WR);
    stream->fin_sent = true;
  }
  if (stream->fin == Fin::kTold && stream->fin_sent) return TellClosed(id, stream, 0);
  if (stream->flowing) ServeInput(id, stream);
}

// True: it is open now.
bool Reactor::ServeDial(uint64_t id, Stream* stream) {
  if (stream->error == 0 && stream->hung_up) stream->error = TakeError(stream->fd);
  if (stream->error != 0) {
    Tell(Kind::kFailed, id, stream, stream->error, static_cast<double>(DialStage::kConnect));
    close(stream->fd);
    Release(id);
    return false;
  }
  if (!stream->writable) return false;
  stream->connecting = false;
  Tell(Kind::kOpened, id, stream);
  return true;
}

// False: it was closed. What the peer sent before its RST is read first, where it is wanted: while somebody listens, and
// of a server always. A client that has gone while it waits for a broker must be told of at once.
bool Reactor::ServeBroken(uint64_t id, Stream* stream) {
  const bool may_read = stream->fin != Fin::kTold && stream->leave < Leave::kClose;
  if (may_read && (stream->flowing || stream->dialled)) {
    stream->readable = true;
    return true;
  }
  if (stream->error == 0) stream->error = TakeError(stream->fd);
  stream->failing = false;
  if (stream->error == 0) return true;
  TellClosed(id, stream, stream->error);
  return false;
}

void Reactor::ServePending(uint64_t id, Stream* stream) {
  const size_t length = stream->pending.size() - stream->pending_at;
  const ssize_t sent = SendSome(stream->fd, stream->pending.data() + stream->pending_at, length);
  if (sent < 0) {
    stream->error = static_cast<int>(-sent);
    return;
  }
  stream->pending_at += static_cast<size_t>(sent);
  if (stream->HasPending()) {
    stream->writable = false;
    return;
  }
  std::vector<uint8_t>().swap(stream->pending);
  stream->pending_at = 0;
  if (stream->owes_drained && stream->leave < Leave::kClose) Tell(Kind::kDrained, id, stream);
  stream->owes_drained = false;
}

void Reactor::ServeLeave(uint64_t id, Stream* stream) {
  if (stream->leave == Leave::kReset) {
    if (!stream->HasPending()) ServeAbort(id, stream);
    return;
  }
  // What is left unread would turn our FIN into RST.
  if (stream->readable && !DropInput(id, stream)) return;
  if (!stream->HasPending()) TellClosed(id, stream, 0);
}

// RST drops what the kernel has not delivered yet, and nothing tells when it has: it is asked at each sweep.
void Reactor::ServeAbort(uint64_t id, Stream* stream) {
  if (!HasUndelivered(stream->fd)) return TellClosed(id, stream, ECONNABORTED);
  undelivered_.push_back(id);
  SetWatch(id, stream, Watch::kIn);
}

// False: it was closed.
bool Reactor::DropInput(uint64_t id, Stream* stream) {
  for (int i = 0; i < kMostDrops; i += 1) {
    const ssize_t received = ReceiveSome(stream->fd, batch_->room(), kLongestRead);
    if (received > 0) {
      stream->received += static_cast<uint64_t>(received);
      continue;
    }
    stream->readable = false;
    if (received == 0 || received == -EAGAIN) return true;
    TellClosed(id, stream, static_cast<int>(-received));
    return false;
  }
  if (stream->HasPending()) EnqueueLater(id, stream);
  return true;
}

void Reactor::ServeInput(uint64_t id, Stream* stream) {
  if (!stream->early.empty()) return TellEarly(id, stream);
  if (stream->fin == Fin::kWaiting) return TellFin(id, stream);
  if (stream->fin == Fin::kTold || !stream->readable) return;
  const ssize_t received = ReceiveSome(stream->fd, batch_->room(), kLongestRead);
  if (received > 0) return TellBytes(id, stream, static_cast<size_t>(received));
  stream->readable = false;
  if (received == 0) return TellFin(id, stream);
  if (stream->error != 0 || received != -EAGAIN) {
    return TellClosed(id, stream, stream->error != 0 ? stream->error : static_cast<int>(-received));
  }
  SetWatch(id, stream, Watch::kIn);
}

void Reactor::TellEarly(uint64_t id, Stream* stream) {
  std::vector<uint8_t>& early = stream->early;
  const size_t length = std::min(early.size(), kLongestRead);
  std::memcpy(batch_->room(), early.data(), length);
  Tell(Kind::kBytes, id, stream, 0, 0, length);
  early.erase(early.begin(), early.begin() + static_cast<std::ptrdiff_t>(length));
  if (early.empty()) std::vector<uint8_t>().swap(early);
  // What is behind them: more of these, what the kernel has, FIN.
  Enqueue(id, stream);
}

// A short read has emptied the socket; whatever comes later is a new edge. But the FIN or RST that has been told of may
// have been told together with these bytes.
void Reactor::TellBytes(uint64_t id, Stream* stream, size_t bytes) {
  stream->received += bytes;
  Tell(Kind::kBytes, id, stream, 0, 0, bytes);
  if (bytes == kLongestRead) EnqueueLater(id, stream);
  else if (stream->hung_up) Enqueue(id, stream);
  else if (stream->watch == Watch::kNot) unwatched_.push_back(id);
  else stream->readable = false;
}

// An RST behind the FIN is an error of its own (EPIPE), as it is in Node.
void Reactor::TellFin(uint64_t id, Stream* stream) {
  if (stream->error == 0 && stream->failing) stream->error = TakeError(stream->fd);
  stream->failing = false;
  if (stream->error != 0) return TellClosed(id, stream, stream->error);
  stream->fin = Fin::kTold;
  Tell(Kind::kEnded, id, stream);
  SetWatch(id, stream, Watch::kIn);
  if (stream->fin_sent) Enqueue(id, stream);
}

// Not in the batch that has other events of it: while those are read, it may be paused, linked or reset instead.
void Reactor::TellClosed(uint64_t id, Stream* stream, int error) {
  if (stream->batch == batch_->serial()) {
    stream->error = error;
    if (!stream->queued) unfinished_.push_back(id);
    stream->queued = true;
    return;
  }
  Tell(Kind::kClosed, id, stream, error);
  if (error == ECONNABORTED) CloseWithReset(stream->fd);
  else close(stream->fd);
  Release(id);
}

}  // namespace limpet
