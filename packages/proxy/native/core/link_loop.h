// The relay's thread.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "link.h"
#include "link_clock.h"
#include "link_exchange.h"
#include "link_records.h"
#include "pipes.h"
#include "wheel.h"

namespace limpet {

// What may be asked at any time.
struct LinkTally {
  std::atomic<size_t> ended{0};
  std::atomic<size_t> pipes{0};
  std::atomic<size_t> waiting_bytes{0};
};

// Everything here runs on the relay's thread. A record is freed by SettleLink() only, which is the last thing that is
// done to a link in each event, command and deadline.
class LinkLoop {
 public:
  // What an epoll event carries: the link's id, and in the lowest bit the side.
  static constexpr uint64_t kWakeMark = UINT64_MAX;
  static uint64_t Mark(LinkId link, int which) { return link << 1 | static_cast<uint64_t>(which); }
  static constexpr uint32_t kReadEvents =
      1 /* EPOLLIN */ | 2 /* EPOLLPRI */ | 0x2000 /* EPOLLRDHUP */ | 1U << 31 /* EPOLLET */;

  LinkLoop(LinkRecords* records, LinkExchange* exchange, LinkTally* tally, LinkClock clock, int epoll,
           size_t most_pipes);
  LinkLoop(const LinkLoop&) = delete;
  LinkLoop& operator=(const LinkLoop&) = delete;

  // Until it is told to quit; then closes all.
  void Run();

 private:
  // link_loop.cc: whose turn it is.
  void Turn();
  int SleepMs();
  void OnEvent(uint64_t mark, uint32_t events);
  void Obey();
  void ObeyOne(Command& command);
  void ReadPutOff();
  void LookAtDeadlines(bool is_batch_full);
  void CloseAll();

  // link_pump.cc: bytes.
  void Read(LinkRecord& link, int which);
  void PassOnce(LinkRecord& link, int which);
  bool PassByPipe(LinkRecord& link, int which);
  size_t MostByPipe(const LinkRecord& link, int which) const;
  void DropOnce(LinkRecord& link, int which);
  void ReadEnd(LinkRecord& link, int which, ssize_t got);
  void Heard(LinkRecord& link, int which, size_t count);
  void CountTo(LinkRecord& link, int which, size_t count);
  void Send(LinkRecord& link, int which, const uint8_t* bytes, size_t count);
  void Hold(LinkRecord& link, int which, size_t count);
  void Flush(LinkRecord& link, int which);
  bool FlushKept(LinkRecord& link, int which);
  bool FlushPipe(LinkRecord& link, int which);
  void PutOff(LinkRecord& link);

  // link_end.cc: how links end.
  void OnNew(LinkRecord& link);
  void Stop(LinkRecord& link);
  void ResetBoth(LinkRecord& link);
  void SetEnd(LinkRecord& link, LinkEnd end);
  void Eof(LinkRecord& link, int which);
  void WriteFailed(LinkRecord& link, int which);
  void Broke(LinkRecord& link, int which);
  void OnDeadline(LinkRecord& link);
  int64_t Deadline(const LinkRecord& link) const;
  void EndIdle(LinkRecord& link);
  void Watch(LinkRecord& link) { wheel_.Place(&link, Deadline(link)); }
  // False: the link is gone.
  bool SettleLink(LinkRecord& link);
  bool SettleSide(LinkRecord& link, int which);
  bool AbortSide(LinkRecord& link, int which);
  void CloseSide(LinkRecord& link, int which);
  void ResetSide(LinkRecord& link, int which);
  void DropWaiting(Side& side);
  void Finish(LinkRecord& link);

  // link_farewell.cc: how a client is asked to leave.
  void Evict(LinkRecord& link, std::vector<uint8_t> words);
  void PassPackets(LinkRecord& link, size_t count);
  void Speak(LinkRecord& link, bool with_words);
  void FarewellDue(LinkRecord& link);

  LinkRecords& records_;
  LinkExchange& exchange_;
  LinkTally& tally_;
  const LinkClock clock_;
  const int epoll_;
  // As of the last time that events were taken.
  int64_t now_ms_;
  Wheel wheel_;
  Pipes pipes_;
  const std::unique_ptr<uint8_t[]> buffer_;
  // Those that have more to read than a turn allows.
  std::vector<LinkId> put_off_;
  std::vector<LinkId> turn_;
  std::vector<Command> commands_;
  // Servers whose clients were reset.
  std::vector<LinkId> to_reset_;
  std::vector<EndedLink> ended_;
  int full_batches_ = 0;
  bool quits_ = false;
};

}  // namespace limpet
