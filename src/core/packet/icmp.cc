#include "packet/icmp.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/ip.h"

namespace ferrule::packet {

namespace {

constexpr std::size_t kMaxSizeV4 = 576;   // RFC 1812 §4.3.2.3
constexpr std::size_t kMaxSizeV6 = 1280;  // RFC 4443 §2.4 (c)
static_assert(kMaxSizeV4 <= kMaxUnreachableSize && kMaxSizeV6 <= kMaxUnreachableSize);

constexpr std::size_t kPrefixV4 = ipv4::kHeaderSize + icmp::kHeaderSize;
constexpr std::size_t kPrefixV6 = ipv6::kHeaderSize + icmp::kHeaderSize;

constexpr std::uint8_t kInternetworkControl = 0xc0;  // RFC 1812 §4.3.2.5
constexpr std::uint8_t kTtl = 64;

constexpr std::uint8_t kUnreachableV4 = 3;
constexpr std::uint8_t kHostUnreachable = 1;
constexpr std::uint8_t kUnreachableV6 = 1;
constexpr std::uint8_t kNoRoute = 0;
constexpr std::uint8_t kAddressUnreachable = 3;

// RFC 1122 §3.2.2: not this network, loopback, multicast, class E or the broadcast address.
bool is_one_host_v4(const std::uint8_t* address) noexcept {
  return address[0] != 0 && address[0] != 127 && address[0] < 224;
}

// RFC 4443 §2.4 (e.3, e.6): not multicast, unspecified or loopback.
bool is_one_host_v6(const std::uint8_t* address) noexcept {
  const bool unspecified_or_loopback = load_be64(address) == 0 && load_be64(address + 8) <= 1;
  return address[0] != 0xff && !unspecified_or_loopback;
}

// Queries and their replies, the echoes first. Any other type is an error or unknown.
bool is_query_v4(std::uint8_t type) noexcept {
  return type == 0 || type == 8 || (type >= 9 && type <= 10) || (type >= 13 && type <= 18) ||
         type == 42 || type == 43;
}

bool is_informational_v6(std::uint8_t type) noexcept {
  constexpr std::uint8_t kFirstInformational = 128;
  constexpr std::uint8_t kRedirect = 137;
  return type >= kFirstInformational && type != kRedirect;
}

bool may_answer(Bytes packet, const IpView& ip) noexcept {
  const bool one_host = ip.family == Family::v4
                            ? is_one_host_v4(ip.source) && is_one_host_v4(ip.destination)
                            : is_one_host_v6(ip.source) && is_one_host_v6(ip.destination);
  UpperLayer upper;
  if (!one_host || !find_upper_layer(packet, ip, upper) || !upper.is_first_fragment) return false;
  const std::uint8_t icmp_protocol = ip.family == Family::v4 ? protocol::kIcmp : protocol::kIcmpv6;
  if (upper.protocol != icmp_protocol) return true;
  if (upper.offset == ip.length) return false;
  const std::uint8_t type = packet[upper.offset];
  return ip.family == Family::v4 ? is_query_v4(type) : is_informational_v6(type);
}

// Writes the ICMP header and the quote, and completes the checksum that starts with `sum`.
void write_message(MutBytes message, std::uint8_t type, std::uint8_t code, Bytes quote,
                   InternetSum sum) noexcept {
  std::fill_n(message.begin(), icmp::kHeaderSize, std::uint8_t{0});
  message[icmp::kType] = type;
  message[icmp::kCode] = code;
  sum.add_header<icmp::kHeaderSize>(message.data());
  sum.add_copying(quote, message.subspan(icmp::kHeaderSize));
  store_be16(message.data() + icmp::kChecksum, sum.checksum());
}

void write_v4(const IpView& ip, Bytes quote, MutBytes out) noexcept {
  std::uint8_t* header = out.data();
  std::fill_n(header, ipv4::kHeaderSize, std::uint8_t{0});
  header[0] = 0x45;
  header[ipv4::kTrafficClass] = kInternetworkControl;
  store_be16(header + ipv4::kLength, static_cast<std::uint16_t>(out.size()));
  store_be16(header + ipv4::kFragment, ipv4::kDontFragment);  // so that the id may be 0: RFC 6864
  header[ipv4::kTtl] = kTtl;
  header[ipv4::kProtocol] = protocol::kIcmp;
  std::copy_n(ip.destination, ipv4::kAddressSize, header + ipv4::kSource);
  std::copy_n(ip.source, ipv4::kAddressSize, header + ipv4::kDestination);
  InternetSum sum;
  sum.add_header<ipv4::kHeaderSize>(header);
  store_be16(header + ipv4::kChecksum, sum.checksum());
  write_message(out.subspan(ipv4::kHeaderSize), kUnreachableV4, kHostUnreachable, quote, {});
}

void write_v6(const IpView& ip, Unreachable why, Bytes quote, MutBytes out) noexcept {
  const std::size_t message_size = out.size() - ipv6::kHeaderSize;
  std::uint8_t* header = out.data();
  std::fill_n(header, ipv6::kHeaderSize, std::uint8_t{0});
  header[0] = 0x60;
  store_be16(header + ipv6::kPayloadLength, static_cast<std::uint16_t>(message_size));
  header[ipv6::kNextHeader] = protocol::kIcmpv6;
  header[ipv6::kHopLimit] = kTtl;
  std::copy_n(ip.destination, ipv6::kAddressSize, header + ipv6::kSource);
  std::copy_n(ip.source, ipv6::kAddressSize, header + ipv6::kDestination);
  const std::uint8_t code = why == Unreachable::no_route ? kNoRoute : kAddressUnreachable;
  // A sum does not mind that source and destination have changed places.
  write_message(out.subspan(ipv6::kHeaderSize), kUnreachableV6, code, quote,
                pseudo_header_sum(ip.addresses(), protocol::kIcmpv6, message_size));
}

}  // namespace

std::size_t make_unreachable(Bytes offending, Unreachable why, MutBytes out) noexcept {
  IpView ip;
  if (parse_ip(offending, ip) != IpFault::none || !may_answer(offending, ip)) return 0;
  const bool v4 = ip.family == Family::v4;
  const std::size_t prefix = v4 ? kPrefixV4 : kPrefixV6;
  const std::size_t quoted = std::min(ip.length, (v4 ? kMaxSizeV4 : kMaxSizeV6) - prefix);
  const std::size_t size = prefix + quoted;
  if (out.size() < size) return 0;
  if (v4) {
    write_v4(ip, offending.first(quoted), out.first(size));
  } else {
    write_v6(ip, why, offending.first(quoted), out.first(size));
  }
  return size;
}

}  // namespace ferrule::packet
