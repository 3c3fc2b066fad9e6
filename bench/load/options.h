// `--name VALUE` pairs of the command line.
#pragma once
#include "client.h"

struct options {
  struct place place;
  const char *prefix;
  uint64_t ports, concurrency, connections, ids, rate, sources;
  double seconds;
  // The program ends by itself after so long, whatever happens.
  unsigned limit_s;
};

// Exits with a message where they are wrong.
struct options read_options(char **arguments);
