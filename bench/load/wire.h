// The layer below a client's bytes: plain TCP, or TLS. Everything here is non-blocking.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct wire;

struct wire_kind {
  // The descriptor is connected. 1: bytes can go now; 0: not yet, call again at the next event; -1: failed.
  int (*shake)(struct wire *wire);
  // As read(2) and write(2): 0 is the end, -1 with EAGAIN is "not now".
  ssize_t (*read)(struct wire *wire, void *bytes, size_t size);
  ssize_t (*write)(struct wire *wire, const void *bytes, size_t size);
  // As read, but the bytes are thrown away where they are; NULL: it cannot do that.
  ssize_t (*discard)(struct wire *wire, size_t size);
  // Says that nothing more is sent (close_notify, FIN).
  void (*finish)(struct wire *wire);
  // Frees what `session` points to; the descriptor is the caller's.
  void (*release)(struct wire *wire);
  // A read of less than was asked for has emptied the kernel's buffer.
  bool short_read_empties;
};

struct wire {
  int fd;
  const struct wire_kind *kind;
  void *session;
};

extern const struct wire_kind plain_wire;

// A socket that connects to 127.0.0.1:port, from 127.0.0.source (0: any address), with TCP_NODELAY. -1: errno says why.
int wire_dial(uint16_t port, unsigned source);
// Non-blocking, with TCP_NODELAY.
int wire_accept(int listener);
// Listens on 127.0.0.1 at any port, which it writes to *port. Exits with a message where it cannot.
int wire_listen(uint16_t *port);
