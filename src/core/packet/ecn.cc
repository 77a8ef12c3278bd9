#include "packet/ecn.h"

#include "packet/checksum.h"

namespace ferrule::packet {

namespace {

Ecn decapsulated(Ecn inner, Ecn outer) noexcept {
  if (inner == Ecn::not_ect) return inner;
  if (outer == Ecn::ce) return Ecn::ce;
  if (inner == Ecn::ect0 && outer == Ecn::ect1) return Ecn::ect1;
  return inner;
}

}  // namespace

void apply_outer_ecn(MutBytes inner_packet, const IpView& ip, std::uint8_t outer_ecn) noexcept {
  const auto inner = static_cast<Ecn>(ip.traffic_class & kEcnMask);
  const Ecn result = decapsulated(inner, static_cast<Ecn>(outer_ecn & kEcnMask));
  if (result == inner) return;

  // Both families have their ECN bits in the first two bytes: IPv6's traffic class is four bits in.
  std::uint8_t* header = inner_packet.data();
  const unsigned shift = ip.family == Family::v4 ? 0 : 4;
  const std::uint16_t before = load_be16(header);
  const auto after = static_cast<std::uint16_t>((before & ~(unsigned{kEcnMask} << shift)) |
                                                (static_cast<unsigned>(result) << shift));
  store_be16(header, after);
  if (ip.family == Family::v4) {
    const std::uint16_t checksum = load_be16(header + ipv4::kChecksum);
    store_be16(header + ipv4::kChecksum, updated_checksum(checksum, before, after));
  }
}

}  // namespace ferrule::packet
