// What a super-packet is: one IP packet that stands for several, and who still has to do what.
#pragma once

#include <compare>
#include <cstdint>

namespace ferrule::packet {

enum class GsoType : std::uint8_t { none, tcp4, tcp6, udp };

/// The work that comes with a packet across the tunnel interface (virtio_net_hdr in plain words).
/// Value type; the default means: an ordinary packet, complete, nothing to do.
struct Offload {
  GsoType gso = GsoType::none;
  std::uint16_t segment_size = 0;     // payload bytes of each segment but the last
  std::uint16_t header_size = 0;      // IP and transport headers, repeated for each segment
  bool same_ids = false;              // IPv4: all segments have one id (see Merger); else they rise
  bool needs_checksum = false;        // the transport checksum holds only the pseudo-header's sum
  std::uint16_t checksum_start = 0;   // where the summed part starts, from the packet's first byte
  std::uint16_t checksum_offset = 0;  // where the checksum stands, from checksum_start

  auto operator<=>(const Offload&) const noexcept = default;
};

struct OffloadSupport {
  bool tcp = false;  // TSO4 and TSO6
  bool udp = false;  // USO4 and USO6
};

}  // namespace ferrule::packet
