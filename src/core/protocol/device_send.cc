// Outwards: from an IP packet to a peer, a keypair and counters (§5.4.6; P56, P70, P73).
#include <algorithm>
#include <new>

#include "packet/ecn.h"
#include "protocol/device.h"

namespace ferrule::protocol {

std::size_t padded_size(std::size_t size, std::size_t mtu) noexcept {
  const std::size_t padded = (size + kPaddingMultiple - 1) / kPaddingMultiple * kPaddingMultiple;
  // Never beyond the MTU, unless the packet already is (P70).
  return mtu == 0 ? padded : std::max(size, std::min(padded, mtu));
}

void Device::route(OutboundPacket& packet) const noexcept {
  packet.verdict = Verdict::drop;
  packet::IpView ip;
  if (!up_) {
    packet.drop = Drop::device_down;
    return;
  }
  if (packet::parse_ip(packet.inner, ip) != packet::IpFault::none) {
    packet.drop = Drop::outbound_header;
    return;
  }
  packet.peer = ip.family == Family::v4 ? allowed_ips_.lookup_v4(ip.destination)
                                        : allowed_ips_.lookup_v6(ip.destination);
  packet.drop = packet.peer.is_none() ? Drop::no_route : Drop::none;
  packet.ecn = packet::encapsulated_ecn(ip.traffic_class);
}

void Device::plan_send(const Now& now, std::span<OutboundPacket> packets, SendPlan& plan,
                       Attention& attention) {
  for (OutboundPacket& packet : packets) route(packet);
  for (std::size_t begin = 0; begin < packets.size();) {
    if (packets[begin].drop != Drop::none) {
      drops_.count(packets[begin].drop);
      ++begin;
      continue;
    }
    std::size_t end = begin + 1;
    while (end < packets.size() && packets[end].drop == Drop::none &&
           packets[end].peer == packets[begin].peer) {
      ++end;
    }
    plan_run(now, packets.subspan(begin, end - begin), plan, attention);
    begin = end;
  }
}

void Device::plan_run(const Now& now, RunOf run, SendPlan& plan, Attention& attention) {
  Peer& peer = *peers_.find(run.front().peer);  // allowed_ips never names a peer that is gone
  PeerGuard guard(exclusion_, peer.id);
  plan_run_locked(now, peer, run, plan);
  raise_attention(peer, attention);
}

void Device::plan_run_locked(const Now& now, Peer& peer, RunOf run, SendPlan& plan) {
  PeerTraffic& traffic = peer.traffic;
  if (traffic.endpoint.is_none()) {
    for (OutboundPacket& packet : run) {
      packet.drop = Drop::no_endpoint;
      drops_.count(packet.drop);
    }
    return;
  }
  std::uint64_t datagrams = 0;
  std::uint64_t wire_bytes = 0;
  for (const OutboundPacket& packet : run) {
    datagrams += packet.datagrams;
    wire_bytes += packet.wire_bytes;
  }
  const KeypairRef& current = traffic.keypairs.current();
  std::optional<std::uint64_t> counter;
  // While older packets are staged, newer ones queue up behind them (P77).
  if (traffic.staged.empty() && current && current->may_send(now.boot)) {
    counter = current->reserve(datagrams);
  }
  if (!counter) {
    for (OutboundPacket& packet : run) packet.verdict = Verdict::stage;
    return;  // Device::stage asks for the handshake
  }
  for (OutboundPacket& packet : run) {
    packet.verdict = Verdict::send;
    packet.run = static_cast<std::uint32_t>(plan.runs.size());
    packet.first_counter = *counter;
    *counter += packet.datagrams;
  }
  plan.runs.push_back({peer.id, current, traffic.endpoint, traffic.source});
  traffic.tx_bytes += wire_bytes;
  traffic.timers.any_authenticated_packet_traversal(now.boot);
  traffic.timers.any_authenticated_packet_sent();
  traffic.timers.data_sent(now.boot, rng_);
  keep_key_fresh_sending(now, traffic);
}

void Device::stage(const Now& now, PeerId id, Bytes packet, std::uint16_t lane,
                   Attention& attention) noexcept {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) {
    drops_.count(Drop::peer_removed);
    return;
  }
  StagedPacket staged;
  staged.size = static_cast<std::uint32_t>(packet.size());
  staged.lane = lane;
  try {
    staged.message.resize(transport_size(packet.size(), mtu()));
  } catch (const std::bad_alloc&) {
    drops_.count(Drop::no_resources);
    return;
  }
  copy(packet, MutBytes(staged.message).subspan(TransportLayout::kHeaderSize));

  PeerGuard guard(exclusion_, peer->id);
  if (!stage_locked(peer->traffic, std::move(staged))) return;
  const KeypairRef& current = peer->traffic.keypairs.current();
  if (current && current->may_send(now.boot)) {
    peer->traffic.flush_wanted = true;  // the session came, and older packets are not gone yet
  } else {
    want_handshake(peer->traffic);
  }
  raise_attention(*peer, attention);
}

