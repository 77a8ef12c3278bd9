#include "packet/merge.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/merge_model_testing.h"
#include "packet/packets_testing.h"
#include "packet/split.h"

namespace ferrule::packet {
namespace {

using testing::build;
using testing::naive_split;
using testing::Packet;
using testing::pick;
using testing::Random;
using testing::random_bytes;
using testing::Spec;

// What came out, gathered: `super` as the kernel gets it, `packets` what segmentation makes of it.
struct Output {
  Packet super;
  Offload offload;
  std::vector<Packet> packets;
};

std::vector<Output> finish(Merger& merger) {
  std::vector<Output> outputs;
  for (const MergedPacket& merged : merger.finish()) {
    Output output;
    for (Bytes part : merged.parts) {
      output.super.insert(output.super.end(), part.begin(), part.end());
    }
    output.offload = merged.offload;
    output.packets = merged.offload.gso == GsoType::none
                         ? std::vector<Packet>{output.super}
                         : naive_split(output.super, output.offload);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

std::vector<Output> merge(std::vector<Packet> packets, OffloadSupport support = {true, true}) {
  Merger merger(support);
  for (Packet& packet : packets) merger.add(packet);
  return finish(merger);
}

// How many packets each output stands for.
std::vector<std::size_t> sizes(const std::vector<Packet>& packets) {
  std::vector<std::size_t> sizes;
  for (const Output& output : merge(packets)) sizes.push_back(output.packets.size());
  return sizes;
}

using Sizes = std::vector<std::size_t>;

// The `n`th packet of a flow of 100-byte payloads, starting from `spec`.
Spec nth(Spec spec, unsigned n) {
  spec.id = static_cast<std::uint16_t>(spec.id + n);
  spec.sequence += 100 * n;
  spec.payload.assign(100, static_cast<std::uint8_t>(n));
  return spec;
}

std::vector<Packet> flow(const Spec& spec, unsigned count) {
  std::vector<Packet> packets;
  for (unsigned n = 0; n < count; ++n) packets.push_back(build(nth(spec, n)));
  return packets;
}

// Three packets of a flow, the second one changed.
template <class Change>
std::vector<Packet> with_second(Change change, Spec spec = {}) {
  std::vector<Packet> packets = flow(spec, 3);
  Spec second = nth(spec, 1);
  change(second);
  packets[1] = build(second);
  return packets;
}

const std::vector<Spec>& kinds() {
  static const std::vector<Spec> kinds{Spec{}, Spec{.v6 = true}, Spec{.udp = true},
                                       Spec{.v6 = true, .udp = true}};
  return kinds;
}

TEST(Merger, JoinsAFlowAndSplittingGivesItsPacketsBack) {
  for (const Spec& spec : kinds()) {
    const std::vector<Packet> packets = flow(spec, 5);
    const std::vector<Output> outputs = merge(packets);
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0].packets, packets);
  }
}

TEST(Merger, SuperPacketsAreWhatTheKernelWouldHandOver) {
  for (const Spec& spec : kinds()) {
    const std::vector<Packet> packets = flow(spec, 5);
    const std::vector<Output> outputs = merge(packets);
    EXPECT_EQ(outputs[0].super, testing::model_super(packets));
    EXPECT_EQ(outputs[0].offload, testing::model_offload(packets));
  }
}

TEST(Merger, PayloadsAreGatheredFromWhereTheyLie) {
  std::vector<Packet> packets = flow({}, 3);
  Merger merger;
  for (Packet& packet : packets) merger.add(packet);
  const std::span<const MergedPacket> merged = merger.finish();
  ASSERT_EQ(merged.size(), 1u);
  ASSERT_EQ(merged[0].parts.size(), 3u);
  EXPECT_EQ(merged[0].parts[0].data(), packets[0].data());
  EXPECT_EQ(merged[0].parts[1].data(), packets[1].data() + 40);
  EXPECT_EQ(merged[0].parts[2].data(), packets[2].data() + 40);
}

TEST(Merger, ASinglePacketPassesUnchanged) {
  for (const Spec& spec : kinds()) {
    const Packet packet = build(nth(spec, 0));
    const std::vector<Output> outputs = merge({packet});
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0].super, packet);
    EXPECT_EQ(outputs[0].offload, Offload{});
  }
}

TEST(Merger, NothingGivesNothing) {
  Merger merger;
  EXPECT_TRUE(merger.finish().empty());
  EXPECT_TRUE(merger.finish().empty());
}

