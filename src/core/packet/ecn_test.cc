#include "packet/ecn.h"

#include <gtest/gtest.h>

#include "packet/packets_testing.h"

namespace ferrule::packet {
namespace {

using testing::build;
using testing::is_sound;
using testing::Packet;
using testing::Spec;

constexpr std::uint8_t kDscp = 0xb8;

constexpr std::uint8_t bits(Ecn ecn) { return static_cast<std::uint8_t>(ecn); }

Packet packet_with(bool v6, Ecn ecn) {
  return build(Spec{.v6 = v6,
                    .udp = true,
                    .traffic_class = static_cast<std::uint8_t>(kDscp | bits(ecn)),
                    .payload = Packet(9, 3)});
}

std::uint8_t traffic_class_of(const Packet& packet) {
  IpView ip;
  EXPECT_EQ(parse_ip(packet, ip), IpFault::none);
  return ip.traffic_class;
}

Packet after(Packet packet, Ecn outer) {
  IpView ip;
  EXPECT_EQ(parse_ip(packet, ip), IpFault::none);
  apply_outer_ecn(packet, ip, bits(outer));
  return packet;
}

TEST(Ecn, P76_EveryCodePointIsCopiedOut) {
  for (Ecn inner : {Ecn::not_ect, Ecn::ect1, Ecn::ect0, Ecn::ce}) {
    EXPECT_EQ(encapsulated_ecn(bits(inner)), bits(inner));
  }
}

TEST(Ecn, P76_DscpIsNotCopiedOut) { EXPECT_EQ(encapsulated_ecn(kDscp | 2), 2); }

TEST(Ecn, P76_DecapsulationFollowsTheTableOfRfc6040) {
  using enum Ecn;
  struct Row {
    Ecn inner, outer, result;
  };
  const Row table[] = {
      {not_ect, not_ect, not_ect},
      {not_ect, ect0, not_ect},
      {not_ect, ect1, not_ect},
      {ect0, not_ect, ect0},
      {ect0, ect0, ect0},
      {ect0, ect1, ect1},
      {ect0, ce, ce},
      {ect1, not_ect, ect1},
      {ect1, ect0, ect1},
      {ect1, ect1, ect1},
      {ect1, ce, ce},
      {ce, not_ect, ce},
      {ce, ect0, ce},
      {ce, ect1, ce},
      {ce, ce, ce},
  };
  for (bool v6 : {false, true}) {
    for (const Row& row : table) {
      const Packet packet = after(packet_with(v6, row.inner), row.outer);
      EXPECT_EQ(traffic_class_of(packet), kDscp | bits(row.result))
          << v6 << ' ' << int{bits(row.inner)} << ' ' << int{bits(row.outer)};
    }
  }
}

TEST(Ecn, P76b_CongestionOnAPacketThatKnowsNoEcnLeavesItAsItWas) {
  for (bool v6 : {false, true}) {
    const Packet packet = packet_with(v6, Ecn::not_ect);
    EXPECT_EQ(after(packet, Ecn::ce), packet);
  }
}

TEST(Ecn, P76_NothingElseInThePacketChanges) {
  for (bool v6 : {false, true}) {
    EXPECT_EQ(after(packet_with(v6, Ecn::ect0), Ecn::ce), packet_with(v6, Ecn::ce));
    EXPECT_EQ(after(packet_with(v6, Ecn::ect0), Ecn::ect1), packet_with(v6, Ecn::ect1));
  }
}

TEST(Ecn, P76_TheIpv4HeaderChecksumStaysRightForAnyHeader) {
  for (unsigned id = 0; id < 65536; ++id) {
    const Packet packet = build(
        Spec{.udp = true, .traffic_class = 2, .id = static_cast<std::uint16_t>(id), .payload = {}});
    ASSERT_TRUE(is_sound(after(packet, Ecn::ce))) << id;
  }
}

TEST(Ecn, AWrongIpv4HeaderChecksumStaysWrong) {
  Packet packet = packet_with(false, Ecn::ect0);
  packet[10] ^= 0x40;
  EXPECT_FALSE(is_sound(after(packet, Ecn::ce)));
}

TEST(Ecn, OnlyTheTwoLowBitsOfTheOuterFieldCount) {
  Packet packet = packet_with(false, Ecn::ect0);
  IpView ip;
  ASSERT_EQ(parse_ip(packet, ip), IpFault::none);
  apply_outer_ecn(packet, ip, 0x88);
  EXPECT_EQ(packet, packet_with(false, Ecn::ect0));
}

}  // namespace
}  // namespace ferrule::packet
