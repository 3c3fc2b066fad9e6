#include "relay_kit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "../core/nursery.h"

namespace limpet::test {

namespace {
bool has_nursery = false;
// Those that want turns.
std::vector<TestRelay*> relays;
}  // namespace

void UseNursery() { has_nursery = true; }
bool HasNursery() { return has_nursery; }

void Fail(const char* file, int line, const char* what) {
  fprintf(stderr, "%s:%d: not so: %s (%s)\n", file, line, what, strerror(errno));
  exit(1);
}

size_t OpenDescriptors() {
  DIR* const directory = opendir("/proc/self/fd");
  size_t count = 0;
  while (readdir(directory) != nullptr) count += 1;
  closedir(directory);
  return count;
}

void WaitFor(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!condition()) {
    CHECK(std::chrono::steady_clock::now() < until);
    for (TestRelay* const relay : relays) relay->Turn();
    poll(nullptr, 0, 1);
  }
}

Network::Network() {
  for (int i = 0; i < kAddresses; i += 1) {
    listeners_[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<uint32_t>(i));
    socklen_t length = sizeof address;
    CHECK(bind(listeners_[i], reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(listen(listeners_[i], 16) == 0);
    CHECK(getsockname(listeners_[i], reinterpret_cast<sockaddr*>(&address), &length) == 0);
    ports_[i] = address.sin_port;
  }
}

Network::~Network() {
  for (const int listener : listeners_) close(listener);
}

Connection Network::Connect() {
  const int i = next_;
  next_ = (next_ + 1) % kAddresses;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<uint32_t>(i));
  address.sin_port = ports_[i];
  const int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const int relayed = accept4(listeners_[i], nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  CHECK(relayed != -1);
  CHECK(fcntl(peer, F_SETFL, O_NONBLOCK) == 0);
  const int on = 1;
  for (const int fd : {peer, relayed}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {peer, relayed};
}

void ShrinkBuffers(const Connection& connection) {
  const int size = 8192;
  for (const int fd : {connection.peer, connection.relayed}) {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
}

void ResetPeer(int peer) {
  const linger at_once{1, 0};
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(peer);
}

void SendAll(int peer, const std::vector<uint8_t>& bytes) {
  size_t at = 0;
  WaitFor([&] {
    const ssize_t sent = send(peer, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    CHECK(sent >= 0 || errno == EAGAIN);
    if (sent > 0) at += static_cast<size_t>(sent);
    return at == bytes.size();
  });
}

Heard Hear(int peer, std::vector<uint8_t>* bytes, size_t most) {
  static uint8_t buffer[256 * 1024];
  const ssize_t got = recv(peer, buffer, std::min(most, sizeof buffer), 0);
  if (got > 0) bytes->insert(bytes->end(), buffer, buffer + got);
  if (got == 0) return Heard::kEof;
  return got > 0 || errno == EAGAIN ? Heard::kOpen : Heard::kReset;
}

Heard HearUntil(int peer, std::vector<uint8_t>* bytes, size_t count) {
  Heard heard = Heard::kOpen;
  WaitFor([&] {
    if (bytes->size() < count) heard = Hear(peer, bytes, count - bytes->size());
    return heard != Heard::kOpen || bytes->size() == count;
  });
  return heard;
}

Heard HearEnd(int peer, std::vector<uint8_t>* bytes) { return HearUntil(peer, bytes, SIZE_MAX); }

Relay::Options TestRelay::WithEpoll(Relay::Options options) {
  if (!has_nursery) return options;
  epoll_ = options.owners_epoll = epoll_create1(EPOLL_CLOEXEC);
  options.youth_ms = 30 * options.clock_rate;
  return options;
}

TestRelay::TestRelay(Relay::Options options) : relay_([](void*) {}, nullptr, WithEpoll(options)) {
  CHECK(relay_.Start());
  relays.push_back(this);
}

TestRelay::~TestRelay() {
  relays.erase(std::find(relays.begin(), relays.end(), this));
  if (epoll_ != -1) close(epoll_);
}

void TestRelay::Turn() {
  Nursery* const nursery = relay_.nursery();
  if (nursery == nullptr) return;
  epoll_event events[64];
  nursery->BeginTurn();
  const int count = epoll_wait(epoll_, events, 64, 0);
  for (int i = 0; i < count; i += 1) nursery->OnEvent(events[i].data.u64, events[i].events);
  if (count < 64) nursery->Sweep();
  nursery->EndTurn();
  CHECK(!nursery->IsOwed());
}

void TestRelay::Collect() {
  Turn();
  EndedLink some[64];
  for (size_t count; (count = relay_.TakeEnded(some, 64)) > 0;) ended.insert(ended.end(), some, some + count);
}

bool TestRelay::HasEnded(LinkId link) {
  Collect();
  return std::any_of(ended.begin(), ended.end(), [&](const EndedLink& one) { return one.id == link; });
}

EndedLink TestRelay::WaitEnd(LinkId link) {
  WaitFor([&] { return HasEnded(link); });
  const auto is_it = [&](const EndedLink& one) { return one.id == link; };
  CHECK(std::count_if(ended.begin(), ended.end(), is_it) == 1);
  return *std::find_if(ended.begin(), ended.end(), is_it);
}

std::vector<uint8_t> Bytes(const char* text) { return {text, text + strlen(text)}; }

}  // namespace limpet::test
