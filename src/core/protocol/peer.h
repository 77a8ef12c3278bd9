// What a device knows of one peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/keys.h"
#include "base/net.h"
#include "base/time.h"
#include "protocol/cookie.h"
#include "protocol/keypair.h"
#include "protocol/noise.h"
#include "protocol/timers.h"

namespace ferrule::protocol {

/// A packet that waits for a session (P73), laid out so that it can be sealed where it stands:
/// header room, the packet, room for padding and tag.
struct StagedPacket {
  std::vector<std::uint8_t> message;
  std::uint32_t size = 0;  // of the inner packet
  std::uint16_t lane = 0;  // the lane that read it, and that must send it (P77)
};

/// What data packets touch. Guarded by the peer's lock.
struct PeerTraffic {
  KeypairSlots keypairs;
  KeypairSlots::Retired retired;  // left the slots; their indices still stand in the index table
  Timers timers;
  Endpoint endpoint;
  Source source;       // the sticky one (P75)
  Source dead_source;  // no way leads to the endpoint by it: messages that come to it set none
  std::vector<StagedPacket> staged;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  WallTime last_handshake;
  Instant scheduled = Instant::never();  // what the deadline heap knows of `timers`
  bool handshake_wanted = false;
  bool flush_wanted = false;      // staged packets may have a session by now
  bool handshake_over = false;    // the peer's session is in use: ours need not go on (P34)
  bool attention_raised = false;  // the control side will look at this peer

  /// P74: an authentic message came, `from` there `to` here.
  void reached(const Endpoint& from, const Source& to) noexcept {
    if (from.address != endpoint.address) dead_source = {};
    endpoint = from;
    source = to == dead_source ? Source{} : to;
  }
};

/// What handshakes touch. For the control side alone.
struct PeerHandshake {
  explicit PeerHandshake(const PublicKey& peer) noexcept : cookie(peer) {}

  PresharedKey psk;
  std::optional<Secret<32>> static_static;  // DH of the two static keys, once it was needed (P25)
  std::optional<SentInitiation> sent;       // waits for its response
  CookieHolder cookie;
  std::optional<Timestamp> greatest_received;  // P27
  std::optional<Timestamp> last_sent;          // P29
  std::optional<Instant> last_accepted_at;     // an initiation of the peer's (P28)
  std::optional<Instant> last_sent_at;         // an initiation or response of ours (P51)
};

struct Peer {
  Peer(PeerId peer_id, std::uint64_t number, const PublicKey& key) noexcept
      : id(peer_id), sequence(number), public_key(key), handshake(key) {}

  const PeerId id;
  const std::uint64_t sequence;  // peers are numbered as they are added
  const PublicKey public_key;
  PeerTraffic traffic;
  PeerHandshake handshake;
};

}  // namespace ferrule::protocol
