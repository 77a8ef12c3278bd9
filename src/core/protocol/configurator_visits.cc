// What a device says of its peers, some at a time.
#include <algorithm>

#include "protocol/configurator.h"

namespace ferrule::protocol {

namespace {
// A walk that goes past a peer costs a fraction of one that tells of it.
constexpr std::size_t kLooksAVisit = 16;
}  // namespace

PeerStatus Configurator::status_of(const Peer& peer) const {
  PeerStatus status;
  status.public_key = peer.public_key;
  status.preshared_key = PresharedKey(peer.handshake.psk.clone());
  tables_.allowed_ips.for_each(peer.id,
                               [&](const Cidr& cidr) { status.allowed_ips.push_back(cidr); });
  PeerGuard guard(tables_.exclusion, peer.id);
  const PeerTraffic& traffic = peer.traffic;
  status.endpoint = traffic.endpoint;
  status.last_handshake = traffic.last_handshake.unpacked();
  status.tx_bytes = traffic.tx_bytes;
  status.rx_bytes = traffic.rx_bytes;
  status.messages = traffic.keypairs.counts();
  status.persistent_keepalive_s = traffic.timers.persistent_keepalive_s();
  return status;
}

// Where nobody has gone, behind the one that the walk rested at. Else from the start, past all that are
// older than that one, of which there may be very many: `count` is what may be looked at.
const Peer* Configurator::resume(PeerCursor& cursor, std::size_t& count) const noexcept {
  const Peer* at = tables_.peers.find(cursor.peer);
  const Peer* peer = at == nullptr ? tables_.peers.first() : tables_.peers.after(*at);
  for (; peer != nullptr && peer->sequence <= cursor.sequence && count > 0; --count) {
    cursor.peer = peer->id;
    peer = tables_.peers.after(*peer);
  }
  return peer;
}

bool Configurator::walk_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                              const std::function<void(const Peer&)>& visit) const {
  std::size_t looks = std::min(count, SIZE_MAX / kLooksAVisit) * kLooksAVisit;
  const Peer* peer = cursor ? resume(*cursor, looks) : tables_.peers.first();
  if (looks == 0) return peer != nullptr;
  for (; peer != nullptr && count > 0; peer = tables_.peers.after(*peer), --count) {
    visit(*peer);
    cursor = {peer->id, peer->sequence};
  }
  return peer != nullptr;
}

bool Configurator::visit_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                               const std::function<void(const PeerStatus&)>& visit) const {
  return walk_peers(cursor, count, [&](const Peer& peer) { visit(status_of(peer)); });
}

std::optional<PeerMemory> Configurator::memory_of(const Now& now, const Peer& peer) const {
  const PeerHandshake& handshake = peer.handshake;
  if (!handshake.greatest_received && !handshake.last_sent) return std::nullopt;
  PeerMemory memory;
  memory.public_key = peer.public_key;
  memory.received = handshake.greatest_received;
  memory.sent = handshake.last_sent;
  memory.seen_s = std::max<std::int64_t>(now.wall.seconds, 0);
  PeerGuard guard(tables_.exclusion, peer.id);
  const PeerTraffic& traffic = peer.traffic;
  const auto lives = [&](const KeypairRef& keypair) {
    return keypair && !keypair->expired(now.boot);
  };
  memory.endpoint = traffic.endpoint;
  memory.tx_bytes = traffic.tx_bytes;
  memory.rx_bytes = traffic.rx_bytes;
  memory.had_session =
      handshake.revive || lives(traffic.keypairs.current()) || lives(traffic.keypairs.next());
  return memory;
}

bool Configurator::visit_memory(const Now& now, MemoryCursor& cursor, std::size_t count,
                                const std::function<void(const PeerMemory&)>& visit) const {
  if (cursor.peers_done) return restored_.visit_unclaimed(cursor.unclaimed, count, visit);
  cursor.peers_done = !walk_peers(cursor.peer, count, [&](const Peer& peer) {
    if (const auto memory = memory_of(now, peer)) visit(*memory);
  });
  return !cursor.peers_done || !restored_.empty();
}

}  // namespace ferrule::protocol
