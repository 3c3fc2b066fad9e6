/*
 * delay PORT DELAY_US: a TCP relay on 127.0.0.1 to 127.0.0.1:PORT that holds every byte back for DELAY_US in each
 * direction, for kernels without netem. One thread that sleeps between deadlines. Prints {"port": N} when it listens; ends
 * with its standard input.
 *
 * All bytes wait equally long, so one queue in the order of arrival is a queue in the order of deadlines.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 64, READ_BYTES = 65536, BACKLOG = 1024 };

/* One end of a connection. It is freed when both ends are closed and nothing in the queue is for it. */
struct end {
  int fd;
  struct end *other;
  unsigned queued;
  bool closed;
};

/* What one read brought, for `to`; no bytes: FIN. */
struct chunk {
  struct chunk *next;
  struct end *to;
  int64_t due_ns;
  size_t length;
  char bytes[];
};

static struct chunk *first, **last = &first;
static int64_t delay_ns;
static struct sockaddr_in upstream;
static int epoll_fd;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void watch(int fd, void *what) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static void no_delay(int fd) {
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static struct end *end_of(int fd) {
  struct end *end = calloc(1, sizeof *end);
  if (end == NULL) die("calloc");
  end->fd = fd;
  no_delay(fd);
  return end;
}

static void take(int listener) {
  int client = accept4(listener, NULL, NULL, 0);
  if (client < 0) return;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (server < 0 || connect(server, (struct sockaddr *)&upstream, sizeof upstream) < 0) {
    if (server >= 0) close(server);
    close(client);
    return;
  }
  struct end *near = end_of(client), *far = end_of(server);
  near->other = far;
  far->other = near;
  watch(client, near);
  watch(server, far);
}

static void queue(struct end *to, const char *bytes, size_t length) {
  struct chunk *chunk = malloc(sizeof *chunk + length);
  if (chunk == NULL) die("malloc");
  *chunk = (struct chunk){.to = to, .due_ns = now_ns() + delay_ns, .length = length};
  memcpy(chunk->bytes, bytes, length);
  to->queued++;
  *last = chunk;
  last = &chunk->next;
}

static void free_if_over(struct end *end) {
  struct end *other = end->other;
  if (!end->closed || !other->closed || end->queued > 0 || other->queued > 0) return;
  close(end->fd);
  close(other->fd);
  free(end);
  free(other);
}

/* What has come goes to the other end later; FIN too. */
static void hear(struct end *from) {
  static char buffer[READ_BYTES];
  ssize_t length = recv(from->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  queue(from->other, buffer, length > 0 ? (size_t)length : 0);
  if (length > 0) return;
  from->closed = true;
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, from->fd, NULL);
}

/* Blocks while the peer is behind: this relay is for requests and replies, not for bulk. */
static void send_all(struct end *to, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(to->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return;
    if (sent > 0) {
      bytes += sent;
      length -= (size_t)sent;
    }
  }
}

/* Sends what is due; answers the time until the next deadline, -1: nothing waits. */
static int64_t send_due(void) {
  while (first != NULL) {
    struct chunk *chunk = first;
    int64_t left = chunk->due_ns - now_ns();
    if (left > 0) return left;
    first = chunk->next;
    if (first == NULL) last = &first;
    struct end *to = chunk->to;
    if (chunk->length > 0) send_all(to, chunk->bytes, chunk->length);
    else shutdown(to->fd, SHUT_WR);
    to->queued--;
    free(chunk);
    free_if_over(to);
  }
  return -1;
}

static int listening(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, BACKLOG) < 0) die("listen");
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("{\"port\": %d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: delay PORT DELAY_US\n");
    return 2;
  }
  upstream = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  delay_ns = atoll(argv[2]) * 1000;
  /* A sleep of 250 us must not take 50 us more (timer slack). */
  prctl(PR_SET_TIMERSLACK, 1UL);
  epoll_fd = epoll_create1(0);
  int listener = listening();
  static char input;
  watch(listener, &listener);
  watch(STDIN_FILENO, &input);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int64_t left = send_due();
    struct timespec timeout = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    int count = epoll_pwait2(epoll_fd, events, MAX_EVENTS, left < 0 ? NULL : &timeout, NULL);
    if (count < 0 && errno != EINTR) die("epoll_pwait2");
    for (int i = 0; i < count; i++) {
      void *what = events[i].data.ptr;
      if (what == &listener) take(listener);
      else if (what != &input) hear(what);
      else if (read(STDIN_FILENO, &input, 1) <= 0) return 0;
    }
  }
}
