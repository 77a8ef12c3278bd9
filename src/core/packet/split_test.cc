#include "packet/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "packet/headers.h"
#include "packet/packets_testing.h"

namespace ferrule::packet {
namespace {

using testing::build;
using testing::build_super;
using testing::is_sound;
using testing::naive_checksum;
using testing::naive_split;
using testing::Packet;
using testing::pick;
using testing::Random;
using testing::random_bytes;
using testing::Spec;
using testing::super_offload;

struct Super {
  Packet packet;
  Offload offload;
};

Super make_super(const Spec& spec, std::uint16_t segment_size) {
  return {build_super(spec), super_offload(spec, segment_size)};
}

std::vector<Packet> split(const Super& super) {
  const Splitter splitter(super.packet, super.offload);
  std::vector<Packet> segments;
  for (std::size_t i = 0; i < splitter.count(); ++i) {
    Packet out(splitter.size_of(i));  // just enough, so that AddressSanitizer sees a step outside
    EXPECT_EQ(splitter.write(i, out), out.size());
    segments.push_back(std::move(out));
  }
  return segments;
}

Spec random_spec(Random& random) {
  Spec spec;
  spec.v6 = pick(random, 0, 1) == 1;
  spec.udp = pick(random, 0, 1) == 1;
  spec.source_port = static_cast<std::uint16_t>(random());
  spec.traffic_class = static_cast<std::uint8_t>(random());
  spec.id = static_cast<std::uint16_t>(random());
  spec.fragment = pick(random, 0, 1) == 1 ? 0x4000 : 0;
  spec.sequence = pick(random, 0, 3) == 0 ? 0xffffff00u : static_cast<std::uint32_t>(random());
  spec.flags = static_cast<std::uint8_t>(random());
  spec.reserved = static_cast<std::uint8_t>(pick(random, 0, 15));
  spec.urgent = static_cast<std::uint16_t>(random());
  if (pick(random, 0, 3) == 0) spec.ip_options = random_bytes(random, 4 * pick(random, 1, 10));
  if (pick(random, 0, 1) == 0) spec.tcp_options = random_bytes(random, 4 * pick(random, 1, 10));
  return spec;
}

std::vector<Spec> both_families(Spec spec) {
  std::vector<Spec> specs(2, spec);
  specs[1].v6 = true;
  return specs;
}

TEST(Splitter, WritesWhatTheKernelsSegmentationWould) {
  Random random(10);
  for (int round = 0; round < 3000; ++round) {
    Spec spec = random_spec(random);
    spec.payload = random_bytes(random, pick(random, 1, round % 10 == 0 ? 60'000 : 9000));
    const auto segment_size =
        static_cast<std::uint16_t>(round % 7 == 0 ? pick(random, 8, 100) : pick(random, 500, 9000));
    Super super = make_super(spec, segment_size);
    ASSERT_EQ(split(super), naive_split(super.packet, super.offload)) << round;
  }
}

TEST(Splitter, ComputesThePseudoHeaderWhereTheKernelHasNot) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    Spec spec = random_spec(random);
    spec.payload = random_bytes(random, pick(random, 1, 5000));
    Super super = make_super(spec, 1000);
    super.offload.needs_checksum = false;
    super.offload.checksum_start = super.offload.checksum_offset = 0;
    ASSERT_EQ(split(super), naive_split(super.packet, super.offload)) << round;
  }
}

TEST(Splitter, EverySegmentIsSound) {
  for (const Spec& tcp : both_families({.payload = Packet(10'000, 0x33)})) {
    for (bool udp : {false, true}) {
      Spec spec = tcp;
      spec.udp = udp;
      const std::vector<Packet> segments = split(make_super(spec, 1400));
      EXPECT_EQ(segments.size(), 8u);
      for (const Packet& segment : segments) EXPECT_TRUE(is_sound(segment));
    }
  }
}

TEST(Splitter, Ipv4IdsCountUpAndWrap) {
  const std::vector<Packet> segments = split(make_super({.id = 0xffff, .payload = Packet(30)}, 10));
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(load_be16(segments[0].data() + 4), 0xffff);
  EXPECT_EQ(load_be16(segments[1].data() + 4), 0);
  EXPECT_EQ(load_be16(segments[2].data() + 4), 1);
}

TEST(Splitter, SequenceNumbersWrap) {
  const std::vector<Packet> segments =
      split(make_super({.sequence = 0xfffffff8u, .payload = Packet(20)}, 10));
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(load_be32(segments[1].data() + 24), 2u);
}

TEST(Splitter, OnlyTheLastSegmentCarriesFinAndPsh) {
  const std::vector<Packet> segments =
      split(make_super({.flags = tcp::kAck | tcp::kFin | tcp::kPsh, .payload = Packet(30)}, 10));
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0][33], tcp::kAck);
  EXPECT_EQ(segments[1][33], tcp::kAck);
  EXPECT_EQ(segments[2][33], tcp::kAck | tcp::kFin | tcp::kPsh);
}

TEST(Splitter, OnlyTheFirstSegmentCarriesCwr) {
  const std::vector<Packet> segments =
      split(make_super({.flags = tcp::kAck | tcp::kCwr, .payload = Packet(30)}, 10));
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0][33], tcp::kAck | tcp::kCwr);
  EXPECT_EQ(segments[1][33], tcp::kAck);
  EXPECT_EQ(segments[2][33], tcp::kAck);
}

TEST(Splitter, OnlyTheLastSegmentMayBeShorter) {
  const std::vector<Packet> segments = split(make_super({.payload = Packet(2500)}, 1000));
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0].size(), 1040u);
  EXPECT_EQ(segments[1].size(), 1040u);
  EXPECT_EQ(segments[2].size(), 540u);
}

