#include "packet/icmp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "packet/headers.h"
#include "packet/ip.h"
#include "packet/packets_testing.h"

namespace ferrule::packet {
namespace {

using testing::build;
using testing::naive_checksum;
using testing::Packet;
using testing::Random;
using testing::Spec;

Packet answer_to(const Packet& offending, Unreachable why = Unreachable::no_route) {
  Packet out(kMaxUnreachableSize);
  out.resize(make_unreachable(offending, why, out));
  return out;
}

bool is_answered(const Packet& offending) { return !answer_to(offending).empty(); }

Packet tcp_packet(bool v6, std::size_t payload = 100) {
  return build(Spec{.v6 = v6, .payload = Packet(payload, 0x55)});
}

// An ICMP or ICMPv6 message of this type, in a packet with right lengths.
Packet icmp_packet(bool v6, std::uint8_t type) {
  Packet packet = build(Spec{.v6 = v6, .udp = true, .payload = Packet(20)});
  packet[v6 ? 6 : 9] = v6 ? 58 : 1;
  packet[v6 ? 40 : 20] = type;
  return packet;
}

void set_addresses(Packet& packet, const Packet& source, const Packet& destination) {
  const std::size_t at = source.size() == 4 ? 12 : 8;
  std::copy(source.begin(), source.end(), packet.begin() + static_cast<std::ptrdiff_t>(at));
  std::copy(destination.begin(), destination.end(),
            packet.begin() + static_cast<std::ptrdiff_t>(at + source.size()));
}

TEST(MakeUnreachable, P73_Ipv4IsHostUnreachableForBothReasons) {
  for (Unreachable why : {Unreachable::no_route, Unreachable::address}) {
    const Packet answer = answer_to(tcp_packet(false), why);
    ASSERT_GE(answer.size(), 28u);
    EXPECT_EQ(answer[9], 1);   // ICMP
    EXPECT_EQ(answer[20], 3);  // destination unreachable
    EXPECT_EQ(answer[21], 1);  // host
  }
}

TEST(MakeUnreachable, P73_Ipv6TellsNoRouteFromAddressUnreachable) {
  const Packet no_route = answer_to(tcp_packet(true), Unreachable::no_route);
  const Packet address = answer_to(tcp_packet(true), Unreachable::address);
  ASSERT_GE(no_route.size(), 48u);
  EXPECT_EQ(no_route[6], 58);  // ICMPv6
  EXPECT_EQ(no_route[40], 1);  // destination unreachable
  EXPECT_EQ(no_route[41], 0);
  EXPECT_EQ(address[41], 3);
}

TEST(MakeUnreachable, P73_GoesFromTheDestinationToTheInnerSource) {
  for (bool v6 : {false, true}) {
    const Packet offending = tcp_packet(v6);
    const Packet answer = answer_to(offending);
    IpView asked;
    IpView answered;
    ASSERT_EQ(parse_ip(offending, asked), IpFault::none);
    ASSERT_EQ(parse_ip(answer, answered), IpFault::none);
    EXPECT_EQ(answered.source_address(), asked.destination_address());
    EXPECT_EQ(answered.destination_address(), asked.source_address());
    EXPECT_EQ(answered.length, answer.size());
  }
}

TEST(MakeUnreachable, P73_ChecksumsAreRight) {
  for (std::size_t payload = 0; payload < 1300; ++payload) {
    const Packet v4 = answer_to(tcp_packet(false, payload));
    ASSERT_EQ(naive_checksum(Bytes(v4).first(20)), 0);
    ASSERT_EQ(naive_checksum(Bytes(v4).subspan(20)), 0);
    const Packet v6 = answer_to(tcp_packet(true, payload));
    ASSERT_EQ(
        naive_checksum(Bytes(v6).subspan(40), testing::naive_pseudo_sum(v6, 58, v6.size() - 40)),
        0);
  }
}

TEST(MakeUnreachable, P73_QuotesTheWholePacketWhereItFits) {
  for (bool v6 : {false, true}) {
    const Packet offending = tcp_packet(v6);
    const Packet answer = answer_to(offending);
    EXPECT_EQ(Packet(answer.begin() + (v6 ? 48 : 28), answer.end()), offending);
  }
}

TEST(MakeUnreachable, P73_AnIpv4AnswerHasAtMost576Bytes) {
  const Packet offending = tcp_packet(false, 1400);
  const Packet answer = answer_to(offending);
  EXPECT_EQ(answer.size(), 576u);
  EXPECT_TRUE(std::equal(answer.begin() + 28, answer.end(), offending.begin()));
}

TEST(MakeUnreachable, P73_AnIpv6AnswerHasAtMost1280Bytes) {
  const Packet offending = tcp_packet(true, 1400);
  const Packet answer = answer_to(offending);
  EXPECT_EQ(answer.size(), 1280u);
  EXPECT_TRUE(std::equal(answer.begin() + 48, answer.end(), offending.begin()));
}

TEST(MakeUnreachable, PaddingIsNotQuoted) {
  Packet offending = tcp_packet(false, 3);
  const std::size_t length = offending.size();
  offending.resize(length + 13);
  EXPECT_EQ(answer_to(offending).size(), 28 + length);
}

TEST(MakeUnreachable, ASuperPacketIsQuotedWithTheHeadersThatItsSenderWrote) {
  for (bool v6 : {false, true}) {
    const Packet offending = testing::build_super(Spec{.v6 = v6, .payload = Packet(60'000)});
    const Packet answer = answer_to(offending);
    ASSERT_GT(answer.size(), 100u);
    EXPECT_TRUE(std::equal(answer.begin() + (v6 ? 48 : 28), answer.end(), offending.begin()));
  }
}

TEST(MakeUnreachable, NoIcmpErrorIsAnswered) {
  for (std::uint8_t type : {3, 4, 5, 11, 12}) EXPECT_FALSE(is_answered(icmp_packet(false, type)));
  for (std::uint8_t type : {1, 2, 3, 4, 100, 127, 137}) {
    EXPECT_FALSE(is_answered(icmp_packet(true, type)));
  }
}

TEST(MakeUnreachable, IcmpQueriesAreAnswered) {
  for (std::uint8_t type : {0, 8, 13, 17, 42}) EXPECT_TRUE(is_answered(icmp_packet(false, type)));
  for (std::uint8_t type : {128, 129, 135, 160}) EXPECT_TRUE(is_answered(icmp_packet(true, type)));
}

TEST(MakeUnreachable, IcmpOfUnknownTypeMayBeAnErrorAndIsNotAnswered) {
  EXPECT_FALSE(is_answered(icmp_packet(false, 200)));
}

TEST(MakeUnreachable, AnIcmpErrorBehindExtensionHeadersIsNotAnswered) {
  Packet packet = icmp_packet(true, 60);
  packet[6] = protocol::kDestinationOptions;
  packet[40] = protocol::kIcmpv6;
  packet[41] = 0;
  packet[48] = 1;
  EXPECT_FALSE(is_answered(packet));
  packet[48] = 128;
  EXPECT_TRUE(is_answered(packet));
}

TEST(MakeUnreachable, ExtensionHeadersThatHideTheUpperLayerGetNoAnswer) {
  Packet packet = tcp_packet(true);
  packet[6] = protocol::kDestinationOptions;
  packet[41] = 0xff;
  EXPECT_FALSE(is_answered(packet));
}

TEST(MakeUnreachable, IcmpWithoutATypeIsNotAnswered) {
  Packet v4 = build(Spec{.udp = true});
  v4.resize(20);
  v4[3] = 20;
  v4[9] = 1;
  EXPECT_FALSE(is_answered(v4));
  Packet v6 = build(Spec{.v6 = true, .udp = true});
  v6.resize(40);
  v6[5] = 0;
  v6[6] = 58;
  EXPECT_FALSE(is_answered(v6));
}

TEST(MakeUnreachable, OnlyTheFirstFragmentIsAnswered) {
  EXPECT_TRUE(is_answered(build(Spec{.udp = true, .fragment = 0x2000, .payload = Packet(8)})));
  EXPECT_FALSE(is_answered(build(Spec{.udp = true, .fragment = 0x2001, .payload = Packet(8)})));
  EXPECT_FALSE(is_answered(build(Spec{.udp = true, .fragment = 0x0001, .payload = Packet(8)})));
  Packet v6 = tcp_packet(true);
  v6[6] = protocol::kFragment;
  v6[40] = protocol::kTcp;
  v6[42] = 0;
  v6[43] = 1;  // the first, with more to come
  EXPECT_TRUE(is_answered(v6));
  v6[43] = 8;
  EXPECT_FALSE(is_answered(v6));
}

TEST(MakeUnreachable, AnIpv4AddressThatIsNotOneHostsGetsNoAnswer) {
  const Packet host{10, 0, 0, 1};
  for (const Packet& other :
       {Packet{0, 0, 0, 0}, Packet{0, 1, 2, 3}, Packet{127, 0, 0, 1}, Packet{224, 0, 0, 1},
        Packet{239, 1, 2, 3}, Packet{240, 0, 0, 1}, Packet{255, 255, 255, 255}}) {
    Packet packet = tcp_packet(false);
    set_addresses(packet, other, host);
    EXPECT_FALSE(is_answered(packet)) << int{other[0]};
    set_addresses(packet, host, other);
    EXPECT_FALSE(is_answered(packet)) << int{other[0]};
  }
}

TEST(MakeUnreachable, AnIpv6AddressThatIsNotOneHostsGetsNoAnswer) {
  Packet host(16);
  host[0] = 0xfd;
  Packet unspecified(16);
  Packet loopback(16);
  loopback[15] = 1;
  Packet multicast(16);
  multicast[0] = 0xff;
  for (const Packet& other : {unspecified, loopback, multicast}) {
    Packet packet = tcp_packet(true);
    set_addresses(packet, other, host);
    EXPECT_FALSE(is_answered(packet));
    set_addresses(packet, host, other);
    EXPECT_FALSE(is_answered(packet));
  }
}

TEST(MakeUnreachable, WritesNothingWhereThereIsNoRoom) {
  for (bool v6 : {false, true}) {
    const Packet offending = tcp_packet(v6);
    const std::size_t size = answer_to(offending).size();
    Packet out(size - 1, 0xee);
    EXPECT_EQ(make_unreachable(offending, Unreachable::no_route, out), 0u);
    EXPECT_EQ(out, Packet(size - 1, 0xee));
    out.resize(size);
    EXPECT_EQ(make_unreachable(offending, Unreachable::no_route, out), size);
  }
}

TEST(MakeUnreachable, WhatIsNoIpPacketGetsNoAnswer) {
  EXPECT_FALSE(is_answered({}));
  EXPECT_FALSE(is_answered(Packet(100)));
}

TEST(MakeUnreachable, AnAnswerIsNeverAnswered) {
  for (bool v6 : {false, true}) EXPECT_FALSE(is_answered(answer_to(tcp_packet(v6))));
}

TEST(MakeUnreachable, RandomPacketsNeverLeadOutside) {
  Random random(8);
  for (int round = 0; round < 100'000; ++round) {
    Packet packet = testing::random_bytes(random, testing::pick(random, 0, 120));
    if (packet.size() >= 40) {
      const bool v6 = round % 2 == 0;
      packet[0] = v6 ? 0x60 : static_cast<std::uint8_t>(0x40 | testing::pick(random, 4, 9));
      packet[v6 ? 4 : 2] = 0;
      packet[v6 ? 5 : 3] = static_cast<std::uint8_t>(packet.size() - (v6 ? 40 : 0));
      if (v6) {
        packet[6] = packet.size() > 48 && round % 3 == 0 ? 60 : packet[6];
      }
    }
    Packet out(testing::pick(random, 0, 200));
    ASSERT_LE(make_unreachable(packet, Unreachable::address, out), out.size());
  }
}

}  // namespace
}  // namespace ferrule::packet
