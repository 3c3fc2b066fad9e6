#include "values.h"

#include <uv.h>

#include "../core/slots.h"

namespace limpet {

double ToNumber(napi_env env, napi_value value) {
  double number = 0;
  napi_get_value_double(env, value, &number);
  return number;
}

uint64_t ToId(napi_env env, napi_value value) {
  constexpr double kBeyond = 9007199254740992.0;
  const double number = ToNumber(env, value);
  return number >= 0 && number < kBeyond ? static_cast<uint64_t>(number) : kNoId;
}

int ToInt(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

std::string ToText(napi_env env, napi_value value) {
  char text[256];
  size_t length = 0;
  napi_get_value_string_utf8(env, value, text, sizeof text, &length);
  return std::string(text, length);
}

bool IsNull(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type != napi_string;
}

Bytes ToBytes(napi_env env, napi_value value) {
  napi_typedarray_type type = napi_uint8_array;
  Bytes bytes;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &bytes.length, &data, nullptr, nullptr) != napi_ok) return {};
  if (type != napi_uint8_array) return {};
  bytes.data = static_cast<uint8_t*>(data);
  return bytes;
}

double* ToDoubles(napi_env env, napi_value value, size_t* length) {
  napi_typedarray_type type = napi_uint8_array;
  void* data = nullptr;
  *length = 0;
  if (napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr) != napi_ok) return nullptr;
  if (type == napi_float64_array) return static_cast<double*>(data);
  *length = 0;
  return nullptr;
}

napi_value FromNumber(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value FromBool(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

napi_value ThrowSystemError(napi_env env, int error, const char* call, const std::string& about) {
  const char* code = uv_err_name(-error);
  const std::string message = std::string(call) + " " + code + (about.empty() ? "" : " " + about);
  napi_throw_error(env, code, message.c_str());
  return nullptr;
}

}  // namespace limpet
