#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cstdlib>
#include <cstring>

namespace limpet {

namespace {

sockaddr_in* AsV4(SocketAddress* address) { return reinterpret_cast<sockaddr_in*>(&address->storage); }
const sockaddr_in* AsV4(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_in*>(&address.storage);
}
sockaddr_in6* AsV6(SocketAddress* address) { return reinterpret_cast<sockaddr_in6*>(&address->storage); }
const sockaddr_in6* AsV6(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_in6*>(&address.storage);
}

// A zone is an interface's name or number. 0: there is no such interface.
uint32_t ParseZone(const char* zone) {
  const uint32_t index = if_nametoindex(zone);
  return index != 0 ? index : static_cast<uint32_t>(std::strtoul(zone, nullptr, 10));
}

bool ParseV6(const char* text, uint16_t port, SocketAddress* out) {
  sockaddr_in6* v6 = AsV6(out);
  char bare[INET6_ADDRSTRLEN];
  const char* zone = std::strchr(text, '%');
  const size_t length = zone == nullptr ? std::strlen(text) : static_cast<size_t>(zone - text);
  if (length >= sizeof bare) return false;
  std::memcpy(bare, text, length);
  bare[length] = 0;
  if (inet_pton(AF_INET6, bare, &v6->sin6_addr) != 1) return false;
  if (zone != nullptr) {
    v6->sin6_scope_id = ParseZone(zone + 1);
    if (v6->sin6_scope_id == 0) return false;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  out->length = sizeof *v6;
  return true;
}

}  // namespace

bool ParseAddress(const char* text, uint16_t port, SocketAddress* out) {
  std::memset(&out->storage, 0, sizeof out->storage);
  sockaddr_in* v4 = AsV4(out);
  if (inet_pton(AF_INET, text, &v4->sin_addr) != 1) return ParseV6(text, port, out);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  out->length = sizeof *v4;
  return true;
}

bool IsUnspecified(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) return AsV4(address)->sin_addr.s_addr == htonl(INADDR_ANY);
  return IN6_IS_ADDR_UNSPECIFIED(&AsV6(address)->sin6_addr);
}

void PackAddress(const SocketAddress& address, uint8_t* out) {
  std::memset(out, 0, kPackedAddress);
  if (address.storage.ss_family == AF_INET) {
    const sockaddr_in* v4 = AsV4(address);
    out[0] = 4;
    std::memcpy(out + 1, &v4->sin_addr, 4);
    std::memcpy(out + 17, &v4->sin_port, 2);
    return;
  }
  const sockaddr_in6* v6 = AsV6(address);
  const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
  out[0] = is_mapped ? 4 : 6;
  const uint8_t* bytes = v6->sin6_addr.s6_addr;
  if (is_mapped) std::memcpy(out + 1, bytes + 12, 4);
  else std::memcpy(out + 1, bytes, 16);
  std::memcpy(out + 17, &v6->sin6_port, 2);
}

}  // namespace limpet
