#include "io/linux/vnet_header.h"

#include "packet/headers.h"

namespace ferrule::io {
namespace {

using packet::GsoType;

// From the virtio specification, 5.1.6.
constexpr std::uint8_t kNeedsChecksum = 1;
constexpr std::uint8_t kGsoNone = 0;
constexpr std::uint8_t kGsoTcp4 = 1;
constexpr std::uint8_t kGsoTcp6 = 4;
constexpr std::uint8_t kGsoUdp = 5;  // Linux 6.2

bool read_gso_type(std::uint8_t value, GsoType& out) noexcept {
  switch (value) {
    case kGsoNone:
      out = GsoType::none;
      return true;
    case kGsoTcp4:
      out = GsoType::tcp4;
      return true;
    case kGsoTcp6:
      out = GsoType::tcp6;
      return true;
    case kGsoUdp:
      out = GsoType::udp;
      return true;
    default:
      return false;
  }
}

std::uint8_t gso_value(GsoType type) noexcept {
  switch (type) {
    case GsoType::tcp4:
      return kGsoTcp4;
    case GsoType::tcp6:
      return kGsoTcp6;
    case GsoType::udp:
      return kGsoUdp;
    case GsoType::none:
      break;
  }
  return kGsoNone;
}

// All headers of a super-packet, whose transport header stands at `transport`; 0 when it isn't whole.
std::size_t headers_of(GsoType type, Bytes packet, std::size_t transport) noexcept {
  std::size_t size = packet::udp::kHeaderSize;
  if (type != GsoType::udp) {
    if (transport + packet::tcp::kHeaderSize > packet.size()) return 0;
    size = std::size_t{packet[transport + packet::tcp::kDataOffset]} >> 4 << 2;
    if (size < packet::tcp::kHeaderSize) return 0;
  }
  return transport + size <= packet.size() ? transport + size : 0;
}

}  // namespace

bool from_vnet(const VnetHeader& header, Bytes packet, packet::Offload& out) noexcept {
  packet::Offload offload;
  if (!read_gso_type(header.gso_type, offload.gso)) return false;
  offload.needs_checksum = (header.flags & kNeedsChecksum) != 0;
  if (offload.needs_checksum) {
    offload.checksum_start = header.checksum_start;
    offload.checksum_offset = header.checksum_offset;
    const std::size_t end = std::size_t{header.checksum_start} + header.checksum_offset + 2;
    if (end > packet.size()) return false;
  }
  if (offload.gso != GsoType::none) {
    if (!offload.needs_checksum || header.gso_size == 0) return false;
    offload.segment_size = header.gso_size;
    const std::size_t headers = headers_of(offload.gso, packet, offload.checksum_start);
    if (headers == 0) return false;
    offload.header_size = static_cast<std::uint16_t>(headers);
  }
  out = offload;
  return true;
}

VnetHeader to_vnet(const packet::Offload& offload) noexcept {
  VnetHeader header{};
  if (offload.needs_checksum) {
    header.flags = kNeedsChecksum;
    header.checksum_start = offload.checksum_start;
    header.checksum_offset = offload.checksum_offset;
  }
  header.gso_type = gso_value(offload.gso);
  if (offload.gso != GsoType::none) {
    header.gso_size = offload.segment_size;
    header.header_size = offload.header_size;
  }
  return header;
}

}  // namespace ferrule::io
