#include "relay.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "link_exchange.h"
#include "link_loop.h"
#include "link_mover.h"
#include "link_records.h"
#include "nursery.h"

namespace limpet {

namespace {
// What the owner's thread knows of a meter besides.
struct OwnedMeter {
  Meter sums;
  // Of young links.
  Meter young;
  // What it sent itself.
  uint64_t to_clients = 0;
  // What was told by ReadMeter().
  uint64_t told_from = 0;
  uint64_t told_to = 0;
};

void ResetSocket(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}
}  // namespace

struct Relay::Impl {
  Impl(Notify notify, void* context, const Options& wanted)
      : exchange(notify, context), clock{wanted.clock_rate}, options(wanted) {}

  bool Start();
  LinkId Make(LinkSpec spec, const uint8_t* to_client, size_t count);
  void Fill(LinkRecord* link, const LinkSpec& spec, int64_t now_ms);
  void First(LinkRecord* link, int which, const std::vector<uint8_t>& bytes);
  void FirstOf(LinkRecord* link, int which, const uint8_t* bytes, size_t count);
  void ToThread(LinkRecord* link, LinkId id);
  void Order(const LinkRecord& link, Command command);

  LinkExchange exchange;
  LinkRecords records;
  LinkTally tally;
  const LinkClock clock;
  const Options options;
  int epoll = -1;
  std::unique_ptr<LinkMover> mover;
  std::unique_ptr<LinkLoop> loop;
  std::unique_ptr<Nursery> nursery;
  pthread_t thread{};
  bool runs = false;
  size_t made = 0;
  // Ended links that the owner may still be reading about.
  std::vector<LinkId> told;
  std::vector<std::unique_ptr<OwnedMeter>> meters;
  std::vector<uint32_t> free_meters;
};

Relay::Relay(Notify notify, void* context) : Relay(notify, context, Options{}) {}

Relay::Relay(Notify notify, void* context, const Options& options)
    : impl_(std::make_unique<Impl>(notify, context, options)) {}

Relay::~Relay() {
  if (impl_->nursery != nullptr) impl_->nursery->EndTurn();
  if (impl_->runs) {
    impl_->exchange.Give({Command::Kind::kQuit, kNoLink, {}}, LinkExchange::kNow);
    pthread_join(impl_->thread, nullptr);
  }
  if (impl_->epoll != -1) close(impl_->epoll);
}

bool Relay::Start() { return impl_->Start(); }

namespace {
void* RunLoop(void* loop) {
  prctl(PR_SET_NAME, "limpet-relay");
  static_cast<LinkLoop*>(loop)->Run();
  return nullptr;
}
}  // namespace

bool Relay::Impl::Start() {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll == -1 || !exchange.Open()) return false;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = LinkLoop::kWakeMark;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, exchange.WakeDescriptor(), &event) != 0) return false;
  mover = std::make_unique<LinkMover>(&records, &tally, clock, epoll, options.most_pipes);
  loop = std::make_unique<LinkLoop>(&records, &exchange, mover.get(), clock, epoll);
  if (options.owners_epoll != -1) {
    const auto promote = [this](LinkRecord* link, LinkId id) { ToThread(link, id); };
    nursery = std::make_unique<Nursery>(&records, &tally, clock, options.owners_epoll, options.youth_ms, promote);
  }
  // Signals are the owner's: a thread begins with the mask of the one that makes it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  errno = pthread_create(&thread, nullptr, RunLoop, loop.get());
  runs = errno == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return runs;
}

bool Relay::HasRoom() const { return impl_->records.HasRoom(); }

LinkId Relay::Link(LinkSpec spec, const uint8_t* to_client, size_t to_client_bytes) {
  return impl_->Make(std::move(spec), to_client, to_client_bytes);
}

