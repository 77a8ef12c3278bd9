#include "packet/merge_model_testing.h"

#include <algorithm>

#include "packet/merge.h"

namespace ferrule::packet::testing {

namespace {

std::size_t get16(const Packet& packet, std::size_t at) {
  return packet[at] * 256u + packet[at + 1];
}

bool is_v6(const Packet& packet) { return packet[0] >> 4 == 6; }
bool is_udp(const Packet& packet) { return packet[is_v6(packet) ? 6 : 9] == 17; }
std::size_t transport_at(const Packet& packet) { return is_v6(packet) ? 40 : 20; }

bool is_ip(const Packet& packet) {
  if (packet.size() < 20) return false;
  if (is_v6(packet)) return packet.size() >= 40 && get16(packet, 4) + 40 <= packet.size();
  return packet[0] >> 4 == 4 && (packet[0] & 15) >= 5 && (packet[0] & 15u) * 4 <= packet.size() &&
         get16(packet, 2) >= (packet[0] & 15u) * 4 && get16(packet, 2) <= packet.size();
}

std::size_t header_size(const Packet& packet) {
  const std::size_t at = transport_at(packet);
  return at + (is_udp(packet) ? 8u : (packet[at + 12] >> 4) * 4u);
}

Packet addresses(const Packet& packet) {
  return is_v6(packet) ? Packet(packet.begin() + 8, packet.begin() + 40)
                       : Packet(packet.begin() + 12, packet.begin() + 20);
}

bool is_icmp(const Packet& packet) { return is_v6(packet) ? packet[6] == 58 : packet[9] == 1; }

bool may_be_merged(const Packet& packet) {
  const std::size_t at = transport_at(packet);
  if (packet.size() < at + (is_udp(packet) ? 8 : 20)) return false;
  if (is_udp(packet)) {
    return get16(packet, at + 4) == packet.size() - at && packet.size() > at + 8 &&
           get16(packet, at + 6) != 0;
  }
  const bool plain_flags = packet[at + 13] == 0x10 || packet[at + 13] == 0x18;
  return plain_flags && (packet[at + 12] & 15) == 0 && packet[at + 12] >> 4 >= 5 &&
         header_size(packet) < packet.size();
}

bool make_one(const std::vector<Packet>& packets) {
  const Packet super = model_super(packets);
  return packets.size() <= kMaxRunSegments && super.size() <= 65535 &&
         naive_split(super, model_offload(packets)) == packets;
}

void model_add(std::vector<ModelRun>& runs, const Packet& packet) {
  const Packet flow = flow_of(packet);
  const bool is_candidate = !flow.empty() && may_be_merged(packet);
  for (ModelRun& run : runs) {
    if (!run.is_open || !is_ip(packet)) continue;
    if (flow.empty() && !is_icmp(packet) && addresses(run.packets[0]) == addresses(packet)) {
      run.is_open = false;
    }
    if (flow.empty() || flow != flow_of(run.packets[0])) continue;
    std::vector<Packet> longer = run.packets;
    longer.push_back(packet);
    if (is_candidate && header_size(packet) == header_size(longer[0]) && make_one(longer)) {
      run.packets = longer;
      return;
    }
    run.is_open = false;
  }
  runs.push_back({{packet}, is_candidate});
}

}  // namespace

Packet flow_of(const Packet& packet) {
  if (!is_ip(packet) || (packet[is_v6(packet) ? 6 : 9] != 6 && !is_udp(packet))) return {};
  const std::size_t length = is_v6(packet) ? get16(packet, 4) + 40 : get16(packet, 2);
  const std::size_t at = transport_at(packet);
  const bool in_the_way = !is_v6(packet) && (packet[0] != 0x45 || (get16(packet, 6) & 0x3fff) != 0);
  if (in_the_way || length != packet.size() || packet.size() < at + 4) return {};
  Packet flow = addresses(packet);
  flow.push_back(is_udp(packet) ? 17 : 6);
  flow.insert(flow.end(), packet.begin() + static_cast<std::ptrdiff_t>(at),
              packet.begin() + static_cast<std::ptrdiff_t>(at) + 4);
  return flow;
}

Offload model_offload(const std::vector<Packet>& packets) {
  const Packet& first = packets[0];
  Offload offload;
  offload.gso = is_udp(first) ? GsoType::udp : is_v6(first) ? GsoType::tcp6 : GsoType::tcp4;
  offload.header_size = static_cast<std::uint16_t>(header_size(first));
  offload.segment_size = static_cast<std::uint16_t>(first.size() - offload.header_size);
  // Under DF the first two packets say whether ids stay; segmentation shows whether all others agree.
  const bool dont_fragment = !is_v6(first) && (first[6] & 0x40) != 0;
  offload.same_ids = dont_fragment && packets.size() > 1 && get16(packets[1], 4) == get16(first, 4);
  offload.needs_checksum = true;
  offload.checksum_start = static_cast<std::uint16_t>(transport_at(first));
  offload.checksum_offset = is_udp(first) ? 6 : 16;
  return offload;
}

Packet model_super(const std::vector<Packet>& packets) {
  Packet super = packets[0];
  for (std::size_t i = 1; i < packets.size(); ++i) {
    super.insert(super.end(),
                 packets[i].begin() + static_cast<std::ptrdiff_t>(header_size(packets[i])),
                 packets[i].end());
  }
  const std::size_t at = transport_at(super);
  if (!is_udp(super)) super[at + 13] |= packets.back()[at + 13] & 8;
  repair(super);
  const std::uint32_t sum = naive_pseudo_sum(super, is_udp(super) ? 17 : 6, super.size() - at);
  const std::size_t checksum = at + (is_udp(super) ? 6 : 16);
  super[checksum] = static_cast<std::uint8_t>(sum >> 8);
  super[checksum + 1] = static_cast<std::uint8_t>(sum);
  return super;
}

std::vector<ModelRun> model_merge(const std::vector<Packet>& packets) {
  std::vector<ModelRun> runs;
  for (const Packet& packet : packets) model_add(runs, packet);
  return runs;
}

namespace {

struct Flow {
  Spec next;
  std::size_t payload = 0;
  bool one_id = false;  // IPv4 ids stay as they are; else they rise
};

// Changes what the next packets of the flow will look like.
void disturb_flow(Random& random, Flow& disturbed) {
  Spec& flow = disturbed.next;
  switch (pick(random, 0, 10)) {
    case 0:
      flow.id = static_cast<std::uint16_t>(flow.id + 1);
      break;
    case 1:
      flow.sequence += 1;
      break;
    case 2:
      flow.ttl ^= 1;
      break;
    case 3:
      flow.traffic_class ^= 3;
      break;
    case 4:
      flow.window ^= 1;
      break;
    case 5:
      flow.acknowledgement += 100;
      break;
    case 6:
      flow.flow_label ^= 1;
      break;
    case 7:
      flow.fragment ^= 0x4000;
      break;
    case 8:
      flow.tcp_options = random_bytes(random, 4 * pick(random, 0, 3));
      break;
    case 9:
      disturbed.one_id = !disturbed.one_id;
      break;
    default:
      flow.urgent ^= 1;
  }
}

// Changes this packet only, before its checksums are computed.
void disturb_packet(Random& random, Spec& spec) {
  const std::uint8_t flags[] = {0x18, 0x18, 0x11, 0x12, 0x14, 0x30, 0x50, 0x90, 0x00, 0x19};
  switch (pick(random, 0, 6)) {
    case 0:
    case 1:
      spec.flags = flags[pick(random, 0, 9)];
      break;
    case 2:
      spec.reserved = 1;
      break;
    case 3:
      spec.ip_options = Packet(4, 1);
      break;
    case 4:
      spec.fragment = pick(random, 0, 1) == 0 ? 0x2000 : 0x0003;
      break;
    case 5:
      spec.payload.resize(pick(random, 0, spec.payload.size()));
      break;
    default:
      spec.payload.resize(spec.payload.size() + pick(random, 1, 9));
  }
}

void damage(Random& random, Packet& packet) {
  switch (pick(random, 0, 5)) {
    case 0:
      packet[pick(random, 0, packet.size() - 1)] ^= static_cast<std::uint8_t>(1 + random() % 255);
      break;
    case 1:
      packet.resize(pick(random, 0, packet.size()));
      break;
    case 2:
      packet.push_back(0);
      break;
    case 3:  // the other zero of a TCP checksum, or no UDP checksum
      for (std::size_t at : {0u, 1u}) {
        const std::size_t field = transport_at(packet) + (is_udp(packet) ? 6 : 16) + at;
        if (field < packet.size()) packet[field] = is_udp(packet) ? 0 : 0xff;
      }
      break;
    case 4:
      packet[is_v6(packet) ? 6 : 9] = is_v6(packet) ? 58 : 1;
      break;
    default:
      packet = random_bytes(random, pick(random, 0, 100));
  }
}

Packet next_packet(Random& random, Flow& flow) {
  if (pick(random, 0, 19) == 0) disturb_flow(random, flow);
  Spec spec = flow.next;
  spec.payload = random_bytes(random, flow.payload);
  if (pick(random, 0, 14) == 0) disturb_packet(random, spec);
  Packet packet = build(spec);
  if (!flow.one_id) flow.next.id = static_cast<std::uint16_t>(flow.next.id + 1);
  flow.next.sequence += static_cast<std::uint32_t>(spec.payload.size());
  if (pick(random, 0, 29) == 0) damage(random, packet);
  return packet;
}

}  // namespace

std::vector<Packet> adversarial_packets(Random& random, std::size_t count, std::size_t flows) {
  std::vector<Flow> all(flows);
  for (std::size_t i = 0; i < flows; ++i) {
    Spec& spec = all[i].next;
    spec.v6 = pick(random, 0, 1) == 1;
    spec.udp = pick(random, 0, 1) == 1;
    spec.host = static_cast<std::uint8_t>(pick(random, 1, 2));
    spec.source_port = static_cast<std::uint16_t>(1000 + i);
    spec.id = static_cast<std::uint16_t>(random());
    spec.sequence = static_cast<std::uint32_t>(random());
    if (pick(random, 0, 1) == 1) spec.tcp_options = random_bytes(random, 12);
    all[i].payload = pick(random, 1, 40);
    all[i].one_id = pick(random, 0, 1) == 1;
  }
  std::vector<Packet> packets;
  std::size_t flow = 0;
  while (packets.size() < count) {
    if (pick(random, 0, 3) == 0) flow = pick(random, 0, flows - 1);
    packets.push_back(next_packet(random, all[flow]));
  }
  return packets;
}

}  // namespace ferrule::packet::testing
