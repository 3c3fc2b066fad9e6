// What a role counts and says: losses by reason, a histogram, lines of JSON.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// `why` lives as long as the program.
void lost(const char *why);
// Prints `"lost":{"reset":3}` and forgets them.
void print_lost(void);

// Durations in 64 steps for each power of two: values are right to 1.6 %.
#define STEPS 64
struct histogram {
  uint64_t counts[STEPS * 48];
  uint64_t total;
};
void histogram_add(struct histogram *histogram, uint64_t ns);
// The least duration, in µs, that this share of all of them does not exceed; 0 where there is none.
double histogram_us(const struct histogram *histogram, double share);
