// Super-packets and trains through two hosts' lanes: whatever the kernels could do for us, what comes
// out is byte for byte what plain packets would have been.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/wire.h"
#include "engine/world_testing.h"

namespace ferrule::engine::testing {
namespace {

using io::MemoryPacket;
using packet::GsoType;
using packet::testing::build_super;
using packet::testing::naive_split;
using packet::testing::super_offload;
using protocol::Drop;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr packet::OffloadSupport kNone = {};

Packet pattern(std::size_t size) {
  packet::testing::Random random(size);
  return packet::testing::random_bytes(random, size);
}

Spec tcp(std::size_t payload, bool v6 = false) {
  Spec spec;
  spec.v6 = v6;
  spec.payload = pattern(payload);
  return spec;
}

Spec udp(std::size_t payload, bool v6 = false) {
  Spec spec = tcp(payload, v6);
  spec.udp = true;
  return spec;
}

class SuperPackets : public ::testing::Test {
 protected:
  // A pair with a session, of which `b` takes what `taken` says.
  void join(packet::OffloadSupport taken, bool coalesces = true) {
    a = &world.host();
    b = &world.host({.tun = taken, .coalesces = coalesces});
    world.pair(*a, *b);
    a->sends(there(1));
    world.settle();
    ASSERT_THAT(b->receives(), SizeIs(1));
    world.network.forget_sent();
    a->recorder->trains.clear();
  }
  void send_super(const Spec& spec, std::uint16_t segment_size) {
    a->sends(build_super(spec), super_offload(spec, segment_size));
  }
  // What the kernel itself would have made of it.
  static std::vector<Packet> segments(const Spec& spec, std::uint16_t segment_size) {
    return naive_split(build_super(spec), super_offload(spec, segment_size));
  }
  std::vector<std::size_t> sizes_sent() const {
    std::vector<std::size_t> sizes;
    for (const auto& datagram : world.network.sent())
      sizes.push_back(datagram.bytes.size() - kWirePrefix);
    return sizes;
  }

