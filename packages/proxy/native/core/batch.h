// What the reactor tells: events and the bytes they carry, in memory that its reader owns and both sides see.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limpet {

// As in src/native/addon.ts.
enum class Kind : uint8_t {
  kTaken = 0,  // By the reader, or taken back.
  kAccepted = 1,
  kBytes = 2,
  kDrained = 3,
  kEnded = 4,
  kClosed = 5,
  kOpened = 6,
  kFailed = 7,
  kLinkEnded = 8,
  kStarved = 9,
};

constexpr size_t kEventLength = 6;
// So much is read of one stream at once.
constexpr size_t kLongestRead = 64 * 1024;

class Batch {
 public:
  Batch(double* events, size_t longest, uint8_t* payload, size_t payload_bytes)
      : events_(events), longest_(longest), payload_(payload), payload_bytes_(payload_bytes) {}

  // Begins a new one.
  void Open() {
    count_ = 0;
    used_ = 0;
    serial_ += 1;
  }

  // For all that one stream may have to tell at once.
  bool HasRoom() const { return count_ + kMostAtOnce <= longest_ && used_ + kLongestRead <= payload_bytes_; }

  // Where the payload of the next event goes: kLongestRead bytes, if HasRoom().
  uint8_t* room() { return payload_ + used_; }

  size_t Add(Kind kind, uint64_t id, double a = 0, double b = 0, size_t bytes = 0) {
    double* event = events_ + count_ * kEventLength;
    event[0] = static_cast<double>(kind);
    event[1] = static_cast<double>(id);
    event[2] = a;
    event[3] = b;
    event[4] = static_cast<double>(used_);
    event[5] = static_cast<double>(bytes);
    used_ += bytes;
    return count_++;
  }

  // An event without payload that has three facts.
  void AddLinkEnded(uint64_t id, double end, double received, double sent) {
    double* event = events_ + Add(Kind::kLinkEnded, id, end, received) * kEventLength;
    event[4] = sent;
  }

  // Of an event of this batch: kTaken once the reader has taken it.
  Kind kind(size_t index) const { return static_cast<Kind>(static_cast<uint8_t>(at(index)[0])); }
  uint64_t id(size_t index) const { return static_cast<uint64_t>(at(index)[1]); }
  const uint8_t* bytes(size_t index) const { return payload_ + static_cast<size_t>(at(index)[4]); }
  size_t length(size_t index) const { return static_cast<size_t>(at(index)[5]); }
  void TakeBack(size_t index) { events_[index * kEventLength] = 0; }

  size_t count() const { return count_; }
  uint32_t serial() const { return serial_; }

 private:
  static constexpr size_t kMostAtOnce = 8;

  const double* at(size_t index) const { return events_ + index * kEventLength; }

  double* events_;
  size_t longest_;
  uint8_t* payload_;
  size_t payload_bytes_;
  size_t count_ = 0;
  size_t used_ = 0;
  uint32_t serial_ = 0;
};

}  // namespace limpet
