// The load and the brokers of the benchmark: one program, three roles. It says what happens in lines of JSON, is told what
// to do in lines of words, and ends with its standard input.
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "roles.h"

int main(int count, char **arguments) {
  if (count < 2) errx(2, "usage: load sink|connect|crowd [--name value]...");
  const char *role = arguments[1];
  struct options options = read_options(arguments + 2);
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  alarm(options.limit_s);
  loop_start();
  if (strcmp(role, "sink") == 0) sink_role(&options);
  else if (strcmp(role, "connect") == 0) connect_role(&options);
  else if (strcmp(role, "crowd") == 0) crowd_role(&options);
  else errx(2, "unknown role: %s", role);
  return 0;
}
