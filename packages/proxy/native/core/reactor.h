// The reactor: accepts, dials, reads and writes TCP streams, in turns that its owner gives it. Knows nothing of Node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "address.h"
#include "batch.h"
#include "slots.h"
#include "socket_ops.h"
#include "stream.h"

namespace limpet {

// Tells a listener from a stream, in epoll and in the queues.
constexpr uint64_t kListenerBit = uint64_t{1} << 63;

// A stream that has left the reactor: the descriptor belongs to who took it.
struct TakenStream {
  int fd = -1;
  // The reactor's epoll still has it, under a name that means nothing any more: to be changed there, or removed.
  bool is_watched = false;
  std::vector<uint8_t> pending;
  // Read, and not told to anybody.
  std::vector<uint8_t> early;
  uint64_t received = 0;
  uint64_t sent = 0;
};

// For one thread. What the methods mean is written in src/native/addon.ts; none of them tells anything by itself: that is
// done by Fill(), into the batch. A turn is BeginTurn(), Poll(), then Fill() and the reading of the batch until nothing is
// due; what is Owed() then belongs to the next turn.
class Reactor {
 public:
  // Hears what epoll says of a descriptor that the reactor does not know, by a name with one of `bits` (not the highest).
  struct Guest {
    void (*on_event)(void* context, uint64_t name, uint32_t events);
    void* context;
    uint64_t bits;
  };

  explicit Reactor(Batch* batch, Guest guest = {nullptr, nullptr, 0}) : batch_(batch), guest_(guest) {}
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // False, with errno: there is no epoll.
  bool Start();
  // Readable when Poll() has something to find.
  int descriptor() const { return epoll_; }

  void BeginTurn();
  // False: there was more than it takes at once.
  bool Poll();
  // Adds to the batch until it is full or nothing is due.
  void Fill();
  bool IsDue() const { return due_at_ < due_.size() || !gone_.empty(); }
  bool IsOwed() const { return IsDue() || !later_.empty() || !unwatched_.empty() || !unfinished_.empty(); }
  // Watches those that were accepted before the last sweep and are still here, and looks whether aborted ones may be closed:
  // to be called about every 20 ms while NeedsSweep(). A stream that is linked before costs no epoll call here.
  void Sweep();
  bool NeedsSweep() const { return !young_.empty() || !old_.empty() || !undelivered_.empty(); }

  // A listener, or -errno as a negative number.
  int64_t Listen(int descriptor, int backlog);
  void Credit(uint64_t listener, uint32_t count);
  void Unlisten(uint64_t listener);

  // `to` is null where it is no address; `from` where it does not matter. kNoId: there are 2^20 streams.
  uint64_t Dial(const SocketAddress* to, const SocketAddress* from, const uint8_t* first, size_t length);
  void Resume(uint64_t stream);
  void Pause(uint64_t stream);
  bool Write(uint64_t stream, const uint8_t* bytes, size_t length);
  void End(uint64_t stream);
  void Close(uint64_t stream);
  void Abort(uint64_t stream);
  void Reset(uint64_t stream);
  void KeepAlive(uint64_t stream, int idle_ms);
  bool Counts(uint64_t stream, uint64_t* received, uint64_t* sent);
  // Whether Take() would: it is open, and nobody has asked it to end.
  bool CanTake(uint64_t stream);
  TakenStream Take(uint64_t stream);

  struct Census {
    size_t streams;
    size_t waiting_bytes;
    size_t records;
  };
  Census TakeCensus();

 private:
  // Told with no stream behind it any more.
  struct Gone {
    Kind kind;
    uint64_t id;
    int error;
    int stage;
  };

  // What becomes of events that stand in the batch and have not been taken.
  enum class Recall : uint8_t { kForPause, kForTaking, kForEnd };

  // reactor.cc
  void Enqueue(uint64_t id, Stream* stream);
  void EnqueueLater(uint64_t id, Stream* stream);
  void FreeListener(uint64_t id);
  void Release(uint64_t id);
  void WakeResting();
  void WatchUnwatched();
  void FillGone();
  void Mark(uint64_t id, uint32_t events);
  void Tell(Kind kind, uint64_t id, Stream* stream, double a = 0, double b = 0, size_t bytes = 0);
  void SetWatch(uint64_t id, Stream* stream, Watch watch);

  // listening.cc
  void ServeListener(uint64_t id, Listener* listener);
  void Admit(uint64_t id, const Listener& listener, int fd, const SocketAddress& peer);
  void TellStarved(uint64_t id, Listener* listener, int error);

  // serving.cc; those that answer false have ended the stream, or have nothing more to do for it now.
  void Serve(uint64_t id, Stream* stream);
  bool ServeDial(uint64_t id, Stream* stream);
  bool ServeBroken(uint64_t id, Stream* stream);
  void ServePending(uint64_t id, Stream* stream);
  void ServeLeave(uint64_t id, Stream* stream);
  void ServeAbort(uint64_t id, Stream* stream);
  bool DropInput(uint64_t id, Stream* stream);
  void ServeInput(uint64_t id, Stream* stream);
  void TellEarly(uint64_t id, Stream* stream);
  void TellBytes(uint64_t id, Stream* stream, size_t bytes);
  void TellFin(uint64_t id, Stream* stream);
  void TellClosed(uint64_t id, Stream* stream, int error);

  // streams.cc
  void TakeBack(uint64_t id, Stream* stream, Recall recall);
  bool TakeBackOpened(uint64_t id, const Stream& stream);
  void TakeBackFailed(uint64_t id);
  void LeaveBy(uint64_t id, Leave leave);

  Batch* batch_;
  const Guest guest_;
  int epoll_ = -1;
  uint32_t turn_ = 0;
  Slots<Stream> streams_;
  Slots<Listener> listeners_;
  // Listeners carry kListenerBit. From due_at_ on they are to be served in this turn.
  std::vector<uint64_t> due_;
  size_t due_at_ = 0;
  // Had their share of this turn.
  std::vector<uint64_t> later_;
  std::vector<Gone> gone_;
  // Have told bytes without being watched: if they are still to be read now, they will be.
  std::vector<uint64_t> unwatched_;
  // To be closed, and still told of in this batch.
  std::vector<uint64_t> unfinished_;
  // To be closed with RST when the peer has everything.
  std::vector<uint64_t> undelivered_;
  std::vector<uint64_t> young_;
  std::vector<uint64_t> old_;
  // Gone in the batch of this number or before it was opened. Its reader may keep a table by slot, so a slot has a new
  // stream only when that batch has been read.
  std::vector<uint64_t> resting_;
  uint32_t resting_batch_ = 0;
};

}  // namespace limpet
