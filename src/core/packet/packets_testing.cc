#include "packet/packets_testing.h"

#include <algorithm>

namespace ferrule::packet::testing {

namespace {

void put16(Packet& packet, std::size_t at, std::size_t value) {
  packet[at] = static_cast<std::uint8_t>(value >> 8);
  packet[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(Packet& packet, std::size_t at, std::size_t value) {
  put16(packet, at, value >> 16);
  put16(packet, at + 2, value);
}

std::size_t get16(const Packet& packet, std::size_t at) {
  return packet[at] * 256u + packet[at + 1];
}

bool is_v6(Bytes packet) { return packet[0] >> 4 == 6; }
std::size_t ip_size(Bytes packet) { return is_v6(packet) ? 40 : (packet[0] & 15) * 4u; }
std::uint8_t protocol_of(Bytes packet) { return packet[is_v6(packet) ? 6 : 9]; }
std::size_t checksum_at(Bytes packet) {
  return ip_size(packet) + (protocol_of(packet) == 17 ? 6 : 16);
}

void put_lengths(Packet& packet) {
  const std::size_t transport = ip_size(packet);
  if (is_v6(packet)) {
    put16(packet, 4, packet.size() - 40);
  } else {
    put16(packet, 2, packet.size());
    put16(packet, 10, 0);
    put16(packet, 10, naive_checksum(Bytes(packet).first(transport)));
  }
  if (protocol_of(packet) == 17) put16(packet, transport + 4, packet.size() - transport);
}

Packet ip_header(const Spec& spec) {
  Packet header(spec.v6 ? 40 : 20 + spec.ip_options.size());
  const std::uint8_t protocol = spec.udp ? 17 : 6;
  if (spec.v6) {
    put32(header, 0, 0x60000000u | (std::uint32_t{spec.traffic_class} << 20) | spec.flow_label);
    header[6] = protocol;
    header[7] = spec.ttl;
    put32(header, 8, 0xfd000000u);
    header[23] = spec.host;
    put32(header, 24, 0xfd000001u);
    header[39] = 99;
  } else {
    header[0] = static_cast<std::uint8_t>(0x40 + header.size() / 4);
    header[1] = spec.traffic_class;
    put16(header, 4, spec.id);
    put16(header, 6, spec.fragment);
    header[8] = spec.ttl;
    header[9] = protocol;
    put32(header, 12, 0x0a000000u | spec.host);
    put32(header, 16, 0x0a010063u);
    std::copy(spec.ip_options.begin(), spec.ip_options.end(), header.begin() + 20);
  }
  return header;
}

Packet transport_header(const Spec& spec) {
  Packet header(spec.udp ? 8 : 20 + spec.tcp_options.size());
  put16(header, 0, spec.source_port);
  put16(header, 2, spec.destination_port);
  if (spec.udp) return header;
  put32(header, 4, spec.sequence);
  put32(header, 8, spec.acknowledgement);
  header[12] = static_cast<std::uint8_t>((header.size() / 4) << 4 | spec.reserved);
  header[13] = spec.flags;
  put16(header, 14, spec.window);
  put16(header, 18, spec.urgent);
  std::copy(spec.tcp_options.begin(), spec.tcp_options.end(), header.begin() + 20);
  return header;
}

Packet unsummed(const Spec& spec) {
  Packet packet = ip_header(spec);
  const Packet transport = transport_header(spec);
  packet.insert(packet.end(), transport.begin(), transport.end());
  packet.insert(packet.end(), spec.payload.begin(), spec.payload.end());
  return packet;
}

}  // namespace

std::size_t pick(Random& random, std::size_t low, std::size_t high) {
  return std::uniform_int_distribution<std::size_t>(low, high)(random);
}

Packet random_bytes(Random& random, std::size_t size) {
  Packet bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::uint16_t naive_checksum(Bytes bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(~sum);
}

std::uint32_t naive_pseudo_sum(Bytes packet, std::uint8_t protocol, std::size_t length) {
  const Bytes addresses = is_v6(packet) ? packet.subspan(8, 32) : packet.subspan(12, 8);
  std::uint32_t sum = static_cast<std::uint16_t>(~naive_checksum(addresses));
  sum += protocol;
  sum += static_cast<std::uint32_t>(length >> 16) + (length & 0xffff);
  while (sum > 0xffff) sum -= 0xffff;
  return sum;
}

void repair(Packet& packet) {
  put_lengths(packet);
  const std::size_t transport = ip_size(packet);
  put16(packet, checksum_at(packet), 0);
  const std::uint32_t pseudo =
      naive_pseudo_sum(packet, protocol_of(packet), packet.size() - transport);
  std::uint16_t checksum = naive_checksum(Bytes(packet).subspan(transport), pseudo);
  if (checksum == 0 && protocol_of(packet) == 17) checksum = 0xffff;
  put16(packet, checksum_at(packet), checksum);
}

bool is_sound(const Packet& packet) {
  Packet repaired = packet;
  repair(repaired);
  return repaired == packet;
}

Packet build(const Spec& spec) {
  Packet packet = unsummed(spec);
  repair(packet);
  return packet;
}

std::size_t header_size_of(const Spec& spec) {
  Spec empty = spec;
  empty.payload.clear();
  return unsummed(empty).size();
}

Packet build_super(const Spec& spec) {
  Packet packet = unsummed(spec);
  put_lengths(packet);
  put16(packet, checksum_at(packet),
        naive_pseudo_sum(packet, protocol_of(packet), packet.size() - ip_size(packet)));
  return packet;
}

Offload super_offload(const Spec& spec, std::uint16_t segment_size) {
  Offload offload;
  offload.gso = spec.udp ? GsoType::udp : spec.v6 ? GsoType::tcp6 : GsoType::tcp4;
  offload.segment_size = segment_size;
  offload.header_size = static_cast<std::uint16_t>(header_size_of(spec));
  offload.needs_checksum = true;
  offload.checksum_start = static_cast<std::uint16_t>(spec.v6 ? 40 : 20 + spec.ip_options.size());
  offload.checksum_offset = spec.udp ? 6 : 16;
  return offload;
}

std::vector<Packet> naive_split(const Packet& packet, const Offload& offload) {
  const std::size_t header_size = offload.header_size;
  const std::size_t transport = ip_size(packet);
  std::vector<Packet> segments;
  std::size_t at = header_size;
  do {
    const std::size_t size = std::min<std::size_t>(offload.segment_size, packet.size() - at);
    const std::size_t index = segments.size();
    const bool last = at + size == packet.size();
    Packet segment(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(header_size));
    segment.insert(segment.end(), packet.begin() + static_cast<std::ptrdiff_t>(at),
                   packet.begin() + static_cast<std::ptrdiff_t>(at + size));
    if (!is_v6(segment) && !offload.same_ids) put16(segment, 4, get16(packet, 4) + index);
    if (protocol_of(packet) == 6) {
      const std::size_t sequence =
          get16(packet, transport + 4) * 65536 + get16(packet, transport + 6);
      put32(segment, transport + 4, sequence + index * offload.segment_size);
      if (!last) segment[transport + 13] &= static_cast<std::uint8_t>(~0x09);
      if (index != 0) segment[transport + 13] &= 0x7f;
    }
    repair(segment);
    segments.push_back(segment);
    at += size;
  } while (at < packet.size());
  return segments;
}

}  // namespace ferrule::packet::testing
