// What the merger wants to know about a packet: whether it is a plain piece of a TCP or UDP flow, and
// which. For merge.cc and its tests only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "packet/offload.h"

namespace ferrule::packet {

/// How much can be said about the flow of a packet.
enum class FlowKnown : std::uint8_t {
  segment,    // all, and it may be merged as far as it alone is concerned
  flow,       // all, but it goes alone
  addresses,  // it may be of any flow between its addresses: a fragment, options in the way
  none,       // it is of no TCP or UDP flow
};

/// A packet of a TCP or UDP flow. Points into it.
struct Segment {
  MutBytes packet;
  GsoType gso = GsoType::none;   // what several of these make
  std::uint8_t transport = 0;    // where the TCP or UDP header stands: 20 or 40
  std::uint8_t header_size = 0;  // of both headers
  bool push = false;             // TCP: PSH is set
  std::uint16_t id = 0;          // IPv4
  bool dont_fragment = false;    // IPv4: DF is set
  std::uint32_t sequence = 0;    // TCP
  std::uint64_t flow_hash = 0;   // equal for packets of one flow; no defence against collisions

  [[nodiscard]] bool is_v4() const noexcept;
  [[nodiscard]] bool is_udp() const noexcept { return gso == GsoType::udp; }
  [[nodiscard]] std::uint8_t protocol() const noexcept;
  [[nodiscard]] Bytes addresses() const noexcept;  // source then destination
  [[nodiscard]] std::size_t payload_size() const noexcept { return packet.size() - header_size; }
  [[nodiscard]] std::size_t checksum_offset() const noexcept;
};

/// Reads `packet`, which may hold anything, into a fresh `out`: it is filled for `segment`, and for
/// `flow` but for header_size, push and sequence.
[[nodiscard]] FlowKnown read_segment(MutBytes packet, Segment& out) noexcept;

/// The addresses of an IP packet, source then destination; empty when it is none.
[[nodiscard]] Bytes addresses_of(Bytes packet) noexcept;

[[nodiscard]] bool same_flow(const Segment& a, const Segment& b) noexcept;

/// Whether all that segmentation repeats is the same: every header field but lengths, IPv4 id, TCP
/// sequence number, PSH and checksums. Both are segments of one flow.
[[nodiscard]] bool same_headers(const Segment& a, const Segment& b) noexcept;

/// Whether IPv4's and the transport's checksum are exactly those that segmentation would write.
/// (One's complement has two zeros: a receiver takes either, segmentation writes one.)
[[nodiscard]] bool checksums_right(const Segment& segment) noexcept;

}  // namespace ferrule::packet
