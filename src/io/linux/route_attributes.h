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
  mnl_attr_put(request.header, type, bytes.size(), bytes.data());
}

/// Null when the message is too short to have one.
template <class T>
const T* extra_of(const nlmsghdr& message) noexcept {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(T)) return nullptr;
  return static_cast<const T*>(mnl_nlmsg_get_payload(&message));
}

/// 0 when it is no number of four bytes.
inline std::uint32_t u32_of(const nlattr& attribute) noexcept {
  return mnl_attr_validate(&attribute, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(&attribute);
}

/// None when it is neither 4 nor 16 bytes.
inline IpAddress address_of(const nlattr& attribute) noexcept {
  const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute));
  switch (mnl_attr_get_payload_len(&attribute)) {
    case 4:
      return IpAddress::v4(std::span<const std::uint8_t, 4>(bytes, 4));
    case 16:
      return IpAddress::v6(std::span<const std::uint8_t, 16>(bytes, 16));
    default:
      return {};
  }
}

}  // namespace ferrule::io