bool Device::stage_locked(PeerTraffic& traffic, StagedPacket packet) noexcept {
  if (traffic.staged.size() >= kMaxStagedPackets) {
    staged_bytes_.fetch_sub(traffic.staged.front().message.size(), std::memory_order_relaxed);
    traffic.staged.erase(traffic.staged.begin());
    drops_.count(Drop::staged_overflow);
  }
  const std::size_t size = packet.message.size();
  if (staged_bytes_.fetch_add(size, std::memory_order_relaxed) + size > kMaxStagedBytes) {
    staged_bytes_.fetch_sub(size, std::memory_order_relaxed);
    drops_.count(Drop::staged_overflow);
    return false;
  }
  try {
    traffic.staged.push_back(std::move(packet));
    return true;
  } catch (const std::bad_alloc&) {
    staged_bytes_.fetch_sub(size, std::memory_order_relaxed);
    drops_.count(Drop::no_resources);
    return false;
  }
}

void Device::drop_staged(PeerTraffic& traffic, Drop why) noexcept {
  for (const StagedPacket& packet : traffic.staged) {
    staged_bytes_.fetch_sub(packet.message.size(), std::memory_order_relaxed);
    drops_.count(why);
  }
  std::vector<StagedPacket>().swap(traffic.staged);  // an assignment would keep its room
}

void Device::take_staged(const Now& now, PeerId id, std::uint16_t lane, StagedBatch& out,
                         Attention& attention) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return;
  PeerGuard guard(exclusion_, id);
  PeerTraffic& traffic = peer->traffic;
  out.packets.reserve(traffic.staged.size());  // the last that can fail
  const auto others = [lane](const StagedPacket& packet) { return packet.lane != lane; };
  const auto mine = std::stable_partition(traffic.staged.begin(), traffic.staged.end(), others);
  const auto count = static_cast<std::uint64_t>(traffic.staged.end() - mine);
  const KeypairRef& current = traffic.keypairs.current();
  if (count == 0 || !current || !current->may_send(now.boot) || traffic.endpoint.is_none()) return;
  const std::optional<std::uint64_t> counter = current->reserve(count);
  if (!counter) {
    want_handshake(traffic);
    raise_attention(*peer, attention);
    return;
  }
  out.run = {id, current, traffic.endpoint, traffic.source};
  out.first_counter = *counter;
  out.packets.assign(std::move_iterator(mine), std::move_iterator(traffic.staged.end()));
  traffic.staged.erase(mine, traffic.staged.end());
  if (traffic.staged.empty()) traffic.staged.shrink_to_fit();
  for (const StagedPacket& packet : out.packets) {
    staged_bytes_.fetch_sub(packet.message.size(), std::memory_order_relaxed);
    traffic.tx_bytes += packet.message.size();
  }
  traffic.timers.any_authenticated_packet_traversal(now.boot);
  traffic.timers.any_authenticated_packet_sent();
  traffic.timers.data_sent(now.boot, rng_);
  keep_key_fresh_sending(now, traffic);
  raise_attention(*peer, attention);
}

void Device::want_handshake(PeerTraffic& traffic) noexcept {
  traffic.timers.reset_attempts();
  // One under way is retried by its timer; there is nothing to ask for.
  if (!traffic.timers.handshake_pending()) traffic.handshake_wanted = true;
}

void Device::keep_key_fresh_sending(const Now& now, PeerTraffic& traffic) noexcept {
  const KeypairRef& current = traffic.keypairs.current();
  const bool old = current->initiator() && current->age(now.boot) >= kRekeyAfterTime;
  if (old || current->next_counter() > kRekeyAfterMessages) want_handshake(traffic);  // P56
}

// Without memory the peer stays unraised: its next packet tries again.
void Device::raise_attention(Peer& peer, Attention& attention) noexcept {
  PeerTraffic& traffic = peer.traffic;
  if (traffic.attention_raised) return;
  if (!traffic.handshake_wanted && !traffic.flush_wanted && !traffic.handshake_over &&
      traffic.source_use != SourceUse::unknown && traffic.retired.empty() &&
      traffic.timers.earliest().at >= traffic.scheduled) {
    return;
  }
  try {
    attention.push_back(peer.id);
  } catch (const std::bad_alloc&) {
    return;
  }
  traffic.attention_raised = true;
}

void Device::source_refused(PeerId id, const Source& refused, SourceUse left) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return;
  PeerGuard guard(exclusion_, id);
  if (peer->traffic.source != refused) return;
  peer->traffic.source_use = left;
  peer->traffic.source = usable(peer->traffic.reached_at, left);
}

}  // namespace ferrule::protocol
