#define _GNU_SOURCE
#include "loop.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define LINE 512

static int epoll_fd = -1, timer_fd = -1;
static bool running;
static void (*on_tick)(void);
static bool (*on_turn)(void);
static void (*on_word)(char *line);
static void **doomed;
static size_t doomed_count, doomed_room;

static void timer_ready(struct source *self, uint32_t events) {
  (void)self, (void)events;
  uint64_t expirations;
  if (read(timer_fd, &expirations, sizeof expirations) > 0 && on_tick != NULL) on_tick();
}

static void stdin_ready(struct source *self, uint32_t events) {
  (void)self, (void)events;
  static char line[LINE];
  static size_t length;
  for (;;) {
    ssize_t count = read(STDIN_FILENO, line + length, sizeof line - length - 1);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) exit(0);
    length += (size_t)count;
    for (char *end; (end = memchr(line, '\n', length)) != NULL;) {
      *end = '\0';
      on_word(line);
      size_t used = (size_t)(end - line) + 1;
      length -= used;
      memmove(line, line + used, length);
    }
    if (length == sizeof line - 1) errx(2, "a line of standard input is too long");
  }
}

static struct source timer_source = {timer_ready}, stdin_source = {stdin_ready};

void loop_start(void) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll_fd < 0 || timer_fd < 0) err(1, "epoll");
  loop_watch(timer_fd, &timer_source);
}

void loop_watch(int fd, struct source *source) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = source};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) err(1, "epoll_ctl");
}

void loop_tick(uint64_t period_ns, void (*tick)(void)) {
  on_tick = tick;
  struct timespec period = {(time_t)(period_ns / 1000000000), (long)(period_ns % 1000000000)};
  struct itimerspec timer = {.it_interval = period, .it_value = period};
  timerfd_settime(timer_fd, 0, &timer, NULL);
}

void loop_busy(bool (*work)(void)) { on_turn = work; }

void loop_listen(void (*word)(char *line)) {
  on_word = word;
  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  loop_watch(STDIN_FILENO, &stdin_source);
}

void loop_run(void) {
  struct epoll_event events[EVENTS];
  running = true;
  while (running) {
    bool busy = on_turn != NULL && on_turn();
    int count = epoll_wait(epoll_fd, events, EVENTS, busy ? 0 : -1);
    if (count < 0 && errno != EINTR) err(1, "epoll_wait");
    for (int at = 0; at < count; at += 1) {
      struct source *source = events[at].data.ptr;
      source->ready(source, events[at].events);
    }
    while (doomed_count > 0) free(doomed[--doomed_count]);
  }
}

void loop_stop(void) { running = false; }

void loop_free(void *memory) {
  if (doomed_count == doomed_room) {
    doomed_room = doomed_room == 0 ? 64 : 2 * doomed_room;
    doomed = realloc(doomed, doomed_room * sizeof *doomed);
    if (doomed == NULL) err(1, "memory");
  }
  doomed[doomed_count++] = memory;
}

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
