// Holds open connections, and sends through all of them what it is told to.
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"
#include "tally.h"

#define OPEN_TICK_NS 1000000u
// Messages at 10,000/s then go one by one, and not in bursts.
#define PACE_TICK_NS 100000u
#define PAYLOAD 64
#define BATCH_MAX 64

static struct options options;
static struct client **crowd;
static uint64_t active, next_number, settled, began_ns;
static bool is_closing;
static const struct client_role role;

// What all are doing. One that pings has sent everything, and is done when it is answered.
static struct {
  bool runs, is_saturated;
  enum errand errand;
  uint64_t rate, total, sent, batch, end_ns, turn, pinging, received, disorder;
  struct histogram latencies;
} work;

static void open_more(void) {
  uint64_t opening = next_number - settled;
  while (next_number < options.connections && opening < options.concurrency) {
    char id[48];
    snprintf(id, sizeof id, "%s-%llu", options.prefix, (unsigned long long)next_number);
    unsigned source = options.sources == 0 ? 0 : (unsigned)(2 + next_number % options.sources);
    struct client *client = client_open(&options.place, &role, id, source);
    if (client == NULL) err(1, "connection %llu", (unsigned long long)next_number);
    client->place_in_crowd = next_number;
    crowd[next_number++] = client;
    opening += 1;
    active += 1;
  }
}

static void say_open(void) {
  printf("{\"kind\":\"open\",\"open\":%llu,\"elapsedUs\":%.0f,", (unsigned long long)active, (double)(now_ns() - began_ns) / 1000);
  print_lost();
  printf("}\n");
}

static void settle(void) {
  settled += 1;
  open_more();
  if (settled == options.connections) say_open();
}

static void up(struct client *client) {
  client->is_accepted = true;
  settle();
}

static void sweep(void) { client_sweep(now_ns()); }

static void end_work(void) {
  printf("{\"kind\":\"done\",\"messages\":%llu,\"received\":%llu,\"disorder\":%llu,\"elapsedUs\":%.0f,\"p50Us\":%.1f,\"p99Us\":%.1f,",
         (unsigned long long)work.sent, (unsigned long long)work.received, (unsigned long long)work.disorder,
         (double)(now_ns() - began_ns) / 1000, histogram_us(&work.latencies, 0.5), histogram_us(&work.latencies, 0.99));
  print_lost();
  printf("}\n");
  work.runs = false;
  loop_busy(NULL);
  loop_tick(OPEN_TICK_NS, sweep);
}

static void count_ping(int change) {
  work.pinging += (uint64_t)change;
  if (work.runs && work.sent == work.total && work.pinging == 0) end_work();
}

static bool ping(struct client *client) {
  work.pinging += 1;
  return client_ping(client);
}

static void ping_all(void) {
  // One more, so that the last answer is not taken for that of all while they are still being sent.
  work.pinging += 1;
  for (uint64_t at = 0; at < options.connections; at += 1)
    if (crowd[at] != NULL) ping(crowd[at]);
  count_ping(-1);
}

static bool send_stamped(struct client *client, uint64_t value, size_t payload) {
  static uint8_t room[FRAME_HEAD_MAX + WHOLE_PUBLISH_MAX];
  uint8_t *packet = room + FRAME_HEAD_MAX;
  struct stamp stamp = {client->sent++, value};
  return client_send(client, packet, write_publish(packet, work.errand, stamp, payload));
}

static void send_batch(struct client *client) {
  static uint8_t room[FRAME_HEAD_MAX + BATCH_MAX * SMALL_PUBLISH(PAYLOAD)];
  uint8_t *packets = room + FRAME_HEAD_MAX;
  size_t size = 0;
  uint64_t value = work.errand == ECHO ? now_ns() : 0;
  for (uint64_t at = 0; at < work.batch; at += 1) {
    struct stamp stamp = {client->sent++, value};
    size += write_publish(packets + size, work.errand, stamp, PAYLOAD);
  }
  work.sent += work.batch;
  client_send(client, packets, size);
}

// The next one in turn that can be written to; NULL: none can.
static struct client *next_writable(void) {
  for (uint64_t tried = 0; tried < options.connections; tried += 1) {
    struct client *client = crowd[work.turn++ % options.connections];
    if (client != NULL && client->outbox.length == 0) return client;
  }
  return NULL;
}

// Each connection in its turn, for as long as the kernel takes it.
static bool flood(void) {
  for (uint64_t at = 0; at < options.connections; at += 1) {
    struct client *client = next_writable();
    if (client == NULL) return false;
    send_batch(client);
  }
  return true;
}

static void saturation_tick(void) {
  if (!work.runs || !work.is_saturated || (now_ns() < work.end_ns && active > 0)) return;
  work.is_saturated = false;
  loop_busy(NULL);
  work.total = work.sent;
  ping_all();
}

