// What the relay's test programs share: pairs of sockets on loopback, a relay that is waited for, and checks that end
// the program with the line that failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "../core/relay.h"

namespace limpet::test {

// Ends the program with 1.
[[noreturn]] void Fail(const char* file, int line, const char* what);
#define CHECK(condition) ((condition) ? void() : ::limpet::test::Fail(__FILE__, __LINE__, #condition))

// So many descriptors are open in this process.
size_t OpenDescriptors();
// Fails after two minutes.
void WaitFor(const std::function<bool()>& condition);

// A TCP connection on loopback, both ends non-blocking; one end is for a relay, the other is its peer's.
struct Connection {
  int peer;
  int relayed;
};

// Connections from many addresses, so that ports in TIME_WAIT do not run out.
class Network {
 public:
  Network();
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  Connection Connect();

 private:
  static constexpr int kAddresses = 32;
  int listeners_[kAddresses];
  uint16_t ports_[kAddresses];
  int next_ = 0;
};

// Small buffers for sending, so that less is enough to stall a connection. (With windows smaller than loopback's
// segments the kernel waits for timers of its own.)
void ShrinkBuffers(const Connection& connection);
void ResetPeer(int peer);
void SendAll(int peer, const std::vector<uint8_t>& bytes);

// What a peer hears: bytes, then how they end.
enum class Heard { kOpen, kEof, kReset };
// Reads what is there now, at most so much.
Heard Hear(int peer, std::vector<uint8_t>* bytes, size_t most = SIZE_MAX);
// Reads on until there are so many bytes, or the end.
Heard HearUntil(int peer, std::vector<uint8_t>* bytes, size_t count);
Heard HearEnd(int peer, std::vector<uint8_t>* bytes);

// Relays have a nursery from now on: links begin on the test's thread, which gives it turns while it waits, and move to
// the relay's when they are 30 ms old (of real time), or busy.
void UseNursery();
bool HasNursery();

// A relay with what it told.
class TestRelay {
 public:
  explicit TestRelay(Relay::Options options);
  ~TestRelay();
  TestRelay(const TestRelay&) = delete;
  TestRelay& operator=(const TestRelay&) = delete;
  Relay* operator->() { return &relay_; }
  // Collects those that ended.
  void Collect();
  // Waits for this one to end; it must be told once.
  EndedLink WaitEnd(LinkId link);
  bool HasEnded(LinkId link);
  // The owner's turn.
  void Turn();

  std::vector<EndedLink> ended;

 private:
  Relay::Options WithEpoll(Relay::Options options);

  int epoll_ = -1;
  Relay relay_;
};

std::vector<uint8_t> Bytes(const char* text);

}  // namespace limpet::test
