// Values of JavaScript, read and made. What has another type than src/native/addon.ts says reads as 0, empty or null.
#pragma once

#define NAPI_VERSION 8
#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace limpet {

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

// The arguments of one call, and the data that its function was made with.
template <size_t kMost>
struct Arguments {
  napi_value values[kMost];
  void* data = nullptr;

  Arguments(napi_env env, napi_callback_info info) {
    size_t count = kMost;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
  }
};

double ToNumber(napi_env env, napi_value value);
// An id of ours; kNoId for what cannot be one (-1 too).
uint64_t ToId(napi_env env, napi_value value);
int ToInt(napi_env env, napi_value value);
std::string ToText(napi_env env, napi_value value);
bool IsNull(napi_env env, napi_value value);
// A typed array's memory, as long as the call lasts. A Float64Array's length is told in numbers.
Bytes ToBytes(napi_env env, napi_value value);
double* ToDoubles(napi_env env, napi_value value, size_t* length);

napi_value FromNumber(napi_env env, double value);
napi_value FromBool(napi_env env, bool value);

// Throws an Error as Node's own are: `code`, and a message that begins with the system call.
napi_value ThrowSystemError(napi_env env, int error, const char* call, const std::string& about);

}  // namespace limpet
