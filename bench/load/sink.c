// The brokers, as light as they can be: they accept every CONNECT, answer what must be answered, and swallow the rest.
// Whoever sends FIN gets FIN. A connection that begins with `G` speaks WebSocket.
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frames.h"
#include "loop.h"
#include "outbox.h"
#include "packets.h"
#include "roles.h"

#define READ_SIZE (256 * 1024)

enum speech { UNKNOWN, UPGRADE, MQTT };

struct connection {
  struct source source;
  struct wire wire;
  struct outbox outbox;
  struct walker walker;
  struct frames frames;
  enum speech speech;
  bool is_websocket, is_gone;
  // PUBLISHes in and out; bytes of packets that are still to be streamed; PINGRESPs that wait for their end.
  uint64_t received, sent, to_stream, pings_owed;
};

struct listener {
  struct source source;
  int fd;
};

static uint64_t open_now, accepted, publishes, publish_bytes, disorder;

static void close_connection(struct connection *connection) {
  connection->is_gone = true;
  open_now -= 1;
  close(connection->wire.fd);
  outbox_free(&connection->outbox);
  loop_free(connection);
}

static bool send_raw(struct connection *connection, const void *bytes, size_t size) {
  if (outbox_send(&connection->outbox, &connection->wire, bytes, size)) return true;
  close_connection(connection);
  return false;
}

// `packet` has room before it for a frame's head.
static bool send_packet(struct connection *connection, uint8_t *packet, size_t size) {
  size_t head = connection->is_websocket ? write_frame(packet, size, false) : 0;
  return send_raw(connection, packet - head, head + size);
}

static bool send_small(struct connection *connection, enum packet type) {
  uint8_t room[FRAME_HEAD_MAX + 4] = {0};
  uint8_t *packet = room + FRAME_HEAD_MAX;
  packet[0] = (uint8_t)(type << 4);
  packet[1] = type == CONNACK ? 2 : 0;
  return send_packet(connection, packet, 2u + packet[1]);
}

static bool send_publish(struct connection *connection, enum errand errand, uint64_t value, size_t payload) {
  static uint8_t room[FRAME_HEAD_MAX + WHOLE_PUBLISH_MAX];
  struct stamp stamp = {connection->sent++, value};
  return send_packet(connection, room + FRAME_HEAD_MAX, write_publish(room + FRAME_HEAD_MAX, errand, stamp, payload));
}

// As much of a stream as the kernel takes, then the answers that waited for its end.
static bool stream(struct connection *connection) {
  while (connection->to_stream > 0 && connection->outbox.length == 0) {
    connection->to_stream -= WHOLE_PUBLISH_MAX;
    if (!send_publish(connection, STREAM, 0, payload_for(WHOLE_PUBLISH_MAX))) return false;
  }
  for (; connection->to_stream == 0 && connection->pings_owed > 0; connection->pings_owed -= 1)
    if (!send_small(connection, PINGRESP)) return false;
  return true;
}

static bool take_publish(struct connection *connection, const struct seen *seen) {
  publishes += 1;
  publish_bytes += seen->size;
  if (seen->stamp.number != connection->received++) disorder += 1;
  if (seen->errand == ECHO) return send_publish(connection, ECHO, seen->stamp.value, payload_for(seen->size));
  if (seen->errand != STREAM) return true;
  connection->to_stream += seen->stamp.value / WHOLE_PUBLISH_MAX * WHOLE_PUBLISH_MAX;
  return stream(connection);
}

// False: it is gone.
static bool take_packet(struct connection *connection, const struct seen *seen) {
  switch (seen->type) {
    case CONNECT: return send_small(connection, CONNACK);
    case PUBLISH: return take_publish(connection, seen);
    case PINGREQ: connection->pings_owed += 1; return stream(connection);
    default: return true;
  }
}

static void take_bytes(struct connection *connection, uint8_t *bytes, size_t size) {
  if (connection->speech == UNKNOWN) connection->speech = bytes[0] == 'G' ? UPGRADE : MQTT;
  if (connection->speech == UPGRADE) {
    char answer[UPGRADE_MAX];
    // The proxies send a request in one piece; nothing comes behind it before it is answered.
    size_t length = answer_upgrade(answer, (const char *)bytes, size);
    connection->speech = MQTT;
    if (length == 0) close_connection(connection);
    else if (send_raw(connection, answer, length)) connection->is_websocket = true;
    return;
  }
  if (connection->is_websocket) size = read_frames(&connection->frames, bytes, size);
  for (size_t at = 0; at < size;) {
    struct seen seen;
    bool found;
    at += walk(&connection->walker, bytes + at, size - at, &seen, &found);
    if (found && !take_packet(connection, &seen)) return;
  }
}

static void read_all(struct connection *connection) {
  static uint8_t bytes[READ_SIZE];
  while (!connection->is_gone) {
    size_t rest = connection->walker.rest;
    if (rest > 0 && !connection->is_websocket) {
      ssize_t dropped = plain_wire.discard(&connection->wire, rest);
      if (dropped > 0) connection->walker.rest -= (size_t)dropped;
      else if (dropped < 0 && errno == EAGAIN) return;
      else return close_connection(connection);
      continue;
    }
    ssize_t count = plain_wire.read(&connection->wire, bytes, sizeof bytes);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close_connection(connection);
    take_bytes(connection, bytes, (size_t)count);
  }
}

static void connection_ready(struct source *self, uint32_t events) {
  struct connection *connection = (struct connection *)self;
  if (connection->is_gone) return;
  if (events & EPOLLOUT) {
    if (!outbox_flush(&connection->outbox, &connection->wire)) return close_connection(connection);
    if (connection->outbox.length == 0 && connection->to_stream > 0 && !stream(connection)) return;
  }
  if (events & ~(uint32_t)EPOLLOUT) read_all(connection);
}

static void listener_ready(struct source *self, uint32_t events) {
  (void)events;
  for (int fd; (fd = wire_accept(((struct listener *)self)->fd)) >= 0;) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) err(1, "memory");
    connection->source.ready = connection_ready;
    connection->wire = (struct wire){.fd = fd, .kind = &plain_wire};
    open_now += 1;
    accepted += 1;
    loop_watch(fd, &connection->source);
  }
  if (errno != EAGAIN && errno != ECONNABORTED) err(1, "accept");
}

static void word(char *line) {
  if (strcmp(line, "counts") != 0) errx(2, "unknown word: %s", line);
  printf("{\"kind\":\"counts\",\"open\":%llu,\"accepted\":%llu,\"publishes\":%llu,\"bytes\":%llu,\"disorder\":%llu}\n",
         (unsigned long long)open_now, (unsigned long long)accepted, (unsigned long long)publishes,
         (unsigned long long)publish_bytes, (unsigned long long)disorder);
}

void sink_role(const struct options *options) {
  static struct listener listeners[16];
  printf("{\"kind\":\"ports\",\"ports\":[");
  for (uint64_t at = 0; at < options->ports; at += 1) {
    uint16_t port;
    listeners[at] = (struct listener){{listener_ready}, wire_listen(&port)};
    loop_watch(listeners[at].fd, &listeners[at].source);
    printf("%s%u", at == 0 ? "" : ",", port);
  }
  printf("]}\n");
  loop_listen(word);
  loop_run();
}
