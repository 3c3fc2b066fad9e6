// The last seconds of a link whose client is asked to leave.
#include "link_mover.h"

namespace limpet {

namespace {
// How long the end of a packet that is under way is awaited.
constexpr int64_t kPacketMs = 2000;
// How long a client may take to leave once it was told.
constexpr int64_t kLeaveMs = 5000;
// How long the last bytes may take then.
constexpr int64_t kCloseMs = 2000;
}  // namespace

// The client is told behind the packet that is under way, or is closed without a word where that does not end in time;
// after that it gets FIN and nothing more of the broker. What it still sends reaches the broker, until it closes. The
// broker is never told a DISCONNECT that the client did not send: it publishes the Will.
void LinkMover::Evict(LinkRecord& link, std::vector<uint8_t> words) {
  if (link.IsEnding()) return;
  link.farewell = std::make_unique<Farewell>();
  link.farewell->deadline_ms = now_ms_ + kPacketMs;
  link.farewell->words = std::move(words);
  SetEnd(link, LinkEnd::kStopped);
  const bool has_words = link.follows && !link.farewell->words.empty();
  if (!has_words || link.boundary.IsLost()) Speak(link, false);
  else if (link.boundary.IsBetween()) Speak(link, true);
}

// Those bytes in the buffer come next of a broker that is followed.
void LinkMover::PassPackets(LinkRecord& link, size_t count, More more) {
  const uint8_t* const bytes = buffer_.get();
  if (link.farewell == nullptr || link.farewell->phase != Farewell::Phase::kPacket) {
    link.boundary.Push(bytes, count);
    return Send(link, kClient, bytes, count, more);
  }
  const size_t passed = link.boundary.PushOnePacket(bytes, count);
  Send(link, kClient, bytes, link.boundary.IsLost() ? count : passed, More::kNo);
  if (link.boundary.IsLost()) Speak(link, false);
  else if (link.boundary.IsBetween()) Speak(link, true);
}

void LinkMover::Speak(LinkRecord& link, bool with_words) {
  Farewell& farewell = *link.farewell;
  farewell.phase = Farewell::Phase::kLeave;
  farewell.deadline_ms = now_ms_ + kLeaveMs;
  Side& client = link.side[kClient];
  if (with_words && !client.Is(kMute | kGone)) {
    Send(link, kClient, farewell.words.data(), farewell.words.size(), More::kFollows);
  }
  client.Set(kEnding);
  Watch(link);
}

void LinkMover::FarewellDue(LinkRecord& link) {
  Farewell& farewell = *link.farewell;
  if (farewell.phase == Farewell::Phase::kPacket) return Speak(link, false);
  if (farewell.phase == Farewell::Phase::kLeave) {
    farewell.phase = Farewell::Phase::kClose;
    farewell.deadline_ms = now_ms_ + kCloseMs;
    for (Side& side : link.side) side.Set(kClosing);
    return;
  }
  farewell.phase = Farewell::Phase::kOver;
  farewell.deadline_ms = kNever;
  ResetBoth(link);
}

}  // namespace limpet
