// What is asked of the kernel about TCP sockets. All descriptors are non-blocking and close-on-exec.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "address.h"

namespace limpet {

// A silent connection is asked for a sign of life after so long, and so often from then on. A peer that acknowledges nothing
// for kUserTimeoutMs is gone, whether it was asked or sent something (with TCP_USER_TIMEOUT the kernel counts no probes).
constexpr int kKeepAliveMs = 60'000;
constexpr int kProbesEveryMs = 10'000;
constexpr int kUserTimeoutMs = 120'000;

// Bound, and not listening yet. Answers the descriptor, or -errno.
int OpenBound(const SocketAddress& address, bool reuse_port);

// Listens on a copy of a bound descriptor. What accepted sockets inherit is set here, so that nothing is asked of the
// kernel for each of them: TCP_NODELAY. Keep-alive is not: a device that sleeps for longer than kUserTimeoutMs, as its
// MQTT keep-alive allows, answers no probe. Answers the copy, or -errno.
int OpenListener(int bound, int backlog, SocketAddress* local);

// Answers a descriptor, or -errno.
int AcceptOne(int listener, SocketAddress* peer);

// Whether accept() failed for the one connection that it would have answered: the next one may succeed (accept(2)).
bool IsOneConnectionsEnd(int accept_error);

// Where a dial failed.
enum class DialStage : uint8_t { kNone = 0, kBind = 1, kConnect = 2 };

// Begins to connect, with TCP_NODELAY. `from` may be null; with port 0 the kernel chooses the port at connect(), so that
// one port serves many destinations. `speaks_first`: something is sent as soon as it is open. Answers the descriptor, or
// -errno and the stage that failed.
int BeginDial(const SocketAddress& to, const SocketAddress* from, bool speaks_first, bool* is_open,
              DialStage* failed);

void SetKeepAlive(int fd, int idle_ms);

// SO_ERROR, which is cleared by asking.
int TakeError(int fd);

// Whether the kernel has bytes that the peer has not acknowledged; a FIN counts as one.
bool HasUndelivered(int fd);

// Closes with RST: what the kernel has not delivered is dropped.
void CloseWithReset(int fd);

// Bytes that were sent, 0 where there is no room, or -errno.
ssize_t SendSome(int fd, const uint8_t* bytes, size_t length);

// Bytes that were received, 0 at FIN, or -errno (-EAGAIN: nothing is there).
ssize_t ReceiveSome(int fd, uint8_t* room, size_t length);

}  // namespace limpet
