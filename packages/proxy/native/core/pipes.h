// Pipes for splice(): bytes go from socket to socket through one without being copied.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace limpet {

// A pool: a pipe is made when it is first needed, and used again. One whose link's peer takes nothing stays with that
// link, so their number is the limit of what may wait in them.
class Pipes {
 public:
  using Index = int16_t;
  static constexpr Index kNone = -1;

  // `most` 0: never splices.
  explicit Pipes(size_t most) : most_(most) {}
  ~Pipes();
  Pipes(const Pipes&) = delete;
  Pipes& operator=(const Pipes&) = delete;

  // An empty one; kNone: all are in use, or the system gives none: read plainly.
  Index Take();
  // It is free again. One that still holds bytes is closed instead: they are not for its next user.
  void GiveBack(Index pipe);

  // Fills an empty one with at most so many bytes of a socket. Answers what splice() does.
  ssize_t Fill(Index pipe, int socket, size_t most_bytes);
  // Moves what it holds into a socket. 1: all; 0: the peer takes no more now; -1, with errno: the peer is gone.
  int Empty(Index pipe, int socket);
  size_t Holds(Index pipe) const { return pipes_[static_cast<size_t>(pipe)].bytes; }
  // So many are open.
  size_t Open() const { return open_; }

 private:
  struct Pipe {
    int out;
    int in;
    size_t bytes;
  };
  bool Make(Pipe* pipe);

  const size_t most_;
  size_t open_ = 0;
  std::vector<Pipe> pipes_;
  std::vector<Index> free_;
};

}  // namespace limpet
