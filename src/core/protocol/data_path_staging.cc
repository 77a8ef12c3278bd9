// Packets that wait for a session, on their way in and out again (P44a, P73, P73a, P77).
#include <algorithm>
#include <new>

#include "base/wire.h"
#include "protocol/data_path.h"

namespace ferrule::protocol {

// Whatever becomes of the packet, its peer is tried.
void DataPath::stage(const Now& now, const StagingPlace& place, Bytes packet, std::uint16_t lane,
                     Attention& attention) noexcept {
  Peer* peer = tables_.peers.find(place.peer);
  if (peer == nullptr || !may_stage()) {
    tables_.drops.count(peer == nullptr ? Drop::peer_removed
                        : tables_.up    ? Drop::no_identity
                                        : Drop::device_down);
    return;
  }
  StagedPackets one;
  const std::size_t message_size = transport_size(packet.size(), mtu());
  try {
    StagedPacket& fresh =
        one.emplace_back(StagedPacket{.message = WipedBytes(kWirePrefix + message_size),
                                      .size = static_cast<std::uint32_t>(packet.size()),
                                      .lane = lane,
                                      .place = place.number,
                                      .since = now.boot});
    copy(packet, fresh.message.view().subspan(kWirePrefix + TransportLayout::kHeaderSize));
  } catch (const std::bad_alloc&) {
    tables_.drops.count(Drop::no_resources);
  }
  {
    PeerGuard guard(tables_.exclusion, peer->id);
    tables_.expire_staged(now, *peer);
    if (!one.empty()) {
      tables_.drops.count(Drop::staged_overflow, tables_.staging.add(*peer, one));
      if (!one.empty()) tables_.drops.count(Drop::no_resources);
    }
    ask_to_send(now, peer->traffic);
    raise_attention(*peer, attention);
  }
  make_room(*peer);
}

// One peer's lock at a time: others may take and stage meanwhile. What is full is so by this packet, or
// by those of lanes that are here, too.
void DataPath::make_room(Peer& own) noexcept {
  if (!tables_.staging.is_full()) return;
  for (unsigned tries = 0; tries < kMaxPushedOut && tables_.staging.is_full(); ++tries) {
    Peer* peer = tables_.peers.find(tables_.staging.greatest());
    if (peer == nullptr) break;
    PeerGuard guard(tables_.exclusion, peer->id);
    tables_.drops.count(Drop::staged_overflow, tables_.staging.give_up_oldest(*peer));
  }
  PeerGuard guard(tables_.exclusion, own.id);
  while (tables_.staging.is_full()) {
    const std::size_t dropped = tables_.staging.give_up_oldest(own);
    if (dropped == 0) break;
    tables_.drops.count(Drop::staged_overflow, dropped);
  }
}

void DataPath::ask_to_send(const Now& now, PeerTraffic& traffic) noexcept {
  const KeypairRef& current = traffic.keypairs.current();
  if (current && current->may_send(now.boot)) {
    traffic.flush_wanted = true;  // the session came, and older packets are not gone yet
  } else {
    traffic.timers.want_handshake();
  }
}

void DataPath::take_staged(const Now& now, PeerId id, std::uint16_t lane, StagedBatch& out,
                           Attention& attention) noexcept {
  Peer* peer = tables_.peers.find(id);
  if (peer == nullptr) return;
  PeerGuard guard(tables_.exclusion, id);
  PeerTraffic& traffic = peer->traffic;
  if (traffic.staged.empty()) return;
  const auto is_mine = [lane](const StagedPacket& packet) { return packet.lane == lane; };
  const auto count =
      static_cast<std::uint64_t>(std::ranges::count_if(traffic.staged.waiting->packets, is_mine));
  if (count == 0) return;
  const KeypairRef& current = traffic.keypairs.current();
  std::optional<std::uint64_t> counter;
  if (current && current->may_send(now.boot)) counter = current->reserve(count);
  if (!counter) {
    // The session has gone since they were asked for. They stay where they are (P44a).
    traffic.timers.want_handshake();
    raise_attention(*peer, attention);
    return;
  }
  out.run = {id, current, traffic.endpoint, traffic.source()};
  out.first_counter = *counter;
  tables_.staging.take(*peer, lane, out.packets);
  traffic.timers.any_authenticated_packet_traversal(now.boot);
  traffic.timers.any_authenticated_packet_sent();
  traffic.timers.data_sent(now.boot, rng_);
  traffic.keep_key_fresh_sending(now.boot);
  raise_attention(*peer, attention);
}

}  // namespace ferrule::protocol