LinkId Relay::Impl::Make(LinkSpec spec, const uint8_t* to_client, size_t count) {
  LinkId id = kNoLink;
  LinkRecord* const link = records.Take(&id);
  if (link == nullptr) {
    ResetSocket(spec.client.fd);
    ResetSocket(spec.server.fd);
    return kNoLink;
  }
  made += 1;
  Fill(link, spec, clock.NowMs());
  OwnedMeter& meter = *meters[spec.meter];
  meter.to_clients += count;
  Meter::Add(&link->sent, count);
  if (spec.follow) link->boundary.Push(to_client, count);
  if (spec.client.pending.empty()) {
    FirstOf(link, kClient, to_client, count);
  } else {
    spec.client.pending.insert(spec.client.pending.end(), to_client, to_client + count);
    First(link, kClient, spec.client.pending);
  }
  First(link, kServer, spec.server.pending);
  const bool is_young = nursery != nullptr && nursery->Add(link, id, spec.client.is_watched, spec.server.is_watched);
  if (!is_young) ToThread(link, id);
  return id;
}

void Relay::Impl::Fill(LinkRecord* link, const LinkSpec& spec, int64_t now_ms) {
  link->received.store(spec.client.received, std::memory_order_relaxed);
  link->sent.store(spec.client.sent, std::memory_order_relaxed);
  link->is_known.store(false, std::memory_order_relaxed);
  for (const int which : {kClient, kServer}) {
    Side& side = link->side[which];
    side = Side{};
    side.fd = (which == kClient ? spec.client : spec.server).fd;
    side.last_ms = now_ms;
    side.idle_ms = which == kClient ? spec.client_idle_ms : spec.server_idle_ms;
  }
  link->end.store(kNoEnd, std::memory_order_relaxed);
  link->follows = spec.follow;
  link->is_put_off = false;
  link->is_patient = false;
  link->is_young = false;
  link->boundary = PacketBoundary{};
  link->look_ms = kNever;
  link->meter_number = spec.meter;
  link->meter = nursery == nullptr ? &meters[spec.meter]->sums : &meters[spec.meter]->young;
}

void Relay::Impl::First(LinkRecord* link, int which, const std::vector<uint8_t>& bytes) {
  FirstOf(link, which, bytes.data(), bytes.size());
}

// Sends the first bytes to a side; what it does not take is kept, and the other side is not read before that has gone.
void Relay::Impl::FirstOf(LinkRecord* link, int which, const uint8_t* bytes, size_t count) {
  if (count == 0) return;
  Side& to = link->side[which];
  const ssize_t sent = SendNow(to.fd, bytes, count);
  if (sent == -1) {
    // Whoever moves the link reads what it sent before, and ends it.
    to.Set(kMute);
    return;
  }
  const size_t left = count - static_cast<size_t>(sent);
  if (left == 0) return;
  Keep(&to, bytes + sent, left);
  to.Set(kRoomTold);
  tally.waiting_bytes.fetch_add(left, std::memory_order_relaxed);
  link->side[!which].held_ms = to.last_ms;
  TookSome(&to);
}

// From the first Register() on the relay's thread may meet the link; the lock keeps it waiting until both sides are
// there. What has come by then is told at once.
void Relay::Impl::ToThread(LinkRecord* link, LinkId id) {
  // One writer for each sum.
  link->meter = &meters[link->meter_number]->sums;
  const bool is_mute = link->side[kClient].Is(kMute) || link->side[kServer].Is(kMute);
  const int64_t by_ms = is_mute ? LinkExchange::kNow : mover->Deadline(*link);
  link->id.store(id, std::memory_order_release);
  std::unique_lock<std::mutex> lock = exchange.Lock();
  const auto watch = [&](int which) {
    const Side& side = link->side[which];
    return side.Is(kGone) || LinkMover::Register(epoll, EPOLL_CTL_ADD, side, id, which);
  };
  const bool is_watched = watch(kClient) && watch(kServer);
  link->is_known.store(true, std::memory_order_release);
  if (is_watched) exchange.GiveLocked(std::move(lock), {Command::Kind::kNew, id, {}}, by_ms);
  // The system watches no more descriptors for this user.
  else exchange.GiveLocked(std::move(lock), {Command::Kind::kReset, id, {}}, LinkExchange::kNow);
}

