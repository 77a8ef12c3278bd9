#include "packet/ip.h"

namespace ferrule::packet {

namespace {

IpFault parse_v4(Bytes bytes, IpView& out) noexcept {
  if (bytes.size() < ipv4::kHeaderSize) return IpFault::header;
  const std::uint8_t* header = bytes.data();
  const std::size_t header_size = (header[0] & 0x0fu) * 4u;
  if (header_size < ipv4::kHeaderSize || header_size > bytes.size()) return IpFault::header;
  const std::size_t length = load_be16(header + ipv4::kLength);
  if (length < header_size || length > bytes.size()) return IpFault::length;

  out.family = Family::v4;
  out.traffic_class = header[ipv4::kTrafficClass];
  out.next_protocol = header[ipv4::kProtocol];
  out.header_size = header_size;
  out.length = length;
  out.source = header + ipv4::kSource;
  out.destination = header + ipv4::kDestination;
  return IpFault::none;
}

IpFault parse_v6(Bytes bytes, IpView& out) noexcept {
  if (bytes.size() < ipv6::kHeaderSize) return IpFault::header;
  const std::uint8_t* header = bytes.data();
  // In more than 16 bits: 65535 + 40 is a length too (P76b).
  const std::size_t length = ipv6::kHeaderSize + load_be16(header + ipv6::kPayloadLength);
  if (length > bytes.size()) return IpFault::length;

  out.family = Family::v6;
  out.traffic_class = static_cast<std::uint8_t>(load_be16(header) >> 4);
  out.next_protocol = header[ipv6::kNextHeader];
  out.header_size = ipv6::kHeaderSize;
  out.length = length;
  out.source = header + ipv6::kSource;
  out.destination = header + ipv6::kDestination;
  return IpFault::none;
}

bool is_extension(std::uint8_t protocol) noexcept {
  return protocol == protocol::kHopByHop || protocol == protocol::kRouting ||
         protocol == protocol::kDestinationOptions || protocol == protocol::kFragment;
}

}  // namespace

IpFault parse_ip(Bytes bytes, IpView& out) noexcept {
  if (bytes.empty()) return IpFault::header;
  switch (bytes[0] >> 4) {
    case 4:
      return parse_v4(bytes, out);
    case 6:
      return parse_v6(bytes, out);
    default:
      return IpFault::version;
  }
}

bool find_upper_layer(Bytes packet, const IpView& ip, UpperLayer& out) noexcept {
  UpperLayer found{ip.next_protocol, ip.header_size, false, true};
  if (ip.family == Family::v4) {
    const std::uint16_t fragment = load_be16(packet.data() + ipv4::kFragment);
    found.is_first_fragment = (fragment & ipv4::kFragmentOffsetMask) == 0;
    found.is_fragment = !found.is_first_fragment || (fragment & ipv4::kMoreFragments) != 0;
    out = found;
    return true;
  }
  constexpr std::size_t kUnit = 8;  // extension headers come in multiples of it
  for (int i = 0; found.is_first_fragment && is_extension(found.protocol); ++i) {
    if (i == kMaxExtensionHeaders || ip.length - found.offset < kUnit) return false;
    const std::uint8_t* header = packet.data() + found.offset;
    std::size_t size = kUnit;
    if (found.protocol == protocol::kFragment) {
      found.is_fragment = true;
      found.is_first_fragment = (load_be16(header + 2) >> 3) == 0;
    } else {
      size += header[1] * kUnit;
    }
    if (size > ip.length - found.offset) return false;
    found.protocol = header[0];
    found.offset += size;
  }
  out = found;
  return true;
}

}  // namespace ferrule::packet
