#include "packet/ip.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "packet/packets_testing.h"

namespace ferrule::packet {
namespace {

using testing::build;
using testing::Packet;
using testing::Random;
using testing::Spec;

Packet v4_packet(std::size_t payload = 10) {
  return build(Spec{.udp = true, .payload = Packet(payload)});
}
Packet v6_packet(std::size_t payload = 10) {
  return build(Spec{.v6 = true, .udp = true, .payload = Packet(payload)});
}

TEST(ParseIp, ReadsAnIpv4Header) {
  Packet packet = build(Spec{.udp = true, .traffic_class = 0x2e, .payload = Packet(10)});
  IpView ip;
  ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
  EXPECT_EQ(ip.family, Family::v4);
  EXPECT_EQ(ip.traffic_class, 0x2e);
  EXPECT_EQ(ip.next_protocol, protocol::kUdp);
  EXPECT_EQ(ip.header_size, 20u);
  EXPECT_EQ(ip.length, 38u);
  EXPECT_EQ(ip.source_address(), IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(ip.destination_address(), IpAddress::parse("10.1.0.99"));
}

TEST(ParseIp, ReadsAnIpv6Header) {
  Packet packet =
      build(Spec{.v6 = true, .udp = true, .traffic_class = 0x2e, .payload = Packet(10)});
  IpView ip;
  ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
  EXPECT_EQ(ip.family, Family::v6);
  EXPECT_EQ(ip.traffic_class, 0x2e);
  EXPECT_EQ(ip.next_protocol, protocol::kUdp);
  EXPECT_EQ(ip.header_size, 40u);
  EXPECT_EQ(ip.length, 58u);
  EXPECT_EQ(ip.source_address(), IpAddress::parse("fd00::1"));
  EXPECT_EQ(ip.destination_address(), IpAddress::parse("fd00:1::63"));
}

TEST(ParseIp, AddressesAreSourceThenDestination) {
  const Packet packet = v4_packet();
  IpView ip;
  ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
  const Bytes addresses = ip.addresses();
  EXPECT_EQ(Packet(addresses.begin(), addresses.end()), (Packet{10, 0, 0, 1, 10, 1, 0, 99}));
}

TEST(ParseIp, Ipv4OptionsBelongToTheHeader) {
  const Packet packet = build(Spec{.udp = true, .ip_options = Packet(8, 1), .payload = Packet(4)});
  IpView ip;
  ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
  EXPECT_EQ(ip.header_size, 28u);
}

TEST(ParseIp, P70_PaddingIsNoPartOfThePacket) {
  for (Packet packet : {v4_packet(), v6_packet()}) {
    const std::size_t length = packet.size();
    packet.resize(length + 15);
    IpView ip;
    ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
    EXPECT_EQ(ip.length, length);
  }
}

TEST(ParseIp, P72_OnlyVersions4And6) {
  for (unsigned version = 0; version < 16; ++version) {
    Packet packet(64);
    packet[0] = static_cast<std::uint8_t>(version << 4 | 5);
    packet[3] = 64;
    IpView ip;
    const IpFault fault = parse_ip(packet, ip);
    EXPECT_EQ(fault == IpFault::version, version != 4 && version != 6) << version;
  }
}

TEST(ParseIp, P72_TheHeaderMustBeWhole) {
  for (const Packet& packet : {v4_packet(), v6_packet()}) {
    const std::size_t header_size = packet[0] >> 4 == 4 ? 20 : 40;
    for (std::size_t size = 0; size < header_size; ++size) {
      IpView ip;
      EXPECT_EQ(parse_ip(Bytes(packet).first(size), ip), IpFault::header) << size;
    }
  }
}

TEST(ParseIp, P72_AnIpv4HeaderUnderFiveWordsIsRefused) {
  for (std::uint8_t words = 0; words < 5; ++words) {
    Packet packet = v4_packet();
    packet[0] = 0x40 | words;
    IpView ip;
    EXPECT_EQ(parse_ip(packet, ip), IpFault::header) << int{words};
  }
}

TEST(ParseIp, P72_Ipv4OptionsMustBeThere) {
  Packet packet = v4_packet(0);
  packet[0] = 0x4f;
  IpView ip;
  EXPECT_EQ(parse_ip(packet, ip), IpFault::header);
}

TEST(ParseIp, P72_TheLengthIsAtLeastTheHeader) {
  Packet packet = v4_packet();
  packet[3] = 19;
  IpView ip;
  EXPECT_EQ(parse_ip(packet, ip), IpFault::length);
  packet[3] = 20;
  EXPECT_EQ(parse_ip(packet, ip), IpFault::none);
}

TEST(ParseIp, P72_TheLengthIsAtMostThePlaintext) {
  for (const Packet& packet : {v4_packet(), v6_packet()}) {
    IpView ip;
    EXPECT_EQ(parse_ip(packet, ip), IpFault::none);
    EXPECT_EQ(parse_ip(Bytes(packet).first(packet.size() - 1), ip), IpFault::length);
  }
}

TEST(ParseIp, P76b_TheLengthIsComputedInMoreThan16Bits) {
  Packet packet(65535 + 40);
  packet[0] = 0x60;
  packet[4] = packet[5] = 0xff;
  IpView ip;
  ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
  EXPECT_EQ(ip.length, 65575u);
  EXPECT_EQ(parse_ip(Bytes(packet).first(65574), ip), IpFault::length);
  EXPECT_EQ(parse_ip(Bytes(packet).first(100), ip), IpFault::length);
}

TEST(ParseIp, AnIpv6JumbogramEndsAfterItsHeader) {
  Packet packet(70'000);
  packet[0] = 0x60;
  IpView ip;
  ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
  EXPECT_EQ(ip.length, 40u);
}

TEST(ParseIp, AFaultLeavesTheViewAlone) {
  IpView ip;
  ip.length = 123;
  EXPECT_EQ(parse_ip({}, ip), IpFault::header);
  EXPECT_EQ(ip.length, 123u);
}

UpperLayer upper_layer_of(const Packet& packet, bool& found) {
  IpView ip;
  EXPECT_EQ(parse_ip(packet, ip), IpFault::none);
  UpperLayer upper;
  found = find_upper_layer(packet, ip, upper);
  return upper;
}

Packet v6_with(std::uint8_t next, const Packet& rest) {
  Packet packet(40 + rest.size());
  packet[0] = 0x60;
  packet[4] = static_cast<std::uint8_t>(rest.size() >> 8);
  packet[5] = static_cast<std::uint8_t>(rest.size());
  packet[6] = next;
  std::copy(rest.begin(), rest.end(), packet.begin() + 40);
  return packet;
}

TEST(UpperLayer, StandsBehindTheIpHeader) {
  bool found = false;
  const UpperLayer upper = upper_layer_of(v4_packet(), found);
  EXPECT_TRUE(found);
  EXPECT_EQ(upper.protocol, protocol::kUdp);
  EXPECT_EQ(upper.offset, 20u);
  EXPECT_FALSE(upper.is_fragment);
  EXPECT_TRUE(upper.is_first_fragment);
}

TEST(UpperLayer, Ipv4FragmentsAreRecognised) {
  bool found = false;
  UpperLayer upper = upper_layer_of(build(Spec{.udp = true, .fragment = 0x2000}), found);
  EXPECT_TRUE(upper.is_fragment);
  EXPECT_TRUE(upper.is_first_fragment);
  upper = upper_layer_of(build(Spec{.udp = true, .fragment = 0x0001}), found);
  EXPECT_TRUE(upper.is_fragment);
  EXPECT_FALSE(upper.is_first_fragment);
}

TEST(UpperLayer, StandsBehindIpv6ExtensionHeaders) {
  Packet rest(8 + 16 + 8 + 4);
  rest[0] = protocol::kRouting;  // hop-by-hop options, 8 bytes
  rest[8] = protocol::kDestinationOptions;
  rest[9] = 1;  // routing header, 16 bytes
  rest[24] = protocol::kTcp;
  bool found = false;
  const UpperLayer upper = upper_layer_of(v6_with(protocol::kHopByHop, rest), found);
  EXPECT_TRUE(found);
  EXPECT_EQ(upper.protocol, protocol::kTcp);
  EXPECT_EQ(upper.offset, 72u);
}

TEST(UpperLayer, NothingIsReadBehindALaterFragmentsHeader) {
  Packet rest(8);
  rest[0] = protocol::kHopByHop;
  rest[3] = 8;  // fragment offset 1
  bool found = false;
  const UpperLayer upper = upper_layer_of(v6_with(protocol::kFragment, rest), found);
  EXPECT_TRUE(found);
  EXPECT_TRUE(upper.is_fragment);
  EXPECT_FALSE(upper.is_first_fragment);
}

TEST(UpperLayer, AnExtensionHeaderBeyondThePacketIsRefused) {
  Packet rest(8);
  rest[0] = protocol::kTcp;
  rest[1] = 1;
  bool found = true;
  upper_layer_of(v6_with(protocol::kHopByHop, rest), found);
  EXPECT_FALSE(found);
  upper_layer_of(v6_with(protocol::kHopByHop, Packet(7)), found);
  EXPECT_FALSE(found);
}

TEST(UpperLayer, TheChainOfExtensionHeadersIsBounded) {
  for (int count : {kMaxExtensionHeaders, kMaxExtensionHeaders + 1}) {
    Packet rest(8 * static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < rest.size(); i += 8) rest[i] = protocol::kDestinationOptions;
    rest[rest.size() - 8] = protocol::kTcp;
    bool found = false;
    upper_layer_of(v6_with(protocol::kDestinationOptions, rest), found);
    EXPECT_EQ(found, count == kMaxExtensionHeaders);
  }
}

TEST(ParseIp, RandomBytesNeverLeadOutside) {
  Random random(1);
  for (int round = 0; round < 200'000; ++round) {
    // An allocation of just this size, so that AddressSanitizer sees a step outside.
    Packet bytes = testing::random_bytes(random, testing::pick(random, 0, 80));
    if (!bytes.empty() && round % 4 != 0) bytes[0] = round % 2 == 0 ? 0x45 : 0x60;
    if (bytes.size() > 5 && round % 3 != 0) bytes[2] = bytes[4] = 0;
    IpView ip;
    if (parse_ip(bytes, ip) != IpFault::none) continue;
    ASSERT_LE(ip.header_size, ip.length);
    ASSERT_LE(ip.length, bytes.size());
    UpperLayer upper;
    if (find_upper_layer(bytes, ip, upper)) {
      ASSERT_LE(upper.offset, ip.length);
    }
  }
}

}  // namespace
}  // namespace ferrule::packet