void Relay::Stop(LinkId link, StopMode mode) {
  const LinkRecord* const record = impl_->records.Find(link);
  if (record == nullptr) return;
  const auto kind = mode == StopMode::kFlush ? Command::Kind::kFlush : Command::Kind::kReset;
  impl_->Order(*record, {kind, link, {}});
}

// By now the relay's thread may have ended it, which is no harm: the record is looked for again where the command is obeyed.
void Relay::Impl::Order(const LinkRecord& link, Command command) {
  if (link.is_young) nursery->Obey(std::move(command));
  else exchange.Give(std::move(command), LinkExchange::kNow);
}

bool Relay::Evict(LinkId link, const uint8_t* words, size_t bytes) {
  const LinkRecord* const record = impl_->records.Find(link);
  if (record == nullptr || record->IsEnding()) return false;
  impl_->Order(*record, {Command::Kind::kEvict, link, {words, words + bytes}});
  return true;
}

bool Relay::Counts(LinkId id, uint64_t* received, uint64_t* sent) const {
  const LinkRecord* const link = impl_->records.Find(id);
  if (link == nullptr) return false;
  *received = link->received.load(std::memory_order_relaxed);
  *sent = link->sent.load(std::memory_order_relaxed);
  return true;
}

size_t Relay::TakeEnded(EndedLink* out, size_t most) {
  for (const LinkId id : impl_->told) impl_->records.GiveBack(id);
  impl_->told.clear();
  size_t count = 0;
  if (impl_->nursery != nullptr) {
    std::vector<EndedLink>& young = impl_->nursery->mover().ended();
    count = std::min(most, young.size());
    std::copy_n(young.begin(), count, out);
    young.erase(young.begin(), young.begin() + static_cast<std::ptrdiff_t>(count));
  }
  count += impl_->exchange.TakeEnded(out + count, most - count);
  for (size_t i = 0; i < count; i += 1) impl_->told.push_back(out[i].id);
  return count;
}

bool Relay::HasYoungEnds() const { return impl_->nursery != nullptr && !impl_->nursery->mover().ended().empty(); }

Nursery* Relay::nursery() { return impl_->nursery.get(); }

uint32_t Relay::OpenMeter() {
  if (impl_->free_meters.empty()) {
    impl_->meters.push_back(std::make_unique<OwnedMeter>());
    return static_cast<uint32_t>(impl_->meters.size() - 1);
  }
  const uint32_t meter = impl_->free_meters.back();
  impl_->free_meters.pop_back();
  return meter;
}

void Relay::ReadMeter(uint32_t meter, uint64_t* from_clients, uint64_t* to_clients) {
  OwnedMeter& owned = *impl_->meters[meter];
  uint64_t from = 0;
  uint64_t to = owned.to_clients;
  for (const Meter* const sums : {&owned.sums, &owned.young}) {
    from += sums->from_clients.load(std::memory_order_relaxed);
    to += sums->to_clients.load(std::memory_order_relaxed);
  }
  *from_clients = from - std::exchange(owned.told_from, from);
  *to_clients = to - std::exchange(owned.told_to, to);
}

void Relay::CloseMeter(uint32_t meter) {
  uint64_t rest;
  ReadMeter(meter, &rest, &rest);
  impl_->free_meters.push_back(meter);
}

Relay::Census Relay::TakeCensus() const {
  const LinkTally& tally = impl_->tally;
  return {impl_->made - tally.ended.load(std::memory_order_relaxed), tally.pipes.load(std::memory_order_relaxed),
          tally.waiting_bytes.load(std::memory_order_relaxed), impl_->records.Made()};
}

}  // namespace limpet
