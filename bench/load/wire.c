#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

static int plain_shake(struct wire *wire) {
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  errno = failure;
  return failure == 0 ? 1 : -1;
}

static ssize_t plain_read(struct wire *wire, void *bytes, size_t size) { return recv(wire->fd, bytes, size, 0); }

static ssize_t plain_write(struct wire *wire, const void *bytes, size_t size) {
  return send(wire->fd, bytes, size, MSG_NOSIGNAL);
}

// tcp(7): with MSG_TRUNC the bytes are not copied. They were checked by the kernel's counts alone.
static ssize_t plain_discard(struct wire *wire, size_t size) { return recv(wire->fd, NULL, size, MSG_TRUNC); }

static void plain_finish(struct wire *wire) { shutdown(wire->fd, SHUT_WR); }

static void plain_release(struct wire *wire) { (void)wire; }

const struct wire_kind plain_wire = {plain_shake, plain_read, plain_write, plain_discard, plain_finish, plain_release, true};

static struct sockaddr_in loopback(unsigned host, uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(0x7f000000u + host);
  return address;
}

static int set(int fd, int level, int option) {
  int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on);
}

int wire_dial(uint16_t port, unsigned source) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  set(fd, IPPROTO_TCP, TCP_NODELAY);
  struct sockaddr_in from = loopback(source, 0), to = loopback(1, port);
  bool bound = source == 0;
  if (!bound) {
    // The port is chosen by connect(), which knows the other end: each source address has its own range of them.
    set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    bound = bind(fd, (struct sockaddr *)&from, sizeof from) == 0;
  }
  if (bound && (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS)) return fd;
  int failure = errno;
  close(fd);
  errno = failure;
  return -1;
}

int wire_accept(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) set(fd, IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

int wire_listen(uint16_t *port) {
  struct sockaddr_in address = loopback(1, 0);
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0) err(1, "listen");
  getsockname(fd, (struct sockaddr *)&address, &size);
  *port = ntohs(address.sin_port);
  return fd;
}
