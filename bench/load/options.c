#include "options.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "tls.h"

static uint64_t number(const char *name, const char *text, uint64_t most) {
  char *end;
  unsigned long long value = strtoull(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value > most) errx(2, "--%s is a whole number up to %llu", name, (unsigned long long)most);
  return value;
}

static double seconds(const char *text) {
  char *end;
  double value = strtod(text, &end);
  if (*end != '\0' || value <= 0 || value > 600) errx(2, "--seconds is more than 0 and no more than 600");
  return value;
}

static void speak(struct place *place, const char *transport) {
  bool is_resumed = strcmp(transport, "tls-resumed") == 0;
  place->is_websocket = strcmp(transport, "websocket") == 0;
  if (is_resumed || strcmp(transport, "tls") == 0) {
    place->kind = &tls_wire;
    tls_begin(is_resumed);
  } else if (!place->is_websocket && strcmp(transport, "tcp") != 0) {
    errx(2, "unknown transport: %s", transport);
  }
}

struct options read_options(char **arguments) {
  struct options options = {
      .place = {.kind = &plain_wire}, .prefix = "load", .ports = 1, .concurrency = 32, .connections = 1, .seconds = 1, .limit_s = 180};
  for (; arguments[0] != NULL; arguments += 2) {
    const char *name = arguments[0], *value = arguments[1];
    if (strncmp(name, "--", 2) != 0 || value == NULL) errx(2, "%s: options are pairs of --name and value", name);
    name += 2;
    if (strcmp(name, "port") == 0) options.place.port = (uint16_t)number(name, value, 65535);
    else if (strcmp(name, "transport") == 0) speak(&options.place, value);
    else if (strcmp(name, "prefix") == 0 && strlen(value) <= 24) options.prefix = value;
    else if (strcmp(name, "ports") == 0) options.ports = number(name, value, 16);
    else if (strcmp(name, "concurrency") == 0) options.concurrency = number(name, value, 4096);
    else if (strcmp(name, "connections") == 0) options.connections = number(name, value, 19000);
    else if (strcmp(name, "ids") == 0) options.ids = number(name, value, UINT32_MAX);
    else if (strcmp(name, "rate") == 0) options.rate = number(name, value, 1000000);
    else if (strcmp(name, "sources") == 0) options.sources = number(name, value, 200);
    else if (strcmp(name, "limit") == 0) options.limit_s = (unsigned)number(name, value, 86400);
    else if (strcmp(name, "seconds") == 0) options.seconds = seconds(value);
    else errx(2, "unknown option or value: --%s %s", name, value);
  }
  return options;
}
