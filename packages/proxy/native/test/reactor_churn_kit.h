// Pairs of a stream in a reactor and its peer, a plain socket, and what both do to each other.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include "../core/reactor.h"

namespace limpet {

void Check(bool holds, const char* what);
int CountDescriptors();

// One direction: what was sent so far and what has come, both of the same endless sequence of bytes.
struct Flow {
  uint32_t seed = 0;
  uint64_t sent = 0;
  uint64_t come = 0;

  uint8_t At(uint64_t offset) const { return static_cast<uint8_t>(seed + offset * 7 + (offset >> 8)); }
  void Came(const uint8_t* bytes, size_t length);
};

struct Pair {
  size_t number = 0;
  uint64_t id = kNoId;
  int peer = -1;
  bool is_dialled = false;
  // The stream, as whoever reads the batches knows it.
  bool is_open = false;
  bool is_over = false;
  bool flows = false;
  bool has_ended = false;
  bool leaves = false;
  bool said_end = false;
  // The peer.
  bool peer_said_fin = false;
  bool peer_reads = true;
  int steps_left = 0;
  Flow to_stream;
  Flow to_peer;
};

class Churn {
 public:
  explicit Churn(unsigned seed);
  ~Churn();

  // A pair whose stream will be accepted or is being dialled.
  Pair* Start(bool is_accepted);
  // Some of each side's acts, then a turn.
  void Step();
  void Turn();
  void SetCredit(uint32_t count) { reactor_.Credit(listener_, count); }
  bool Chance(int of) { return Below(of) == 0; }
  // Nothing may be left of anything.
  void CheckRest();
  void Print() const;
  size_t living() const { return pairs_.size(); }
  size_t starved() const { return starved_; }

 private:
  static constexpr size_t kEvents = 256;

  int Below(int of) { return std::uniform_int_distribution<int>(0, of - 1)(random_); }
  Pair* AnyPair();
  void Read();
  void Accepted(size_t index);
  void Told(Kind kind, size_t index, Pair* pair);
  void ActOfStream(Pair* pair);
  void WriteToPeer(Pair* pair);
  void TakeAndDrain(Pair* pair);
  void ActOfPeer(Pair* pair);
  void PeerWrites(Pair* pair);
  void PeerReads(Pair* pair);
  void DropPeer(Pair* pair, bool with_reset);
  void Meet();
  Pair* Numbered(size_t number);
  void Sweep();

  std::mt19937 random_;
  std::vector<double> events_;
  std::vector<uint8_t> payload_;
  std::vector<uint8_t> scratch_;
  Batch batch_;
  Reactor reactor_;
  uint64_t listener_ = 0;
  SocketAddress address_{};
  // Where dialled streams arrive, and where nobody listens.
  int door_ = -1;
  std::vector<int> arrivals_;
  SocketAddress door_address_{};
  SocketAddress nowhere_{};
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::unordered_map<uint64_t, Pair*> by_id_;
  size_t starved_ = 0;
  size_t made_ = 0;
  size_t told_ = 0;
  size_t taken_ = 0;
  size_t orderly_ = 0;
  size_t refused_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace limpet
