// One TCP connection in the reactor. What these fields mean for each other is the reactor's business alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace limpet {

// How a stream is left; a later one may replace an earlier one.
enum class Leave : uint8_t { kNo, kFin, kClose, kReset };
enum class Fin : uint8_t { kUnseen, kWaiting, kTold };
// What epoll tells of it: nothing yet, what comes in, or also that there is room to write.
enum class Watch : uint8_t { kNot, kIn, kInOut };

struct Stream {
  int fd = -1;
  // Told with `closed`; not 0: the connection is broken, and there is nothing left to do but to read what is there.
  int error = 0;
  // The batch that has events of it, and the first and the last one of those.
  uint32_t batch = 0;
  uint16_t first_event = 0;
  uint16_t last_event = 0;

  Leave leave = Leave::kNo;
  Fin fin = Fin::kUnseen;
  Watch watch = Watch::kNot;
  // A server's.
  bool dialled : 1;
  bool connecting : 1;
  bool flowing : 1;
  // There may be something to read; there may be room to write; the peer has gone, or has sent urgent data: a short read is
  // not the last one.
  bool readable : 1;
  bool writable : 1;
  bool hung_up : 1;
  bool failing : 1;
  bool fin_sent : 1;
  bool owes_drained : 1;
  bool queued : 1;

  // Not sent yet, from `pending_at` on.
  std::vector<uint8_t> pending;
  size_t pending_at = 0;
  // Read and taken back: it is told before anything else is read.
  std::vector<uint8_t> early;
  uint64_t received = 0;
  uint64_t sent = 0;

  Stream()
      : dialled(false),
        connecting(false),
        flowing(false),
        readable(false),
        writable(false),
        hung_up(false),
        failing(false),
        fin_sent(false),
        owes_drained(false),
        queued(false) {}

  bool HasPending() const { return pending_at < pending.size(); }
};

struct Listener {
  int fd = -1;
  uint32_t credit = 0;
  // Accepted in the turn of this number.
  uint32_t turn = 0;
  uint32_t accepted = 0;
  bool tells_local = false;
  bool readable = false;
  bool queued = false;
};

}  // namespace limpet
