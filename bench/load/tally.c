#include "tally.h"

#include <stdio.h>

#define REASONS 16

static struct {
  const char *why;
  uint64_t count;
} losses[REASONS];

void lost(const char *why) {
  for (size_t at = 0; at < REASONS; at += 1) {
    if (losses[at].why == NULL) losses[at].why = why;
    if (losses[at].why != why) continue;
    losses[at].count += 1;
    return;
  }
}

void print_lost(void) {
  printf("\"lost\":{");
  for (size_t at = 0; at < REASONS && losses[at].why != NULL; at += 1) {
    printf("%s\"%s\":%llu", at == 0 ? "" : ",", losses[at].why, (unsigned long long)losses[at].count);
    losses[at].why = NULL;
    losses[at].count = 0;
  }
  printf("}");
}

// Values below STEPS are their own place; above, the six bits behind the leading one tell the step.
static size_t place_of(uint64_t ns) {
  if (ns < STEPS) return (size_t)ns;
  unsigned power = 63u - (unsigned)__builtin_clzll(ns);
  size_t place = (size_t)(power - 5) * STEPS + (size_t)(ns >> (power - 6)) - STEPS;
  size_t last = sizeof((struct histogram *)0)->counts / sizeof(uint64_t) - 1;
  return place < last ? place : last;
}

static double ns_at(size_t place) {
  if (place < STEPS) return (double)place;
  return (double)(STEPS + place % STEPS) * (double)(1ull << (place / STEPS - 1));
}

void histogram_add(struct histogram *histogram, uint64_t ns) {
  histogram->counts[place_of(ns)] += 1;
  histogram->total += 1;
}

double histogram_us(const struct histogram *histogram, double share) {
  double wanted = share * (double)histogram->total, passed = 0;
  if (histogram->total == 0) return 0;
  for (size_t place = 0; place < sizeof histogram->counts / sizeof(uint64_t); place += 1) {
    passed += (double)histogram->counts[place];
    if (passed >= wanted) return ns_at(place + 1) / 1000;
  }
  return 0;
}
