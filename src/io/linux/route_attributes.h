// What is in the messages of rtnetlink, and into them.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>

#include "base/net.h"
#include "io/linux/netlink.h"

namespace ferrule::io {

constexpr std::array<std::uint8_t, 2> kFamilies{AF_INET, AF_INET6};

inline std::uint8_t family_of(const IpAddress& address) noexcept {
  return address.family() == Family::v4 ? AF_INET : AF_INET6;
}

inline void put_bytes(NetlinkRequest& request, std::uint16_t type, Bytes bytes) noexcept {
  request.put(type, bytes);
}

/// 0 when it is no number of four bytes.
inline std::uint32_t u32_of(const nlattr& attribute) noexcept {
  return number_of(attribute).value_or(0);
}

/// None when it is neither 4 nor 16 bytes.
inline IpAddress address_of(const nlattr& attribute) noexcept {
  const Bytes bytes = bytes_of(attribute);
  switch (bytes.size()) {
    case 4:
      return IpAddress::v4(bytes.first<4>());
    case 16:
      return IpAddress::v6(bytes.first<16>());
    default:
      return {};
  }
}

}  // namespace ferrule::io
