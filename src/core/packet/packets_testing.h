// Packets for the tests, and models of what is done to them: written byte by byte, slowly and without
// any of the code under test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "base/bytes.h"
#include "packet/offload.h"

namespace ferrule::packet::testing {

using Packet = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

/// A number from `low` to `high`, both included.
std::size_t pick(Random& random, std::size_t low, std::size_t high);
Packet random_bytes(Random& random, std::size_t size);

/// What a TCP or UDP packet is made from. Checksums and lengths are always right.
struct Spec {
  bool v6 = false;
  bool udp = false;
  std::uint8_t host = 1;  // last byte of the source address
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 443;
  std::uint8_t traffic_class = 0;
  std::uint8_t ttl = 64;
  std::uint16_t id = 7;                // IPv4
  std::uint16_t fragment = 0x4000;     // IPv4: flags and offset
  std::uint32_t flow_label = 0x12345;  // IPv6
  Packet ip_options = {};              // IPv4, a multiple of 4 bytes
  std::uint32_t sequence = 1000;
  std::uint32_t acknowledgement = 5000;
  std::uint8_t flags = 0x10;
  std::uint8_t reserved = 0;  // the four bits behind the TCP data offset
  std::uint16_t window = 512;
  std::uint16_t urgent = 0;
  Packet tcp_options = {};  // a multiple of 4 bytes
  Packet payload = {};
};

Packet build(const Spec& spec);
std::size_t header_size_of(const Spec& spec);

/// The Internet checksum of `bytes`, two bytes at a time; `sum` is where it starts.
std::uint16_t naive_checksum(Bytes bytes, std::uint32_t sum = 0);
/// The sum of the pseudo-header of a packet without IPv6 extension headers.
std::uint32_t naive_pseudo_sum(Bytes packet, std::uint8_t protocol, std::size_t length);
/// Makes all lengths and checksums of a TCP or UDP packet (no extension headers) right again.
void repair(Packet& packet);
/// Whether they are all right.
bool is_sound(const Packet& packet);

/// A super-packet as the kernel hands it over: headers, then `payload`, with only the pseudo-header's
/// sum in the transport checksum.
Packet build_super(const Spec& spec);
Offload super_offload(const Spec& spec, std::uint16_t segment_size);

/// What the kernel's own segmentation makes of a super-packet.
std::vector<Packet> naive_split(const Packet& packet, const Offload& offload);

}  // namespace ferrule::packet::testing
