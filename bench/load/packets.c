#include "packets.h"

#include <string.h>

#define TOPIC "bench/"
#define TOPIC_LENGTH 7
#define KEEP_ALIVE_S 240

// Section 2.2.3.
static size_t write_length(uint8_t *out, size_t length) {
  size_t at = 0;
  do {
    uint8_t low = length % 128;
    length /= 128;
    out[at++] = length > 0 ? low | 0x80 : low;
  } while (length > 0);
  return at;
}

size_t write_connect(uint8_t *out, const char *client_id) {
  size_t id = strlen(client_id);
  const uint8_t fixed[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2 /* clean session */, KEEP_ALIVE_S >> 8, KEEP_ALIVE_S & 0xff};
  out[0] = CONNECT << 4;
  size_t at = 1 + write_length(out + 1, sizeof fixed + 2 + id);
  memcpy(out + at, fixed, sizeof fixed);
  at += sizeof fixed;
  out[at++] = (uint8_t)(id >> 8);
  out[at++] = (uint8_t)id;
  memcpy(out + at, client_id, id);
  return at + id;
}

size_t write_publish(uint8_t *out, enum errand errand, struct stamp stamp, size_t payload) {
  out[0] = PUBLISH << 4;
  size_t at = 1 + write_length(out + 1, 2 + TOPIC_LENGTH + payload);
  out[at++] = 0;
  out[at++] = TOPIC_LENGTH;
  memcpy(out + at, TOPIC, TOPIC_LENGTH - 1);
  at += TOPIC_LENGTH - 1;
  out[at++] = (uint8_t)errand;
  memcpy(out + at, &stamp, sizeof stamp);
  memset(out + at + sizeof stamp, 'x', payload - sizeof stamp);
  return at + payload;
}

size_t payload_for(size_t size) {
  size_t around = 1 + 2 + TOPIC_LENGTH + (size - 3 < 16384 ? 2 : 3);
  return size - around;
}

// How many bytes must be there before a packet can be told; 0: not known yet.
static size_t head_wanted(const struct walker *walker, size_t *whole) {
  size_t length = 0, factor = 1, at = 1;
  for (;; at += 1, factor *= 128) {
    if (at >= walker->head_length) return 0;
    length += (walker->head[at] & 0x7fu) * factor;
    if (walker->head[at] < 0x80) break;
  }
  at += 1;
  *whole = at + length;
  size_t useful = at;
  if (walker->head[0] >> 4 == PUBLISH) useful = at + 2 + TOPIC_LENGTH + sizeof(struct stamp);
  if (walker->head[0] >> 4 == CONNACK) useful = at + 2;
  return useful < *whole ? useful : *whole;
}

static void describe(const struct walker *walker, size_t head, size_t whole, struct seen *seen) {
  *seen = (struct seen){.type = walker->head[0] >> 4, .code = walker->head[0] & 0xf, .size = whole};
  if (seen->type == CONNACK) seen->code = walker->head[head - 1];
  if (seen->type != PUBLISH || head < 2 + 2 + TOPIC_LENGTH + sizeof seen->stamp) return;
  const uint8_t *stamp = walker->head + head - sizeof seen->stamp;
  seen->errand = stamp[-1];
  memcpy(&seen->stamp, stamp, sizeof seen->stamp);
}

size_t walk(struct walker *walker, const uint8_t *bytes, size_t size, struct seen *seen, bool *found) {
  *found = false;
  if (walker->rest > 0) {
    size_t taken = walker->rest < size ? walker->rest : size;
    walker->rest -= taken;
    return taken;
  }
  size_t taken = 0, whole = 0;
  for (;;) {
    size_t wanted = head_wanted(walker, &whole);
    if (wanted > 0 && walker->head_length >= wanted) {
      describe(walker, wanted, whole, seen);
      walker->rest = whole - wanted;
      walker->head_length = 0;
      *found = true;
      return taken;
    }
    if (taken == size) return taken;
    size_t missing = wanted == 0 ? 1 : wanted - walker->head_length;
    size_t piece = missing < size - taken ? missing : size - taken;
    memcpy(walker->head + walker->head_length, bytes + taken, piece);
    walker->head_length += piece;
    taken += piece;
  }
}
