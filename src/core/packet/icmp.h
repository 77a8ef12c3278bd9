// Telling an inner sender that the tunnel can't carry its packet (P73).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ferrule::packet {

enum class Unreachable : std::uint8_t {
  no_route,  // no peer's allowed IPs hold the destination
  address,   // a peer's do, but nobody knows where it is
};

/// make_unreachable never needs more room than this.
constexpr std::size_t kMaxUnreachableSize = 1280;

/// Writes to `out` the ICMP or ICMPv6 packet that answers `offending`, complete with its checksums, and
/// returns its size. ICMPv4 says "host unreachable" for both reasons, as the kernel's WireGuard does;
/// ICMPv6 says "no route to destination" or "address unreachable".
///
/// It goes to the offending packet's source and seems to come from its destination. An address of this
/// machine would be the more honest sender, but the answer enters through the tunnel interface, and the
/// kernel throws away what comes in with a source of its own ("martian"). The destination is an
/// address whose route leads into the tunnel, so reverse path filters accept it too.
///
/// `offending` may be a super-packet: its headers are quoted as they are, lengths included; the
/// sender's kernel finds the socket by addresses, ports and the first sequence number, which are those
/// it sent.
///
/// Returns 0 where an answer is forbidden (RFC 1122 §3.2.2, RFC 4443 §2.4 e): to an ICMP error or what
/// may be one, to a later fragment, to or about an address that is not one host's; when
/// `offending` is no IP packet; when `out` is too small. How often to answer is the caller's to limit.
[[nodiscard]] std::size_t make_unreachable(Bytes offending, Unreachable why, MutBytes out) noexcept;

}  // namespace ferrule::packet
