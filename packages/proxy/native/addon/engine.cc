#include "engine.h"

#include "../core/nursery.h"

#include <cerrno>
#include <utility>

namespace limpet {

namespace {

// Batches in one turn of the event loop, before the others have their turn.
constexpr int kMostBatches = 8;
constexpr uint64_t kSweepMs = 20;
// So many times epoll may have more to say before what is due by time is looked at.
constexpr int kMostFullPolls = 16;
// Fewer than the fewest events of a batch.
constexpr size_t kMostEndedAtOnce = 128;

Engine* Of(void* data) { return static_cast<Engine*>(data); }

template <typename Handle>
uv_handle_t* AsHandle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

Engine::Engine(napi_env env, double* events, size_t longest, uint8_t* payload, size_t payload_bytes, size_t most_pipes)
    : env_(env), batch_(events, longest, payload, payload_bytes), most_pipes_(most_pipes) {}

int Engine::Start(napi_value options, napi_value events, napi_value payload, napi_value on_events) {
  const auto on_link = [](void* data, uint64_t name, uint32_t what) {
    Of(data)->relay_->nursery()->OnEvent(name, what);
  };
  reactor_ = std::make_unique<Reactor>(&batch_, Reactor::Guest{on_link, this, LinkMover::kLinkBit});
  int failed = reactor_->Start() ? 0 : -errno;
  const auto notify = [](void* data) { uv_async_send(&Of(data)->notify_); };
  Relay::Options relay_options;
  relay_options.most_pipes = most_pipes_;
  relay_options.owners_epoll = reactor_->descriptor();
  relay_ = std::make_unique<Relay>(notify, this, relay_options);
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env_, &loop);
  const auto on_notify = [](uv_async_t* handle) {
    Of(handle->data)->relay_has_news_ = true;
    Of(handle->data)->RunTurn(false);
  };
  if (failed == 0) failed = uv_async_init(loop, &notify_, on_notify);
  if (failed != 0) {
    // No thread has been started, and no handle is open.
    is_shut_ = true;
    reactor_.reset();
    relay_.reset();
    return -failed;
  }
  failed = uv_poll_init(loop, &poll_, reactor_->descriptor());
  const bool has_poll = failed == 0;
  uv_idle_init(loop, &idle_);
  uv_timer_init(loop, &sweep_);
  poll_.data = idle_.data = sweep_.data = notify_.data = this;
  open_handles_ = has_poll ? 4 : 3;
  const napi_value kept[] = {options, events, payload, on_events};
  for (size_t i = 0; i < 4; i += 1) napi_create_reference(env_, kept[i], 1, &kept_[i]);
  napi_value name = nullptr;
  napi_create_string_utf8(env_, "limpet", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env_, options, name, &context_);
  napi_add_async_cleanup_hook(env_, &Engine::OnCleanup, this, &cleanup_);
  if (failed == 0 && !relay_->Start()) failed = -errno;
  if (failed != 0) {
    if (!has_poll) poll_.data = nullptr;
    ShutDown();
    return -failed;
  }
  uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) { Of(handle->data)->RunTurn(true); });
  // Whether the process has anything left to do is for those to say who hold the connections.
  uv_unref(AsHandle(&poll_));
  uv_unref(AsHandle(&sweep_));
  uv_unref(AsHandle(&notify_));
  return 0;
}

void Engine::Schedule() {
  if (in_turn_ || is_shut_) return;
  Rearm();
}

// What is due outside of a turn is done at the beginning of the loop's next round, which does not sleep before it.
void Engine::Rearm() {
  const bool is_owed = IsOwed();
  if (is_owed && !is_idle_) uv_idle_start(&idle_, [](uv_idle_t* handle) { Of(handle->data)->RunTurn(false); });
  if (!is_owed && is_idle_) uv_idle_stop(&idle_);
  is_idle_ = is_owed;
  const bool needs_sweep = reactor_->NeedsSweep() || !relay_->nursery()->IsEmpty();
  if (needs_sweep && uv_is_active(AsHandle(&sweep_)) == 0) {
    const auto on_time = [](uv_timer_t* handle) {
      Of(handle->data)->owes_sweep_ = true;
      Of(handle->data)->RunTurn(true);
    };
    uv_timer_start(&sweep_, on_time, kSweepMs, 0);
  }
}

void Engine::RunTurn(bool polls) {
  if (in_turn_ || is_shut_) return;
  in_turn_ = true;
  reactor_->BeginTurn();
  relay_->nursery()->BeginTurn();
  if (polls) Poll();
  relay_->nursery()->EndTurn();
  for (int i = 0; i < kMostBatches && !is_leaving_; i += 1) {
    batch_.Open();
    TellEndedLinks();
    reactor_->Fill();
    if (batch_.count() == 0) break;
    Deliver();
  }
  in_turn_ = false;
  if (is_leaving_) Stop();
  else Rearm();
}

// Nobody is called silent before everything was heard that epoll has to say; but the sweep does not wait for ever.
void Engine::Poll() {
  full_polls_ = reactor_->Poll() ? 0 : full_polls_ + 1;
  if (!owes_sweep_ || (full_polls_ > 0 && full_polls_ < kMostFullPolls)) return;
  owes_sweep_ = false;
  full_polls_ = 0;
  reactor_->Sweep();
  relay_->nursery()->Sweep();
}

