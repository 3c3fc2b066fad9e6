// The record of a link: the owner's while it is young (nursery.h), then the relay's thread's alone, but for what is atomic.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "boundary.h"
#include "pipes.h"
#include "relay.h"
#include "wheel.h"

namespace limpet {

// Sums of bytes. There is one writer, so that adding takes no locked instruction: the relay's thread, or the owner for young
// links, which have a meter of their own.
struct Meter {
  std::atomic<uint64_t> from_clients{0};
  std::atomic<uint64_t> to_clients{0};

  static void Add(std::atomic<uint64_t>* sum, uint64_t bytes) {
    sum->store(sum->load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }
};

// Bytes that their peer has not taken yet: exactly these, in memory of their own.
struct Kept {
  std::unique_ptr<uint8_t[]> bytes;
  size_t at = 0;
  size_t end = 0;
};

// The last seconds of a link whose client is asked to leave.
struct Farewell {
  enum class Phase : uint8_t { kPacket, kLeave, kClose, kOver };
  Phase phase = Phase::kPacket;
  int64_t deadline_ms = kNever;
  std::vector<uint8_t> words;
};

// What is known of a side, as bits.
enum SideFlag : uint16_t {
  kReadable = 1 << 0,  // There may be something to read.
  kHung = 1 << 1,      // FIN, RST or urgent data is behind what can be read: a short read is not the last one.
  kFailed = 1 << 2,    // RST or another error is.
  kMute = 1 << 3,      // It takes nothing any more; what it sent before is still read.
  kEof = 1 << 4,       // FIN was read.
  kEnding = 1 << 5,    // It gets FIN behind what is written.
  kShut = 1 << 6,      // It got it.
  kClosing = 1 << 7,   // It is closed behind what is written, and what it sends is dropped.
  kAborting = 1 << 8,  // It gets RST behind what is written, and is not read.
  kGone = 1 << 9,      // Its descriptor is closed.
  kBulk = 1 << 10,     // It fills whole buffers: read through a pipe.
  kRoomTold = 1 << 11, // EPOLLOUT is armed. From the first need on: it costs nothing while everything is taken.
  kFinBehind = 1 << 12,  // FIN, and nothing else, is behind what can be read: a short read is the last one.
};

struct Side {
  int fd = -1;
  uint16_t flags = 0;
  // What its peer had not acknowledged when the kernel was last asked, while it is waited for that (TookSome()).
  int undelivered = 0;
  Pipes::Index pipe = Pipes::kNone;
  // Waits to be written to it, behind what is in the pipe.
  std::unique_ptr<Kept> kept;
  // When it last sent a byte.
  int64_t last_ms = 0;
  // It is not read, because the other one is slow, and so long ago that one took something; kNever: it is read.
  int64_t held_ms = kNever;
  // Silence after which it counts as gone; -1: any.
  int64_t idle_ms = -1;

  bool Is(uint16_t any_of) const { return (flags & any_of) != 0; }
  void Set(uint16_t flag) { flags = static_cast<uint16_t>(flags | flag); }
  void Clear(uint16_t flag) { flags = static_cast<uint16_t>(flags & ~flag); }
  bool HasWaiting() const { return kept != nullptr || pipe != Pipes::kNone; }
};

constexpr int kClient = 0;
constexpr int kServer = 1;
constexpr uint8_t kNoEnd = 255;

struct LinkRecord : WheelNode {
  // kNoLink: no link has this record. Whoever meets another id than it knows must not touch the rest.
  std::atomic<LinkId> id{kNoLink};
  // From the client, and to it.
  std::atomic<uint64_t> received{0};
  std::atomic<uint64_t> sent{0};
  // The relay's epoll watches both sides. Before that only the owner's thread may touch them; while it makes them known
  // it holds the exchange's lock.
  std::atomic<bool> is_known{false};
  Side side[2];
  // Why it ends: a LinkEnd; kNoEnd: it does not. Written by whoever moves the link; the owner may ask at any time.
  std::atomic<uint8_t> end{kNoEnd};
  bool follows = false;
  bool is_put_off = false;
  // Moved by the owner's thread, and known to that one only (nursery.h).
  bool is_young = false;
  PacketBoundary boundary;
  int64_t end_ms = 0;
  // When a peer was last seen to take something, since then.
  int64_t taken_ms = 0;
  // When to look what the peers have taken; kNever: no need.
  int64_t look_ms = kNever;
  // The peers have ended it, and nobody here is in a hurry: who takes its last bytes slowly may take its time.
  bool is_patient = false;
  Meter* meter = nullptr;
  uint32_t meter_number = 0;
  std::unique_ptr<Farewell> farewell;

  uint8_t End() const { return end.load(std::memory_order_relaxed); }
  bool IsEnding() const { return End() != kNoEnd; }
};

// Whether something follows in the same turn, so that the kernel may wait for it and send both in one segment.
enum class More : uint8_t { kNo, kFollows };
// Sends at once what the socket takes of these bytes. -1, with errno: it takes nothing ever again.
ssize_t SendNow(int fd, const uint8_t* bytes, size_t count, More more = More::kNo);
// What the peer has not acknowledged, in bytes; a FIN counts as one. 0 where the kernel does not say.
int Undelivered(int fd);
// Asks the kernel: whether the peer has acknowledged more than it had at the last call.
bool TookSome(Side* side);
// Keeps bytes for this side, behind those that are kept.
void Keep(Side* side, const uint8_t* bytes, size_t count);

}  // namespace limpet