TEST(Splitter, ASuperPacketThatFitsOneSegmentIsOnePacket) {
  for (std::size_t payload : {0u, 1u, 1000u}) {
    const Super super = make_super({.flags = 0x19, .payload = Packet(payload, 1)}, 1000);
    EXPECT_EQ(split(super), naive_split(super.packet, super.offload));
    EXPECT_EQ(segment_count(super.packet.size(), super.offload), 1u);
  }
}

TEST(Splitter, AUdpChecksumIsNeverZero) {
  // Some value of the last word makes the sum come out as zero.
  for (std::uint32_t value = 0; value < 65536; ++value) {
    Spec spec{.udp = true, .payload = Packet(4)};
    store_be16(spec.payload.data() + 2, static_cast<std::uint16_t>(value));
    const Super super = make_super(spec, 4);
    Packet out(super.packet.size());
    ASSERT_EQ(write_segment(super.packet, super.offload, 0, out), out.size());
    ASSERT_NE(load_be16(out.data() + 26), 0);
  }
}

// A super-packet over IPv6 with one extension header of `type` in front of TCP.
Super with_extension(std::uint8_t type, const Packet& extension) {
  const Spec spec{.v6 = true, .payload = Packet(3000, 0x77)};
  Super super = make_super(spec, 1000);
  super.packet.insert(super.packet.begin() + 40, extension.begin(), extension.end());
  super.packet[6] = type;
  super.packet[40] = protocol::kTcp;
  const auto size = static_cast<std::uint16_t>(extension.size());
  store_be16(super.packet.data() + 4, static_cast<std::uint16_t>(super.packet.size() - 40));
  super.offload.header_size = static_cast<std::uint16_t>(super.offload.header_size + size);
  super.offload.checksum_start = static_cast<std::uint16_t>(super.offload.checksum_start + size);
  return super;
}

TEST(Splitter, KeepsIpv6ExtensionHeaders) {
  Super super = with_extension(protocol::kDestinationOptions, Packet(16, 1));
  super.packet[41] = 1;
  const std::vector<Packet> segments = split(super);
  ASSERT_EQ(segments.size(), 3u);
  for (const Packet& segment : segments) {
    EXPECT_TRUE(std::equal(segment.begin() + 6, segment.begin() + 56, super.packet.begin() + 6));
    EXPECT_EQ(load_be16(segment.data() + 4), segment.size() - 40);
    const std::uint32_t pseudo = testing::naive_pseudo_sum(segment, 6, segment.size() - 56);
    EXPECT_EQ(naive_checksum(Bytes(segment).subspan(56), pseudo), 0);
  }
}

TEST(Splitter, TrustsThePseudoHeaderSumBehindARoutingHeader) {
  Super super = with_extension(protocol::kRouting, Packet(8));
  // The final destination, which the sum is about, differs from the one in the header.
  std::uint8_t* field = super.packet.data() + 48 + tcp::kChecksum;
  store_be16(field, static_cast<std::uint16_t>(load_be16(field) + 5));
  for (const Packet& segment : split(super)) {
    const std::uint32_t pseudo = testing::naive_pseudo_sum(segment, 6, segment.size() - 48) + 5;
    EXPECT_EQ(naive_checksum(Bytes(segment).subspan(48), pseudo), 0);
  }
}

