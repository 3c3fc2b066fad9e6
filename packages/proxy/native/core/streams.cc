// The reactor is asked for something: by whoever holds a stream, at any time.
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "reactor.h"

namespace limpet {

uint64_t Reactor::Dial(const SocketAddress* to, const SocketAddress* from, const uint8_t* first, size_t length) {
  bool is_open = false;
  DialStage failed = DialStage::kConnect;
  const uint64_t id = streams_.Take();
  if (id == kNoId) return kNoId;
  const int fd = to == nullptr ? -EINVAL : BeginDial(*to, from, length > 0, &is_open, &failed);
  if (fd < 0) {
    streams_.Retire(id);
    gone_.push_back({Kind::kFailed, id, -fd, static_cast<int>(failed)});
    return id;
  }
  Stream* stream = streams_.Find(id);
  stream->fd = fd;
  stream->dialled = true;
  stream->connecting = true;
  stream->writable = is_open;
  stream->pending.assign(first, first + length);
  stream->sent = length;
  SetWatch(id, stream, Watch::kInOut);
  if (is_open) Enqueue(id, stream);
  return id;
}

void Reactor::Resume(uint64_t id) {
  Stream* stream = streams_.Find(id);
  if (stream == nullptr || stream->flowing) return;
  stream->flowing = true;
  // Nobody has told us whether anything is there: reading is the way to know.
  if (stream->watch == Watch::kNot) stream->readable = true;
  if (stream->readable || !stream->early.empty() || stream->fin == Fin::kWaiting) Enqueue(id, stream);
}

void Reactor::Pause(uint64_t id) {
  Stream* stream = streams_.Find(id);
  if (stream == nullptr || !stream->flowing) return;
  stream->flowing = false;
  TakeBack(id, stream, Recall::kForPause);
}

bool Reactor::Write(uint64_t id, const uint8_t* bytes, size_t length) {
  Stream* stream = streams_.Find(id);
  if (stream == nullptr || stream->leave != Leave::kNo || stream->error != 0) return true;
  stream->sent += length;
  std::vector<uint8_t>& pending = stream->pending;
  if (stream->connecting || stream->HasPending()) {
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(stream->pending_at));
    stream->pending_at = 0;
    pending.insert(pending.end(), bytes, bytes + length);
    stream->owes_drained = true;
    return false;
  }
  const ssize_t sent = length == 0 ? 0 : SendSome(stream->fd, bytes, length);
  if (sent < 0) {
    stream->error = static_cast<int>(-sent);
    Enqueue(id, stream);
    return true;
  }
  if (static_cast<size_t>(sent) == length) return true;
  pending.assign(bytes + sent, bytes + length);
  stream->writable = false;
  stream->owes_drained = true;
  SetWatch(id, stream, Watch::kInOut);
  return false;
}

void Reactor::End(uint64_t id) { LeaveBy(id, Leave::kFin); }
void Reactor::Close(uint64_t id) { LeaveBy(id, Leave::kClose); }
void Reactor::Abort(uint64_t id) { LeaveBy(id, Leave::kReset); }

void Reactor::LeaveBy(uint64_t id, Leave leave) {
  Stream* stream = streams_.Find(id);
  if (stream == nullptr || stream->leave >= leave) return;
  stream->leave = leave;
  if (leave >= Leave::kClose) {
    TakeBack(id, stream, Recall::kForEnd);
    std::vector<uint8_t>().swap(stream->early);
    // Whether there is something to drop is not known of one that is not watched.
    if (stream->watch == Watch::kNot) stream->readable = true;
  }
  Enqueue(id, stream);
}

void Reactor::Reset(uint64_t id) {
  Stream* stream = streams_.Find(id);
  if (stream == nullptr) return TakeBackFailed(id);
  const bool is_silent = stream->connecting || TakeBackOpened(id, *stream);
  TakeBack(id, stream, Recall::kForEnd);
  CloseWithReset(stream->fd);
  streams_.Retire(id);
  if (is_silent) resting_.push_back(id);
  else gone_.push_back({Kind::kClosed, id, ECONNABORTED, 0});
}

void Reactor::KeepAlive(uint64_t id, int idle_ms) {
  const Stream* stream = streams_.Find(id);
  if (stream != nullptr) SetKeepAlive(stream->fd, idle_ms);
}

bool Reactor::Counts(uint64_t id, uint64_t* received, uint64_t* sent) {
  const Stream* stream = streams_.Find(id);
  if (stream == nullptr) return false;
  *received = stream->received;
  *sent = stream->sent;
  return true;
}

bool Reactor::CanTake(uint64_t id) {
  const Stream* stream = streams_.Find(id);
  return stream != nullptr && !stream->connecting && stream->leave == Leave::kNo && stream->error == 0;
}

TakenStream Reactor::Take(uint64_t id) {
  Stream* stream = streams_.Find(id);
  TakeBack(id, stream, Recall::kForTaking);
  std::vector<uint8_t>& pending = stream->pending;
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(stream->pending_at));
  TakenStream taken{stream->fd,        stream->watch != Watch::kNot, std::move(pending), std::move(stream->early),
                    stream->received, stream->sent};
  Release(id);
  return taken;
}

void Reactor::TakeBack(uint64_t id, Stream* stream, Recall recall) {
  if (stream->batch != batch_->serial()) return;
  std::vector<uint8_t> bytes;
  for (size_t i = stream->first_event; i <= stream->last_event; i += 1) {
    if (batch_->id(i) != id) continue;
    const Kind kind = batch_->kind(i);
    if (kind == Kind::kBytes) bytes.insert(bytes.end(), batch_->bytes(i), batch_->bytes(i) + batch_->length(i));
    else if (kind == Kind::kEnded) stream->fin = Fin::kWaiting;
    else if (kind != Kind::kDrained || recall == Recall::kForPause) continue;
    batch_->TakeBack(i);
  }
  // The kernel and what was taken back before have what comes behind them.
  if (!bytes.empty() && recall != Recall::kForEnd) {
    stream->early.insert(stream->early.begin(), bytes.begin(), bytes.end());
  }
}

// True: it was open, and nobody has heard of it.
bool Reactor::TakeBackOpened(uint64_t id, const Stream& stream) {
  if (stream.batch != batch_->serial()) return false;
  for (size_t i = stream.first_event; i <= stream.last_event; i += 1) {
    if (batch_->id(i) != id || batch_->kind(i) != Kind::kOpened) continue;
    batch_->TakeBack(i);
    return true;
  }
  return false;
}

// A dial was given up that has failed already.
void Reactor::TakeBackFailed(uint64_t id) {
  const auto is_it = [id](const Gone& gone) { return gone.id == id && gone.kind == Kind::kFailed; };
  const auto given_up = std::find_if(gone_.begin(), gone_.end(), is_it);
  if (given_up != gone_.end()) {
    gone_.erase(given_up);
    resting_.push_back(id);
  }
  for (size_t i = 0; i < batch_->count(); i += 1) {
    if (batch_->id(i) == id && batch_->kind(i) == Kind::kFailed) batch_->TakeBack(i);
  }
}

}  // namespace limpet
