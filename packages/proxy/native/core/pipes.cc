#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace limpet {

namespace {
// How many buffers a pipe has, as bytes; a buffer holds a piece of a packet, mostly more than a page. The system may
// give less.
constexpr int kPipeSize = 1 << 20;
constexpr unsigned kHow = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
}  // namespace

Pipes::~Pipes() {
  for (const Pipe& pipe : pipes_) {
    if (pipe.in == -1) continue;
    close(pipe.in);
    close(pipe.out);
  }
}

bool Pipes::Make(Pipe* pipe) {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return false;
  // Refused beyond the user's share of pipe buffers; a small one does it too.
  fcntl(ends[1], F_SETPIPE_SZ, kPipeSize);
  *pipe = {ends[0], ends[1], 0};
  open_ += 1;
  return true;
}

Pipes::Index Pipes::Take() {
  if (free_.empty()) {
    if (pipes_.size() >= most_) return kNone;
    pipes_.push_back({-1, -1, 0});
    free_.push_back(static_cast<Index>(pipes_.size() - 1));
  }
  const Index index = free_.back();
  Pipe& pipe = pipes_[static_cast<size_t>(index)];
  if (pipe.in == -1 && !Make(&pipe)) return kNone;
  free_.pop_back();
  return index;
}

void Pipes::GiveBack(Index index) {
  Pipe& pipe = pipes_[static_cast<size_t>(index)];
  if (pipe.bytes > 0) {
    close(pipe.in);
    close(pipe.out);
    pipe = {-1, -1, 0};
    open_ -= 1;
  }
  free_.push_back(index);
}

ssize_t Pipes::Fill(Index index, int socket, size_t most_bytes) {
  Pipe& pipe = pipes_[static_cast<size_t>(index)];
  const ssize_t count = splice(socket, nullptr, pipe.in, nullptr, most_bytes, kHow);
  if (count > 0) pipe.bytes = static_cast<size_t>(count);
  return count;
}

int Pipes::Empty(Index index, int socket) {
  Pipe& pipe = pipes_[static_cast<size_t>(index)];
  while (pipe.bytes > 0) {
    const ssize_t count = splice(pipe.out, nullptr, socket, nullptr, pipe.bytes, kHow);
    if (count > 0) pipe.bytes -= static_cast<size_t>(count);
    else if (count == -1 && errno == EAGAIN) return 0;
    else if (count == 0 || errno != EINTR) return -1;
  }
  return 1;
}

}  // namespace limpet
