// MQTT 3.1.1: the few packets that the load and the brokers speak.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet { CONNECT = 1, CONNACK = 2, PUBLISH = 3, PINGREQ = 12, PINGRESP = 13, DISCONNECT = 14 };

// The last letter of the topic `bench/?` says what a broker does with a PUBLISH.
enum errand { COUNT = 't', ECHO = 'e', STREAM = 'd' };

// What a payload begins with. `number` counts the PUBLISHes of its connection and direction from 0.
struct stamp {
  uint64_t number;
  // ECHO: when it was sent; STREAM: how many bytes of packets are wanted.
  uint64_t value;
};

// The bytes of a PUBLISH around its payload of less than 16 KB (and of up to 2 MB).
#define SMALL_PUBLISH(payload) ((payload) + 2 + 2 + 7)
#define WHOLE_PUBLISH_MAX (64 * 1024)
#define CONNECT_MAX 128

// Writes a packet to `out` and answers its length.
size_t write_connect(uint8_t *out, const char *client_id);
size_t write_publish(uint8_t *out, enum errand errand, struct stamp stamp, size_t payload);
// The payload of a PUBLISH that is `size` bytes (128 to 64 KB) as a whole.
size_t payload_for(size_t size);

// Walks over a stream of packets, however it is cut. Nothing is copied but the few bytes that may hold a stamp.
struct walker {
  uint8_t head[32];
  size_t head_length;
  // Bytes of the packet that are still to come, behind its head.
  size_t rest;
};

struct seen {
  enum packet type;
  // The packet's first byte's lower half, and for a CONNACK its return code.
  uint8_t code;
  // All of its bytes.
  size_t size;
  enum errand errand;
  struct stamp stamp;
};

// Takes bytes up to the end of the next packet's head or body; answers how many. *found: there is a packet in *seen. A packet is
// seen when its head is whole: its body may still be on the way, and `walker->rest` says how much.
size_t walk(struct walker *walker, const uint8_t *bytes, size_t size, struct seen *seen, bool *found);