bool Engine::IsOwed() const {
  return reactor_->IsOwed() || relay_has_news_ || relay_->HasYoungEnds() || relay_->nursery()->IsOwed();
}

// Once for each batch: the slots of those that were told are free again at the next time.
void Engine::TellEndedLinks() {
  if (!relay_has_news_ && !relay_->HasYoungEnds()) return;
  EndedLink ended[kMostEndedAtOnce];
  const size_t count = relay_->TakeEnded(ended, kMostEndedAtOnce);
  relay_has_news_ = count == kMostEndedAtOnce;
  for (size_t i = 0; i < count; i += 1) {
    const EndedLink& link = ended[i];
    batch_.AddLinkEnded(link.id, static_cast<double>(link.end), static_cast<double>(link.received),
                        static_cast<double>(link.sent));
  }
}

// Microtasks run behind the call, and are still part of this turn.
void Engine::Deliver() {
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env_, &scope);
  napi_value options = nullptr;
  napi_value on_events = nullptr;
  napi_get_reference_value(env_, kept_[0], &options);
  napi_get_reference_value(env_, kept_[3], &on_events);
  const napi_value count = FromNumber(env_, static_cast<double>(batch_.count()));
  napi_make_callback(env_, context_, options, on_events, 1, &count, nullptr);
  bool has_thrown = false;
  napi_is_exception_pending(env_, &has_thrown);
  if (has_thrown) {
    napi_value error = nullptr;
    napi_get_and_clear_last_exception(env_, &error);
    napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
}

uint64_t Engine::Link(uint64_t client, uint64_t server, Bytes to_client, LinkSpec spec, bool keep_alive) {
  if (client == server || !reactor_->CanTake(client) || !reactor_->CanTake(server)) return kNoLink;
  // They stay as they are: the relay in TypeScript has them.
  if (!relay_->HasRoom()) return kNoLink;
  if (keep_alive) {
    reactor_->KeepAlive(client, kKeepAliveMs);
    reactor_->KeepAlive(server, kKeepAliveMs);
  }
  TakenStream from = reactor_->Take(client);
  TakenStream to = reactor_->Take(server);
  // What was read of the client and told to nobody goes on behind what waits for the server already.
  to.pending.insert(to.pending.end(), from.early.begin(), from.early.end());
  const uint64_t early = from.early.size();
  spec.client = {from.fd, std::move(from.pending), from.received, from.sent, from.is_watched};
  spec.server = {to.fd, std::move(to.pending), to.received, to.sent + early, to.is_watched};
  if (early > 0) unseen_by_relay_[spec.meter] += early;
  if (to.early.empty()) return relay_->Link(std::move(spec), to_client.data, to_client.length);
  std::vector<uint8_t> all(to_client.data, to_client.data + to_client.length);
  all.insert(all.end(), to.early.begin(), to.early.end());
  return relay_->Link(std::move(spec), all.data(), all.size());
}

void Engine::ReadMeter(uint32_t meter, uint64_t* from_clients, uint64_t* to_clients) {
  relay_->ReadMeter(meter, from_clients, to_clients);
  const auto unseen = unseen_by_relay_.find(meter);
  if (unseen == unseen_by_relay_.end()) return;
  *from_clients += unseen->second;
  unseen_by_relay_.erase(unseen);
}

void Engine::ShutDown() {
  if (is_shut_) return;
  if (in_turn_) is_leaving_ = true;
  else Stop();
}

void Engine::Stop() {
  if (is_shut_) return;
  is_shut_ = true;
  // The relay's thread may notify until it has been joined.
  relay_.reset();
  CloseHandles();
  reactor_.reset();
  for (napi_ref& ref : kept_) {
    if (ref != nullptr) napi_delete_reference(env_, ref);
    ref = nullptr;
  }
  if (context_ != nullptr) napi_async_destroy(env_, context_);
  context_ = nullptr;
}

void Engine::CloseHandles() {
  if (poll_.data != nullptr) uv_close(AsHandle(&poll_), &Engine::OnClosed);
  uv_close(AsHandle(&idle_), &Engine::OnClosed);
  uv_close(AsHandle(&sweep_), &Engine::OnClosed);
  uv_close(AsHandle(&notify_), &Engine::OnClosed);
}

void Engine::OnClosed(uv_handle_t* handle) {
  Engine* engine = Of(handle->data);
  engine->open_handles_ -= 1;
  // The environment is waiting for this one, and nobody can call us any more.
  if (engine->open_handles_ > 0 || !engine->is_torn_down_) return;
  napi_remove_async_cleanup_hook(engine->cleanup_);
  delete engine;
}

void Engine::OnCleanup(napi_async_cleanup_hook_handle handle, void* data) {
  Engine* engine = Of(data);
  engine->is_torn_down_ = true;
  engine->in_turn_ = false;
  engine->Stop();
  if (engine->open_handles_ > 0) return;
  napi_remove_async_cleanup_hook(handle);
  delete engine;
}

}  // namespace limpet
