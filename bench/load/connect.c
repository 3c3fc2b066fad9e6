// Connects, waits for the CONNACK, disconnects, over and over: with a fixed number of clients at a time, or at a rate.
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "roles.h"
#include "tally.h"

#define TICK_NS 1000000u

static struct options options;
static uint64_t began_ns, end_ns, next_number, started, accepted, active, accepted_ns, gap_ns;
static struct histogram waits;
static const struct client_role role;

static bool open_next(void) {
  char id[48];
  uint64_t number = next_number++;
  snprintf(id, sizeof id, "%s-%llu", options.prefix, (unsigned long long)(options.ids == 0 ? number : number % options.ids));
  // Each source address has its own ephemeral ports, so that those in TIME_WAIT are never missed.
  unsigned source = options.sources == 0 ? 0 : (unsigned)(2 + number % options.sources);
  started += 1;
  if (client_open(&options.place, &role, id, source) == NULL) {
    lost(errno == EADDRNOTAVAIL ? "no port left" : "no socket");
    return false;
  }
  active += 1;
  return true;
}

static void look_at_gap(uint64_t now) {
  if (now - accepted_ns > gap_ns) gap_ns = now - accepted_ns;
  accepted_ns = now;
}

static void up(struct client *client) {
  uint64_t now = now_ns();
  accepted += 1;
  look_at_gap(now);
  histogram_add(&waits, now - client->began_ns);
  client_finish(client);
}

static void seen(struct client *client, const struct seen *packet) { (void)client, (void)packet; }

static void gone(struct client *client, const char *why) {
  (void)client;
  active -= 1;
  if (why != NULL) lost(why);
  if (options.rate == 0 && now_ns() < end_ns) open_next();
}

static const struct client_role role = {up, seen, NULL, gone};

static void finish(uint64_t now) {
  printf("{\"kind\":\"connected\",\"accepted\":%llu,\"elapsedUs\":%.0f,\"gapUs\":%.0f,\"p50Us\":%.1f,\"p99Us\":%.1f,",
         (unsigned long long)accepted, (double)(now - began_ns) / 1000, (double)gap_ns / 1000, histogram_us(&waits, 0.5),
         histogram_us(&waits, 0.99));
  printf("\"fullHandshakes\":%llu,\"resumedHandshakes\":%llu,", (unsigned long long)tls_counts.full,
         (unsigned long long)tls_counts.resumed);
  print_lost();
  printf("}\n");
  loop_stop();
}

static void tick(void) {
  uint64_t now = now_ns();
  bool is_over = now >= end_ns;
  client_sweep(now);
  if (!is_over && options.rate > 0) {
    uint64_t due = (now - began_ns) * options.rate / 1000000000u;
    while (started < due && active < options.concurrency && open_next()) continue;
  }
  // Closed loop: whoever could not be opened is tried again.
  while (!is_over && options.rate == 0 && active < options.concurrency && open_next()) continue;
  if (is_over && active == 0) finish(now);
}

static void word(char *line) {
  if (strcmp(line, "stop") != 0) errx(2, "unknown word: %s", line);
  end_ns = now_ns();
}

void connect_role(const struct options *given) {
  options = *given;
  began_ns = accepted_ns = now_ns();
  end_ns = began_ns + (uint64_t)(options.seconds * 1e9);
  loop_listen(word);
  loop_tick(TICK_NS, tick);
  tick();
  loop_run();
}
