// An engine: a reactor in an event loop of libuv, its relay, and the function that hears of both.
#pragma once

#include <uv.h>

#include <memory>
#include <unordered_map>

#include "../core/reactor.h"
#include "../core/relay.h"
#include "values.h"

namespace limpet {

// Its memory lasts as long as the environment: the functions of a shut-down engine may still be called, and do nothing.
// Everything here is for the event loop's thread, but for uv_async_send(), which the relay's thread calls.
class Engine {
 public:
  Engine(napi_env env, double* events, size_t longest, uint8_t* payload, size_t payload_bytes, size_t most_pipes);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Keeps these alive, and begins. Answers 0, or an errno: then it is shut down.
  int Start(napi_value options, napi_value events, napi_value payload, napi_value on_events);
  // Within onEvents it is done behind it.
  void ShutDown();
  bool is_shut() const { return is_shut_; }
  // It has been started so far that the environment's end deletes it.
  bool is_owned() const { return cleanup_ != nullptr; }

  Reactor& reactor() { return *reactor_; }
  Relay& relay() { return *relay_; }

  // To be called behind whatever may have made something due.
  void Schedule();

  uint64_t Link(uint64_t client, uint64_t server, Bytes to_client, LinkSpec spec, bool keep_alive);
  void ReadMeter(uint32_t meter, uint64_t* from_clients, uint64_t* to_clients);

 private:
  void RunTurn(bool polls);
  void Poll();
  void Sweep();
  bool IsOwed() const;
  void TellEndedLinks();
  void Deliver();
  void Rearm();
  void Stop();
  void CloseHandles();

  static void OnCleanup(napi_async_cleanup_hook_handle handle, void* data);
  static void OnClosed(uv_handle_t* handle);

  napi_env env_;
  napi_ref kept_[4] = {};
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;

  Batch batch_;
  const size_t most_pipes_;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<Relay> relay_;
  // Bytes that the reactor read before a link, by meter: the relay has never seen them.
  std::unordered_map<uint32_t, uint64_t> unseen_by_relay_;

  uv_poll_t poll_{};
  uv_idle_t idle_{};
  uv_timer_t sweep_{};
  uv_async_t notify_{};
  int open_handles_ = 0;
  bool is_idle_ = false;
  bool in_turn_ = false;
  bool is_shut_ = false;
  bool is_leaving_ = false;
  bool is_torn_down_ = false;
  bool relay_has_news_ = false;
  bool owes_sweep_ = false;
  int full_polls_ = 0;
};

}  // namespace limpet
