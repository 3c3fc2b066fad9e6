// One epoll, edge-triggered: every descriptor is told of reading and writing at once, and never changed again.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

// First member of whatever is watched.
struct source {
  void (*ready)(struct source *self, uint32_t events);
};

void loop_start(void);
void loop_watch(int fd, struct source *source);
// Calls `tick` again and again, so many ns apart; 0: no more. There is one tick.
void loop_tick(uint64_t period_ns, void (*tick)(void));
// Calls `work` in every turn, without waiting for events as long as it answers true; NULL: no more.
void loop_busy(bool (*work)(void));
// `word` gets each line of standard input, without its end. The program ends with standard input.
void loop_listen(void (*word)(char *line));
// Each descriptor's events, until loop_stop().
void loop_run(void);
void loop_stop(void);
// Free this memory once no event of this turn can point to it.
void loop_free(void *memory);
uint64_t now_ns(void);
