#include "reactor_churn_kit.h"

#include <dirent.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace limpet {

namespace {

constexpr size_t kMostWritten = 300 * 1024;

void NameOf(int fd, SocketAddress* address) {
  address->length = sizeof address->storage;
  Check(getsockname(fd, address->get(), &address->length) == 0, "getsockname");
}

int BoundToLoopback(SocketAddress* address) {
  Check(ParseAddress("127.0.0.1", 0, address), "an address");
  const int fd = OpenBound(*address, true);
  Check(fd >= 0, "bind");
  NameOf(fd, address);
  return fd;
}

}  // namespace

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s (errno %d)\n", what, errno);
  std::abort();
}

int CountDescriptors() {
  DIR* folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder) != nullptr) count += 1;
  closedir(folder);
  return count;
}

void Flow::Came(const uint8_t* bytes, size_t length) {
  Check(come + length <= sent, "no byte comes that was not sent");
  for (size_t i = 0; i < length; i += 1) Check(bytes[i] == At(come + i), "bytes come in order");
  come += length;
}

Churn::Churn(unsigned seed)
    : random_(seed),
      events_(kEvents * kEventLength),
      payload_(2 * kLongestRead),
      scratch_(kMostWritten),
      batch_(events_.data(), kEvents, payload_.data(), payload_.size()),
      reactor_(&batch_) {
  Check(reactor_.Start(), "epoll");
  const int bound = BoundToLoopback(&address_);
  const int64_t listener = reactor_.Listen(bound, 1000);
  Check(listener >= 0, "listen");
  listener_ = static_cast<uint64_t>(listener);
  close(bound);
  door_ = BoundToLoopback(&door_address_);
  Check(listen(door_, 1000) == 0, "listen");
  close(BoundToLoopback(&nowhere_));
}

Churn::~Churn() {
  reactor_.Unlisten(listener_);
  for (const int fd : arrivals_) close(fd);
  close(door_);
}

Pair* Churn::AnyPair() { return pairs_[static_cast<size_t>(Below(static_cast<int>(pairs_.size())))].get(); }

Pair* Churn::Start(bool is_accepted) {
  auto pair = std::make_unique<Pair>();
  made_ += 1;
  pair->number = made_;
  pair->to_stream.seed = static_cast<uint32_t>(made_ * 3);
  pair->to_peer.seed = static_cast<uint32_t>(made_ * 5 + 1);
  pair->steps_left = 5 + Below(60);
  if (is_accepted) {
    pair->peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // An address of its own, for ports are used again while the one before is still in the backlog.
    char text[32];
    std::snprintf(text, sizeof text, "127.%zu.%zu.%zu", 16 + made_ / 65536, made_ / 256 % 256, made_ % 256);
    SocketAddress own{};
    ParseAddress(text, 0, &own);
    Check(bind(pair->peer, own.get(), own.length) == 0, "bind");
    Check(connect(pair->peer, address_.get(), address_.length) == 0, "connect");
  } else {
    // Its first bytes say whose it is.
    const uint64_t mark = made_;
    uint8_t first[8];
    std::memcpy(first, &mark, sizeof first);
    const bool fails = Chance(20);
    SocketAddress from{};
    ParseAddress("127.0.0.3", 0, &from);
    pair->is_dialled = true;
    pair->id = reactor_.Dial(fails ? &nowhere_ : &door_address_, Chance(4) ? &from : nullptr, first, sizeof first);
    by_id_[pair->id] = pair.get();
  }
  pairs_.push_back(std::move(pair));
  return pairs_.back().get();
}

void Churn::Step() {
  SetCredit(static_cast<uint32_t>(Below(8)));
  for (int i = 0; i < 20; i += 1) {
    if (Chance(2)) ActOfPeer(AnyPair());
    else ActOfStream(AnyPair());
  }
  Turn();
  if (Chance(5)) reactor_.Sweep();
  Meet();
  Sweep();
}

void Churn::Turn() {
  reactor_.BeginTurn();
  reactor_.Poll();
  for (int i = 0; i < 4; i += 1) {
    batch_.Open();
    reactor_.Fill();
    if (batch_.count() == 0) break;
    Read();
  }
}

// Accepts what was dialled, and finds out whose it is.
void Churn::Meet() {
  for (;;) {
    const int fd = accept4(door_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) break;
    arrivals_.push_back(fd);
  }
  const auto has_said = [this](int fd) {
    uint64_t mark = 0;
    const ssize_t length = ReceiveSome(fd, reinterpret_cast<uint8_t*>(&mark), sizeof mark);
    if (length == -EAGAIN) return false;
    Pair* pair = length == sizeof mark ? Numbered(mark) : nullptr;
    // A dial that was reset before its first bytes went out has none.
    if (pair != nullptr) pair->peer = fd;
    else close(fd);
    return true;
  };
  arrivals_.erase(std::remove_if(arrivals_.begin(), arrivals_.end(), has_said), arrivals_.end());
}

Pair* Churn::Numbered(size_t number) {
  for (const auto& pair : pairs_) {
    if (pair->number == number) return pair.get();
  }
  return nullptr;
}

// Forgets those that are over on both sides; ends those that have lived long enough.
void Churn::Sweep() {
  for (const auto& pair : pairs_) {
    if (pair->steps_left > 0) continue;
    if (pair->peer >= 0) DropPeer(pair.get(), Chance(2));
    // One that is waiting in the backlog is met when it comes.
    if (pair->id == kNoId || pair->is_over) continue;
    reactor_.Reset(pair->id);
    pair->leaves = true;
    if (pair->is_open || !pair->is_dialled) continue;
    by_id_.erase(pair->id);
    pair->is_over = true;
  }
  const auto is_done = [](const std::unique_ptr<Pair>& pair) { return pair->is_over && pair->peer < 0; };
  pairs_.erase(std::remove_if(pairs_.begin(), pairs_.end(), is_done), pairs_.end());
}

void Churn::CheckRest() {
  const Reactor::Census census = reactor_.TakeCensus();
  Check(census.streams == 0 && census.waiting_bytes == 0 && by_id_.empty(), "no stream is left");
  Check(census.records <= 2048, "records are used again");
  Check(taken_ > 0 && orderly_ > 0 && refused_ > 0, "every kind of end was seen");
}

void Churn::Print() const {
  std::printf("%zu connections, %zu events, %llu bytes, %zu taken, %zu orderly, %zu refused\n", made_, told_,
              static_cast<unsigned long long>(bytes_), taken_, orderly_, refused_);
}

}  // namespace limpet
