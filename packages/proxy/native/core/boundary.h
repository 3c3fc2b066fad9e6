// Where the packets of an MQTT stream begin and end.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limpet {

// Reads the fixed headers and skips what is between, so that something may be said between two packets. Keeps no byte.
// Must see every byte, from the first one of some packet on.
class PacketBoundary {
 public:
  // The byte before was a packet's last one, or there was none.
  bool IsBetween() const { return length_bytes_ == kNoLength && left_ == 0; }
  // What came is not MQTT: there are no boundaries any more.
  bool IsLost() const { return length_bytes_ == kLost; }

  // These bytes come next.
  void Push(const uint8_t* bytes, size_t count) { Walk(bytes, count, false); }
  // These bytes come next: how many of them belong to the packet that is under way. Whether it has ended says
  // IsBetween(); those behind its end are as if they had not been seen.
  size_t PushOnePacket(const uint8_t* bytes, size_t count) { return IsBetween() ? 0 : Walk(bytes, count, true); }

  // So many bytes at least belong to the packet that is under way, whatever they are.
  uint32_t Left() const { return length_bytes_ == kNoLength ? left_ : 0; }
  // So many bytes came, at most Left().
  void Skip(uint32_t count) { left_ -= count; }

 private:
  static constexpr int8_t kNoLength = -1;
  static constexpr int8_t kLost = 4;  // A fifth byte of the remaining length is not MQTT (5.0, 1.5.5).

  size_t Walk(const uint8_t* bytes, size_t count, bool only_one);

  // What the remaining length says so far; then how much of the packet is still to come.
  uint32_t left_ = 0;
  // Bytes of the remaining length that were read; kNoLength: the next byte is a packet's first, or inside of it.
  int8_t length_bytes_ = kNoLength;
};

}  // namespace limpet
