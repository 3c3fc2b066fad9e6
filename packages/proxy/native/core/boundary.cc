#include "boundary.h"

#include <algorithm>

namespace limpet {

size_t PacketBoundary::Walk(const uint8_t* bytes, size_t count, bool only_one) {
  size_t at = 0;
  while (at < count && length_bytes_ != kLost) {
    if (length_bytes_ == kNoLength) {
      if (left_ == 0) {
        length_bytes_ = 0;
        at += 1;
        continue;
      }
      const size_t step = std::min<size_t>(left_, count - at);
      left_ -= static_cast<uint32_t>(step);
      at += step;
    } else {
      const uint8_t byte = bytes[at];
      at += 1;
      left_ += static_cast<uint32_t>(byte & 0x7f) << (7 * length_bytes_);
      length_bytes_ = static_cast<int8_t>(length_bytes_ + 1);
      if (byte > 0x7f) continue;
      length_bytes_ = kNoLength;
    }
    if (only_one && left_ == 0) break;
  }
  return at;
}

}  // namespace limpet