TEST(Splitter, WritesNothingWhereThereIsNoRoom) {
  const Super super = make_super({.payload = Packet(2500)}, 1000);
  const Splitter splitter(super.packet, super.offload);
  for (std::size_t i = 0; i < 3; ++i) {
    Packet out(splitter.size_of(i) - 1, 0xee);
    EXPECT_EQ(splitter.write(i, out), 0u);
    EXPECT_EQ(out, Packet(out.size(), 0xee));
  }
}

TEST(Splitter, WritesNothingBehindTheSegment) {
  const Super super = make_super({.payload = Packet(2500)}, 1000);
  Packet out(2000, 0xee);
  EXPECT_EQ(write_segment(super.packet, super.offload, 2, out), 540u);
  EXPECT_EQ(out[540], 0xee);
}

TEST(Splitter, ThereIsNoSegmentBehindTheLast) {
  const Super super = make_super({.payload = Packet(2500)}, 1000);
  Packet out(2000);
  EXPECT_EQ(write_segment(super.packet, super.offload, 3, out), 0u);
  EXPECT_EQ(write_segment(super.packet, super.offload, SIZE_MAX, out), 0u);
}

TEST(Splitter, AnOrdinaryPacketIsCopied) {
  for (const Spec& spec : both_families({.payload = Packet(77, 5)})) {
    const Packet packet = build(spec);
    EXPECT_EQ(split({packet, {}}), std::vector<Packet>{packet});
  }
}

TEST(Splitter, AnOrdinaryPacketsChecksumIsCompleted) {
  for (const Spec& spec : both_families({.payload = Packet(77, 5)})) {
    Offload offload = super_offload(spec, 0);
    offload.gso = GsoType::none;
    EXPECT_EQ(split({build_super(spec), offload}), std::vector<Packet>{build(spec)});
  }
}

TEST(SegmentCount, AgreesWithTheSplitter) {
  for (std::size_t payload = 0; payload < 300; ++payload) {
    for (std::uint16_t segment_size = 1; segment_size < 20; ++segment_size) {
      const Super super = make_super({.payload = Packet(payload)}, segment_size);
      const std::size_t count = segment_count(super.packet.size(), super.offload);
      ASSERT_EQ(Splitter(super.packet, super.offload).count(), count);
      std::size_t total = 0;
      for (std::size_t i = 0; i < count; ++i) {
        total += segment_size_of(super.packet.size(), super.offload, i) - 40;
      }
      ASSERT_EQ(total, payload);
    }
  }
}

TEST(SegmentCount, IsOneForAnOrdinaryPacket) {
  EXPECT_EQ(segment_count(1500, {}), 1u);
  EXPECT_EQ(segment_size_of(1500, {}, 0), 1500u);
}

TEST(SegmentCount, IsZeroForAnOffloadThatCannotBe) {
  EXPECT_EQ(segment_count(100, {.gso = GsoType::tcp4, .segment_size = 0, .header_size = 40}), 0u);
  EXPECT_EQ(segment_count(39, {.gso = GsoType::tcp4, .segment_size = 9, .header_size = 40}), 0u);
}

TEST(ValidOffload, AcceptsWhatTheKernelSends) {
  for (const Spec& tcp : both_families({.payload = Packet(3000)})) {
    for (bool udp : {false, true}) {
      Spec spec = tcp;
      spec.udp = udp;
      const Super super = make_super(spec, 1000);
      EXPECT_TRUE(valid_offload(super.packet, super.offload));
    }
  }
}

// Each case breaks one thing in a valid super-packet over IPv4 and TCP.
void expect_refused(const char* what, void (*damage)(Super&)) {
  Super super = make_super({.payload = Packet(3000)}, 1000);
  damage(super);
  EXPECT_FALSE(valid_offload(super.packet, super.offload)) << what;
  EXPECT_TRUE(split(super).empty()) << what;
}

