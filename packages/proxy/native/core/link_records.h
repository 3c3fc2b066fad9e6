// Records of links, by number. The owner's thread makes and frees them; both threads find them.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "link.h"

namespace limpet {

// A record keeps its place in memory for ever, and is given to a new link under a new id. So an event or a command that
// names a link that is gone finds another id there, and that is all that it may look at.
class LinkRecords {
 public:
  LinkRecords() = default;
  ~LinkRecords();
  LinkRecords(const LinkRecords&) = delete;
  LinkRecords& operator=(const LinkRecords&) = delete;

  // The owner's. A record for a new link, and its id, which the caller puts into it when the rest is filled; null: 2^20
  // are in use.
  LinkRecord* Take(LinkId* id);
  // The owner's: Take() would give one.
  bool HasRoom() const { return !free_.empty() || made_ < kSlab * kSlabs; }
  // The owner's: the link has ended, and the relay's thread knows nothing of it any more.
  void GiveBack(LinkId id);
  // So many there is memory for.
  size_t Made() const { return made_; }

  // Anybody's. Null: it has ended, or never was.
  LinkRecord* Find(LinkId id) const;
  // The record of this number, whatever its state; null: none was made.
  LinkRecord* At(size_t slot) const;

 private:
  static constexpr unsigned kSlotBits = 20;
  static constexpr size_t kSlab = 256;
  static constexpr size_t kSlabs = (size_t{1} << kSlotBits) / kSlab;
  // Beyond this an id is no exact JavaScript number: the slot is not used again.
  static constexpr uint64_t kGenerations = uint64_t{1} << (53 - kSlotBits);

  void MakeSlab();

  std::array<std::atomic<LinkRecord*>, kSlabs> slabs_{};
  size_t made_ = 0;
  std::vector<uint32_t> free_;
  // The next link's in each slot.
  std::vector<uint64_t> generations_;
};

}  // namespace limpet
