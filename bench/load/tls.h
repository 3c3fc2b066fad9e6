// TLS 1.3 for clients: one cipher and one group for every target, certificates unverified.
#pragma once
#include "wire.h"

extern const struct wire_kind tls_wire;

// Handshakes so far that were done in full, and by a ticket.
struct tls_counts {
  uint64_t full, resumed;
};
extern struct tls_counts tls_counts;

// Connections from now on offer the newest ticket that any of them got, or none. Forgets earlier tickets and counts.
void tls_begin(bool resume);
