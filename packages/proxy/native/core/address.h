// IP addresses: from text, and packed for the other side of the addon.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

namespace limpet {

struct SocketAddress {
  sockaddr_storage storage;
  socklen_t length;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// IPv4 or IPv6, the latter with a zone behind `%` too. False: it is neither.
bool ParseAddress(const char* text, uint16_t port, SocketAddress* out);

// 0.0.0.0 or ::, which a connection's local address has to be asked for.
bool IsUnspecified(const SocketAddress& address);

// 4 or 6, 16 bytes of address, the port in network order. IPv4-mapped IPv6 is IPv4.
constexpr size_t kPackedAddress = 19;
void PackAddress(const SocketAddress& address, uint8_t* out);

}  // namespace limpet