  World world;
  Host* a = nullptr;
  Host* b = nullptr;
};

using InEachFamily = ::testing::WithParamInterface<bool>;

class SuperPacketsOfFamily : public SuperPackets, public InEachFamily {};
INSTANTIATE_TEST_SUITE_P(Families, SuperPacketsOfFamily, ::testing::Bool(),
                         [](const auto& family) { return family.param ? "V6" : "V4"; });

TEST_P(SuperPacketsOfFamily, ATcpSuperPacketComesOutAsTheKernelsSegments) {
  join(kNone);
  const Spec spec = tcp(40'000, GetParam());
  send_super(spec, 1360);
  world.settle();
  EXPECT_EQ(plain(b->receives()), segments(spec, 1360));
}

TEST_P(SuperPacketsOfFamily, AUdpSuperPacketComesOutAsTheKernelsSegments) {
  join(kNone);
  const Spec spec = udp(40'000, GetParam());
  send_super(spec, 1200);
  world.settle();
  EXPECT_EQ(plain(b->receives()), segments(spec, 1200));
}

TEST_P(SuperPacketsOfFamily, SegmentsAreMergedForAHostThatTakesSuperPackets) {
  join({.tcp = true, .udp = true});
  const Spec spec = tcp(40'000, GetParam());
  send_super(spec, 1360);
  world.settle();
  const std::vector<MemoryPacket> received = b->receives();
  EXPECT_LT(received.size(), 5u);
  EXPECT_EQ(plain(received), segments(spec, 1360));
}

TEST_P(SuperPacketsOfFamily, UdpSegmentsAreMergedForAHostThatTakesThem) {
  join({.tcp = true, .udp = true});
  const Spec spec = udp(40'000, GetParam());
  send_super(spec, 1200);
  world.settle();
  const std::vector<MemoryPacket> received = b->receives();
  EXPECT_LT(received.size(), 5u);
  EXPECT_EQ(plain(received), segments(spec, 1200));
}

// As every sender does that forbids fragments and gives ids no meaning (RFC 6864).
TEST_F(SuperPackets, PacketsOfOneIdAreMergedIntoOneWrite) {
  join({.tcp = true, .udp = true});
  std::vector<Packet> packets;
  Spec spec = tcp(1360);
  spec.id = 0;
  for (int i = 0; i < 40; ++i) {
    packets.push_back(build(spec));
    a->sends(packets.back());
    spec.sequence += 1360;
  }
  world.settle();
  const std::vector<MemoryPacket> received = b->receives();
  EXPECT_THAT(received, SizeIs(1));
  EXPECT_EQ(plain(received), packets);
}

TEST_F(SuperPackets, UdpIsNotMergedForAHostThatTakesTcpAlone) {
  join({.tcp = true, .udp = false});
  const Spec spec = udp(5'000);
  send_super(spec, 1200);
  world.settle();
  EXPECT_EQ(plain(b->receives()), segments(spec, 1200));
}

TEST_F(SuperPackets, AnOrdinaryPacketsChecksumIsCompleted) {
  join(kNone);
  const Spec spec = tcp(500);
  packet::Offload offload = super_offload(spec, 0);
  offload.gso = GsoType::none;
  a->sends(build_super(spec), offload);
  world.settle();
  EXPECT_EQ(plain(b->receives()), std::vector<Packet>{build(spec)});
}

TEST_F(SuperPackets, ADatagramThatIsNoWholeSegmentArrivesWithoutCoalescing) {
  join({.tcp = true, .udp = true}, /*coalesces=*/false);
  const Spec spec = tcp(40'000);
  send_super(spec, 1360);
  world.settle();
  EXPECT_EQ(plain(b->receives()), segments(spec, 1360));
}

TEST_F(SuperPackets, AnOffloadThatMakesNoSenseIsDroppedAndCounted) {
  join(kNone);
  const Spec spec = tcp(5000);
  a->sends(build_super(spec), super_offload(spec, 0));
  world.settle();
  EXPECT_THAT(b->receives(), IsEmpty());
  EXPECT_EQ(a->drops(Drop::outbound_header), 1u);
}

TEST_F(SuperPackets, TheLargestSuperPacketArrivesWhole) {
  join(kNone);
  const Spec spec = tcp(65'535 - 40);
  send_super(spec, 1380);
  world.settle();
  EXPECT_EQ(plain(b->receives()), segments(spec, 1380));
}

// Small segments multiply headers: a batch of such super-packets grows to several times its size.
TEST_F(SuperPackets, ABatchThatOutgrowsItsRoomIsSentInRounds) {
  join(kNone);
  constexpr std::size_t kPackets = 5;
  const Spec spec = udp(60'000);
  for (std::size_t i = 0; i < kPackets; ++i) send_super(spec, 48);
  std::vector<Packet> expected;
  for (std::size_t i = 0; i < kPackets; ++i) {
    for (Packet& segment : segments(spec, 48)) expected.push_back(std::move(segment));
  }
  // More datagrams than b's queue holds: what leaves is counted, and what arrives is in order.
  world.settle();
  EXPECT_EQ(a->drops(Drop::no_resources), 0u);
  EXPECT_THAT(world.network.sent(), SizeIs(expected.size()));
  const std::vector<Packet> received = plain(b->receives());
  ASSERT_LE(received.size(), expected.size());
  EXPECT_TRUE(std::equal(received.begin(), received.end(), expected.begin()));
}

TEST_F(SuperPackets, AStagedSuperPacketComesOutAsTheKernelsSegments) {
  a = &world.host();
  b = &world.host({.tun = kNone});
  world.pair(*a, *b);
  const Spec spec = tcp(40'000);
  send_super(spec, 1360);
  world.settle();
  EXPECT_EQ(plain(b->receives()), segments(spec, 1360));
}

TEST_F(SuperPackets, P73_OfTooManyStagedSegmentsTheOldestGo) {
  a = &world.host();
  b = &world.host({.tun = kNone});
  world.pair(*a, *b);
  const Spec spec = udp(200 * 300);
  send_super(spec, 300);
  world.settle();
  const std::vector<Packet> all = segments(spec, 300);
  ASSERT_EQ(all.size(), 200u);
  EXPECT_EQ(plain(b->receives()), std::vector<Packet>(all.end() - 128, all.end()));
  EXPECT_EQ(a->drops(Drop::staged_overflow), 72u);
}

TEST_F(SuperPackets, P77_ARefusedSuperPacketIsWrittenInPiecesAtItsPlace) {
  join({.tcp = true, .udp = true});
  b->tuns[0]->refuse_super_packets(true);
  const Spec first = tcp(5'000);
  Spec second = tcp(5'000);
  second.source_port = 40001;
  send_super(first, 1360);
  send_super(second, 1360);
  a->sends(there(7));
  world.settle();
  std::vector<Packet> expected = segments(first, 1360);
  for (Packet& segment : segments(second, 1360)) expected.push_back(std::move(segment));
  expected.push_back(there(7));
  const std::vector<MemoryPacket> received = b->receives();
  EXPECT_THAT(received,
              Each(Field(&MemoryPacket::offload, Field(&packet::Offload::gso, GsoType::none))));
  EXPECT_EQ(plain(received), expected);
}

TEST_F(SuperPackets, P77_OneFlowsMixOfPacketsKeepsItsOrder) {
  join({.tcp = true, .udp = true});
  packet::testing::Random random(3);
  std::vector<Packet> expected;
  Spec spec = tcp(0);
  for (int i = 0; i < 200; ++i) {
    spec.payload = pattern(packet::testing::pick(random, 1, 9000));
    const bool is_super = spec.payload.size() > 1360;
    if (is_super) {
      send_super(spec, 1360);
      for (Packet& segment : segments(spec, 1360)) expected.push_back(std::move(segment));
      spec.id = static_cast<std::uint16_t>(spec.id + spec.payload.size() / 1360);
    } else {
      a->sends(build(spec));
      expected.push_back(build(spec));
    }
    ++spec.id;
    spec.sequence += static_cast<std::uint32_t>(spec.payload.size());
  }
  world.settle();
  EXPECT_EQ(plain(b->receives()), expected);
}

// --- trains ---

TEST_F(SuperPackets, ASuperPacketLeavesAsOneTrainOfAFixedStride) {
  join(kNone);
  send_super(tcp(3 * 1360 + 100), 1360);
  world.settle();
  // 40 + 1360 bytes padded to 1408, 32 around them; 140 padded to 144. One piece: nothing is gathered.
  EXPECT_THAT(sizes_sent(), ElementsAre(1440, 1440, 1440, 176));
  ASSERT_THAT(a->recorder->trains, SizeIs(1));
  EXPECT_EQ(a->recorder->trains[0].segment_size, 1440u + kWirePrefix);
  EXPECT_THAT(a->recorder->trains[0].parts, ElementsAre(3 * 1440 + 176 + 4 * kWirePrefix));
}

TEST_F(SuperPackets, PacketsOfOneSizeReadTogetherLeaveAsOneTrain) {
  join(kNone);
  for (int i = 0; i < 3; ++i) a->sends(there(100));
  a->sends(there(20));
  world.settle();
  ASSERT_THAT(a->recorder->trains, SizeIs(1));
  EXPECT_EQ(a->recorder->trains[0].segment_size, 160u + kWirePrefix);
  EXPECT_THAT(a->recorder->trains[0].parts, ElementsAre(160 + kWirePrefix, 160 + kWirePrefix,
                                                        160 + kWirePrefix, 80 + kWirePrefix));
}

TEST_F(SuperPackets, APacketAloneIsNoTrain) {
  join(kNone);
  a->sends(there(100));
  world.settle();
  ASSERT_THAT(a->recorder->trains, SizeIs(1));
  EXPECT_EQ(a->recorder->trains[0].segment_size, 0u);
}

TEST_F(SuperPackets, ALongerPacketBeginsANewTrain) {
  join(kNone);
  a->sends(there(20));
  a->sends(there(100));
  a->sends(there(100));
  world.settle();
  ASSERT_THAT(a->recorder->trains, SizeIs(2));
  EXPECT_THAT(a->recorder->trains[0].parts, ElementsAre(80 + kWirePrefix));
  EXPECT_THAT(a->recorder->trains[1].parts, ElementsAre(160 + kWirePrefix, 160 + kWirePrefix));
}

TEST_F(SuperPackets, AShorterPacketEndsATrain) {
  join(kNone);
  for (const std::size_t payload : {100, 20, 20}) a->sends(there(payload));
  world.settle();
  ASSERT_THAT(a->recorder->trains, SizeIs(2));
  EXPECT_THAT(a->recorder->trains[0].parts, ElementsAre(160 + kWirePrefix, 80 + kWirePrefix));
  EXPECT_THAT(a->recorder->trains[1].parts, ElementsAre(80 + kWirePrefix));
}

TEST_F(SuperPackets, P76_ATrainHasOneEcnMark) {
  join(kNone);
  Spec marked = udp(100);
  marked.traffic_class = 3;
  a->sends(build(marked));
  a->sends(there(100));
  world.settle();
  ASSERT_THAT(a->recorder->trains, SizeIs(2));
  EXPECT_EQ(a->recorder->trains[0].traffic_class, 3u);
  EXPECT_EQ(a->recorder->trains[1].traffic_class, 0u);
}

TEST_F(SuperPackets, ATrainHasAtMostAsManySegmentsAndBytesAsTheKernelTakes) {
  join(kNone);
  send_super(udp(200 * 100), 100);
  send_super(tcp(60'000), 1360);
  send_super(tcp(60'000), 1360);
  world.settle();
  for (const Train& train : a->recorder->trains) {
    EXPECT_LE(train.bytes(), io::kMaxSendSize);
    if (train.segment_size != 0) {
      EXPECT_LE(train.bytes(), io::kMaxSegments * train.segment_size);
    }
  }
}

TEST_F(SuperPackets, ATrainHasOnePeer) {
  join(kNone);
  Host& c = world.host({.tun = kNone});
  a->add_peer(c, "10.2.0.0/16");
  c.add_peer(*a, "10.0.0.0/24");
  c.up();
  Packet to_c = there(100);
  to_c[17] = 2;
  packet::testing::repair(to_c);
  a->sends(to_c);
  world.run(1ms);  // the second handshake within one gathers
  a->recorder->trains.clear();
  a->sends(there(100));
  a->sends(to_c);
  world.settle();
  ASSERT_THAT(a->recorder->trains, SizeIs(2));
  EXPECT_EQ(a->recorder->trains[0].to, b->v4);
  EXPECT_EQ(a->recorder->trains[1].to, c.v4);
}

TEST_F(SuperPackets, P70_ASegmentIsNotPaddedBeyondTheMtu) {
  join(kNone);
  a->device.set_mtu(1402);
  send_super(tcp(2 * 1360), 1360);
  world.settle();
  EXPECT_THAT(sizes_sent(), Each(1402 + 32));
}

TEST_F(SuperPackets, P70_AStagedPacketKeepsItsSizeThoughTheMtuGrows) {
  a = &world.host();
  b = &world.host({.tun = kNone});
  world.pair(*a, *b);
  a->device.set_mtu(1402);
  world.lose([](const io::MemoryDatagram&) { return true; });
  a->sends(there(1400 - 28));
  world.settle();
  a->device.set_mtu(9000);
  world.lose([](const io::MemoryDatagram&) { return false; });
  world.run(5334ms);
  EXPECT_EQ(plain(b->receives()), std::vector<Packet>{there(1400 - 28)});
  EXPECT_EQ(a->recorder->trains.at(0).bytes(), 1402u + 32u + kWirePrefix);
}

}  // namespace
}  // namespace ferrule::engine::testing
