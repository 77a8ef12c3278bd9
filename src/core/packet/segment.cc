#include "packet/segment.h"

#include <cstring>

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/ip.h"

namespace ferrule::packet {

namespace {

constexpr std::size_t kPortsSize = 4;
constexpr std::uint16_t kAllOnes = 0xffff;

bool same(const std::uint8_t* a, const std::uint8_t* b, std::size_t at, std::size_t size) noexcept {
  return std::memcmp(a + at, b + at, size) == 0;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 32);
}

std::uint64_t hash_of(Bytes addresses, const std::uint8_t* ports, std::uint8_t protocol) noexcept {
  std::uint64_t hash = mix(protocol, load_le32(ports));
  for (std::size_t at = 0; at < addresses.size(); at += 8) {
    hash = mix(hash, load_le64(addresses.data() + at));
  }
  return hash;
}

bool read_tcp(Segment& segment) noexcept {
  const Bytes bytes = Bytes(segment.packet).subspan(segment.transport);
  if (bytes.size() < tcp::kHeaderSize) return false;
  const std::size_t size = (bytes[tcp::kDataOffset] >> 4) * 4u;
  const bool reserved_clear = (bytes[tcp::kDataOffset] & 0x0f) == 0;
  const unsigned flags = bytes[tcp::kFlags];
  if (size < tcp::kHeaderSize || size >= bytes.size() || !reserved_clear ||
      (flags & ~unsigned{tcp::kPsh}) != tcp::kAck) {
    return false;
  }
  segment.header_size = static_cast<std::uint8_t>(segment.transport + size);
  segment.push = (flags & tcp::kPsh) != 0;
  segment.sequence = load_be32(bytes.data() + tcp::kSequence);
  return true;
}

bool read_udp(Segment& segment) noexcept {
  const Bytes bytes = Bytes(segment.packet).subspan(segment.transport);
  if (bytes.size() <= udp::kHeaderSize || load_be16(bytes.data() + udp::kLength) != bytes.size()) {
    return false;
  }
  segment.header_size = static_cast<std::uint8_t>(segment.transport + udp::kHeaderSize);
  return true;
}

// Whether the IP header is one that segmentation can repeat, with TCP or UDP right behind it.
bool is_plain(Bytes packet, const IpView& ip) noexcept {
  if (ip.length != packet.size()) return false;  // padded
  if (ip.next_protocol != protocol::kTcp && ip.next_protocol != protocol::kUdp) return false;
  if (ip.length < ip.header_size + kPortsSize) return false;
  if (ip.family == Family::v6) return true;
  const std::uint16_t fragment = load_be16(packet.data() + ipv4::kFragment);
  return ip.header_size == ipv4::kHeaderSize &&
         (fragment & (ipv4::kMoreFragments | ipv4::kFragmentOffsetMask)) == 0;
}

// A TCP checksum is never all ones and a UDP one never zero, or segmentation did not write it.
bool transport_checksum_right(const Segment& segment) noexcept {
  const Bytes bytes = Bytes(segment.packet).subspan(segment.transport);
  const std::uint16_t checksum = load_be16(bytes.data() + segment.checksum_offset());
  if (checksum == (segment.is_udp() ? 0 : kAllOnes)) return false;
  InternetSum sum = pseudo_header_sum(segment.addresses(), segment.protocol(), bytes.size());
  sum.add(bytes);
  return sum.folded() == kAllOnes;
}

bool ipv4_checksum_right(Bytes packet) noexcept {
  if (load_be16(packet.data() + ipv4::kChecksum) == kAllOnes) return false;
  InternetSum sum;
  sum.add_header<ipv4::kHeaderSize>(packet.data());
  return sum.folded() == kAllOnes;
}

}  // namespace

bool Segment::is_v4() const noexcept { return transport == ipv4::kHeaderSize; }

std::uint8_t Segment::protocol() const noexcept {
  return is_udp() ? protocol::kUdp : protocol::kTcp;
}

Bytes Segment::addresses() const noexcept {
  return is_v4() ? Bytes(packet).subspan(ipv4::kSource, 2 * ipv4::kAddressSize)
                 : Bytes(packet).subspan(ipv6::kSource, 2 * ipv6::kAddressSize);
}

std::size_t Segment::checksum_offset() const noexcept {
  return is_udp() ? udp::kChecksum : tcp::kChecksum;
}

FlowKnown read_segment(MutBytes packet, Segment& out) noexcept {
  IpView ip;
  if (parse_ip(packet, ip) != IpFault::none) return FlowKnown::none;
  if (!is_plain(packet, ip)) {
    const bool icmp =
        ip.next_protocol == (ip.family == Family::v4 ? protocol::kIcmp : protocol::kIcmpv6);
    return icmp ? FlowKnown::none : FlowKnown::addresses;
  }
  const bool udp = ip.next_protocol == protocol::kUdp;
  const bool v4 = ip.family == Family::v4;
  out.packet = packet;
  out.gso = udp ? GsoType::udp : v4 ? GsoType::tcp4 : GsoType::tcp6;
  out.transport = static_cast<std::uint8_t>(ip.header_size);
  if (v4) {
    out.id = load_be16(packet.data() + ipv4::kId);
    out.dont_fragment = (load_be16(packet.data() + ipv4::kFragment) & ipv4::kDontFragment) != 0;
  }
  out.flow_hash = hash_of(ip.addresses(), packet.data() + ip.header_size, ip.next_protocol);
  const bool whole = udp ? read_udp(out) : read_tcp(out);
  return whole ? FlowKnown::segment : FlowKnown::flow;
}

Bytes addresses_of(Bytes packet) noexcept {
  IpView ip;
  return parse_ip(packet, ip) == IpFault::none ? ip.addresses() : Bytes();
}

bool same_flow(const Segment& a, const Segment& b) noexcept {
  if (a.flow_hash != b.flow_hash || a.gso != b.gso || a.transport != b.transport) return false;
  const std::uint8_t* x = a.packet.data();
  const std::uint8_t* y = b.packet.data();
  // The ports follow the addresses in IPv4 without options and in IPv6.
  return a.is_v4() ? same(x, y, ipv4::kSource, 2 * ipv4::kAddressSize + kPortsSize)
                   : same(x, y, ipv6::kSource, 2 * ipv6::kAddressSize + kPortsSize);
}

bool same_headers(const Segment& a, const Segment& b) noexcept {
  const std::uint8_t* x = a.packet.data();
  const std::uint8_t* y = b.packet.data();
  if (a.header_size != b.header_size) return false;
  const bool same_ip =
      a.is_v4() ? same(x, y, 0, ipv4::kLength) && same(x, y, ipv4::kFragment, 4)
                : same(x, y, 0, ipv6::kPayloadLength) && same(x, y, ipv6::kNextHeader, 2);
  if (!same_ip || a.is_udp()) return same_ip;
  x += a.transport;
  y += b.transport;
  // The flags are ACK and perhaps PSH in both.
  return same(x, y, tcp::kAcknowledgement, 4) && same(x, y, tcp::kWindow, 2) &&
         same(x, y, tcp::kUrgentPointer, a.header_size - a.transport - tcp::kUrgentPointer);
}

bool checksums_right(const Segment& segment) noexcept {
  return (!segment.is_v4() || ipv4_checksum_right(segment.packet)) &&
         transport_checksum_right(segment);
}

}  // namespace ferrule::packet