TEST(Merger, TheLastPacketMayBeShorterAndEndsTheRun) {
  for (const Spec& spec : kinds()) {
    std::vector<Packet> packets = flow(spec, 4);
    Spec shorter = nth(spec, 2);
    shorter.payload.resize(99);
    packets[2] = build(shorter);
    Spec next = nth(spec, 3);
    next.sequence -= 1;
    packets[3] = build(next);
    EXPECT_EQ(sizes(packets), (Sizes{3, 1}));
  }
}

TEST(Merger, ALongerPacketBeginsItsOwnRun) {
  for (const Spec& spec : kinds()) {
    std::vector<Packet> packets = flow(spec, 3);
    Spec longer = nth(spec, 1);
    longer.payload.resize(101);
    packets[1] = build(longer);
    Spec next = nth(spec, 2);
    next.sequence += 1;
    packets[2] = build(next);  // shorter than the second, and so its last
    EXPECT_EQ(sizes(packets), (Sizes{1, 2}));
  }
}

TEST(Merger, PshEndsARun) {
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.flags |= tcp::kPsh; })), (Sizes{2, 1}));
}

TEST(Merger, PshOfTheLastPacketStandsInTheSuperPacket) {
  const std::vector<Output> outputs = merge(with_second([](Spec& s) { s.flags |= tcp::kPsh; }));
  EXPECT_EQ(outputs[0].super[20 + tcp::kFlags], tcp::kAck | tcp::kPsh);
}

TEST(Merger, NoOtherTcpFlagIsMerged) {
  for (std::uint8_t flag : {tcp::kFin, tcp::kSyn, tcp::kRst, tcp::kUrg, tcp::kEce, tcp::kCwr}) {
    EXPECT_EQ(sizes(with_second([&](Spec& s) { s.flags |= flag; })), (Sizes{1, 1, 1})) << int{flag};
  }
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.flags = 0; })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.reserved = 1; })), (Sizes{1, 1, 1}));
}

TEST(Merger, AFlowThatHasAFlagThroughoutIsNotMergedEither) {
  EXPECT_EQ(sizes(flow({.flags = tcp::kAck | tcp::kEce}, 3)), (Sizes{1, 1, 1}));
}

TEST(Merger, AnIpHeaderThatDiffersEndsTheRun) {
  for (const Spec& spec : kinds()) {
    EXPECT_EQ(sizes(with_second([](Spec& s) { s.ttl = 63; }, spec)), (Sizes{1, 1, 1}));
    EXPECT_EQ(sizes(with_second([](Spec& s) { s.traffic_class = 1; }, spec)), (Sizes{1, 1, 1}));
  }
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.fragment = 0; })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.fragment = 0xc000; })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.flow_label = 1; }, {.v6 = true})), (Sizes{1, 1, 1}));
}

TEST(Merger, ATcpHeaderThatDiffersEndsTheRun) {
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.acknowledgement++; })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.window++; })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.urgent = 1; })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.tcp_options = Packet(4, 1); })), (Sizes{1, 1, 1}));
}

TEST(Merger, EqualTcpOptionsAreMerged) {
  EXPECT_EQ(sizes(flow({.tcp_options = Packet(12, 1)}, 3)), (Sizes{3}));
}

TEST(Merger, AnIpv4IdThatDoesNotCountUpEndsTheRun) {
  for (bool udp : {false, true}) {
    EXPECT_EQ(sizes(with_second([](Spec& s) { s.id += 5; }, {.udp = udp})), (Sizes{1, 1, 1}));
  }
  EXPECT_EQ(sizes(flow({.id = 0xfffe}, 4)), (Sizes{4}));  // it wraps
}

// The packets of a flow that all have the id of the first, as every sender of RFC 6864 may give them.
std::vector<Packet> flow_of_one_id(const Spec& spec, unsigned count) {
  std::vector<Packet> packets;
  for (unsigned n = 0; n < count; ++n) {
    Spec same = nth(spec, n);
    same.id = spec.id;
    packets.push_back(build(same));
  }
  return packets;
}

TEST(Merger, PacketsThatMayNotBeFragmentedMayHaveOneId) {
  for (bool udp : {false, true}) {
    for (std::uint16_t id : {0, 7}) {
      const std::vector<Packet> packets = flow_of_one_id({.udp = udp, .id = id}, 5);
      const std::vector<Output> outputs = merge(packets);
      ASSERT_EQ(outputs.size(), 1u);
      EXPECT_TRUE(outputs[0].offload.same_ids);
      EXPECT_EQ(outputs[0].packets, packets);
    }
  }
}

