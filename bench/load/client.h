// One MQTT client: dialled, upgraded where it is to speak WebSocket, accepted by a CONNACK, and ended.
#pragma once
#include "frames.h"
#include "loop.h"
#include "outbox.h"
#include "packets.h"
#include "wire.h"

struct client;

// What is done with clients. `gone` is the last word about one, and its memory goes then. `why`: NULL after client_finish().
struct client_role {
  void (*up)(struct client *client);
  void (*seen)(struct client *client, const struct seen *seen);
  // Everything has been taken by the kernel; told more often than needed. May be NULL.
  void (*writable)(struct client *client);
  void (*gone)(struct client *client, const char *why);
};

// Where clients go, and how.
struct place {
  uint16_t port;
  const struct wire_kind *kind;
  bool is_websocket;
};

enum phase { SHAKING, UPGRADING, CONNECTING, UP, FINISHING, GONE };

struct client {
  struct source source;
  struct wire wire;
  const struct client_role *role;
  struct client *previous, *next;
  struct outbox outbox;
  struct walker walker;
  struct frames frames;
  enum phase phase;
  bool is_websocket;
  uint64_t began_ns;
  char id[48];
  // The role's: PUBLISHes sent and received, and what is left to do.
  uint64_t sent, received, left, received_bytes;
  bool is_accepted, is_pinging;
  size_t place_in_crowd;
};

// NULL: no socket, and errno says why. `source`: the last byte of its address, 0: any. Nothing is told before this returns.
struct client *client_open(const struct place *place, const struct client_role *role, const char *id, unsigned source);
// `packet` has FRAME_HEAD_MAX bytes of room before it, and is changed where frames are masked. False: it is gone now.
bool client_send(struct client *client, uint8_t *packet, size_t size);
bool client_ping(struct client *client);
// DISCONNECT and FIN; `gone` follows when the peer has ended too.
void client_finish(struct client *client);
// Ends those that were neither accepted nor closed within 10 s. Looks at most once in a second.
void client_sweep(uint64_t now);
