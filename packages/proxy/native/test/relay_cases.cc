// What the relay promises, one case each, on real sockets; time goes 100 times as fast where a limit is waited for.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <random>

#include "../core/boundary.h"
#include "../core/wheel.h"
#include "relay_kit.h"

namespace limpet::test {
namespace {

constexpr int64_t kFast = 100;
const std::vector<uint8_t> kWords = {0xe0, 2, 0x9c, 0};
const std::vector<uint8_t> kConnack = {0x20, 3, 0, 0, 0};
const std::vector<uint8_t> kPublish = {0x30, 4, 0, 1, 't', 'a'};

struct Terms {
  int64_t client_idle_ms = -1;
  int64_t server_idle_ms = -1;
  bool follow = false;
  bool small = false;
  std::vector<uint8_t> to_client = {};
  std::vector<uint8_t> pending_to_client = {};
  std::vector<uint8_t> pending_to_server = {};
};

// A link between two peers that the test plays.
struct Scene {
  explicit Scene(int64_t clock_rate, Terms terms = {}, size_t pipes = 64) : relay({pipes, clock_rate}) {
    const Connection to_client = network.Connect();
    const Connection to_server = network.Connect();
    if (terms.small) ShrinkBuffers(to_client), ShrinkBuffers(to_server);
    client = to_client.peer;
    server = to_server.peer;
    meter = relay->OpenMeter();
    LinkSpec spec;
    spec.client = {to_client.relayed, terms.pending_to_client, 10, 20};
    spec.server = {to_server.relayed, terms.pending_to_server, 0, 0};
    spec.client_idle_ms = terms.client_idle_ms;
    spec.server_idle_ms = terms.server_idle_ms;
    spec.follow = terms.follow;
    spec.meter = meter;
    link = relay->Link(std::move(spec), terms.to_client.data(), terms.to_client.size());
  }
  ~Scene() {
    if (client != -1) close(client);
    if (server != -1) close(server);
  }

  // Sends until nobody takes more; answers how much.
  size_t Stuff(int peer) {
    const std::vector<uint8_t> some(65536, 'x');
    size_t sent = 0;
    int quiet_rounds = 0;
    WaitFor([&] {
      const ssize_t went = send(peer, some.data(), some.size(), MSG_NOSIGNAL);
      if (went > 0) sent += static_cast<size_t>(went);
      quiet_rounds = went > 0 ? 0 : quiet_rounds + 1;
      return quiet_rounds > 50;
    });
    return sent;
  }

