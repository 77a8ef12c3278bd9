// Batches of packets as they come out of a tunnel, merged for the interface: what comes out is what
// the model makes of them, and segmentation gives every packet back, byte for byte and in order. (The
// kernel's own does not know of ids that are all the same, and counts them up: see Merger.)
#include <algorithm>
#include <map>
#include <vector>

#include "base/check.h"
#include "packet/merge.h"
#include "packet/merge_model_testing.h"
#include "packet/packets_testing.h"
#include "packet/split.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/specs.h"

namespace ferrule::packet {
namespace {

using testing::Packet;
using testing::Spec;

constexpr std::size_t kMostPackets = 200;
constexpr std::size_t kMostBytes = 200;  // of a payload

struct Flow {
  Spec spec;
  std::size_t payload = 0;
  bool one_id = false;  // IPv4 ids stay as they are; else they rise
};

std::vector<Flow> choose_flows(fuzz::Choices& choices) {
  const unsigned kind = choices.byte();
  std::vector<Flow> flows(1 + kind % 6);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    flows[i].spec = fuzz::choose_spec(choices);
    if (flows[i].spec.flags != 0x18) flows[i].spec.flags = 0x10;
    flows[i].spec.host = static_cast<std::uint8_t>(choices.number(1, 2));
    flows[i].spec.source_port = static_cast<std::uint16_t>(1000 + i);
    flows[i].payload = choices.number(1, kMostBytes);
    flows[i].one_id = (kind / 6 >> i & 1) != 0;
  }
  return flows;
}

// Changes this packet, before its checksums are made.
void disturb(fuzz::Choices& choices, Spec& spec) {
  switch (choices.byte() % 8) {
    case 0:
      spec.flags = choices.byte();
      break;
    case 1:
      spec.sequence += choices.word();
      break;
    case 2:
      spec.id = static_cast<std::uint16_t>(spec.id + choices.byte());
      break;
    case 3:
      spec.fragment = choices.word();
      break;
    case 4:
      spec.traffic_class ^= choices.byte();
      break;
    case 5:
      spec.payload.resize(choices.number(0, kMostBytes));
      break;
    case 6:
      spec.tcp_options = fuzz::filled(choices, 4 * choices.number(0, 10));
      break;
    default:
      spec.ip_options = fuzz::filled(choices, 4 * choices.number(0, 10));
  }
}

// Changes a finished packet.
void damage(fuzz::Choices& choices, Packet& packet) {
  switch (choices.byte() % 4) {
    case 0:
      if (!packet.empty()) packet[choices.number(0, packet.size() - 1)] = choices.byte();
      break;
    case 1:
      packet.resize(choices.number(0, packet.size()));
      break;
    case 2:
      packet.push_back(choices.byte());
      break;
    default: {
      const Bytes bytes = choices.bytes(choices.byte());
      packet.assign(bytes.begin(), bytes.end());
    }
  }
}

Packet next_packet(fuzz::Choices& choices, std::vector<Flow>& flows) {
  const unsigned kind = choices.byte();
  Flow& flow = flows[kind / 4 % flows.size()];
  Spec spec = flow.spec;
  spec.payload = Packet(flow.payload, static_cast<std::uint8_t>(kind));
  if ((kind & 1) != 0) disturb(choices, spec);
  Packet packet = build(spec);
  flow.spec.id = static_cast<std::uint16_t>(spec.id + (flow.one_id ? 0 : 1));
  flow.spec.sequence = spec.sequence + static_cast<std::uint32_t>(spec.payload.size());
  if ((kind & 3) == 3) damage(choices, packet);
  return packet;
}

// What segmentation makes of a merged packet.
std::vector<Packet> cut(const MergedPacket& merged, Packet& whole) {
  for (Bytes part : merged.parts) whole.insert(whole.end(), part.begin(), part.end());
  if (merged.offload.gso == GsoType::none) return {whole};
  const Splitter splitter(whole, merged.offload);
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < splitter.count(); ++i) {
    packets.emplace_back(splitter.size_of(i));
    FERRULE_CHECK(splitter.write(i, packets.back()) == packets.back().size());
  }
  return packets;
}

using Flows = std::map<Packet, std::vector<Packet>>;

Flows by_flow(const std::vector<Packet>& packets) {
  Flows flows;
  for (const Packet& packet : packets) flows[testing::flow_of(packet)].push_back(packet);
  return flows;
}

void check_batch(Merger& merger, const std::vector<Packet>& packets) {
  std::vector<Packet> rooms = packets;  // the merger writes into what it is given
  for (Packet& room : rooms) merger.add(room);
  const std::span<const MergedPacket> outputs = merger.finish();
  std::vector<Packet> wholes(outputs.size());
  std::vector<std::vector<Packet>> runs;
  std::vector<Packet> all;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    runs.push_back(cut(outputs[i], wholes[i]));
    all.insert(all.end(), runs[i].begin(), runs[i].end());
  }
  const Flows flows = by_flow(packets);
  FERRULE_CHECK(by_flow(all) == flows);
  if (flows.size() > kMaxOpenRuns) return;  // the model keeps any number of runs open

  const std::vector<testing::ModelRun> expected = testing::model_merge(packets);
  FERRULE_CHECK(outputs.size() == expected.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    FERRULE_CHECK(runs[i] == expected[i].packets);
    if (runs[i].size() == 1) continue;
    FERRULE_CHECK(wholes[i] == testing::model_super(runs[i]));
    FERRULE_CHECK(outputs[i].offload == testing::model_offload(runs[i]));
  }
}

}  // namespace
}  // namespace ferrule::packet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule;
  fuzz::Choices choices(data, size);
  packet::Merger merger({.tcp = true, .udp = true});
  std::vector<packet::Flow> flows = packet::choose_flows(choices);
  for (std::size_t left = packet::kMostPackets; left > 0 && !choices.empty();) {
    const std::size_t count = std::min(left, choices.number(1, 100));
    std::vector<packet::testing::Packet> packets;
    while (packets.size() < count) packets.push_back(packet::next_packet(choices, flows));
    packet::check_batch(merger, packets);
    left -= count;
  }
  return 0;
}
