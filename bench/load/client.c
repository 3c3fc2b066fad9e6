#define _GNU_SOURCE
#include "client.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE (256 * 1024)
#define PATIENCE_NS 10000000000u
#define SWEEP_NS 1000000000u

static struct client *all;

static void list(struct client *client) {
  client->next = all;
  if (all != NULL) all->previous = client;
  all = client;
}

static void unlist(struct client *client) {
  if (client->next != NULL) client->next->previous = client->previous;
  if (client->previous != NULL) client->previous->next = client->next;
  else all = client->next;
}

static void lose(struct client *client, const char *why) {
  if (client->phase == GONE) return;
  client->phase = GONE;
  unlist(client);
  client->wire.kind->release(&client->wire);
  close(client->wire.fd);
  outbox_free(&client->outbox);
  client->role->gone(client, why);
  loop_free(client);
}

static const char *reason(int failure) {
  switch (failure) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET: return "reset";
    case EPIPE: return "written to after its end";
    case ETIMEDOUT: return "timed out";
    case EADDRNOTAVAIL: return "no port left";
    case EPROTO: return "TLS failed";
    default: return "failed";
  }
}

static bool send_raw(struct client *client, const void *bytes, size_t size) {
  if (outbox_send(&client->outbox, &client->wire, bytes, size)) return true;
  lose(client, reason(errno));
  return false;
}

bool client_send(struct client *client, uint8_t *packet, size_t size) {
  size_t head = client->is_websocket ? write_frame(packet, size, true) : 0;
  return send_raw(client, packet - head, head + size);
}

static bool send_small(struct client *client, enum packet type) {
  uint8_t room[FRAME_HEAD_MAX + 2];
  uint8_t *packet = room + FRAME_HEAD_MAX;
  packet[0] = (uint8_t)(type << 4);
  packet[1] = 0;
  return client_send(client, packet, 2);
}

bool client_ping(struct client *client) {
  client->is_pinging = true;
  return send_small(client, PINGREQ);
}

void client_finish(struct client *client) {
  if (!send_small(client, DISCONNECT)) return;
  client->phase = FINISHING;
  client->began_ns = now_ns();
  if (client->outbox.length == 0) client->wire.kind->finish(&client->wire);
}

static bool begin(struct client *client) {
  if (client->is_websocket && client->phase == SHAKING) {
    char request[UPGRADE_MAX];
    client->phase = UPGRADING;
    return send_raw(client, request, write_upgrade(request));
  }
  uint8_t room[FRAME_HEAD_MAX + CONNECT_MAX];
  client->phase = CONNECTING;
  return client_send(client, room + FRAME_HEAD_MAX, write_connect(room + FRAME_HEAD_MAX, client->id));
}

// False: it is gone.
static bool take_packet(struct client *client, const struct seen *seen) {
  if (client->phase == UP) {
    client->role->seen(client, seen);
  } else if (client->phase == CONNECTING) {
    if (seen->type == CONNACK && seen->code == 0) {
      client->phase = UP;
      client->role->up(client);
    } else {
      lose(client, seen->type == CONNACK ? "refused by its CONNACK" : "no CONNACK first");
    }
  }
  return client->phase != GONE;
}

static bool take_bytes(struct client *client, uint8_t *bytes, size_t size) {
  if (client->phase == UPGRADING) {
    // The brokers and proxies answer in one piece; one that does not is not waited for.
    long head = upgrade_answered((const char *)bytes, size);
    if (head <= 0) {
      lose(client, "no upgrade");
      return false;
    }
    bytes += head;
    size -= (size_t)head;
    if (!begin(client)) return false;
  }
  if (client->is_websocket) size = read_frames(&client->frames, bytes, size);
  for (size_t at = 0; at < size;) {
    struct seen seen;
    bool found;
    at += walk(&client->walker, bytes + at, size - at, &seen, &found);
    if (found && !take_packet(client, &seen)) return false;
  }
  return true;
}

// Answers what read did, having dealt with the bytes.
static ssize_t read_some(struct client *client, bool *emptied) {
  static uint8_t bytes[READ_SIZE];
  const struct wire_kind *kind = client->wire.kind;
  size_t rest = client->walker.rest;
  if (rest > 0 && !client->is_websocket && kind->discard != NULL) {
    ssize_t dropped = kind->discard(&client->wire, rest);
    if (dropped > 0) client->walker.rest -= (size_t)dropped;
    return dropped;
  }
  ssize_t count = kind->read(&client->wire, bytes, sizeof bytes);
  *emptied = kind->short_read_empties && count < (ssize_t)sizeof bytes;
  if (count > 0) take_bytes(client, bytes, (size_t)count);
  return count;
}

static void read_all(struct client *client, bool ends) {
  while (client->phase != GONE) {
    bool emptied = false;
    ssize_t count = read_some(client, &emptied);
    if (client->phase == GONE) return;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return lose(client, reason(errno));
    if (count == 0 && client->phase == FINISHING) return lose(client, NULL);
    if (count == 0) return lose(client, client->phase == UP ? "closed by the other side" : "closed before its CONNACK");
    // An end that came with these bytes brings no event of its own.
    if (emptied && !ends) return;
  }
}

static void client_ready(struct source *self, uint32_t events) {
  struct client *client = (struct client *)self;
  if (client->phase == GONE) return;
  if (client->phase == SHAKING) {
    int done = client->wire.kind->shake(&client->wire);
    if (done < 0) return lose(client, reason(errno));
    if (done == 0 || !begin(client)) return;
  }
  if (events & EPOLLOUT) {
    bool waited = client->outbox.length > 0;
    if (!outbox_flush(&client->outbox, &client->wire)) return lose(client, reason(errno));
    if (client->outbox.length == 0 && client->phase == UP && client->role->writable != NULL) client->role->writable(client);
    if (waited && client->outbox.length == 0 && client->phase == FINISHING) client->wire.kind->finish(&client->wire);
  }
  if (client->phase != GONE && events & ~(uint32_t)EPOLLOUT) read_all(client, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

struct client *client_open(const struct place *place, const struct client_role *role, const char *id, unsigned source) {
  int fd = wire_dial(place->port, source);
  if (fd < 0) return NULL;
  struct client *client = calloc(1, sizeof *client);
  if (client == NULL) err(1, "memory");
  client->source.ready = client_ready;
  client->wire = (struct wire){.fd = fd, .kind = place->kind};
  client->role = role;
  client->is_websocket = place->is_websocket;
  client->began_ns = now_ns();
  strncpy(client->id, id, sizeof client->id - 1);
  list(client);
  loop_watch(fd, &client->source);
  return client;
}

void client_sweep(uint64_t now) {
  static uint64_t swept;
  if (now < swept + SWEEP_NS) return;
  swept = now;
  for (struct client *client = all, *next; client != NULL; client = next) {
    next = client->next;
    if (client->phase != UP && now > client->began_ns + PATIENCE_NS)
      lose(client, client->phase == FINISHING ? "not closed in time" : "no answer in time");
  }
}
