// The relay: one thread that moves the bytes of links, each made of two TCP sockets, when they are older than a moment;
// until then the owner's thread does. Knows nothing of Node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace limpet {

class Nursery;

// A slot in the low 20 bits, its generation above: never used twice, and exact as a JavaScript number.
using LinkId = uint64_t;
constexpr LinkId kNoLink = UINT64_MAX;

enum class LinkEnd : uint8_t {
  kClientClosed = 0,
  kClientReset = 1,
  kClientIdle = 2,
  kServerClosed = 3,
  kServerReset = 4,
  kServerIdle = 5,
  kStopped = 6,
};

struct LinkSide {
  int fd;  // Non-blocking; the link's from now on.
  // What is still to be written to it, in order.
  std::vector<uint8_t> pending;
  uint64_t received = 0;
  uint64_t sent = 0;
  // Options::owners_epoll watches it, for somebody who wants it no more.
  bool is_watched = false;
};

struct LinkSpec {
  LinkSide client;
  LinkSide server;
  int64_t client_idle_ms = -1;
  int64_t server_idle_ms = -1;
  // Follow the server's MQTT packets from the first byte of `to_client` on.
  bool follow = false;
  uint32_t meter = 0;
};

struct EndedLink {
  LinkId id;
  LinkEnd end;
  uint64_t received;  // From the client.
  uint64_t sent;      // To it.
};

enum class StopMode : uint8_t { kFlush = 0, kReset = 1 };

// All methods are for one and the same thread, the owner's. The destructor closes everything and joins the thread.
class Relay {
 public:
  // `notify` is called on the relay's thread when there are ended links to take, and not again before all are taken.
  using Notify = void (*)(void* context);
  struct Options {
    // Bytes in bulk go through a pipe (splice), where one is free; a pipe is two descriptors. 0: never.
    size_t most_pipes = 64;
    // For tests: time goes so many times as fast.
    int64_t clock_rate = 1;
    // Where the owner hears of young links: what it hears with LinkMover::kLinkBit is for nursery(). -1: there are none,
    // every link is the thread's from the beginning.
    int owners_epoll = -1;
    // So long a link is young.
    int64_t youth_ms = 1000;
  };
  Relay(Notify notify, void* context);
  Relay(Notify notify, void* context, const Options& options);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // False, with errno: the system gives no thread, epoll or event descriptor.
  bool Start();
  // False: there are as many links as there are slots (2^20).
  bool HasRoom() const;
  // Sends `to_client` to the client at once, then moves bytes until both sides are closed. kNoLink: there is no room; both
  // are reset.
  LinkId Link(LinkSpec spec, const uint8_t* to_client, size_t to_client_bytes);
  void Stop(LinkId link, StopMode mode);
  // False: the link ends already, and nothing is done. (One that ends before the relay's thread hears of it is true, and
  // goes on ending as it did.) The words are copied; none: the client is closed without a word.
  bool Evict(LinkId link, const uint8_t* words, size_t bytes);
  // False: it has ended.
  bool Counts(LinkId link, uint64_t* received, uint64_t* sent) const;
  // At most so many of those that have ended since; answers how many. Their slots have no new link before the next
  // call. Of young ones nobody is notified: there are some where HasYoungEnds() says so.
  size_t TakeEnded(EndedLink* out, size_t most);
  bool HasYoungEnds() const;
  // Null: without Options::owners_epoll.
  Nursery* nursery();

  uint32_t OpenMeter();
  void ReadMeter(uint32_t meter, uint64_t* from_clients, uint64_t* to_clients);
  void CloseMeter(uint32_t meter);

  struct Census {
    size_t links;          // That have not ended.
    size_t pipes;          // Open.
    size_t waiting_bytes;  // Read, and not taken by the peer yet.
    size_t records;        // That there is memory for.
  };
  Census TakeCensus() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet
