// What super-packets cost: sums, cutting and joining, per segment of a full-sized TCP flow.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/merge.h"
#include "packet/offload.h"
#include "packet/split.h"

namespace {

using namespace ferrule;
using Packet = std::vector<std::uint8_t>;

constexpr std::size_t kSegmentSize = 1368;  // at an MTU of 1420, with TCP timestamps over IPv4
constexpr std::size_t kSegments = 47;
constexpr std::size_t kHeaderSize = 52;
constexpr std::size_t kStride = 1472;  // of the outgoing buffer

Packet super_packet() {
  Packet packet(kHeaderSize + kSegments * kSegmentSize);
  for (std::size_t i = 0; i < packet.size(); ++i) packet[i] = static_cast<std::uint8_t>(i * 31);
  packet[0] = 0x45;
  store_be16(packet.data() + packet::ipv4::kLength, static_cast<std::uint16_t>(packet.size()));
  store_be16(packet.data() + packet::ipv4::kFragment, packet::ipv4::kDontFragment);
  packet[packet::ipv4::kProtocol] = packet::protocol::kTcp;
  std::uint8_t* tcp = packet.data() + packet::ipv4::kHeaderSize;
  tcp[packet::tcp::kDataOffset] = 0x80;
  tcp[packet::tcp::kFlags] = packet::tcp::kAck;
  return packet;
}

packet::Offload offload() {
  return {.gso = packet::GsoType::tcp4,
          .segment_size = kSegmentSize,
          .header_size = kHeaderSize,
          .same_ids = false,
          .needs_checksum = false,
          .checksum_start = 0,
          .checksum_offset = 0};
}

void per_segment(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSegments));
}

void sum(benchmark::State& state) {
  const Packet bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) {
    packet::InternetSum sum;
    sum.add(bytes);
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(sum)->Arg(20)->Arg(64)->Arg(1400)->Arg(8900);

void split(benchmark::State& state) {
  const Packet packet = super_packet();
  Packet out(kSegments * kStride);
  for (auto _ : state) {
    const packet::Splitter splitter(packet, offload());
    for (std::size_t i = 0; i < splitter.count(); ++i) {
      benchmark::DoNotOptimize(splitter.write(i, MutBytes(out).subspan(i * kStride, kStride)));
    }
  }
  per_segment(state);
}
BENCHMARK(split);

// The floor under split: the copies alone.
void split_copies_only(benchmark::State& state) {
  const Packet packet = super_packet();
  Packet out(kSegments * kStride);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kSegments; ++i) {
      const MutBytes to = MutBytes(out).subspan(i * kStride, kStride);
      copy(Bytes(packet).first(kHeaderSize), to);
      copy(Bytes(packet).subspan(kHeaderSize + i * kSegmentSize, kSegmentSize),
           to.subspan(kHeaderSize));
      benchmark::ClobberMemory();
    }
  }
  per_segment(state);
}
BENCHMARK(split_copies_only);

// Segments of `flows` flows in turns. 1: they all join; kSegments: none does. Their ids rise, or are all 0.
void merge_flows(benchmark::State& state, std::size_t flows, bool same_ids) {
  const Packet packet = super_packet();
  packet::Offload cut = offload();
  cut.same_ids = same_ids;
  const packet::Splitter splitter(packet, cut);
  std::vector<Packet> segments(kSegments);
  for (std::size_t i = 0; i < kSegments; ++i) {
    segments[i].resize(kStride);
    segments[i].resize(splitter.write(i / flows, segments[i]));
    std::uint8_t* port = segments[i].data() + packet::ipv4::kHeaderSize;
    std::uint8_t* checksum = port + packet::tcp::kChecksum;
    const std::uint16_t before = load_be16(port);
    store_be16(port, static_cast<std::uint16_t>(before + i % flows));
    store_be16(checksum, packet::updated_checksum(load_be16(checksum), before, load_be16(port)));
  }
  const std::vector<Packet> originals = segments;
  packet::Merger merger;
  std::size_t runs = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < flows; ++i) {  // the headers that finish() rewrites
      copy(Bytes(originals[i]).first(kHeaderSize), segments[i]);
    }
    for (Packet& segment : segments) merger.add(segment);
    runs = merger.finish().size();
  }
  per_segment(state);
  state.counters["runs"] = static_cast<double>(runs);
}

void merge(benchmark::State& state) {
  merge_flows(state, static_cast<std::size_t>(state.range(0)), false);
}
BENCHMARK(merge)->Arg(1)->Arg(4)->Arg(16)->Arg(kSegments);

void merge_same_ids(benchmark::State& state) {
  merge_flows(state, static_cast<std::size_t>(state.range(0)), true);
}
BENCHMARK(merge_same_ids)->Arg(1);

}  // namespace
