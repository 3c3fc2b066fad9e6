#define _GNU_SOURCE
#include "frames.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define BINARY 0x82
#define MASKED 0x80
#define LONG 126
#define HUGE 127
#define KEY "bGltcGV0LWJlbmNoLWxvYQ=="

// Any value does for a client that nobody attacks; the cost of unmasking is the same.
static const uint32_t mask = 0x5a17c3e9;

size_t write_upgrade(char *out) {
  return (size_t)sprintf(out,
                         "GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
}

size_t answer_upgrade(char *out, const char *request, size_t size) {
  static const char field[] = "Sec-WebSocket-Key: ";
  if (memmem(request, size, "\r\n\r\n", 4) == NULL) return 0;
  const char *key = memmem(request, size, field, sizeof field - 1);
  if (key == NULL) return 0;
  key += sizeof field - 1;
  char seed[64 + sizeof GUID];
  int length = snprintf(seed, sizeof seed, "%.24s" GUID, key);
  uint8_t digest[SHA_DIGEST_LENGTH];
  char accept[32];
  SHA1((const uint8_t *)seed, (size_t)length, digest);
  EVP_EncodeBlock((uint8_t *)accept, digest, sizeof digest);
  return (size_t)sprintf(out,
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
                         accept);
}

long upgrade_answered(const char *bytes, size_t size) {
  static const char right[] = "HTTP/1.1 101 ";
  if (size >= sizeof right - 1 && memcmp(bytes, right, sizeof right - 1) != 0) return -1;
  const char *end = memmem(bytes, size, "\r\n\r\n", 4);
  return end == NULL ? 0 : end + 4 - bytes;
}

static void apply_mask(uint8_t *bytes, size_t size, uint32_t key) {
  uint64_t wide = (uint64_t)key << 32 | key, eight;
  size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    memcpy(&eight, bytes + at, 8);
    eight ^= wide;
    memcpy(bytes + at, &eight, 8);
  }
  for (; at < size; at += 1) bytes[at] ^= (uint8_t)(key >> 8 * (at % 4));
}

size_t write_frame(uint8_t *payload, size_t size, bool masked) {
  size_t extended = size < LONG ? 0 : size <= 0xffff ? 2 : 8;
  size_t length = 2 + extended + (masked ? sizeof mask : 0);
  uint8_t *head = payload - length;
  head[0] = BINARY;
  head[1] = (uint8_t)((masked ? MASKED : 0) | (extended == 0 ? size : extended == 2 ? LONG : HUGE));
  for (size_t at = 0; at < extended; at += 1) head[2 + at] = (uint8_t)((uint64_t)size >> 8 * (extended - 1 - at));
  if (masked) {
    memcpy(head + 2 + extended, &mask, sizeof mask);
    apply_mask(payload, size, mask);
  }
  return length;
}

// How long the head is; 0: that is not known yet.
static size_t head_size(const struct frames *frames) {
  if (frames->head_length < 2) return 0;
  uint8_t length = frames->head[1] & 0x7f;
  size_t extended = length < LONG ? 0 : length == LONG ? 2 : 8;
  return 2 + extended + (frames->head[1] & MASKED ? sizeof mask : 0);
}

static void begin_payload(struct frames *frames, size_t head) {
  size_t key = frames->head[1] & MASKED ? sizeof mask : 0;
  frames->rest = frames->head[1] & 0x7f;
  if (head - key > 2) {
    frames->rest = 0;
    for (size_t at = 2; at < head - key; at += 1) frames->rest = frames->rest << 8 | frames->head[at];
  }
  frames->mask = 0;
  memcpy(&frames->mask, frames->head + head - key, key);
  frames->is_control = (frames->head[0] & 0x8) != 0;
  frames->head_length = 0;
}

size_t read_frames(struct frames *frames, uint8_t *bytes, size_t size) {
  size_t out = 0;
  for (size_t at = 0; at < size;) {
    if (frames->rest > 0) {
      size_t piece = frames->rest < size - at ? (size_t)frames->rest : size - at;
      if (frames->mask != 0) apply_mask(bytes + at, piece, frames->mask);
      // Whatever follows begins somewhere within the key.
      unsigned turn = 8 * (piece % 4);
      if (turn > 0) frames->mask = frames->mask >> turn | frames->mask << (32 - turn);
      if (!frames->is_control) {
        if (out != at) memmove(bytes + out, bytes + at, piece);
        out += piece;
      }
      frames->rest -= piece;
      at += piece;
      continue;
    }
    frames->head[frames->head_length++] = bytes[at++];
    size_t head = head_size(frames);
    if (head > 0 && frames->head_length == head) begin_payload(frames, head);
  }
  return out;
}
