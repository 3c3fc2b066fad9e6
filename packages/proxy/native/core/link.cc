#include "link.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace limpet {

ssize_t SendNow(int fd, const uint8_t* bytes, size_t count, More more) {
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more == More::kFollows ? MSG_MORE : 0);
  for (;;) {
    const ssize_t sent = send(fd, bytes, count, flags);
    if (sent >= 0) return sent;
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return -1;
  }
}

int Undelivered(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

bool TookSome(Side* side) {
  const int left = Undelivered(side->fd);
  const bool took = left < side->undelivered;
  side->undelivered = left;
  return took;
}

void Keep(Side* side, const uint8_t* bytes, size_t count) {
  const size_t before = side->kept == nullptr ? 0 : side->kept->end - side->kept->at;
  std::unique_ptr<uint8_t[]> all(new uint8_t[before + count]);
  if (before > 0) memcpy(all.get(), side->kept->bytes.get() + side->kept->at, before);
  if (count > 0) memcpy(all.get() + before, bytes, count);
  if (side->kept == nullptr) side->kept = std::make_unique<Kept>();
  *side->kept = {std::move(all), 0, before + count};
}

}  // namespace limpet
