// The engine as JavaScript sees it: `NativeEngine` of src/native/addon.ts.
#pragma once

#include "engine.h"

namespace limpet {

// The object that has all methods; null, with an exception pending, where there is no memory.
napi_value MakeEngineObject(napi_env env, Engine* engine);

}  // namespace limpet
