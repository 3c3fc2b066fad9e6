// The reactor accepts.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "reactor.h"

namespace limpet {

namespace {

constexpr uint32_t kMostPerTurn = 64;

}  // namespace

void Reactor::ServeListener(uint64_t id, Listener* listener) {
  listener->queued = false;
  if (listener->turn != turn_) listener->accepted = 0;
  listener->turn = turn_;
  while (listener->credit > 0) {
    const bool had_its_share = listener->accepted == kMostPerTurn;
    if (had_its_share || !batch_->HasRoom()) {
      (had_its_share ? later_ : due_).push_back(id | kListenerBit);
      listener->queued = true;
      return;
    }
    if (streams_.used() == kMostSlots) return TellStarved(id, listener, ENFILE);
    listener->accepted += 1;
    SocketAddress peer;
    const int fd = AcceptOne(listener->fd, &peer);
    if (fd >= 0) {
      listener->credit -= 1;
      Admit(id, *listener, fd, peer);
    } else if (fd == -EAGAIN) {
      listener->readable = false;
      return;
    } else if (!IsOneConnectionsEnd(-fd)) {
      return TellStarved(id, listener, -fd);
    }
  }
}

// Nothing is read of it, and epoll does not know it, before somebody resumes it: its CONNECT is often there already.
void Reactor::Admit(uint64_t id, const Listener& listener, int fd, const SocketAddress& peer) {
  const uint64_t stream_id = streams_.Take();
  Stream* stream = streams_.Find(stream_id);
  stream->fd = fd;
  stream->readable = true;
  uint8_t* room = batch_->room();
  PackAddress(peer, room);
  size_t length = kPackedAddress;
  if (listener.tells_local) {
    SocketAddress local;
    local.length = sizeof local.storage;
    if (getsockname(fd, local.get(), &local.length) == 0) {
      PackAddress(local, room + length);
      length += kPackedAddress;
    }
  }
  Tell(Kind::kAccepted, stream_id, stream, static_cast<double>(id), length > kPackedAddress ? 1 : 0, length);
  young_.push_back(stream_id);
}

void Reactor::TellStarved(uint64_t id, Listener* listener, int error) {
  listener->credit = 0;
  batch_->Add(Kind::kStarved, id, error);
}

}  // namespace limpet
