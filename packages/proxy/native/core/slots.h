// Records that are named by numbers which are never used twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace limpet {

constexpr unsigned kSlotBits = 20;
constexpr size_t kMostSlots = size_t{1} << kSlotBits;
constexpr uint64_t kNoId = UINT64_MAX;

// An id is the slot in its low 20 bits and the slot's generation above them: exact as a JavaScript number until one slot
// has been used 2^33 times. Records stay where they are; their memory is kept for the next ones.
template <typename Record>
class Slots {
 public:
  // kNoId: 2^20 are in use. The record is as new.
  uint64_t Take() {
    if (free_.empty() && !Grow()) return kNoId;
    const uint32_t slot = free_.back();
    free_.pop_back();
    used_ += 1;
    Cell& cell = At(slot);
    cell.is_used = true;
    return cell.id;
  }

  // Null: it is gone, or was never there.
  Record* Find(uint64_t id) {
    const size_t slot = id & (kMostSlots - 1);
    if (slot >= chunks_.size() * kChunk) return nullptr;
    Cell& cell = At(slot);
    return cell.is_used && cell.id == id ? &cell.record : nullptr;
  }

  // The id must be in use. It is gone; its slot is free again after Reuse().
  void Retire(uint64_t id) {
    Cell& cell = At(id & (kMostSlots - 1));
    cell.is_used = false;
    cell.id += kMostSlots;
    cell.record = Record{};
    used_ -= 1;
  }

  // Of an id that was retired.
  void Reuse(uint64_t id) { free_.push_back(static_cast<uint32_t>(id & (kMostSlots - 1))); }

  // Calls `visit(id, record)` for each that is in use; it may release that one.
  template <typename Visit>
  void Each(Visit visit) {
    for (size_t slot = 0; slot < chunks_.size() * kChunk; slot += 1) {
      Cell& cell = At(slot);
      if (cell.is_used) visit(cell.id, cell.record);
    }
  }

  size_t used() const { return used_; }
  size_t made() const { return chunks_.size() * kChunk; }

 private:
  static constexpr size_t kChunk = 256;
  struct Cell {
    Record record{};
    uint64_t id = 0;
    bool is_used = false;
  };

  Cell& At(size_t slot) { return chunks_[slot / kChunk][slot % kChunk]; }

  bool Grow() {
    const size_t first = chunks_.size() * kChunk;
    if (first >= kMostSlots) return false;
    chunks_.push_back(std::make_unique<Cell[]>(kChunk));
    for (size_t slot = first + kChunk; slot > first; slot -= 1) {
      At(slot - 1).id = slot - 1;
      free_.push_back(static_cast<uint32_t>(slot - 1));
    }
    return true;
  }

  std::vector<std::unique_ptr<Cell[]>> chunks_;
  std::vector<uint32_t> free_;
  size_t used_ = 0;
};

}  // namespace limpet
