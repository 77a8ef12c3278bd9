// Outwards: from an IP packet to a peer, a keypair and counters (§5.4.6; P56, P70, P73).
#include <algorithm>
#include <new>

#include "base/fixed_vector.h"
#include "packet/ecn.h"
#include "protocol/data_path.h"

namespace ferrule::protocol {

std::size_t padded_size(std::size_t size, std::size_t mtu) noexcept {
  const std::size_t padded = (size + kPaddingMultiple - 1) / kPaddingMultiple * kPaddingMultiple;
  // Never beyond the MTU, unless the packet already is (P70).
  return mtu == 0 ? padded : std::max(size, std::min(padded, mtu));
}

// Up to AllowedIps::kLookupsTogether of them.
void DataPath::route(std::span<OutboundPacket> packets) const noexcept {
  FixedVector<AllowedIps::Lookup, AllowedIps::kLookupsTogether> lookups;
  for (OutboundPacket& packet : packets) {
    packet.verdict = Verdict::drop;
    packet::IpView ip;
    if (!tables_.up) {
      packet.drop = Drop::device_down;
    } else if (packet::parse_ip(packet.inner, ip) != packet::IpFault::none) {
      packet.drop = Drop::outbound_header;
    } else {
      packet.drop = Drop::none;
      packet.ecn = packet::encapsulated_ecn(ip.traffic_class);
      packet.may_be_ours = may_be_ours(packet.inner, ip);
      lookups.push_back({ip.destination, ip.family, {}});
    }
  }
  tables_.allowed_ips.lookup_together({lookups.data(), lookups.size()});
  const AllowedIps::Lookup* found = lookups.data();
  for (OutboundPacket& packet : packets) {
    if (packet.drop != Drop::none) continue;
    packet.peer = found++->owner;
    if (packet.peer.is_none()) packet.drop = Drop::no_route;
  }
}

void DataPath::plan_send(const Now& now, std::span<OutboundPacket> packets, SendPlan& plan,
                         Attention& attention) {
  for (auto rest = packets; !rest.empty();) {
    const std::size_t count = std::min(rest.size(), AllowedIps::kLookupsTogether);
    route(rest.first(count));
    rest = rest.subspan(count);
  }
  for (OutboundPacket& packet : packets) {
    if (packet.drop == Drop::none && packet.may_be_ours) drop_loop(now, packet, attention);
  }
  bool some_wait = false;
  for (std::size_t begin = 0; begin < packets.size();) {
    if (packets[begin].drop != Drop::none) {
      tables_.drops.count(packets[begin].drop);
      ++begin;
      continue;
    }
    std::size_t end = begin + 1;
    while (end < packets.size() && packets[end].drop == Drop::none &&
           packets[end].peer == packets[begin].peer) {
      ++end;
    }
    const RunOf before = some_wait ? packets.first(begin) : RunOf();
    plan_run(now, packets.subspan(begin, end - begin), before, plan, attention);
    some_wait = some_wait || packets[begin].verdict == Verdict::stage;
    begin = end;
  }
}

void DataPath::plan_run(const Now& now, RunOf run, RunOf before, SendPlan& plan,
                        Attention& attention) {
  Peer& peer =
      *tables_.peers.find(run.front().peer);  // allowed_ips never names a peer that is gone
  PeerGuard guard(tables_.exclusion, peer.id);
  // While older packets are staged, or will be as soon as the batch is planned, newer ones queue up
  // behind them (P77).
  const bool must_wait = !peer.traffic.staged.empty() ||
                         std::ranges::any_of(before, [&](const OutboundPacket& packet) {
                           return packet.verdict == Verdict::stage && packet.peer == peer.id;
                         });
  plan_run_locked(now, peer, run, must_wait, plan);
  raise_attention(peer, attention);
}

void DataPath::plan_run_locked(const Now& now, Peer& peer, RunOf run, bool must_wait,
                               SendPlan& plan) {
  PeerTraffic& traffic = peer.traffic;
  if (traffic.endpoint.is_none()) return refuse(run, Drop::no_endpoint);
  std::uint64_t datagrams = 0;
  for (const OutboundPacket& packet : run) datagrams += packet.datagrams;
  const KeypairRef& current = traffic.keypairs.current();
  std::optional<std::uint64_t> counter;
  if (!must_wait && current && current->may_send(now.boot)) counter = current->reserve(datagrams);
  if (!counter) return plan_to_stage(traffic, run);
  for (OutboundPacket& packet : run) {
    packet.verdict = Verdict::send;
    packet.run = static_cast<std::uint32_t>(plan.runs.size());
    packet.first_counter = *counter;
    *counter += packet.datagrams;
  }
  plan.runs.push_back({peer.id, current, traffic.endpoint, traffic.source()});
  if (traffic.loop) traffic.loop->sending(now.boot);
  traffic.timers.any_authenticated_packet_traversal(now.boot);
  traffic.timers.any_authenticated_packet_sent();
  traffic.timers.data_sent(now.boot, rng_);
  traffic.keep_key_fresh_sending(now.boot);
}

// `stage`, which comes next, asks for the handshake.
void DataPath::plan_to_stage(PeerTraffic& traffic, RunOf run) noexcept {
  if (!may_stage()) return refuse(run, Drop::no_identity);
  for (OutboundPacket& packet : run) {
    packet.verdict = Verdict::stage;
    packet.first_place = traffic.staged.take_places(packet.datagrams);
  }
}

void DataPath::refuse(RunOf run, Drop why) noexcept {
  for (OutboundPacket& packet : run) packet.drop = why;
  tables_.drops.count(why, run.size());
}

// Without memory the peer stays unraised: its next packet tries again.
void DataPath::raise_attention(Peer& peer, Attention& attention) noexcept {
  PeerTraffic& traffic = peer.traffic;
  if (traffic.attention_raised) return;
  if (traffic.timers.initiation() != Initiation::wanted && !traffic.flush_wanted &&
      !traffic.handshake_over && traffic.source_use != SourceUse::unknown &&
      traffic.send_error == traffic.told_error && traffic.is_loop_told() &&
      traffic.retired.empty() && !traffic.timers.is_to_schedule()) {
    return;
  }
  try {
    attention.push_back(peer.id);
  } catch (const std::bad_alloc&) {
    return;
  }
  traffic.attention_raised = true;
}

}  // namespace ferrule::protocol