  Network network;
  TestRelay relay;
  uint32_t meter = 0;
  LinkId link = kNoLink;
  int client = -1;
  int server = -1;
};

void FirstBytesInOrder() {
  Scene scene(1, {-1, -1, false, false, Bytes("two "), Bytes("one "), Bytes("early ")});
  std::vector<uint8_t> at_client;
  std::vector<uint8_t> at_server;
  SendAll(scene.server, Bytes("three"));
  SendAll(scene.client, Bytes("late"));
  HearUntil(scene.client, &at_client, 13);
  HearUntil(scene.server, &at_server, 10);
  CHECK(at_client == Bytes("one two three") && at_server == Bytes("early late"));
  uint64_t received;
  uint64_t sent;
  CHECK(scene.relay->Counts(scene.link, &received, &sent));
  CHECK(received == 10 + 4 && sent == 20 + 4 + 5);
  scene.relay->ReadMeter(scene.meter, &received, &sent);
  CHECK(received == 4 && sent == 9);
  scene.relay->ReadMeter(scene.meter, &received, &sent);
  CHECK(received == 0 && sent == 0);
}

void HalfClose(bool client_first) {
  Scene scene(1);
  const int first = client_first ? scene.client : scene.server;
  const int other = client_first ? scene.server : scene.client;
  std::vector<uint8_t> heard;
  SendAll(first, Bytes("that is all"));
  shutdown(first, SHUT_WR);
  CHECK(HearEnd(other, &heard) == Heard::kEof && heard == Bytes("that is all"));
  CHECK(!scene.relay->Evict(scene.link, nullptr, 0));
  heard.clear();
  SendAll(other, Bytes("last words"));
  HearUntil(first, &heard, 10);
  shutdown(other, SHUT_WR);
  CHECK(HearEnd(first, &heard) == Heard::kEof && heard == Bytes("last words"));
  const EndedLink end = scene.relay.WaitEnd(scene.link);
  CHECK(end.end == (client_first ? LinkEnd::kClientClosed : LinkEnd::kServerClosed));
  CHECK(end.received == 10u + (client_first ? 11 : 10) && end.sent == 20u + (client_first ? 10 : 11));
}

void ResetIsPassedOn(bool by_client) {
  Scene scene(1);
  int& first = by_client ? scene.client : scene.server;
  const int other = by_client ? scene.server : scene.client;
  std::vector<uint8_t> heard;
  SendAll(first, Bytes("x"));
  HearUntil(other, &heard, 1);
  ResetPeer(first);
  first = -1;
  CHECK(HearEnd(other, &heard) == Heard::kReset);
  CHECK(scene.relay.WaitEnd(scene.link).end == (by_client ? LinkEnd::kClientReset : LinkEnd::kServerReset));
}

// Bytes that the kernel still holds for a slow client are not lost to a server's RST.
void ResetBehindBytes() {
  Scene scene(1, {-1, -1, false, true});
  const std::vector<uint8_t> big(700'000, 'x');
  std::vector<uint8_t> heard;
  size_t at = 0;
  WaitFor([&] {
    const ssize_t sent = send(scene.server, big.data() + at, big.size() - at, MSG_NOSIGNAL);
    if (sent > 0) at += static_cast<size_t>(sent);
    if (at > 600'000 || sent <= 0) Hear(scene.client, &heard, 1000);
    uint64_t received;
    uint64_t passed;
    CHECK(scene.relay->Counts(scene.link, &received, &passed));
    return at == big.size() && passed == 20 + big.size();
  });
  ResetPeer(scene.server);
  scene.server = -1;
  CHECK(HearEnd(scene.client, &heard) == Heard::kReset && heard.size() == big.size());
  CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kServerReset);
}

// The kernel tells of it once, to splice() too: it must not look like a FIN then.
void ResetBehindBulk() {
  Network network;
  TestRelay relay(Relay::Options{});
  const uint32_t meter = relay->OpenMeter();
  const std::vector<uint8_t> big(300'000, 'x');
  for (int round = 0; round < 100; round += 1) {
    const Connection client = network.Connect();
    const Connection server = network.Connect();
    LinkSpec spec;
    spec.client.fd = client.relayed;
    spec.server.fd = server.relayed;
    spec.meter = meter;
    const LinkId link = relay->Link(std::move(spec), nullptr, 0);
    std::vector<uint8_t> heard;
    SendAll(server.peer, big);
    Hear(client.peer, &heard);
    SendAll(server.peer, big);
    ResetPeer(server.peer);
    CHECK(HearEnd(client.peer, &heard) == Heard::kReset);
    CHECK(relay.WaitEnd(link).end == LinkEnd::kServerReset);
    close(client.peer);
  }
}

// What is still to be delivered to one that has gone too is awaited by nobody.
void BothReset() {
  Scene scene(1);
  const std::vector<uint8_t> big(1'000'000, 'x');
  SendAll(scene.server, big);
  WaitFor([&] {
    uint64_t received;
    uint64_t passed;
    CHECK(scene.relay->Counts(scene.link, &received, &passed));
    return passed == 20 + big.size() && scene.relay->TakeCensus().waiting_bytes == 0;
  });
  const size_t open = OpenDescriptors();
  ResetPeer(scene.server);
  scene.server = -1;
  // The peer's own, and the relay's: it has heard of it.
  WaitFor([&] { return OpenDescriptors() == open - 2; });
  ResetPeer(scene.client);
  scene.client = -1;
  const auto before = std::chrono::steady_clock::now();
  CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kServerReset);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(15));
}

// What is behind an urgent byte comes; that byte itself is nobody's, as in Node.
void BehindUrgentByte() {
  Scene scene(1);
  std::vector<uint8_t> heard;
  CHECK(send(scene.client, "ab!", 3, MSG_OOB) == 3);
  SendAll(scene.client, Bytes("cd"));
  HearUntil(scene.server, &heard, 4);
  CHECK(heard == Bytes("abcd"));
}

// P10: little is kept, nothing is lost, and the other direction goes on.
void BackPressure(size_t pipes) {
  Scene scene(1, {}, pipes);
  const size_t stuffed = scene.Stuff(scene.server);
  const Relay::Census held = scene.relay->TakeCensus();
  CHECK(held.waiting_bytes > 0 && held.waiting_bytes <= (pipes > 0 ? 1 << 20 : 64 * 1024));
  // A young link has no pipe.
  CHECK(HasNursery() || (held.pipes > 0) == (pipes > 0));
  std::vector<uint8_t> heard;
  SendAll(scene.client, Bytes("ping"));
  HearUntil(scene.server, &heard, 4);
  heard.clear();
  shutdown(scene.server, SHUT_WR);
  CHECK(HearEnd(scene.client, &heard) == Heard::kEof && heard.size() == stuffed);
  CHECK(scene.relay->TakeCensus().waiting_bytes == 0);
}

void StopFlushes() {
  Scene scene(1);
  const size_t stuffed = scene.Stuff(scene.server);
  scene.relay->Stop(scene.link, StopMode::kFlush);
  scene.relay->Stop(scene.link, StopMode::kFlush);
  std::vector<uint8_t> heard;
  // What the relay had not read by then is dropped.
  CHECK(HearEnd(scene.client, &heard) != Heard::kOpen && heard.size() <= stuffed);
  const EndedLink end = scene.relay.WaitEnd(scene.link);
  CHECK(end.end == LinkEnd::kStopped && end.sent == 20 + heard.size());
}

void StopResets() {
  Scene scene(1);
  scene.Stuff(scene.server);
  scene.relay->Stop(scene.link, StopMode::kReset);
  std::vector<uint8_t> heard;
  CHECK(HearEnd(scene.client, &heard) == Heard::kReset);
  CHECK(HearEnd(scene.server, &heard) == Heard::kReset);
  CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kStopped);
}

int64_t FastMs(const std::function<void()>& what) {
  const auto before = std::chrono::steady_clock::now();
  what();
  const auto took = std::chrono::steady_clock::now() - before;
  return std::chrono::duration_cast<std::chrono::microseconds>(took).count() * kFast / 1000;
}

// `stuffed` 0: neither is held; 1: the client takes nothing, 2: the server does not.
void IdleEnds(Terms terms, int stuffed, LinkEnd expected, int64_t at_least_ms) {
  Scene scene(kFast, terms);
  const int64_t took_ms = FastMs([&] {
    if (stuffed == 1) scene.Stuff(scene.server);
    if (stuffed == 2) scene.Stuff(scene.client);
    CHECK(scene.relay.WaitEnd(scene.link).end == expected);
  });
  CHECK(took_ms >= at_least_ms);
}

// The client takes so much again and again, for some 4.8 s. A server that is there goes on sending.
void TakeSlowly(Scene* scene, std::vector<uint8_t>* heard, size_t at_once) {
  const std::vector<uint8_t> some(65536, 'x');
  uint64_t received;
  uint64_t sent;
  for (int i = 0; i < 48; i += 1) {
    const auto before = std::chrono::steady_clock::now();
    Hear(scene->client, heard, at_once);
    if (scene->server != -1) while (send(scene->server, some.data(), some.size(), MSG_NOSIGNAL) > 0) continue;
    WaitFor([&] { return std::chrono::steady_clock::now() - before > std::chrono::milliseconds(100); });
    CHECK(scene->relay->Counts(scene->link, &received, &sent));
  }
}

// One that takes a little, again and again, for four times the longest stall, is slow, not gone. With a
// large buffer of the kernel's there is no room for long, though bytes go.
void SlowIsNotGone(bool small) {
  Scene scene(kFast, {-1, 5'000, false, small});
  std::vector<uint8_t> heard;
  TakeSlowly(&scene, &heard, scene.Stuff(scene.server) / 64);
  CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kClientIdle);
}

// Neither is one that takes its last bytes slowly, for four times as long as one may be silent then, behind a FIN or an RST
// of the server.
void SlowAtTheEnd(bool reset) {
  Scene scene(kFast / 4);
  const size_t stuffed = scene.Stuff(scene.server);
  std::vector<uint8_t> heard;
  if (reset) ResetPeer(scene.server);
  else close(scene.server);
  scene.server = -1;
  // An RST overtakes what the relay has not read.
  TakeSlowly(&scene, &heard, stuffed / (reset ? 160 : 64));
  CHECK(HearEnd(scene.client, &heard) == (reset ? Heard::kReset : Heard::kEof));
  CHECK(reset || heard.size() == stuffed);
  CHECK(scene.relay.WaitEnd(scene.link).end == (reset ? LinkEnd::kServerReset : LinkEnd::kServerClosed));
}

// Unless somebody here is in a hurry.
void SlowAtTheEndIsStopped() {
  Scene scene(kFast);
  scene.Stuff(scene.server);
  close(scene.server);
  scene.server = -1;
  WaitFor([&] { return !scene.relay->Evict(scene.link, nullptr, 0); });
  scene.relay->Stop(scene.link, StopMode::kFlush);
  const int64_t took_ms = FastMs([&] { scene.relay.WaitEnd(scene.link); });
  CHECK(took_ms < 60'000);
}

// What the kernel holds by then goes to a client that is slower than the limit.
void LastBytesAreDelivered() {
  Scene scene(kFast);
  const std::vector<uint8_t> big(100'000, 'x');
  SendAll(scene.server, big);
  shutdown(scene.server, SHUT_WR);
  CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kServerClosed);
  std::vector<uint8_t> heard;
  CHECK(HearEnd(scene.client, &heard) == Heard::kEof && heard == big);
}

// One that takes no bytes after an end is given up.
void LingerEnds() {
  Scene scene(kFast);
  scene.Stuff(scene.server);
  const int64_t took_ms = FastMs([&] {
    scene.relay->Stop(scene.link, StopMode::kFlush);
    CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kStopped);
  });
  CHECK(took_ms >= 29'000);
}

void FarewellBetweenPackets() {
  Scene scene(1, {-1, -1, true, false, kConnack});
  std::vector<uint8_t> heard;
  SendAll(scene.server, {kPublish.begin(), kPublish.begin() + 3});
  HearUntil(scene.client, &heard, kConnack.size() + 3);
  CHECK(scene.relay->Evict(scene.link, kWords.data(), kWords.size()));
  SendAll(scene.server, {kPublish.begin() + 3, kPublish.end()});
  SendAll(scene.server, kPublish);
  CHECK(HearEnd(scene.client, &heard) == Heard::kEof);
  std::vector<uint8_t> expected = kConnack;
  expected.insert(expected.end(), kPublish.begin(), kPublish.end());
  // The second one too, where it came before the thread was told.
  if (heard.size() > expected.size() + kWords.size()) expected.insert(expected.end(), kPublish.begin(), kPublish.end());
  expected.insert(expected.end(), kWords.begin(), kWords.end());
  CHECK(heard == expected);
  heard.clear();
  SendAll(scene.client, Bytes("acks"));
  shutdown(scene.client, SHUT_WR);
  CHECK(HearEnd(scene.server, &heard) == Heard::kEof && heard == Bytes("acks"));
  CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kStopped);
}

// Without words, without packets, with a packet that does not end: closed without a word, and given up when it stays.
void FarewellWithoutWords(bool follow, bool words, bool half, int64_t at_least_ms) {
  Scene scene(kFast, {-1, -1, follow, false, kConnack});
  std::vector<uint8_t> heard;
  if (half) SendAll(scene.server, {0x30, 4, 0});
  const size_t count = kConnack.size() + (half ? 3 : 0);
  HearUntil(scene.client, &heard, count);
  const int64_t took_ms = FastMs([&] {
    CHECK(scene.relay->Evict(scene.link, kWords.data(), words ? kWords.size() : 0));
    CHECK(HearEnd(scene.client, &heard) == Heard::kEof && heard.size() == count);
    CHECK(scene.relay.WaitEnd(scene.link).end == LinkEnd::kStopped);
  });
  CHECK(took_ms >= at_least_ms);
}

void GoneIdsDoNothing() {
  Scene scene(1);
  close(scene.client);
  scene.client = -1;
  shutdown(scene.server, SHUT_WR);
  scene.relay.WaitEnd(scene.link);
  const Connection client = scene.network.Connect();
  const Connection server = scene.network.Connect();
  LinkSpec spec;
  spec.client.fd = client.relayed;
  spec.server.fd = server.relayed;
  spec.meter = scene.meter;
  const LinkId next = scene.relay->Link(std::move(spec), nullptr, 0);
  CHECK(next != scene.link && (next & 0xfffff) == (scene.link & 0xfffff));
  scene.relay->Stop(scene.link, StopMode::kReset);
  CHECK(!scene.relay->Evict(scene.link, kWords.data(), kWords.size()));
  std::vector<uint8_t> heard;
  SendAll(client.peer, Bytes("x"));
  HearUntil(server.peer, &heard, 1);
  CHECK(scene.relay->TakeCensus().links == 1);
  close(client.peer);
  close(server.peer);
  CHECK(scene.relay.WaitEnd(next).id == next);
}

// A client that reset before there was a link.
void BrokenFromTheStart() {
  Network network;
  TestRelay relay(Relay::Options{});
  const uint32_t meter = relay->OpenMeter();
  for (int round = 0; round < 200; round += 1) {
    const Connection client = network.Connect();
    const Connection server = network.Connect();
    SendAll(client.peer, Bytes("will"));
    ResetPeer(client.peer);
    LinkSpec spec;
    spec.client.fd = client.relayed;
    spec.server.fd = server.relayed;
    spec.meter = meter;
    const LinkId link = relay->Link(std::move(spec), kConnack.data(), kConnack.size());
    std::vector<uint8_t> heard;
    CHECK(HearEnd(server.peer, &heard) == Heard::kReset && heard == Bytes("will"));
    close(server.peer);
    CHECK(relay.WaitEnd(link).end == LinkEnd::kClientReset);
  }
}

// The wheel against the plainest way to keep deadlines.
void WheelAgainstMap() {
  std::mt19937_64 random(7);
  Wheel wheel(1000);
  std::vector<WheelNode> nodes(500);
  std::map<WheelNode*, int64_t> due;
  int64_t now = 1000;
  for (int step = 0; step < 20'000; step += 1) {
    WheelNode* const node = &nodes[random() % nodes.size()];
    const int64_t deadline = now + static_cast<int64_t>(random() % 3 == 0 ? random() % 20'000'000 : random() % 30'000);
    if (random() % 8 == 0) {
      wheel.Remove(node);
      due.erase(node);
    } else {
      wheel.Place(node, deadline);
      const auto found = due.find(node);
      // Not moved where the old one is of the same tick or earlier.
      if (found == due.end() || node->due_tick == (deadline - 1000 + 19) / 20) due[node] = deadline;
    }
    int64_t first = kNever;
    for (const auto& [_, at] : due) first = std::min(first, at);
    if (first != kNever) CHECK(wheel.NextMs() <= first + Wheel::kTickMs);
    now += static_cast<int64_t>(random() % 50 == 0 ? random() % 3'000'000 : random() % 100);
    while (WheelNode* const told = wheel.Take(now)) {
      CHECK(due.count(told) == 1 && due[told] <= now);
      due.erase(told);
    }
    for (const auto& [_, at] : due) CHECK(at > now - Wheel::kTickMs);
  }
}

void BoundaryInPieces() {
  std::mt19937 random(7);
  for (int round = 0; round < 100; round += 1) {
    std::vector<uint8_t> stream;
    std::vector<bool> ends = {true};
    for (const uint32_t length : {0u, 127u, 128u, 1u, 16383u, 16384u, 5u}) {
      stream.push_back(0x30);
      for (uint32_t left = length, more = 1; more; left /= 128) {
        more = left > 127;
        stream.push_back(static_cast<uint8_t>(left % 128 | (more ? 128 : 0)));
      }
      stream.insert(stream.end(), length, 0xd0);
      ends.resize(stream.size() + 1);
      ends[stream.size()] = true;
    }
    PacketBoundary boundary;
    for (size_t at = 0; at < stream.size();) {
      const size_t piece = std::min<size_t>(1 + random() % (round % 2 == 0 ? 5000 : 7), stream.size() - at);
      PacketBoundary one = boundary;
      const size_t passed = one.PushOnePacket(stream.data() + at, piece);
      CHECK(passed == piece || (one.IsBetween() && ends[at + passed]));
      boundary.Push(stream.data() + at, piece);
      at += piece;
      CHECK(boundary.IsBetween() == ends[at] && !boundary.IsLost());
    }
  }
  PacketBoundary lost;
  const uint8_t bad[] = {0x30, 0xff, 0xff, 0xff, 0xff, 0x30, 0};
  lost.Push(bad, sizeof bad);
  CHECK(lost.IsLost() && !lost.IsBetween());
}

void RunAll() {
  BoundaryInPieces();
  WheelAgainstMap();
  FirstBytesInOrder();
  for (const bool client : {true, false}) HalfClose(client), ResetIsPassedOn(client);
  ResetBehindBytes();
  ResetBehindBulk();
  BothReset();
  BehindUrgentByte();
  BackPressure(64);
  BackPressure(0);
  StopFlushes();
  StopResets();
  IdleEnds({1500, -1}, 0, LinkEnd::kClientIdle, 1500);
  IdleEnds({50'000, 9'000}, 0, LinkEnd::kServerIdle, 9'000);
  // Who is held is not the silent one, and has two minutes.
  IdleEnds({-1, 5'000}, 1, LinkEnd::kClientIdle, 120'000);
  IdleEnds({5'000, -1}, 2, LinkEnd::kServerIdle, 120'000);
  SlowIsNotGone(true);
  SlowIsNotGone(false);
  SlowAtTheEnd(false);
  SlowAtTheEnd(true);
  SlowAtTheEndIsStopped();
  LastBytesAreDelivered();
  LingerEnds();
  FarewellBetweenPackets();
  FarewellWithoutWords(true, false, false, 4'900);
  FarewellWithoutWords(false, true, false, 4'900);
  FarewellWithoutWords(true, true, true, 6'900);
  GoneIdsDoNothing();
  BrokenFromTheStart();
}

}  // namespace
}  // namespace limpet::test

//   relay_cases [young]
int main(int count, char**) {
  if (count > 1) limpet::test::UseNursery();
  const size_t before = limpet::test::OpenDescriptors();
  limpet::test::RunAll();
  CHECK(limpet::test::OpenDescriptors() == before);
  printf("ok\n");
  return 0;
}
