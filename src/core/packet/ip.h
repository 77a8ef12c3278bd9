// Reading IP headers. Packets come from the tunnel interface and from peers: both may lie.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/net.h"
#include "packet/headers.h"

namespace ferrule::packet {

enum class IpFault : std::uint8_t {
  none,
  version,  // neither 4 nor 6
  header,   // the IP header is not whole, or IPv4 says that its own is under 20 bytes
  length,   // the length field is less than the header or more than there is
};

/// What an IP header says. Points into the packet that it was read from and lives no longer.
struct IpView {
  Family family = Family::none;
  std::uint8_t traffic_class = 0;  // DSCP and ECN
  std::uint8_t next_protocol = 0;  // IPv6: the first next header, perhaps an extension
  std::size_t header_size = 0;     // IPv4 with its options; IPv6 without extension headers
  std::size_t length = 0;  // header and payload: at least header_size, at most the bytes given
  const std::uint8_t* source = nullptr;       // 4 or 16 bytes
  const std::uint8_t* destination = nullptr;  // the same, right behind the source

  /// Source then destination, as one piece: 8 or 32 bytes.
  [[nodiscard]] Bytes addresses() const noexcept {
    return {source, 2 * (family == Family::v4 ? ipv4::kAddressSize : ipv6::kAddressSize)};
  }
  [[nodiscard]] IpAddress source_address() const noexcept { return address(source); }
  [[nodiscard]] IpAddress destination_address() const noexcept { return address(destination); }

 private:
  static_assert(ipv4::kDestination == ipv4::kSource + ipv4::kAddressSize);
  static_assert(ipv6::kDestination == ipv6::kSource + ipv6::kAddressSize);
  [[nodiscard]] IpAddress address(const std::uint8_t* at) const noexcept {
    return family == Family::v4
               ? IpAddress::v4(std::span<const std::uint8_t, ipv4::kAddressSize>(at, 4))
               : IpAddress::v6(std::span<const std::uint8_t, ipv6::kAddressSize>(at, 16));
  }
};

/// Reads the header at the start of `bytes` (P72). Bytes behind the packet are fine: `out.length`
/// says where padding starts (P70). An IPv6 payload length of 0 means 0: a jumbogram ends after its
/// header. `out` is written only when nothing is at fault.
[[nodiscard]] IpFault parse_ip(Bytes bytes, IpView& out) noexcept;

/// What follows the IP header and, for IPv6, its extension headers.
struct UpperLayer {
  std::uint8_t protocol = 0;
  std::size_t offset = 0;          // from the packet's first byte; at most ip.length
  bool is_fragment = false;        // a part of a larger packet, the first one included
  bool is_first_fragment = false;  // or no fragment at all: a header stands at `offset`
};

constexpr int kMaxExtensionHeaders = 8;

/// Finds the upper layer of the packet that `ip` was read from. False when IPv6's chain of extension
/// headers is longer than the packet or than kMaxExtensionHeaders.
[[nodiscard]] bool find_upper_layer(Bytes packet, const IpView& ip, UpperLayer& out) noexcept;

}  // namespace ferrule::packet
