// What streams and peers do in the churn, and what is expected of each event.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "reactor_churn_kit.h"

namespace limpet {

namespace {

// A stream whose peer does not read keeps what is written.
constexpr uint64_t kMostPerFlow = 2 * 1024 * 1024;

}  // namespace

void Churn::Read() {
  for (size_t i = 0; i < batch_.count(); i += 1) {
    const Kind kind = batch_.kind(i);
    if (kind == Kind::kTaken) continue;
    batch_.TakeBack(i);
    told_ += 1;
    if (kind == Kind::kStarved) starved_ += 1;
    else if (kind == Kind::kAccepted) Accepted(i);
    else {
      const auto known = by_id_.find(batch_.id(i));
      Check(known != by_id_.end(), "nothing is told of a number that is gone");
      Told(kind, i, known->second);
    }
    // Whatever is done while a batch is read may concern events that are still to come in it.
    if (!pairs_.empty() && Chance(3)) ActOfStream(AnyPair());
  }
}

void Churn::Accepted(size_t index) {
  const uint8_t* address = batch_.bytes(index);
  const size_t number = (address[2] - 16U) * 65536U + address[3] * 256U + address[4];
  Pair* pair = Numbered(number);
  Check(batch_.length(index) == kPackedAddress && address[0] == 4 && pair != nullptr, "the peer is known");
  pair->id = batch_.id(index);
  pair->is_open = true;
  by_id_[pair->id] = pair;
}

void Churn::Told(Kind kind, size_t index, Pair* pair) {
  if (kind == Kind::kBytes) {
    Check(pair->flows && !pair->has_ended && !pair->leaves, "bytes come to one who listens, and before FIN");
    pair->to_stream.Came(batch_.bytes(index), batch_.length(index));
    bytes_ += batch_.length(index);
  } else if (kind == Kind::kEnded) {
    Check(pair->flows, "FIN is told to one who listens");
    Check(!pair->has_ended && !pair->leaves, "FIN is told once, and not to one who leaves");
    Check(pair->to_stream.come == pair->to_stream.sent, "FIN comes behind all bytes");
    pair->has_ended = true;
  } else if (kind == Kind::kOpened) {
    Check(pair->is_dialled && !pair->is_open && !pair->is_over, "a dial opens once");
    pair->is_open = true;
  } else if (kind == Kind::kDrained) {
    Check(pair->is_open && !pair->leaves, "drained is for those who still write");
  } else {
    Check(kind == Kind::kClosed ? pair->is_open : kind == Kind::kFailed && !pair->is_open, "an open one is closed");
    if (kind == Kind::kFailed) refused_ += 1;
    else if (pair->has_ended && pair->said_end) orderly_ += 1;
    pair->is_over = true;
    by_id_.erase(pair->id);
    if (kind == Kind::kFailed) pair->steps_left = 0;
  }
}

void Churn::ActOfStream(Pair* pair) {
  pair->steps_left -= 1;
  if (pair->id == kNoId || pair->is_over) return;
  if (!pair->is_open) {
    if (!Chance(30)) return;
    reactor_.Reset(pair->id);
    by_id_.erase(pair->id);
    pair->is_over = true;
    pair->steps_left = 0;
    return;
  }
  const int act = Below(100);
  if (act < 35) {
    reactor_.Resume(pair->id);
    pair->flows = true;
  } else if (act < 50) {
    reactor_.Pause(pair->id);
    pair->flows = false;
  } else if (act < 85) {
    WriteToPeer(pair);
  } else if (act < 90) {
    reactor_.End(pair->id);
    pair->said_end = true;
  } else if (act < 92) {
    reactor_.Close(pair->id);
    pair->leaves = pair->said_end = true;
  } else if (act < 94) {
    reactor_.Abort(pair->id);
    pair->leaves = pair->said_end = true;
  } else if (act < 96) {
    reactor_.Reset(pair->id);
    pair->leaves = pair->said_end = true;
  } else if (act < 98) {
    TakeAndDrain(pair);
  } else {
    reactor_.KeepAlive(pair->id, 60'000);
  }
}

void Churn::WriteToPeer(Pair* pair) {
  if (pair->said_end || pair->to_peer.sent > kMostPerFlow) return;
  const auto length = static_cast<size_t>(Chance(4) ? Below(static_cast<int>(scratch_.size())) : Below(200));
  for (size_t i = 0; i < length; i += 1) scratch_[i] = pair->to_peer.At(pair->to_peer.sent + i);
  pair->to_peer.sent += length;
  reactor_.Write(pair->id, scratch_.data(), length);
}

// As a link does: what is pending goes to the peer, and what was read and not told is the beginning of the rest.
void Churn::TakeAndDrain(Pair* pair) {
  if (!reactor_.CanTake(pair->id)) return;
  const TakenStream taken = reactor_.Take(pair->id);
  taken_ += 1;
  by_id_.erase(pair->id);
  pair->is_over = true;
  Check(reactor_.Counts(pair->id, nullptr, nullptr) == false, "its number is gone");
  pair->to_stream.Came(taken.early.data(), taken.early.size());
  Check(taken.received == pair->to_stream.come, "what was received is told or handed over");
  ssize_t received = 0;
  while ((received = ReceiveSome(taken.fd, scratch_.data(), scratch_.size())) > 0) {
    pair->to_stream.Came(scratch_.data(), static_cast<size_t>(received));
  }
  if (received == 0 && pair->peer_said_fin) Check(pair->to_stream.come == pair->to_stream.sent, "nothing is missing");
  size_t at = 0;
  while (at < taken.pending.size()) {
    const ssize_t sent = SendSome(taken.fd, taken.pending.data() + at, taken.pending.size() - at);
    if (sent < 0) break;
    at += static_cast<size_t>(sent);
    if (sent > 0) continue;
    if (pair->peer < 0) break;
    PeerReads(pair);
  }
  close(taken.fd);
}

void Churn::ActOfPeer(Pair* pair) {
  pair->steps_left -= 1;
  if (pair->peer < 0) return;
  const int act = Below(100);
  if (act < 40) PeerWrites(pair);
  else if (act < 75 && pair->peer_reads) PeerReads(pair);
  else if (act < 80) pair->peer_reads = !pair->peer_reads;
  else if (act < 85) {
    shutdown(pair->peer, SHUT_WR);
    pair->peer_said_fin = true;
  } else if (act < 87) {
    DropPeer(pair, true);
  } else if (act < 88) {
    DropPeer(pair, false);
  }
}

void Churn::PeerWrites(Pair* pair) {
  if (pair->peer_said_fin) return;
  const auto length = static_cast<size_t>(Chance(4) ? Below(static_cast<int>(scratch_.size())) : Below(20));
  for (size_t i = 0; i < length; i += 1) scratch_[i] = pair->to_stream.At(pair->to_stream.sent + i);
  const ssize_t sent = SendSome(pair->peer, scratch_.data(), length);
  if (sent > 0) pair->to_stream.sent += static_cast<uint64_t>(sent);
  // It has been reset; whoever asks again would only hear an end.
  if (sent < 0) DropPeer(pair, false);
}

void Churn::PeerReads(Pair* pair) {
  const auto most = static_cast<size_t>(Chance(3) ? 1 + Below(50) : static_cast<int>(scratch_.size()));
  const ssize_t received = ReceiveSome(pair->peer, scratch_.data(), most);
  if (received > 0) pair->to_peer.Came(scratch_.data(), static_cast<size_t>(received));
  // A FIN says that nothing has been dropped; only an RST may do that.
  if (received == 0) Check(pair->to_peer.come == pair->to_peer.sent, "a peer has everything before FIN");
  if (received == 0) pair->peer_reads = false;
  if (received < 0 && received != -EAGAIN) DropPeer(pair, false);
}

void Churn::DropPeer(Pair* pair, bool with_reset) {
  if (with_reset) CloseWithReset(pair->peer);
  else close(pair->peer);
  pair->peer = -1;
  // What was on its way may be lost with the connection.
  if (!pair->peer_said_fin) pair->to_stream.sent = std::max(pair->to_stream.sent, pair->to_stream.come);
  pair->peer_said_fin = true;
}

}  // namespace limpet
