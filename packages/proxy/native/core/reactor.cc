#include "reactor.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace limpet {

namespace {

constexpr int kMostEvents = 256;
// A read ends short at urgent data, too.
constexpr uint32_t kInput = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

Reactor::~Reactor() {
  streams_.Each([](uint64_t, Stream& stream) { close(stream.fd); });
  listeners_.Each([](uint64_t, Listener& listener) { close(listener.fd); });
  if (epoll_ >= 0) close(epoll_);
}

bool Reactor::Start() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  return epoll_ >= 0;
}

void Reactor::BeginTurn() {
  turn_ += 1;
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(due_at_));
  due_at_ = 0;
  due_.insert(due_.end(), later_.begin(), later_.end());
  later_.clear();
}

bool Reactor::Poll() {
  epoll_event events[kMostEvents];
  const int count = epoll_wait(epoll_, events, kMostEvents, 0);
  for (int i = 0; i < count; i += 1) {
    const uint64_t name = events[i].data.u64;
    if ((name & kListenerBit) == 0 && (name & guest_.bits) != 0) guest_.on_event(guest_.context, name, events[i].events);
    else Mark(name, events[i].events);
  }
  return count < kMostEvents;
}

// Notes what the kernel says; it is acted on in Fill().
void Reactor::Mark(uint64_t id, uint32_t events) {
  if ((id & kListenerBit) != 0) {
    Listener* listener = listeners_.Find(id & ~kListenerBit);
    if (listener == nullptr) return;
    listener->readable = true;
    if (!listener->queued) due_.push_back(id);
    listener->queued = true;
    return;
  }
  Stream* stream = streams_.Find(id);
  if (stream == nullptr) return;
  if ((events & kInput) != 0) stream->readable = true;
  if ((events & (kInput & ~uint32_t{EPOLLIN})) != 0) stream->hung_up = true;
  if ((events & EPOLLERR) != 0) stream->failing = true;
  if ((events & EPOLLOUT) != 0) stream->writable = true;
  const bool waits_for_resume = !stream->flowing && !stream->failing && !stream->connecting &&
                                stream->leave == Leave::kNo && !stream->HasPending();
  if (!waits_for_resume) Enqueue(id, stream);
}

void Reactor::Fill() {
  WakeResting();
  WatchUnwatched();
  due_.insert(due_.end(), unfinished_.begin(), unfinished_.end());
  unfinished_.clear();
  FillGone();
  while (due_at_ < due_.size() && batch_->HasRoom()) {
    const uint64_t id = due_[due_at_++];
    if ((id & kListenerBit) != 0) {
      Listener* listener = listeners_.Find(id & ~kListenerBit);
      if (listener != nullptr) ServeListener(id & ~kListenerBit, listener);
    } else {
      Stream* stream = streams_.Find(id);
      if (stream != nullptr) Serve(id, stream);
    }
  }
  if (due_at_ == due_.size()) {
    due_.clear();
    due_at_ = 0;
  }
}

void Reactor::Release(uint64_t id) {
  streams_.Retire(id);
  resting_.push_back(id);
}

void Reactor::WakeResting() {
  if (resting_batch_ == batch_->serial()) return;
  resting_batch_ = batch_->serial();
  for (const uint64_t id : resting_) streams_.Reuse(id);
  resting_.clear();
}

// Whoever heard their bytes has had the time to pause or to link them. Watching tells at once of what came meanwhile.
void Reactor::WatchUnwatched() {
  for (const uint64_t id : unwatched_) {
    Stream* stream = streams_.Find(id);
    if (stream == nullptr || !stream->flowing || stream->watch != Watch::kNot) continue;
    stream->readable = false;
    SetWatch(id, stream, Watch::kIn);
  }
  unwatched_.clear();
}

void Reactor::FillGone() {
  size_t told = 0;
  for (; told < gone_.size() && batch_->HasRoom(); told += 1) {
    const Gone& gone = gone_[told];
    batch_->Add(gone.kind, gone.id, gone.error, gone.stage);
    resting_.push_back(gone.id);
  }
  gone_.erase(gone_.begin(), gone_.begin() + static_cast<std::ptrdiff_t>(told));
}

void Reactor::Sweep() {
  for (const uint64_t id : old_) {
    Stream* stream = streams_.Find(id);
    if (stream != nullptr && stream->watch == Watch::kNot) SetWatch(id, stream, Watch::kIn);
  }
  old_.swap(young_);
  young_.clear();
  for (const uint64_t id : undelivered_) {
    Stream* stream = streams_.Find(id);
    if (stream != nullptr) Enqueue(id, stream);
  }
  undelivered_.clear();
}

int64_t Reactor::Listen(int descriptor, int backlog) {
  SocketAddress local;
  const int fd = OpenListener(descriptor, backlog, &local);
  if (fd < 0) return fd;
  const uint64_t id = listeners_.Take();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = id | kListenerBit;
  if (id == kNoId || epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    const int error = id == kNoId ? ENFILE : errno;
    if (id != kNoId) FreeListener(id);
    close(fd);
    return -error;
  }
  Listener* listener = listeners_.Find(id);
  listener->fd = fd;
  listener->tells_local = IsUnspecified(local);
  return static_cast<int64_t>(id);
}

void Reactor::Credit(uint64_t id, uint32_t count) {
  Listener* listener = listeners_.Find(id);
  if (listener == nullptr) return;
  listener->credit = count;
  if (!listener->readable || listener->queued || count == 0) return;
  due_.push_back(id | kListenerBit);
  listener->queued = true;
}

void Reactor::Unlisten(uint64_t id) {
  Listener* listener = listeners_.Find(id);
  if (listener == nullptr) return;
  // Other processes have copies of this socket, so closing ours does not take it out of epoll.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, listener->fd, nullptr);
  close(listener->fd);
  FreeListener(id);
}

void Reactor::FreeListener(uint64_t id) {
  listeners_.Retire(id);
  listeners_.Reuse(id);
}

void Reactor::Enqueue(uint64_t id, Stream* stream) {
  if (stream->queued) return;
  stream->queued = true;
  due_.push_back(id);
}

void Reactor::EnqueueLater(uint64_t id, Stream* stream) {
  if (stream->queued) return;
  stream->queued = true;
  later_.push_back(id);
}

void Reactor::Tell(Kind kind, uint64_t id, Stream* stream, double a, double b, size_t bytes) {
  const size_t index = batch_->Add(kind, id, a, b, bytes);
  if (stream->batch != batch_->serial()) stream->first_event = static_cast<uint16_t>(index);
  stream->last_event = static_cast<uint16_t>(index);
  stream->batch = batch_->serial();
}

// Room to write is watched for from the first time that there was none.
void Reactor::SetWatch(uint64_t id, Stream* stream, Watch watch) {
  if (stream->watch >= watch) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;
  if (watch == Watch::kInOut) event.events |= EPOLLOUT;
  event.data.u64 = id;
  const int operation = stream->watch == Watch::kNot ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  stream->watch = watch;
  if (epoll_ctl(epoll_, operation, stream->fd, &event) == 0) return;
  // No memory, or more watches than this user may have: it would never hear of anything again.
  stream->error = errno;
  Enqueue(id, stream);
}

Reactor::Census Reactor::TakeCensus() {
  size_t waiting = 0;
  streams_.Each([&waiting](uint64_t, Stream& stream) {
    waiting += stream.pending.size() - stream.pending_at + stream.early.size();
  });
  return {streams_.used(), waiting, streams_.made()};
}

}  // namespace limpet
