// Cutting a super-packet from the tunnel interface into the packets that it stands for, exactly as the
// kernel's own segmentation would.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/net.h"
#include "packet/checksum.h"
#include "packet/offload.h"

namespace ferrule::packet {

/// The most segments that a super-packet may have. The kernel's smallest TCP segment is 48 bytes less
/// 40 of options, so that none of its super-packets has more. Callers with less room than this cut in
/// several rounds.
constexpr std::size_t kMaxSegments = 8192;

/// How many packets a packet of this size stands for. 1 for an ordinary one, 0 for an offload that
/// can't be (no segment size, headers larger than the packet).
[[nodiscard]] constexpr std::size_t segment_count(std::size_t packet_size,
                                                  const Offload& offload) noexcept {
  if (offload.gso == GsoType::none) return 1;
  if (offload.segment_size == 0 || offload.header_size > packet_size) return 0;
  const std::size_t payload = packet_size - offload.header_size;
  return payload == 0 ? 1 : (payload + offload.segment_size - 1) / offload.segment_size;
}

/// The size of segment `i` < segment_count, headers included. None is larger than the first, and only
/// the last may be smaller.
[[nodiscard]] constexpr std::size_t segment_size_of(std::size_t packet_size, const Offload& offload,
                                                    std::size_t i) noexcept {
  if (offload.gso == GsoType::none) return packet_size;
  const std::size_t before = i * offload.segment_size;
  const std::size_t rest = packet_size - offload.header_size - before;
  return offload.header_size + (rest < offload.segment_size ? rest : offload.segment_size);
}

/// A packet from the tunnel interface, ready to be cut. What is the same for all segments is worked out
/// once, when it is made; each segment is then one copy, summed on the way.
///
/// Ordinary packets are taken too, as their own only segment, so that all can go the same way.
/// Points into the packet, which must outlive it and stay as it is. Value type; any number of threads
/// may cut different segments.
class Splitter {
 public:
  /// Whatever `packet` and `offload` say, nothing outside them is touched: where they do not fit
  /// together (see valid_offload) there are no segments.
  Splitter(Bytes packet, const Offload& offload) noexcept;

  /// At most kMaxSegments; 0 when the offload does not fit the packet.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// segment_size_of; `i` < count().
  [[nodiscard]] std::size_t size_of(std::size_t i) const noexcept {
    return segment_size_of(packet_.size(), offload_, i);
  }
  /// Writes segment `i`, complete with lengths and checksums, to the start of `out`, which does not
  /// overlap the packet. Returns its size, or 0 (and writes nothing) when `out` is smaller or there is
  /// no such segment.
  [[nodiscard]] std::size_t write(std::size_t i, MutBytes out) const noexcept;

 private:
  [[nodiscard]] bool open_ordinary() noexcept;
  [[nodiscard]] bool open_super() noexcept;
  void sum_headers(Bytes addresses) noexcept;
  void write_headers(std::size_t i, MutBytes segment, InternetSum payload) const noexcept;
  void write_ip(std::size_t i, MutBytes segment) const noexcept;

  Bytes packet_;
  Offload offload_;
  std::size_t count_ = 0;
  std::size_t transport_ = 0;  // where the TCP or UDP header stands
  Family family_ = Family::none;
  InternetSum ip_sum_;         // of the IPv4 header without what differs from segment to segment
  InternetSum transport_sum_;  // of pseudo-header and transport header, likewise
};

/// Whether `offload` fits `packet`: headers whole, of the right family and protocol and no fragment's;
/// lengths, header size and checksum position those of the packet itself; at most kMaxSegments. For an
/// ordinary packet: the checksum field lies within it.
[[nodiscard]] inline bool valid_offload(Bytes packet, const Offload& offload) noexcept {
  return Splitter(packet, offload).count() != 0;
}

/// Splitter::write for a single segment.
[[nodiscard]] inline std::size_t write_segment(Bytes packet, const Offload& offload, std::size_t i,
                                               MutBytes out) noexcept {
  return Splitter(packet, offload).write(i, out);
}

/// Completes the checksum of an ordinary packet in place, where `offload` says that it is needed.
/// Does nothing when that is not so or the field does not lie within the packet.
void complete_checksum(MutBytes packet, const Offload& offload) noexcept;

}  // namespace ferrule::packet
