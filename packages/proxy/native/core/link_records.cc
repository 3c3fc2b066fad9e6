#include "link_records.h"

namespace limpet {

LinkRecords::~LinkRecords() {
  for (auto& slab : slabs_) delete[] slab.load(std::memory_order_relaxed);
}

void LinkRecords::MakeSlab() {
  slabs_[made_ / kSlab].store(new LinkRecord[kSlab], std::memory_order_release);
  made_ += kSlab;
  generations_.resize(made_, 0);
  for (size_t slot = made_; slot > made_ - kSlab; slot -= 1) free_.push_back(static_cast<uint32_t>(slot - 1));
}

LinkRecord* LinkRecords::Take(LinkId* id) {
  if (free_.empty()) {
    if (made_ == kSlab * kSlabs) return nullptr;
    MakeSlab();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  *id = slot | generations_[slot] << kSlotBits;
  return At(slot);
}

void LinkRecords::GiveBack(LinkId id) {
  const size_t slot = id & ((1U << kSlotBits) - 1);
  generations_[slot] += 1;
  if (generations_[slot] < kGenerations) free_.push_back(static_cast<uint32_t>(slot));
}

LinkRecord* LinkRecords::At(size_t slot) const {
  if (slot >= kSlab * kSlabs) return nullptr;
  LinkRecord* const slab = slabs_[slot / kSlab].load(std::memory_order_acquire);
  return slab == nullptr ? nullptr : slab + slot % kSlab;
}

LinkRecord* LinkRecords::Find(LinkId id) const {
  LinkRecord* const link = At(id & ((1U << kSlotBits) - 1));
  if (link == nullptr || id == kNoLink) return nullptr;
  return link->id.load(std::memory_order_acquire) == id ? link : nullptr;
}

}  // namespace limpet
