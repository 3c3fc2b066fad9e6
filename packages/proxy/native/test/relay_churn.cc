// Links in large numbers, whose peers do whatever peers do: every byte is compared, each link ends once, and all memory
// and descriptors are back at the end. Peers of `quiet` ones dribble, are slow, and half-close: all their bytes must
// arrive. Those of `wild` ones freeze, reset and vanish too, and the links are stopped and evicted; time goes 20 times
// as fast there, so that the relay gives frozen peers up soon.
//
//   relay_churn quiet|wild LINKS AT_ONCE SEED [young]
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <random>
#include <string>

#include "relay_kit.h"

namespace limpet::test {
namespace {

const std::vector<uint8_t> kWords = {0xe0, 2, 0x9c, 0};
const std::vector<uint8_t> kConnack = {0x20, 3, 0, 0, 0};

std::mt19937_64 random_bits;
size_t Random(size_t below) { return static_cast<size_t>(random_bits() % below); }
bool Chance(size_t one_in) { return Random(one_in) == 0; }

// The byte at some place of a stream.
uint8_t ByteAt(uint64_t seed, size_t at) {
  uint64_t mixed = (seed + at) * 0x9e3779b97f4a7c15;
  return static_cast<uint8_t>(mixed >> 56 ^ mixed >> 29);
}

// MQTT packets of any length, their bodies of such bytes.
std::vector<uint8_t> Packets(uint64_t seed, size_t about) {
  std::vector<uint8_t> stream;
  while (stream.size() < about) {
    const size_t body = Chance(20) ? Random(300'000) : Random(200);
    stream.push_back(0x30);
    for (size_t left = body;;) {
      stream.push_back(static_cast<uint8_t>(left % 128 | (left > 127 ? 128 : 0)));
      left /= 128;
      if (left == 0) break;
    }
    for (size_t i = 0; i < body; i += 1) stream.push_back(ByteAt(seed, stream.size()));
  }
  return stream;
}

std::vector<uint8_t> Any(uint64_t seed, size_t count) {
  std::vector<uint8_t> stream(count);
  for (size_t i = 0; i < count; i += 1) stream[i] = ByteAt(seed, i);
  return stream;
}

enum class Last { kFin, kClose, kReset, kNothing };

// One end of a link: sends its stream in pieces, hears the other one's, and ends in its own way.
struct Peer {
  int fd = -1;
  std::vector<uint8_t> stream;
  // Sends at most so many at once, and hears so many; 0: it is frozen.
  size_t piece = 0;
  size_t gulp = 0;
  Last last = Last::kFin;
  // Rounds after which one that is frozen leaves.
  int patience = INT_MAX;
  // Resets itself or closes when it has sent so many.
  size_t stops_at = 0;
  size_t sent = 0;
  std::vector<uint8_t> heard;
  Heard end = Heard::kOpen;
  bool has_ended = false;
  // A failed write was told of RST; recv() tells an end only then.
  bool was_reset = false;

  bool IsGone() const { return fd == -1; }
  void Leave(bool by_reset) {
    if (by_reset) ResetPeer(fd);
    else close(fd);
    fd = -1;
  }
  void SendSome();
  void HearSome();
  bool Act();
};

void Peer::SendSome() {
  if (has_ended) return;
  const size_t until = last == Last::kFin || last == Last::kNothing ? stream.size() : stops_at;
  const size_t count = std::min(piece, until - sent);
  const ssize_t went = count == 0 ? 0 : send(fd, stream.data() + sent, count, MSG_NOSIGNAL);
  if (went == -1 && errno != EAGAIN) {
    has_ended = was_reset = true;
    return;
  }
  if (went > 0) sent += static_cast<size_t>(went);
  if (sent < until || last == Last::kNothing) return;
  has_ended = true;
  if (last == Last::kFin) shutdown(fd, SHUT_WR);
  else Leave(last == Last::kReset);
}

void Peer::HearSome() {
  if (end != Heard::kOpen || gulp == 0) return;
  end = Hear(fd, &heard, gulp);
  if (end == Heard::kEof && was_reset) end = Heard::kReset;
}

// False: it has nothing to do any more.
bool Peer::Act() {
  if (!IsGone()) SendSome();
  if (!IsGone()) HearSome();
  if (!IsGone() && gulp == 0 && patience-- == 0) Leave(last == Last::kReset);
  // Nobody stays who was told the end.
  if (!IsGone() && end != Heard::kOpen && (has_ended || last == Last::kNothing || end == Heard::kReset)) Leave(false);
  return !IsGone();
}

enum class Order { kNone, kFlush, kReset, kEvict };

struct Case {
  LinkId link = kNoLink;
  bool follows = false;
  bool is_quiet = false;  // Nobody disturbs it: all bytes must arrive.
  Order order = Order::kNone;
  int rounds_to_order = 0;
  bool was_ordered = false;
  bool has_ended = false;
  EndedLink told{};
  Peer client;
  Peer server;
};

Peer MakePeer(int fd, std::vector<uint8_t> stream, size_t to_hear, bool is_quiet) {
  Peer peer;
  peer.fd = fd;
  peer.stream = std::move(stream);
  peer.piece = Chance(4) ? 1 + Random(20) : 1 + Random(200'000);
  // A dribbler has little to say, or it would take for ever.
  if (peer.piece <= 20 && peer.stream.size() > 400) peer.piece = 5000;
  // A slow one is done in some 100 rounds, or the relay would give it up.
  peer.gulp = Chance(4) ? 1 + Random(3000) + to_hear / 100 : 200'000;
  if (is_quiet) return peer;
  if (Chance(12)) peer.gulp = 0;
  if (!Chance(8)) peer.patience = static_cast<int>(Random(100));
  peer.last = static_cast<Last>(Random(4));
  peer.stops_at = Random(peer.stream.size() + 1);
  return peer;
}

size_t StreamLength() { return Chance(30) ? Random(1'500'000) : Chance(3) ? Random(20'000) : Random(200); }

std::unique_ptr<Case> MakeCase(TestRelay& relay, Network& network, uint32_t meter, bool is_quiet) {
  auto made = std::make_unique<Case>();
  const uint64_t seed = random_bits();
  const Connection client = network.Connect();
  const Connection server = network.Connect();
  if (Chance(4)) ShrinkBuffers(client);
  if (Chance(4)) ShrinkBuffers(server);
  made->is_quiet = is_quiet;
  made->follows = Chance(2);
  std::vector<uint8_t> from_client = Any(seed, StreamLength());
  std::vector<uint8_t> from_server = made->follows ? Packets(seed + 1, StreamLength()) : Any(seed + 1, StreamLength());
  from_server.insert(from_server.begin(), kConnack.begin(), kConnack.end());
  made->client = MakePeer(client.peer, from_client, from_server.size(), made->is_quiet);
  made->server = MakePeer(server.peer, from_server, from_client.size(), made->is_quiet);
  made->server.sent = kConnack.size();
  made->server.stops_at = std::max(made->server.stops_at, kConnack.size());
  if (!made->is_quiet) {
    made->order = static_cast<Order>(Random(4));
    made->rounds_to_order = static_cast<int>(Random(30));
  }
  LinkSpec spec;
  spec.client.fd = client.relayed;
  spec.server.fd = server.relayed;
  spec.follow = made->follows;
  spec.meter = meter;
  spec.client.received = 100;
  // Whoever says nothing and hears nothing is ended by this.
  if (!made->is_quiet) spec.client_idle_ms = 20'000;
  made->link = relay->Link(std::move(spec), kConnack.data(), kConnack.size());
  CHECK(made->link != kNoLink);
  return made;
}

void GiveOrder(TestRelay& relay, Case& one) {
  if (one.order == Order::kNone || one.was_ordered || one.rounds_to_order-- > 0) return;
  one.was_ordered = true;
  if (one.order == Order::kFlush) relay->Stop(one.link, StopMode::kFlush);
  if (one.order == Order::kReset) relay->Stop(one.link, StopMode::kReset);
  if (one.order == Order::kEvict) relay->Evict(one.link, kWords.data(), kWords.size());
}

bool IsPrefix(const std::vector<uint8_t>& part, const std::vector<uint8_t>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

// True: `at` is where a packet of this stream begins, or its end.
bool IsBoundary(const std::vector<uint8_t>& stream, size_t at) {
  size_t next = 0;
  while (next < at) {
    size_t length = 0;
    size_t head = 1;
    for (unsigned shift = 0;; shift += 7) {
      length |= static_cast<size_t>(stream[next + head] & 127) << shift;
      head += 1;
      if ((stream[next + head - 1] & 128) == 0) break;
    }
    next += head + length;
  }
  return next == at;
}

// What the client heard but for the words.
std::vector<uint8_t> WithoutWords(const Case& one) {
  std::vector<uint8_t> heard = one.client.heard;
  if (one.order != Order::kEvict || !one.follows || !one.was_ordered || heard.size() < kWords.size()) return heard;
  const auto words = heard.end() - static_cast<std::ptrdiff_t>(kWords.size());
  const bool has_words = std::equal(kWords.begin(), kWords.end(), words) && !IsPrefix(heard, one.server.stream);
  if (!has_words) return heard;
  heard.erase(words, heard.end());
  CHECK(IsBoundary(one.server.stream, heard.size()));
  return heard;
}

void CheckCase(const Case& one) {
  const std::vector<uint8_t> heard = WithoutWords(one);
  CHECK(IsPrefix(heard, one.server.stream));
  CHECK(IsPrefix(one.server.heard, one.client.stream));
  CHECK(one.told.received >= 100 + one.server.heard.size());
  CHECK(one.told.sent >= one.client.heard.size());
  if (!one.is_quiet) return;
  CHECK(heard.size() == one.server.stream.size());
  CHECK(one.server.heard.size() == one.client.stream.size());
  CHECK(one.client.end == Heard::kEof && one.server.end == Heard::kEof);
  CHECK(one.told.end == LinkEnd::kClientClosed || one.told.end == LinkEnd::kServerClosed);
  CHECK(one.told.received == 100 + one.client.stream.size());
  CHECK(one.told.sent == one.server.stream.size());
}

// RST must arrive as RST, if nothing else was first.
void CheckReset(const Case& one) {
  if (one.was_ordered) return;
  const bool by_client = one.told.end == LinkEnd::kClientReset && one.client.last == Last::kReset;
  const bool by_server = one.told.end == LinkEnd::kServerReset && one.server.last == Last::kReset;
  if (by_client && one.server.end != Heard::kOpen) CHECK(one.server.end == Heard::kReset);
  if (by_server && one.client.end != Heard::kOpen) CHECK(one.client.end == Heard::kReset);
}

// Orders for links that are gone do nothing.
void DisturbGone(TestRelay& relay, LinkId link) {
  uint64_t received;
  uint64_t sent;
  CHECK(!relay->Counts(link, &received, &sent));
  relay->Stop(link, StopMode::kReset);
  CHECK(!relay->Evict(link, kWords.data(), kWords.size()));
  relay->Stop(link + (uint64_t{1} << 40), StopMode::kReset);
  relay->Stop(kNoLink, StopMode::kFlush);
}

class Churn {
 public:
  Churn(bool is_quiet, size_t links, size_t at_once)
      : relay_({64, is_quiet ? 1 : 20}), is_quiet_(is_quiet), left_(links), at_once_(at_once) {}
  void Run() {
    meter_ = relay_->OpenMeter();
    WaitFor([this] { return !Round(); });
    CheckSums();
  }

 private:
  bool Round();
  void TakeEnded();
  bool IsOver(Case& one);
  void CheckSums();

  Network network_;
  TestRelay relay_;
  const bool is_quiet_;
  uint32_t meter_ = 0;
  size_t left_;
  const size_t at_once_;
  std::vector<std::unique_ptr<Case>> cases_;
  uint64_t from_clients_ = 0;
  uint64_t to_clients_ = 0;
};

void Churn::TakeEnded() {
  relay_.Collect();
  for (const EndedLink& told : relay_.ended) {
    const auto found = std::find_if(cases_.begin(), cases_.end(), [&](auto& one) { return one->link == told.id; });
    CHECK(found != cases_.end() && !(*found)->has_ended);
    (*found)->has_ended = true;
    (*found)->told = told;
    from_clients_ += told.received - 100;
    to_clients_ += told.sent;
    DisturbGone(relay_, told.id);
  }
  relay_.ended.clear();
}

bool Churn::IsOver(Case& one) {
  GiveOrder(relay_, one);
  // Frozen ones thaw when the relay has given them up.
  if (one.has_ended) one.client.gulp = one.server.gulp = 200'000;
  const bool client_acts = one.client.Act();
  const bool server_acts = one.server.Act();
  if (one.has_ended && !client_acts && !server_acts) {
    CheckCase(one);
    CheckReset(one);
    return true;
  }
  if (Chance(50) && !one.has_ended) {
    uint64_t received;
    uint64_t sent;
    if (relay_->Counts(one.link, &received, &sent)) CHECK(received >= 100 && sent >= kConnack.size());
  }
  return false;
}

// False: all are over.
bool Churn::Round() {
  while (left_ > 0 && cases_.size() < at_once_) {
    left_ -= 1;
    cases_.push_back(MakeCase(relay_, network_, meter_, is_quiet_));
  }
  TakeEnded();
  const auto over = std::remove_if(cases_.begin(), cases_.end(), [this](auto& one) { return IsOver(*one); });
  cases_.erase(over, cases_.end());
  return left_ > 0 || !cases_.empty();
}

void Churn::CheckSums() {
  uint64_t from;
  uint64_t to;
  relay_->ReadMeter(meter_, &from, &to);
  CHECK(from == from_clients_ && to == to_clients_);
  const Relay::Census census = relay_->TakeCensus();
  printf("records %zu, pipes %zu, from clients %llu, to clients %llu\n", census.records, census.pipes,
         static_cast<unsigned long long>(from), static_cast<unsigned long long>(to));
  CHECK(census.links == 0 && census.waiting_bytes == 0);
  CHECK(census.records <= at_once_ + 256);
}

}  // namespace
}  // namespace limpet::test

int main(int count, char** words) {
  using namespace limpet::test;
  CHECK(count >= 5);
  if (count > 5) UseNursery();
  random_bits.seed(strtoull(words[4], nullptr, 10));
  const size_t before = OpenDescriptors();
  Churn(words[1] == std::string("quiet"), strtoull(words[2], nullptr, 10), strtoull(words[3], nullptr, 10)).Run();
  CHECK(OpenDescriptors() == before);
  printf("ok\n");
  return 0;
}
