// Explicit congestion notification across the tunnel (P76, RFC 6040). DSCP never crosses it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "packet/ip.h"

namespace ferrule::packet {

enum class Ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

constexpr std::uint8_t kEcnMask = 3;

/// The ECN bits (0 to 3) of the outer packet for an inner one: RFC 6040 §4.1, normal mode, copies
/// them all. The kernel's WireGuard still follows RFC 3168 and sends ECT(0) for CE; both
/// give the same inner packet at the far end, but this way a congested path stays visible outside.
/// The inner DSCP is not copied: it would say outside what the tunnel hides (P76).
[[nodiscard]] constexpr std::uint8_t encapsulated_ecn(std::uint8_t inner_traffic_class) noexcept {
  return inner_traffic_class & kEcnMask;
}

/// Brings the outer packet's ECN bits into the inner one, in place: RFC 6040 §4.2, figure 4, with
/// IPv4's header checksum kept in step (a wrong one stays wrong). Where the table says drop (CE on a
/// packet that is not ECN-capable) the packet stays as it is: it is never dropped here (P76b).
/// `ip` was read from `inner_packet` and is not updated.
void apply_outer_ecn(MutBytes inner_packet, const IpView& ip, std::uint8_t outer_ecn) noexcept;

}  // namespace ferrule::packet
