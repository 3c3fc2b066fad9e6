#include "outbox.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void keep(struct outbox *outbox, const uint8_t *bytes, size_t size) {
  if (outbox->from > 0) memmove(outbox->bytes, outbox->bytes + outbox->from, outbox->length);
  outbox->from = 0;
  if (outbox->length + size > outbox->room) {
    outbox->room = 2 * (outbox->length + size);
    outbox->bytes = realloc(outbox->bytes, outbox->room);
    if (outbox->bytes == NULL) err(1, "memory");
  }
  memcpy(outbox->bytes + outbox->length, bytes, size);
  outbox->length += size;
}

bool outbox_send(struct outbox *outbox, struct wire *wire, const void *bytes, size_t size) {
  const uint8_t *rest = bytes;
  while (size > 0 && outbox->length == 0) {
    ssize_t count = wire->kind->write(wire, rest, size);
    if (count < 0 && errno != EAGAIN) return false;
    if (count < 0) break;
    rest += count;
    size -= (size_t)count;
  }
  if (size > 0) keep(outbox, rest, size);
  return true;
}

bool outbox_flush(struct outbox *outbox, struct wire *wire) {
  while (outbox->length > 0) {
    ssize_t count = wire->kind->write(wire, outbox->bytes + outbox->from, outbox->length);
    if (count < 0) return errno == EAGAIN;
    outbox->from += (size_t)count;
    outbox->length -= (size_t)count;
  }
  return true;
}

void outbox_free(struct outbox *outbox) {
  free(outbox->bytes);
  *outbox = (struct outbox){0};
}
