#include "files/lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace ferrule::files {

std::vector<IpAddress> look_up(const std::string& host, bool numeric_only) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = numeric_only ? AI_NUMERICHOST : 0;
  addrinfo* found = nullptr;
  std::vector<IpAddress> addresses;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family == AF_INET) {
      std::array<std::uint8_t, 4> bytes;
      const auto* address = reinterpret_cast<const sockaddr_in*>(at->ai_addr);
      std::memcpy(bytes.data(), &address->sin_addr, bytes.size());
      addresses.push_back(IpAddress::v4(bytes));
    } else if (at->ai_family == AF_INET6) {
      std::array<std::uint8_t, 16> bytes;
      const auto* address = reinterpret_cast<const sockaddr_in6*>(at->ai_addr);
      std::memcpy(bytes.data(), &address->sin6_addr, bytes.size());
      addresses.push_back(IpAddress::v6(bytes).unmapped());
    }
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace ferrule::files