static void pace_tick(void) {
  uint64_t now = now_ns(), due = (now - began_ns) * work.rate / 1000000000u;
  if (due > work.total) due = work.total;
  if (!work.runs || work.sent == work.total) return;
  for (; work.sent < due && active > 0; work.sent += 1) {
    struct client *client = NULL;
    while (client == NULL && active > 0) client = crowd[work.turn++ % options.connections];
    if (client != NULL) send_stamped(client, work.errand == ECHO ? now_ns() : 0, PAYLOAD);
  }
  if (active == 0) work.total = work.sent;
  if (work.sent == work.total) ping_all();
}

// `rate` 0: saturated. With echoes each connection has one message under way, and the next one follows its answer.
static void publish(uint64_t rate, double seconds, uint64_t batch, enum errand errand) {
  if (errand == ECHO && batch != 1) errx(2, "echoes go one by one");
  work.errand = errand;
  work.rate = rate;
  work.batch = batch;
  work.is_saturated = rate == 0;
  work.end_ns = began_ns + (uint64_t)(seconds * 1e9);
  work.total = rate == 0 ? UINT64_MAX : (uint64_t)((double)rate * seconds);
  if (rate == 0 && errand != ECHO) loop_busy(flood);
  for (uint64_t at = 0; rate == 0 && errand == ECHO && at < options.connections; at += 1)
    if (crowd[at] != NULL) send_batch(crowd[at]);
  loop_tick(rate == 0 ? OPEN_TICK_NS : PACE_TICK_NS, rate == 0 ? saturation_tick : pace_tick);
}

// What is left of its share, as long as the kernel takes it.
static void upload(struct client *client) {
  while (client->left > 0 && client->outbox.length == 0) {
    client->left -= 1;
    work.sent += 1;
    if (!send_stamped(client, 0, payload_for(WHOLE_PUBLISH_MAX))) return;
    if (client->left == 0) ping(client);
  }
}

// Bytes of both directions are those of whole packets of 64 KB, the same for each connection.
static void move_bulk(uint64_t bytes, enum errand errand) {
  uint64_t share = bytes / options.connections / WHOLE_PUBLISH_MAX;
  work.errand = errand;
  work.total = errand == STREAM ? options.connections : share * options.connections;
  work.pinging += 1;
  for (uint64_t at = 0; at < options.connections; at += 1) {
    struct client *client = crowd[at];
    if (client == NULL) continue;
    client->left = errand == STREAM ? 0 : share;
    if (errand == COUNT) upload(client);
    if (errand == COUNT) continue;
    work.sent += 1;
    if (send_stamped(client, share * WHOLE_PUBLISH_MAX, PAYLOAD)) ping(client);
  }
  count_ping(-1);
}

static void seen(struct client *client, const struct seen *packet) {
  if (packet->type == PINGRESP && client->is_pinging) {
    client->is_pinging = false;
    count_ping(-1);
  }
  if (packet->type != PUBLISH) return;
  work.received += 1;
  if (packet->stamp.number != client->received++) work.disorder += 1;
  if (packet->errand != ECHO) return;
  histogram_add(&work.latencies, now_ns() - packet->stamp.value);
  if (work.is_saturated) send_batch(client);
}

static void writable(struct client *client) {
  if (client->left > 0) upload(client);
}

static void say_closed(void) {
  printf("{\"kind\":\"closed\",");
  print_lost();
  printf("}\n");
  loop_stop();
}

static void gone(struct client *client, const char *why) {
  crowd[client->place_in_crowd] = NULL;
  active -= 1;
  if (why != NULL) lost(why);
  // What it still had to send is not waited for.
  work.total -= client->left;
  client->left = 0;
  count_ping(client->is_pinging ? -1 : 0);
  if (!client->is_accepted) settle();
  if (is_closing && active == 0) say_closed();
}

static const struct client_role role = {up, seen, writable, gone};

static void close_all(void) {
  is_closing = true;
  loop_busy(NULL);
  loop_tick(OPEN_TICK_NS, sweep);
  if (active == 0) say_closed();
  for (uint64_t at = 0; at < options.connections; at += 1)
    if (crowd[at] != NULL) client_finish(crowd[at]);
}

static void word(char *line) {
  unsigned long long first = 0, batch = 1;
  double seconds = 0;
  char errand = COUNT;
  if (strcmp(line, "close") == 0) return close_all();
  if (work.runs) errx(2, "not while it is at work: %s", line);
  memset(&work, 0, sizeof work);
  work.runs = true;
  began_ns = now_ns();
  if (sscanf(line, "publish %llu %lf %llu %c", &first, &seconds, &batch, &errand) == 4 && batch >= 1 && batch <= BATCH_MAX)
    publish(first, seconds, batch, (enum errand)errand);
  else if (sscanf(line, "upload %llu", &first) == 1) move_bulk(first, COUNT);
  else if (sscanf(line, "download %llu", &first) == 1) move_bulk(first, STREAM);
  else errx(2, "unknown word: %s", line);
}

void crowd_role(const struct options *given) {
  options = *given;
  crowd = calloc(options.connections, sizeof(struct client *));
  if (crowd == NULL) err(1, "memory");
  began_ns = now_ns();
  loop_tick(OPEN_TICK_NS, sweep);
  loop_listen(word);
  open_more();
  loop_run();
}
