// What a device knows of one peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/keys.h"
#include "base/net.h"
#include "base/time.h"
#include "protocol/cookie.h"
#include "protocol/keypair.h"
#include "protocol/noise.h"
#include "protocol/staging.h"
#include "protocol/timers.h"

namespace ferrule::protocol {

/// How much of the local address and interface that a peer reached us at is good for answers (P75).
enum class SourceUse : std::uint8_t {
  unknown,   // to be asked
  chosen,    // both: the system by itself would take that interface too
  possible,  // both, though the system by itself would take another one
  address,   // the address; no way leads to the peer by the interface
  nothing,   // the address is not this machine's, or the system has refused it
};

/// What answers leave from, at a peer that reached us `at` and of which `use` is known. While nothing is
/// known the routes decide on the interface: one that leads nowhere would swallow what is sent there.
[[nodiscard]] inline Source usable(const Source& at, SourceUse use) noexcept {
  if (use == SourceUse::nothing) return {};
  const bool whole = use == SourceUse::chosen || use == SourceUse::possible;
  return whole || at.address.is_link_local() ? at : Source{at.address, 0};
}

/// What looks like a message of ours and came from the tunnel interface: whose it is, its index tells.
struct ReturnedMessage {
  Endpoint to;
  std::uint32_t index = 0;  // the receiver's of transport data, else the sender's
  bool is_data = false;
};

/// Whether messages to a peer come back through the tunnel, for the log to tell; and which message it was
/// that went through this peer last, in case that is another peer's.
struct LoopWatch {
  bool seen = false;
  bool told = false;  // as the log knows it
  bool carried_data = false;
  std::uint32_t carried_index = 0;
  Instant quiet_since = Instant::never();  // when something was sent first that has not come back
  Instant carried_at = Instant::never();

  void met() noexcept {
    seen = true;
    quiet_since = Instant::never();
  }
  void sending(Instant now) noexcept {
    if (!seen) return;
    if (quiet_since == Instant::never()) quiet_since = now;
    if (now - quiet_since >= kLoopRest) seen = false;
  }
  void carries(const ReturnedMessage& message, Instant now) noexcept {
    carried_data = message.is_data;
    carried_index = message.index;
    carried_at = now;
  }
};

/// What data packets touch. Guarded by the peer's lock.
struct PeerTraffic {
  KeypairSlots keypairs;
  KeypairSlots::Retired retired;  // left the slots; their indices still stand in the index table
  Timers timers;
  Endpoint endpoint;
  Source source;      // the sticky one (P75): of `reached_at` what is usable, or nothing for now
  Source reached_at;  // where the peer's last authentic message came to
  SourceUse source_use = SourceUse::chosen;  // of `reached_at`
  StagedQueue staged;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  WallTime last_handshake;
  bool flush_wanted = false;      // staged packets may have a session by now
  bool handshake_over = false;    // the peer's session is in use: ours need not go on (P34)
  bool attention_raised = false;  // the control side will look at this peer

  // What becomes of what is sent (device_outcome.cc).
  int send_error = 0;  // why the system refuses it, as an errno; 0: it does not
  int told_error = 0;  // as the log was told
  LoopWatch loop;

  /// P74: an authentic message came, `from` there `to` here; `use`: what is known of a new place.
  void reached(const Endpoint& from, const Source& to, SourceUse use) noexcept {
    if (to != reached_at || from.address != endpoint.address) {
      reached_at = to;
      source_use = use;
    }
    endpoint = from;
    source = usable(to, source_use);
  }
  void forget_source() noexcept {
    source = reached_at = {};
    source_use = SourceUse::chosen;
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
  std::uint64_t identity = 0;  // of the device's, the one that all of this belongs to
  bool revive = false;  // had a session when the device was last seen: begins with an initiation
};

struct Peer {
  Peer(PeerId peer_id, std::uint64_t number, const PublicKey& key) noexcept
      : id(peer_id), sequence(number), public_key(key), handshake(key) {}

  const PeerId id;
  const std::uint64_t sequence;  // peers are numbered as they are added
  const PublicKey public_key;
  PeerTraffic traffic;
  PeerHandshake handshake;
  StagingRank staging;
};

}  // namespace ferrule::protocol