TEST(ValidOffload, RefusesWhatDoesNotFitThePacket) {
  expect_refused("no segment size", [](Super& s) { s.offload.segment_size = 0; });
  expect_refused("header too small", [](Super& s) { s.offload.header_size = 39; });
  expect_refused("header too large", [](Super& s) { s.offload.header_size = 44; });
  expect_refused("header beyond the packet", [](Super& s) { s.offload.header_size = 60'000; });
  expect_refused("other family", [](Super& s) { s.offload.gso = GsoType::tcp6; });
  expect_refused("other protocol", [](Super& s) { s.offload.gso = GsoType::udp; });
  expect_refused("checksum elsewhere", [](Super& s) { s.offload.checksum_start = 24; });
  expect_refused("checksum of UDP", [](Super& s) { s.offload.checksum_offset = 6; });
}

TEST(ValidOffload, RefusesPacketsThatCannotBeCut) {
  expect_refused("empty", [](Super& s) { s.packet.clear(); });
  expect_refused("not IP", [](Super& s) { s.packet[0] = 0x55; });
  expect_refused("shorter than it says", [](Super& s) { s.packet.pop_back(); });
  expect_refused("longer than it says", [](Super& s) { s.packet.push_back(0); });
  expect_refused("first fragment", [](Super& s) { s.packet[6] = 0x20; });
  expect_refused("later fragment", [](Super& s) { s.packet[7] = 1; });
  expect_refused("neither TCP nor UDP", [](Super& s) { s.packet[9] = 50; });
  expect_refused("TCP header too small", [](Super& s) { s.packet[32] = 0x40; });
  expect_refused("TCP header beyond the packet", [](Super& s) {
    s = make_super({}, 1000);
    s.packet[32] = 0xf0;
  });
}

TEST(ValidOffload, RefusesMoreSegmentsThanTheKernelMakes) {
  const Super most = make_super({.payload = Packet(kMaxSegments)}, 1);
  EXPECT_EQ(Splitter(most.packet, most.offload).count(), kMaxSegments);
  const Super more = make_super({.payload = Packet(kMaxSegments + 1)}, 1);
  EXPECT_FALSE(valid_offload(more.packet, more.offload));
}

TEST(ValidOffload, RefusesAChecksumOutsideAnOrdinaryPacket) {
  const Packet packet(40);
  Offload offload{.needs_checksum = true, .checksum_start = 20, .checksum_offset = 18};
  EXPECT_TRUE(valid_offload(packet, offload));
  offload.checksum_offset = 19;
  EXPECT_FALSE(valid_offload(packet, offload));
  offload.checksum_start = 0xffff;
  offload.checksum_offset = 0xffff;
  EXPECT_FALSE(valid_offload(packet, offload));
}

TEST(ValidOffload, RandomDamageNeverLeadsOutside) {
  Random random(12);
  for (int round = 0; round < 100'000; ++round) {
    Spec spec = random_spec(random);
    spec.payload = Packet(pick(random, 0, 40));
    Super super = make_super(spec, static_cast<std::uint16_t>(pick(random, 1, 20)));
    for (std::size_t i = pick(random, 1, 4); i > 0; --i) {
      switch (pick(random, 0, 5)) {
        case 0:
          super.offload.header_size = static_cast<std::uint16_t>(random());
          break;
        case 1:
          super.offload.segment_size = static_cast<std::uint16_t>(random());
          break;
        case 2:
          super.offload.gso = static_cast<GsoType>(pick(random, 0, 3));
          break;
        case 3:
          super.offload.checksum_start = static_cast<std::uint16_t>(pick(random, 0, 100));
          break;
        default:
          super.packet[pick(random, 0, std::min<std::size_t>(super.packet.size(), 80) - 1)] =
              static_cast<std::uint8_t>(random());
      }
    }
    split(super);
  }
}

TEST(CompleteChecksum, MakesThePacketSound) {
  Random random(13);
  for (int round = 0; round < 2000; ++round) {
    Spec spec = random_spec(random);
    spec.payload = random_bytes(random, pick(random, 0, 1500));
    Packet packet = build_super(spec);
    Offload offload = super_offload(spec, 0);
    offload.gso = GsoType::none;
    complete_checksum(packet, offload);
    ASSERT_EQ(packet, build(spec));
  }
}

TEST(CompleteChecksum, LeavesACompletePacketAlone) {
  const Packet packet = build({.payload = Packet(50)});
  Packet same = packet;
  complete_checksum(same, {});
  EXPECT_EQ(same, packet);
}

TEST(CompleteChecksum, TouchesNothingOutsideThePacket) {
  Packet packet(40, 0xee);
  for (unsigned start = 0; start < 60; ++start) {
    for (unsigned offset = 0; offset < 60; ++offset) {
      if (start + offset + 2 <= 40) continue;
      complete_checksum(packet, {.needs_checksum = true,
                                 .checksum_start = static_cast<std::uint16_t>(start),
                                 .checksum_offset = static_cast<std::uint16_t>(offset)});
    }
  }
  EXPECT_EQ(packet, Packet(40, 0xee));
}

}  // namespace
}  // namespace ferrule::packet
