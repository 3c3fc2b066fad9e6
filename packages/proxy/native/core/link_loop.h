// The relay's thread.
#pragma once

#include <vector>

#include "link_exchange.h"
#include "link_mover.h"
#include "link_records.h"

namespace limpet {

class LinkLoop {
 public:
  static constexpr uint64_t kWakeMark = UINT64_MAX;

  // `mover` is this thread's.
  LinkLoop(LinkRecords* records, LinkExchange* exchange, LinkMover* mover, LinkClock clock, int epoll);
  LinkLoop(const LinkLoop&) = delete;
  LinkLoop& operator=(const LinkLoop&) = delete;

  // Until it is told to quit; then closes all.
  void Run();

 private:
  void Turn();
  int SleepMs();
  void OnEvent(uint64_t mark, uint32_t events);
  void Obey();
  void LookAtDeadlines(bool is_batch_full);
  void CloseAll();

  LinkRecords& records_;
  LinkExchange& exchange_;
  LinkMover& mover_;
  const LinkClock clock_;
  const int epoll_;
  std::vector<Command> commands_;
  int full_batches_ = 0;
  bool quits_ = false;
};

}  // namespace limpet
