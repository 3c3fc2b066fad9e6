// Thousands of streams that are accepted, dialled, written, paused, taken, ended and reset at random moments, also while a
// batch is read, against peers that dribble, stop reading, half-close and reset. Every byte is compared; every stream must
// be told of as src/native/addon.ts promises, and nothing may be left over. Usage: reactor_churn CONNECTIONS SEED [starve]
#include <cstdlib>
#include <cstring>

#include "reactor_churn_kit.h"

namespace {

using namespace limpet;

constexpr size_t kAtOnce = 200;

// Descriptors run out: the listener says so once, and goes on with its next credit.
void StarveAndRecover(Churn* churn) {
  const int first_free = dup(0);
  close(first_free);
  Pair* pair = churn->Start(true);
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  rlimit low = limit;
  low.rlim_cur = static_cast<rlim_t>(first_free);
  setrlimit(RLIMIT_NOFILE, &low);
  churn->SetCredit(100);
  for (int i = 0; i < 1000 && churn->starved() == 0; i += 1) churn->Turn();
  Check(churn->starved() == 1 && pair->id == kNoId, "a listener without descriptors says so, and accepts nobody");
  setrlimit(RLIMIT_NOFILE, &limit);
  churn->SetCredit(100);
  for (int i = 0; i < 1000 && pair->id == kNoId; i += 1) churn->Turn();
  Check(pair->id != kNoId, "it accepts again");
}

}  // namespace

int main(int argc, char** argv) {
  const size_t connections = argc > 1 ? static_cast<size_t>(std::atol(argv[1])) : 2000;
  const auto seed = static_cast<unsigned>(argc > 2 ? std::atol(argv[2]) : 1);
  const int before = CountDescriptors();
  {
    Churn churn(seed);
    // Not under valgrind, which lets the kernel accept and then hides the descriptor.
    if (argc > 3 && std::strcmp(argv[3], "starve") == 0) StarveAndRecover(&churn);
    for (size_t started = 0; started < connections || churn.living() > 0;) {
      while (started < connections && churn.living() < kAtOnce) {
        churn.Start(churn.Chance(2));
        started += 1;
      }
      churn.Step();
    }
    churn.CheckRest();
    churn.Print();
  }
  Check(CountDescriptors() == before, "every descriptor is closed");
  return 0;
}
