// The relay's time.
#pragma once

#include <time.h>

#include <cstdint>

namespace limpet {

struct LinkClock {
  // For tests: so many times as fast.
  int64_t rate = 1;

  // Milliseconds, monotonic.
  int64_t NowMs() const {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t{now.tv_sec} * 1000 * 1000 + now.tv_nsec / 1000) * rate / 1000;
  }
};

}  // namespace limpet