TEST(Merger, OneIdWithoutDfEndsTheRun) {
  EXPECT_EQ(sizes(flow_of_one_id({.id = 0, .fragment = 0}, 3)), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(flow_of_one_id({.udp = true, .fragment = 0}, 3)), (Sizes{1, 1, 1}));
}

TEST(Merger, IdsThatRiseDoNotJoinIdsThatStay) {
  const auto with_ids = [](std::vector<std::uint16_t> ids) {
    std::vector<Packet> packets;
    for (unsigned n = 0; n < ids.size(); ++n) {
      Spec spec = nth({}, n);
      spec.id = ids[n];
      packets.push_back(build(spec));
    }
    return sizes(packets);
  };
  EXPECT_EQ(with_ids({5, 5, 6, 7}), (Sizes{2, 2}));
  EXPECT_EQ(with_ids({5, 6, 6, 6}), (Sizes{2, 2}));
  EXPECT_EQ(with_ids({5, 5, 7}), (Sizes{2, 1}));
  EXPECT_EQ(with_ids({5, 4}), (Sizes{1, 1}));
}

// What a host behind the interface sees of a run that the kernel sends on.
TEST(Merger, TheKernelsSegmentationChangesNothingButIdsThatMeanNothing) {
  std::vector<Packet> packets = flow_of_one_id({.id = 0}, 5);
  const std::vector<Output> outputs = merge(packets);
  ASSERT_EQ(outputs.size(), 1u);
  Offload kernels = outputs[0].offload;
  kernels.same_ids = false;  // there is no word for it in a virtio_net_hdr
  for (unsigned n = 0; n < packets.size(); ++n) {
    store_be16(packets[n].data() + 4, static_cast<std::uint16_t>(n));
    testing::repair(packets[n]);
  }
  EXPECT_EQ(naive_split(outputs[0].super, kernels), packets);
}

TEST(Merger, AGapInTheSequenceNumbersEndsTheRun) {
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.sequence += 1; })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(flow({.sequence = 0xffffff80u}, 4)), (Sizes{4}));  // they wrap
}

TEST(Merger, IpOptionsAndFragmentsAreNotMerged) {
  EXPECT_EQ(sizes(flow({.ip_options = Packet(4, 1)}, 3)), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(flow({.udp = true, .fragment = 0x2000}, 3)), (Sizes{1, 1, 1}));
}

TEST(Merger, AFragmentIsNotOvertakenByItsFlow) {
  const std::vector<Packet> packets =
      with_second([](Spec& s) { s.fragment = 0x2000; }, {.udp = true});
  EXPECT_EQ(sizes(packets), (Sizes{1, 1, 1}));
}

TEST(Merger, PacketsWithoutPayloadAreNotMerged) {
  EXPECT_EQ(sizes(with_second([](Spec& s) { s.payload.clear(); })), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes({build({.udp = true}), build({.udp = true, .id = 8})}), (Sizes{1, 1}));
}

TEST(Merger, AWrongChecksumIsNotMadeRight) {
  for (const Spec& spec : kinds()) {
    for (std::size_t bad = 0; bad < 3; ++bad) {
      std::vector<Packet> packets = flow(spec, 3);
      packets[bad].back() ^= 1;
      const std::vector<Output> outputs = merge(packets);
      EXPECT_EQ(outputs.size(), bad == 1 ? 3u : 2u);
      std::vector<Packet> all;
      for (const Output& output : outputs) {
        all.insert(all.end(), output.packets.begin(), output.packets.end());
      }
      EXPECT_EQ(all, packets);
    }
  }
}

TEST(Merger, AWrongIpv4HeaderChecksumIsNotMadeRight) {
  std::vector<Packet> packets = flow({}, 3);
  packets[1][10] ^= 1;
  EXPECT_EQ(sizes(packets), (Sizes{1, 1, 1}));
}

TEST(Merger, UdpWithoutAChecksumGetsNone) {
  std::vector<Packet> packets = flow({.udp = true}, 2);
  for (Packet& packet : packets) packet[26] = packet[27] = 0;
  EXPECT_EQ(sizes(packets), (Sizes{1, 1}));
}

TEST(Merger, UdpThatIsShorterThanItsPacketGoesAlone) {
  std::vector<Packet> packets = flow({.udp = true}, 3);
  // UDP options (RFC 9868) behind the datagram. Even the sum over all of it is right.
  store_be16(packets[1].data() + 24, 104);
  store_be16(packets[1].data() + 26, updated_checksum(load_be16(packets[1].data() + 26), 108, 104));
  EXPECT_EQ(sizes(packets), (Sizes{1, 1, 1}));
}

