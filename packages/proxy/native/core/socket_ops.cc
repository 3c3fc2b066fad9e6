#include "socket_ops.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace limpet {

namespace {

int OpenSocket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

bool Set(int fd, int level, int option, int value) { return setsockopt(fd, level, option, &value, sizeof value) == 0; }

int CloseAndAnswer(int fd, int error) {
  close(fd);
  return -error;
}

}  // namespace

int OpenBound(const SocketAddress& address, bool reuse_port) {
  const int family = address.storage.ss_family;
  const int fd = OpenSocket(family);
  if (fd < 0) return -errno;
  const bool is_set = Set(fd, SOL_SOCKET, SO_REUSEADDR, 1) && (!reuse_port || Set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
                      // `::` takes IPv4 too, as it does in Node; any other address is IPv6's alone.
                      (family != AF_INET6 || Set(fd, IPPROTO_IPV6, IPV6_V6ONLY, IsUnspecified(address) ? 0 : 1));
  if (!is_set || bind(fd, address.get(), address.length) != 0) return CloseAndAnswer(fd, errno);
  return fd;
}

int OpenListener(int bound, int backlog, SocketAddress* local) {
  const int fd = fcntl(bound, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int flags = fcntl(fd, F_GETFL);
  local->length = sizeof local->storage;
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || !Set(fd, IPPROTO_TCP, TCP_NODELAY, 1) ||
      getsockname(fd, local->get(), &local->length) != 0) {
    return CloseAndAnswer(fd, errno);
  }
  if (listen(fd, backlog) != 0) return CloseAndAnswer(fd, errno);
  return fd;
}

int AcceptOne(int listener, SocketAddress* peer) {
  peer->length = sizeof peer->storage;
  const int fd = accept4(listener, peer->get(), &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

bool IsOneConnectionsEnd(int accept_error) {
  switch (accept_error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ETIMEDOUT:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

int BeginDial(const SocketAddress& to, const SocketAddress* from, bool speaks_first, bool* is_open,
              DialStage* failed) {
  *failed = DialStage::kConnect;
  *is_open = false;
  const int fd = OpenSocket(to.storage.ss_family);
  if (fd < 0) return -errno;
  if (!Set(fd, IPPROTO_TCP, TCP_NODELAY, 1)) return CloseAndAnswer(fd, errno);
  if (from != nullptr) {
    // Without a port of our choice, bind() would take one that is free for every destination at once. With one, others
    // that go elsewhere may have it too.
    const bool any_port = reinterpret_cast<const sockaddr_in*>(&from->storage)->sin_port == 0;
    if (any_port) Set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    else Set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, from->get(), from->length) != 0) {
      *failed = DialStage::kBind;
      return CloseAndAnswer(fd, errno);
    }
  }
  // The last segment of the handshake goes with the first bytes. Without any it would wait for 40 ms and more.
  if (speaks_first) Set(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
  if (connect(fd, to.get(), to.length) == 0) *is_open = true;
  else if (errno != EINPROGRESS && errno != EINTR) return CloseAndAnswer(fd, errno);
  *failed = DialStage::kNone;
  return fd;
}

void SetKeepAlive(int fd, int idle_ms) {
  const int seconds = idle_ms < 1000 ? 1 : idle_ms / 1000;
  // These fail only on what is no TCP socket.
  Set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  Set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  Set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kProbesEveryMs / 1000);
  Set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

int TakeError(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

bool HasUndelivered(int fd) {
  int undelivered = 0;
  return ioctl(fd, SIOCOUTQ, &undelivered) == 0 && undelivered > 0;
}

void CloseWithReset(int fd) {
  const linger none{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(fd);
}

ssize_t SendSome(int fd, const uint8_t* bytes, size_t length) {
  for (;;) {
    const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return -errno;
  }
}

ssize_t ReceiveSome(int fd, uint8_t* room, size_t length) {
  for (;;) {
    const ssize_t received = recv(fd, room, length, MSG_DONTWAIT);
    if (received >= 0) return received;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace limpet
