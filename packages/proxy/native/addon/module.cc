// What the addon exports: `NativeAddon` of src/native/addon.ts.
#include <dirent.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "methods.h"

namespace limpet {

namespace {

constexpr int kContract = 2;
constexpr size_t kFewestEvents = 256;
constexpr size_t kMostEvents = 65536;
constexpr size_t kSmallestPayload = 2 * kLongestRead;

napi_value Bind(napi_env env, napi_callback_info info) {
  const Arguments<3> call(env, info);
  const std::string text = ToText(env, call.values[0]);
  const int port = ToInt(env, call.values[1]);
  bool reuse_port = false;
  napi_get_value_bool(env, call.values[2], &reuse_port);
  SocketAddress address;
  const bool is_known = ParseAddress(text.c_str(), static_cast<uint16_t>(port), &address);
  const int fd = is_known ? OpenBound(address, reuse_port) : -EINVAL;
  if (fd < 0) return ThrowSystemError(env, -fd, "bind", text + ":" + std::to_string(port));
  return FromNumber(env, fd);
}

// Every thread that is there; those that come inherit it from the one that makes them.
int PinThreads(const cpu_set_t& cpus) {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return errno;
  int failed = 0;
  while (const dirent* task = readdir(tasks)) {
    const int thread = std::atoi(task->d_name);
    // One that has ended meanwhile needs no CPU.
    if (thread > 0 && sched_setaffinity(thread, sizeof cpus, &cpus) != 0 && errno != ESRCH) failed = errno;
  }
  closedir(tasks);
  return failed;
}

napi_value Pin(napi_env env, napi_callback_info info) {
  const Arguments<1> call(env, info);
  uint32_t length = 0;
  napi_get_array_length(env, call.values[0], &length);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (uint32_t i = 0; i < length; i += 1) {
    napi_value element = nullptr;
    napi_get_element(env, call.values[0], i, &element);
    const int cpu = ToInt(env, element);
    if (cpu < 0 || cpu >= CPU_SETSIZE) return ThrowSystemError(env, EINVAL, "sched_setaffinity", std::to_string(cpu));
    CPU_SET(static_cast<size_t>(cpu), &cpus);
  }
  const int failed = PinThreads(cpus);
  return failed == 0 ? nullptr : ThrowSystemError(env, failed, "sched_setaffinity", "");
}

napi_value Named(napi_env env, napi_value object, const char* name) {
  napi_value value = nullptr;
  napi_get_named_property(env, object, name, &value);
  return value;
}

napi_value CreateEngine(napi_env env, napi_callback_info info) {
  const Arguments<1> call(env, info);
  const napi_value options = call.values[0];
  const napi_value events = Named(env, options, "events");
  const napi_value payload = Named(env, options, "payload");
  size_t numbers = 0;
  double* event_memory = ToDoubles(env, events, &numbers);
  const Bytes payload_memory = ToBytes(env, payload);
  const size_t longest = std::min(numbers / kEventLength, kMostEvents);
  if (longest < kFewestEvents || payload_memory.length < kSmallestPayload) {
    return ThrowSystemError(env, EINVAL, "createEngine", "events or payload");
  }
  const int pipes = std::max(0, ToInt(env, Named(env, options, "pipes")));
  auto engine = std::make_unique<Engine>(env, event_memory, longest, payload_memory.data, payload_memory.length,
                                         static_cast<size_t>(pipes));
  const int failed = engine->Start(options, events, payload, Named(env, options, "onEvents"));
  Engine* owned = engine->is_owned() ? engine.release() : nullptr;
  if (failed != 0) return ThrowSystemError(env, failed, "createEngine", "");
  return MakeEngineObject(env, owned);
}

void Export(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

}  // namespace limpet

NAPI_MODULE_INIT() {
  napi_set_named_property(env, exports, "contract", limpet::FromNumber(env, limpet::kContract));
  limpet::Export(env, exports, "bind", limpet::Bind);
  limpet::Export(env, exports, "pin", limpet::Pin);
  limpet::Export(env, exports, "createEngine", limpet::CreateEngine);
  return exports;
}