// Two packets of a flow whose second one has the right checksum 0: chosen by its last word.
std::vector<Packet> with_zero_checksum() {
  for (std::uint32_t value = 0;; ++value) {
    Spec spec = nth({}, 1);
    store_be16(spec.payload.data() + 98, static_cast<std::uint16_t>(value));
    Packet packet = build(spec);
    if (load_be16(packet.data() + 36) == 0) return {build(nth({}, 0)), packet};
  }
}

TEST(Merger, TheOtherZeroOfATcpChecksumIsKept) {
  std::vector<Packet> packets = with_zero_checksum();
  EXPECT_EQ(sizes(packets), (Sizes{2}));
  packets[1][36] = packets[1][37] = 0xff;  // as right as 0, but not what segmentation writes
  EXPECT_EQ(sizes(packets), (Sizes{1, 1}));
}

TEST(Merger, TheOtherZeroOfAnIpv4HeaderChecksumIsKept) {
  Spec spec;
  const auto checksum_with = [&](unsigned id) {
    spec.id = static_cast<std::uint16_t>(id);
    return load_be16(build(nth(spec, 1)).data() + 10);
  };
  unsigned id = 0;
  while (checksum_with(id) != 0) ++id;
  std::vector<Packet> packets = flow(spec, 2);
  EXPECT_EQ(sizes(packets), (Sizes{2}));
  packets[1][10] = packets[1][11] = 0xff;
  EXPECT_EQ(sizes(packets), (Sizes{1, 1}));
}

TEST(Merger, OtherFlowsInBetweenDoNotEndARun) {
  const std::vector<Packet> one = flow({}, 3);
  const std::vector<Packet> other = flow({.source_port = 40001}, 3);
  const std::vector<Packet> udp = flow({.udp = true}, 3);
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < 3; ++i) {
    packets.insert(packets.end(), {one[i], other[i], udp[i]});
  }
  EXPECT_EQ(sizes(packets), (Sizes{3, 3, 3}));
}

TEST(Merger, APingInBetweenDoesNotEndARun) {
  std::vector<Packet> packets = flow({}, 3);
  Packet ping = build({.udp = true});
  ping[9] = protocol::kIcmp;
  packets.insert(packets.begin() + 1, ping);
  EXPECT_EQ(sizes(packets), (Sizes{3, 1}));
}

TEST(Merger, APacketOfTheFlowThatGoesAloneIsNotOvertaken) {
  std::vector<Packet> packets = flow({}, 4);
  Spec ack = nth({}, 2);
  ack.payload.clear();
  packets.insert(packets.begin() + 2, build(ack));
  EXPECT_EQ(sizes(packets), (Sizes{2, 1, 2}));
}

TEST(Merger, ARunHasABoundedNumberOfSegments) {
  for (const Spec& spec : kinds()) {
    EXPECT_EQ(sizes(flow(spec, 2 * kMaxRunSegments + 1)),
              (Sizes{kMaxRunSegments, kMaxRunSegments, 1}));
  }
}

TEST(Merger, ASuperPacketHasAtMost65535Bytes) {
  for (Spec spec : kinds()) {
    std::vector<Packet> packets;
    for (unsigned n = 0; n < 60; ++n) {
      Spec next = spec;
      next.id = static_cast<std::uint16_t>(next.id + n);
      next.sequence += 1400 * n;
      next.payload.assign(1400, 7);
      packets.push_back(build(next));
    }
    const std::vector<Output> outputs = merge(packets);
    ASSERT_EQ(outputs.size(), 2u);
    EXPECT_LE(outputs[0].super.size(), 65535u);
    EXPECT_GT(outputs[0].super.size(), 65535u - 1400);
  }
}

TEST(Merger, WhatTheInterfaceDoesNotTakeIsNotMerged) {
  for (bool v6 : {false, true}) {
    EXPECT_EQ(merge(flow({.v6 = v6}, 3), {.tcp = false, .udp = true}).size(), 3u);
    EXPECT_EQ(merge(flow({.v6 = v6}, 3), {.tcp = true, .udp = false}).size(), 1u);
    EXPECT_EQ(merge(flow({.v6 = v6, .udp = true}, 3), {.tcp = true, .udp = false}).size(), 3u);
    EXPECT_EQ(merge(flow({.v6 = v6, .udp = true}, 3), {.tcp = false, .udp = true}).size(), 1u);
  }
}

