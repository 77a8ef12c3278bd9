#include "sim/packets.h"

#include <algorithm>
#include <string_view>

#include "packet/ecn.h"
#include "packet/headers.h"
#include "packet/ip.h"

namespace ferrule::sim {

namespace {

constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kTimeToLive = 64;
constexpr std::size_t kNumberSize = 8;

std::size_t header_size(Family family) noexcept { return family == Family::v4 ? 20 : 40; }

}  // namespace

Packet make_packet(const InnerPacket& packet) {
  const Family family = packet.source.family();
  const std::size_t header = header_size(family);
  Packet bytes(std::max(packet.size, header + kNumberSize),
               static_cast<std::uint8_t>(packet.number));
  std::fill(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header), 0);
  if (family == Family::v4) {
    bytes[0] = 0x45;
    bytes[1] = packet.traffic_class;
    store_be16(&bytes[2], static_cast<std::uint16_t>(bytes.size()));
    bytes[8] = kTimeToLive;
    bytes[9] = kUdp;
    copy(packet.source.bytes(), MutBytes(bytes).subspan(12));
    copy(packet.destination.bytes(), MutBytes(bytes).subspan(16));
  } else {
    store_be32(bytes.data(), std::uint32_t{6} << 28 | std::uint32_t{packet.traffic_class} << 20);
    store_be16(&bytes[4], static_cast<std::uint16_t>(bytes.size() - header));
    bytes[6] = kUdp;
    bytes[7] = kTimeToLive;
    copy(packet.source.bytes(), MutBytes(bytes).subspan(8));
    copy(packet.destination.bytes(), MutBytes(bytes).subspan(24));
  }
  store_be64(&bytes[header], packet.number);
  return bytes;
}

std::optional<std::uint64_t> number_of(Bytes packet) noexcept {
  packet::IpView ip;
  if (packet::parse_ip(packet, ip) != packet::IpFault::none) return std::nullopt;
  if (packet.size() < ip.header_size + kNumberSize) return std::nullopt;
  return load_be64(packet.data() + ip.header_size);
}

std::uint64_t digest_of(Bytes packet) {
  std::uint64_t digest = packet.size();
  for (std::size_t i = 0; i < packet.size(); ++i) {
    std::uint64_t byte = packet[i];
    const bool is_v4 = packet[0] >> 4 == 4;
    if (is_v4 && i == 1) byte &= ~std::uint64_t{packet::kEcnMask};
    if (is_v4 && (i == 10 || i == 11)) byte = 0;  // the header's checksum follows ECN
    if (!is_v4 && i == 1) byte &= ~(std::uint64_t{packet::kEcnMask} << 4);
    digest = (digest ^ byte) * 0x100000001B3u;  // FNV-1a
  }
  return digest;
}

}  // namespace ferrule::sim
