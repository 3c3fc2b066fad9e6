// What a wire did not take yet.
#pragma once
#include "wire.h"

struct outbox {
  uint8_t *bytes;
  size_t from, length, room;
};

// Writes now if nothing waits, and keeps what the wire does not take. False: the wire is broken, and errno says why.
bool outbox_send(struct outbox *outbox, struct wire *wire, const void *bytes, size_t size);
// Writes what waits. False as above.
bool outbox_flush(struct outbox *outbox, struct wire *wire);
void outbox_free(struct outbox *outbox);