TEST(Merger, BatchesAreApart) {
  Merger merger;
  std::vector<Packet> packets = flow({}, 4);
  for (std::size_t i = 0; i < 2; ++i) {
    merger.add(packets[2 * i]);
    merger.add(packets[2 * i + 1]);
    const std::vector<Output> outputs = finish(merger);
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0].packets.size(), 2u);
  }
  EXPECT_TRUE(merger.finish().empty());
}

TEST(Merger, MemoryIsKeptFromBatchToBatch) {
  Merger merger;
  const MergedPacket* merged = nullptr;
  const Bytes* parts = nullptr;
  for (int batch = 0; batch < 4; ++batch) {
    std::vector<Packet> packets = flow({}, 40);
    for (Packet& packet : packets) merger.add(packet);
    const std::span<const MergedPacket> result = merger.finish();
    if (batch > 0) {
      EXPECT_EQ(result.data(), merged);
      EXPECT_EQ(result[0].parts.data(), parts);
    }
    merged = result.data();
    parts = result[0].parts.data();
  }
}

TEST(Merger, AgreesWithTheModelOnAdversarialFlows) {
  Random random(20);
  Merger merger;
  std::size_t joined = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Packet> packets =
        testing::adversarial_packets(random, pick(random, 1, 120), pick(random, 1, 8));
    const std::vector<testing::ModelRun> expected = testing::model_merge(packets);
    std::vector<Packet> rooms = packets;  // the merger writes into what it is given
    for (Packet& room : rooms) merger.add(room);
    const std::vector<Output> outputs = finish(merger);
    ASSERT_EQ(outputs.size(), expected.size()) << round;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::vector<Packet>& members = expected[i].packets;
      ASSERT_EQ(outputs[i].packets, members) << round;
      if (members.size() == 1) continue;
      ++joined;
      ASSERT_EQ(outputs[i].super, testing::model_super(members)) << round;
      ASSERT_EQ(outputs[i].offload, testing::model_offload(members)) << round;
    }
  }
  EXPECT_GT(joined, 5'000u);  // or the flows were too hostile to say anything
}

TEST(Merger, SplitterGivesBackWhatWasMerged) {
  Random random(21);
  for (int round = 0; round < 1000; ++round) {
    for (const Output& output :
         merge(testing::adversarial_packets(random, 60, pick(random, 1, 4)))) {
      if (output.offload.gso == GsoType::none) continue;
      const Splitter splitter(output.super, output.offload);
      ASSERT_EQ(splitter.count(), output.packets.size());
      for (std::size_t i = 0; i < splitter.count(); ++i) {
        Packet out(splitter.size_of(i));
        ASSERT_EQ(splitter.write(i, out), out.size());
        ASSERT_EQ(out, output.packets[i]);
      }
    }
  }
}

// Packets by flow, in order.
std::map<Packet, std::vector<Packet>> by_flow(const std::vector<Packet>& packets) {
  std::map<Packet, std::vector<Packet>> flows;
  for (const Packet& packet : packets) flows[testing::flow_of(packet)].push_back(packet);
  return flows;
}

TEST(Merger, P77_FlowsStayInOrderWhateverTheirNumber) {
  Random random(22);
  for (int round = 0; round < 200; ++round) {
    const std::vector<Packet> packets =
        testing::adversarial_packets(random, 400, pick(random, 1, 3 * kMaxOpenRuns));
    std::vector<Packet> all;
    for (const Output& output : merge(packets)) {
      all.insert(all.end(), output.packets.begin(), output.packets.end());
    }
    ASSERT_EQ(by_flow(all), by_flow(packets));
  }
}

TEST(Merger, ManyFlowsInTurnsAreMergedAsFarAsTheTableReaches) {
  std::vector<Packet> packets;
  for (unsigned n = 0; n < 4; ++n) {
    for (std::uint16_t port = 0; port < kMaxOpenRuns; ++port) {
      packets.push_back(build(nth({.source_port = port}, n)));
    }
  }
  EXPECT_EQ(merge(packets).size(), kMaxOpenRuns);
}

TEST(Merger, RandomBytesPassUnchanged) {
  Random random(23);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Packet> packets;
    for (int i = 0; i < 20; ++i) {
      Packet packet = random_bytes(random, pick(random, 0, 90));
      if (!packet.empty() && i % 3 != 0) packet[0] = i % 2 == 0 ? 0x45 : 0x60;
      packets.push_back(packet);
    }
    const std::vector<Output> outputs = merge(packets);
    ASSERT_EQ(outputs.size(), packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) ASSERT_EQ(outputs[i].super, packets[i]);
  }
}

}  // namespace
}  // namespace ferrule::packet
