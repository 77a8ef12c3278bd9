// IP packets for tests of the inner door.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "packet/headers.h"
#include "packet/offload.h"

namespace ferrule::io {

/// The ones' complement sum of big-endian words, folded, not complemented.
inline std::uint16_t word_sum(Bytes bytes, std::uint32_t start = 0) {
  std::uint32_t sum = start;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// An IPv4 packet with a UDP datagram from 10.77.0.2:7 (a peer) to 10.77.0.1:`port` (the host). With
/// `segment_size` it is a super-packet, whose checksum is left to the other side.
inline std::vector<std::uint8_t> udp_packet(Bytes payload, std::uint16_t port,
                                            bool partial_checksum = false) {
  std::vector<std::uint8_t> packet(28 + payload.size());
  packet[0] = 0x45;
  store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
  packet[8] = 64;
  packet[9] = 17;
  const std::uint8_t addresses[] = {10, 77, 0, 2, 10, 77, 0, 1};
  copy(addresses, MutBytes(packet).subspan(12));
  store_be16(&packet[10], static_cast<std::uint16_t>(~word_sum(Bytes(packet).first(20))));
  const auto size = static_cast<std::uint16_t>(8 + payload.size());
  store_be16(&packet[20], 7);
  store_be16(&packet[22], port);
  store_be16(&packet[24], size);
  copy(payload, MutBytes(packet).subspan(28));
  const std::uint16_t pseudo = word_sum(addresses, 17u + size);
  const std::uint16_t whole = word_sum(Bytes(packet).subspan(20), pseudo);
  store_be16(&packet[26], partial_checksum ? pseudo : static_cast<std::uint16_t>(~whole));
  return packet;
}

/// What goes with udp_packet(..., true): segments of `segment_size` payload bytes.
inline packet::Offload udp_offload(std::uint16_t segment_size) {
  packet::Offload offload;
  offload.gso = packet::GsoType::udp;
  offload.segment_size = segment_size;
  offload.header_size = 28;
  offload.needs_checksum = true;
  offload.checksum_start = 20;
  offload.checksum_offset = 6;
  return offload;
}

}  // namespace ferrule::io
