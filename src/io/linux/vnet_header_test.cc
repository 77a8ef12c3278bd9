#include "io/linux/vnet_header.h"

#include <gtest/gtest.h>

#include "io/datagrams_testing.h"

namespace ferrule::io {
namespace {

using packet::GsoType;
using packet::Offload;

// An IPv4 packet of 200 bytes whose TCP header, at 20, has `words` words.
ByteVector tcp_packet(std::uint8_t words) {
  ByteVector packet(200);
  packet[20 + 12] = static_cast<std::uint8_t>(words << 4);
  return packet;
}

VnetHeader gso_header(std::uint8_t type) {
  VnetHeader header;
  header.flags = 1;
  header.gso_type = type;
  header.gso_size = 100;
  header.checksum_start = 20;
  header.checksum_offset = 16;
  header.header_size = 199;  // of no meaning
  return header;
}

TEST(VnetHeader, OrdinaryPacketHasNoWork) {
  Offload offload;
  offload.needs_checksum = true;
  ASSERT_TRUE(from_vnet({}, ByteVector(40), offload));
  EXPECT_EQ(offload, Offload{});
}

TEST(VnetHeader, HeaderSizeIsReadFromThePacket) {
  for (const std::uint8_t words : {5, 8, 15}) {
    Offload offload;
    ASSERT_TRUE(from_vnet(gso_header(1), tcp_packet(words), offload));
    EXPECT_EQ(offload.gso, GsoType::tcp4);
    EXPECT_EQ(offload.header_size, 20 + 4 * words);
    EXPECT_EQ(offload.segment_size, 100);
  }
  Offload offload;
  ASSERT_TRUE(from_vnet(gso_header(4), tcp_packet(5), offload));
  EXPECT_EQ(offload.gso, GsoType::tcp6);
  VnetHeader udp = gso_header(5);
  udp.checksum_offset = 6;
  ASSERT_TRUE(from_vnet(udp, ByteVector(200), offload));
  EXPECT_EQ(offload.gso, GsoType::udp);
  EXPECT_EQ(offload.header_size, 28);
}

TEST(VnetHeader, WhatCannotBeTrueIsRefused) {
  Offload offload;
  const auto refuses = [&](const VnetHeader& header, const ByteVector& packet) {
    return !from_vnet(header, packet, offload);
  };
  EXPECT_TRUE(refuses(gso_header(2), tcp_packet(5))) << "unknown kind";
  EXPECT_TRUE(refuses(gso_header(3), tcp_packet(5))) << "UFO was never asked for";
  EXPECT_TRUE(refuses(gso_header(1 | 0x80), tcp_packet(5))) << "nor TSO with CWR";
  EXPECT_TRUE(refuses(gso_header(1), tcp_packet(4))) << "TCP header too short";
  EXPECT_TRUE(refuses(gso_header(1), ByteVector(39))) << "packet shorter than its headers";
  VnetHeader header = gso_header(1);
  header.gso_size = 0;
  EXPECT_TRUE(refuses(header, tcp_packet(5))) << "segments of nothing";
  header = gso_header(1);
  header.flags = 0;
  EXPECT_TRUE(refuses(header, tcp_packet(5))) << "no checksum to finish";
  header = gso_header(1);
  header.checksum_start = 0xffff;
  header.checksum_offset = 0xffff;
  EXPECT_TRUE(refuses(header, tcp_packet(5))) << "checksum beyond the packet";
  EXPECT_EQ(offload, Offload{}) << "untouched";
}

TEST(VnetHeader, AnyHeaderWithAnyPacketStaysInBounds) {
  std::uint32_t state = 1;
  const auto next = [&] {
    return static_cast<std::uint16_t>((state = state * 1664525 + 1013904223) >> 16);
  };
  for (int i = 0; i < 200'000; ++i) {
    VnetHeader header;
    header.flags = static_cast<std::uint8_t>(next());
    header.gso_type = static_cast<std::uint8_t>(next() % 8);
    header.gso_size = next();
    header.checksum_start = next() % 128;
    header.checksum_offset = next() % 64;
    const ByteVector packet(next() % 128, static_cast<std::uint8_t>(next()));
    Offload offload;
    if (!from_vnet(header, packet, offload)) continue;
    EXPECT_LE(offload.header_size, packet.size());
    if (offload.needs_checksum) {
      EXPECT_LE(offload.checksum_start + offload.checksum_offset + 2u, packet.size());
    }
  }
}

TEST(VnetHeader, WhatIsWrittenIsReadBack) {
  for (const GsoType type : {GsoType::none, GsoType::tcp4, GsoType::tcp6, GsoType::udp}) {
    Offload offload;
    offload.needs_checksum = true;
    offload.checksum_start = 20;
    offload.checksum_offset = 6;
    offload.gso = type;
    if (type != GsoType::none) {
      offload.segment_size = 1200;
      offload.header_size = type == GsoType::udp ? 28 : 40;
    }
    Offload back;
    ASSERT_TRUE(from_vnet(to_vnet(offload), tcp_packet(5), back));
    EXPECT_EQ(back, offload);
  }
}

}  // namespace
}  // namespace ferrule::io
