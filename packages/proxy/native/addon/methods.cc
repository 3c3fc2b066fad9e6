#include "methods.h"

#include <cerrno>
#include <utility>

namespace limpet {

namespace {

template <size_t kMost>
struct Call : Arguments<kMost> {
  napi_env env;
  Engine& engine;

  Call(napi_env env_of_call, napi_callback_info info)
      : Arguments<kMost>(env_of_call, info), env(env_of_call), engine(*static_cast<Engine*>(this->data)) {}
  bool is_void() const { return engine.is_shut(); }
  uint64_t id() const { return ToId(env, this->values[0]); }
};

napi_value Listen(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  if (call.is_void()) return ThrowSystemError(env, ECANCELED, "listen", "");
  const int64_t listener = call.engine.reactor().Listen(ToInt(env, call.values[0]), ToInt(env, call.values[1]));
  if (listener < 0) return ThrowSystemError(env, static_cast<int>(-listener), "listen", "");
  return FromNumber(env, static_cast<double>(listener));
}

napi_value Credit(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  if (call.is_void()) return nullptr;
  const int count = ToInt(env, call.values[1]);
  call.engine.reactor().Credit(call.id(), count < 0 ? 0 : static_cast<uint32_t>(count));
  call.engine.Schedule();
  return nullptr;
}

napi_value Dial(napi_env env, napi_callback_info info) {
  const Call<5> call(env, info);
  if (call.is_void()) return FromNumber(env, -1);
  SocketAddress to;
  SocketAddress from;
  const bool has_from = !IsNull(env, call.values[2]);
  const auto port = static_cast<uint16_t>(ToInt(env, call.values[1]));
  const auto from_port = static_cast<uint16_t>(ToInt(env, call.values[3]));
  const bool is_known = ParseAddress(ToText(env, call.values[0]).c_str(), port, &to) &&
                        (!has_from || ParseAddress(ToText(env, call.values[2]).c_str(), from_port, &from));
  const Bytes first = ToBytes(env, call.values[4]);
  const uint64_t stream = call.engine.reactor().Dial(is_known ? &to : nullptr, has_from ? &from : nullptr, first.data,
                                                     first.length);
  if (stream == kNoId) return ThrowSystemError(env, ENFILE, "connect", "");
  call.engine.Schedule();
  return FromNumber(env, static_cast<double>(stream));
}

napi_value Write(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  if (call.is_void()) return FromBool(env, true);
  const Bytes bytes = ToBytes(env, call.values[1]);
  const bool is_taken = call.engine.reactor().Write(call.id(), bytes.data, bytes.length);
  call.engine.Schedule();
  return FromBool(env, is_taken);
}

// Those that only name a stream or a listener.
template <void (Reactor::*kOrder)(uint64_t)>
napi_value Order(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  if (call.is_void()) return nullptr;
  (call.engine.reactor().*kOrder)(call.id());
  call.engine.Schedule();
  return nullptr;
}

napi_value KeepAlive(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  if (!call.is_void()) call.engine.reactor().KeepAlive(call.id(), ToInt(env, call.values[1]));
  return nullptr;
}

void Store(napi_env env, napi_value out, uint64_t first, uint64_t second) {
  size_t length = 0;
  double* sums = ToDoubles(env, out, &length);
  if (length < 2) return;
  sums[0] = static_cast<double>(first);
  sums[1] = static_cast<double>(second);
}

napi_value Counts(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  uint64_t received = 0;
  uint64_t sent = 0;
  const bool is_there = !call.is_void() && call.engine.reactor().Counts(call.id(), &received, &sent);
  if (is_there) Store(env, call.values[1], received, sent);
  return FromBool(env, is_there);
}

napi_value Link(napi_env env, napi_callback_info info) {
  constexpr int kFollow = 1;
  constexpr int kKeepAlive = 2;
  const Call<7> call(env, info);
  if (call.is_void()) return FromNumber(env, -1);
  const int options = ToInt(env, call.values[5]);
  LinkSpec spec{};
  spec.client_idle_ms = static_cast<int64_t>(ToNumber(env, call.values[3]));
  spec.server_idle_ms = static_cast<int64_t>(ToNumber(env, call.values[4]));
  spec.follow = (options & kFollow) != 0;
  spec.meter = static_cast<uint32_t>(ToInt(env, call.values[6]));
  const uint64_t link = call.engine.Link(call.id(), ToId(env, call.values[1]), ToBytes(env, call.values[2]),
                                         std::move(spec), (options & kKeepAlive) != 0);
  call.engine.Schedule();
  return FromNumber(env, link == kNoLink ? -1 : static_cast<double>(link));
}

napi_value StopLink(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  if (call.is_void()) return nullptr;
  call.engine.relay().Stop(call.id(), ToInt(env, call.values[1]) == 0 ? StopMode::kFlush : StopMode::kReset);
  call.engine.Schedule();
  return nullptr;
}

napi_value EvictLink(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  if (call.is_void()) return FromBool(env, false);
  const Bytes words = ToBytes(env, call.values[1]);
  const bool is_asked = call.engine.relay().Evict(call.id(), words.data, words.length);
  call.engine.Schedule();
  return FromBool(env, is_asked);
}

napi_value LinkCounts(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  uint64_t received = 0;
  uint64_t sent = 0;
  const bool is_there = !call.is_void() && call.engine.relay().Counts(call.id(), &received, &sent);
  if (is_there) Store(env, call.values[1], received, sent);
  return FromBool(env, is_there);
}

napi_value OpenMeter(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  return FromNumber(env, call.is_void() ? 0 : call.engine.relay().OpenMeter());
}

napi_value ReadMeter(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  uint64_t from_clients = 0;
  uint64_t to_clients = 0;
  if (!call.is_void()) {
    call.engine.ReadMeter(static_cast<uint32_t>(ToInt(env, call.values[0])), &from_clients, &to_clients);
  }
  Store(env, call.values[1], from_clients, to_clients);
  return nullptr;
}

napi_value CloseMeter(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  if (!call.is_void()) call.engine.relay().CloseMeter(static_cast<uint32_t>(ToInt(env, call.values[0])));
  return nullptr;
}

napi_value Census(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  size_t length = 0;
  double* out = ToDoubles(env, call.values[0], &length);
  if (length < 5) return nullptr;
  Reactor::Census reactor{};
  Relay::Census relay{};
  if (!call.is_void()) {
    reactor = call.engine.reactor().TakeCensus();
    relay = call.engine.relay().TakeCensus();
  }
  out[0] = static_cast<double>(reactor.streams);
  out[1] = static_cast<double>(relay.links);
  out[2] = static_cast<double>(relay.pipes);
  out[3] = static_cast<double>(reactor.waiting_bytes + relay.waiting_bytes);
  out[4] = static_cast<double>(reactor.records + relay.records);
  return nullptr;
}

napi_value ShutDown(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  call.engine.ShutDown();
  return nullptr;
}

struct Method {
  const char* name;
  napi_callback callback;
};

constexpr Method kMethods[] = {
    {"listen", Listen},
    {"credit", Credit},
    {"unlisten", Order<&Reactor::Unlisten>},
    {"dial", Dial},
    {"resume", Order<&Reactor::Resume>},
    {"pause", Order<&Reactor::Pause>},
    {"write", Write},
    {"end", Order<&Reactor::End>},
    {"close", Order<&Reactor::Close>},
    {"abort", Order<&Reactor::Abort>},
    {"reset", Order<&Reactor::Reset>},
    {"keepAlive", KeepAlive},
    {"counts", Counts},
    {"link", Link},
    {"stopLink", StopLink},
    {"evictLink", EvictLink},
    {"linkCounts", LinkCounts},
    {"openMeter", OpenMeter},
    {"readMeter", ReadMeter},
    {"closeMeter", CloseMeter},
    {"census", Census},
    {"shutDown", ShutDown},
};

}  // namespace

napi_value MakeEngineObject(napi_env env, Engine* engine) {
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok) return nullptr;
  for (const Method& method : kMethods) {
    napi_value function = nullptr;
    napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.callback, engine, &function);
    napi_set_named_property(env, object, method.name, function);
  }
  return object;
}

}  // namespace limpet
