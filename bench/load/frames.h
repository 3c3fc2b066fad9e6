// WebSocket (RFC 6455), as far as MQTT needs it: the upgrade, and binary frames.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD_MAX 14
#define UPGRADE_MAX 1024

// The request of a client, and the answer of a server to it (0: it is none, or not whole yet).
size_t write_upgrade(char *out);
size_t answer_upgrade(char *out, const char *request, size_t size);
// The length of an answer 101 at the beginning of these bytes; 0: it is not whole yet; -1: it is something else.
long upgrade_answered(const char *bytes, size_t size);

// Puts a frame's head before `size` payload bytes; `masked` as a client has to (section 5.3), with the payload changed in
// place. `out` has FRAME_HEAD_MAX bytes of room before the payload. Answers the head's length.
size_t write_frame(uint8_t *payload, size_t size, bool masked);

// Reads frames, however they are cut.
struct frames {
  uint8_t head[FRAME_HEAD_MAX];
  size_t head_length;
  uint64_t rest;
  uint32_t mask;
  bool is_control;
};
// Turns the bytes of frames into those of their payloads, in place; answers how many those are. Ping, pong and close are
// left out.
size_t read_frames(struct frames *frames, uint8_t *bytes, size_t size);
