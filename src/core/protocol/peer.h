// What a device knows of one peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/boxed.h"
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

/// A wall clock time in one number, which holds three centuries; what is beyond wraps around.
class PackedWallTime {
 public:
  PackedWallTime() noexcept = default;
  explicit PackedWallTime(const WallTime& time) noexcept
      : ns_(static_cast<std::int64_t>(static_cast<std::uint64_t>(time.seconds) * kNsPerSecond +
                                      time.nanoseconds)) {}
  [[nodiscard]] WallTime unpacked() const noexcept {
    return {ns_ / kNsPerSecond, static_cast<std::uint32_t>(ns_ % kNsPerSecond)};
  }

 private:
  static constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  std::int64_t ns_ = 0;
};

/// What data packets touch. Guarded by the peer's lock.
struct PeerTraffic {
  [[no_unique_address]] KeypairSlots keypairs;  // flags stand in what would be its padding
  SourceUse source_use = SourceUse::chosen;     // of `reached_at`
  bool by_routes = false;         // for now messages leave from where the routes decide
  bool flush_wanted = false;      // staged packets may have a session by now
  bool handshake_over = false;    // the peer's session is in use: ours need not go on (P34)
  bool attention_raised = false;  // the control side will look at this peer
  KeypairSlots::Retired retired;  // left the slots; their indices still stand in the index table
  Timers timers;
  Endpoint endpoint;
  StagedQueue staged;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  PackedWallTime last_handshake;

  // What becomes of what is sent (data_path_outcome.cc).
  int send_error = 0;     // why the system refuses it, as an errno; 0: it does not
  int told_error = 0;     // as the log was told
  Boxed<LoopWatch> loop;  // once something of ours came back

  /// Where the peer's last authentic message came to; none where there is no memory to know it.
  [[nodiscard]] Source reached_at() const noexcept { return place_ ? *place_ : Source{}; }
  /// The sticky one (P75): what of that is usable, or nothing for now.
  [[nodiscard]] Source source() const noexcept {
    return by_routes ? Source{} : usable(reached_at(), source_use);
  }
  /// P74: an authentic message came, `from` there `to` here; `use`: what is known of a new place.
  void reached(const Endpoint& from, const Source& to, SourceUse use) noexcept;
  /// It is known now. What leaves by the routes goes on so.
  void use_source(SourceUse use) noexcept {
    source_use = use;
    by_routes = by_routes || use == SourceUse::nothing;
  }
  void forget_source() noexcept {
    place_.reset();
    source_use = SourceUse::chosen;
    by_routes = false;
  }
  /// After sending with the current keypair, and after receiving: wants a handshake when it grows old.
  void keep_key_fresh_sending(Instant now) noexcept;
  void keep_key_fresh_receiving(Instant now) noexcept;
  /// The loop's watch, made if it is not there yet; null without memory: a loop is then told of later.
  [[nodiscard]] LoopWatch* watch_loop() noexcept {
    return loop || loop.emplace() ? &*loop : nullptr;
  }
  [[nodiscard]] bool loops() const noexcept { return loop && loop->seen; }
  [[nodiscard]] bool is_loop_told() const noexcept { return !loop || loop->seen == loop->told; }

 private:
  Boxed<Source> place_;
};

/// What handshakes touch. For the control side alone.
/// Most peers of a large device do not speak: what they have no need of is boxed.
struct PeerHandshake {
  PresharedKey psk;
  Boxed<Secret<32>> static_static;  // DH of the two static keys, once it was needed (P25)
  Boxed<SentInitiation> sent;       // waits for its response
  Boxed<CookieHolder> cookie;       // once a message was sent
  Instant last_accepted_at = Instant::never();  // an initiation of the peer's (P28)
  Instant last_sent_at = Instant::never();      // an initiation or response of ours (P51)
  std::uint32_t identity = 0;  // of the device's, the one that all of this belongs to
  std::optional<Timestamp> greatest_received;  // P27
  std::optional<Timestamp> last_sent;          // P29
  bool revive = false;  // had a session when the device was last seen: begins with an initiation
};

struct Peer {
  Peer(PeerId peer_id, std::uint64_t number, const PublicKey& key) noexcept
      : id(peer_id), sequence(number), public_key(key) {}

  const PeerId id;
  const std::uint64_t sequence;  // peers are numbered as they are added
  const PublicKey public_key;
  PeerTraffic traffic;
  PeerHandshake handshake;

  /// Of a message to the peer. Without memory there is no cookie to keep (P35).
  void add_macs(Instant now, MutBytes message) noexcept {
    if (handshake.cookie || handshake.cookie.emplace(public_key)) {
      handshake.cookie->add_macs(now, message);
    } else {
      CookieHolder(public_key).add_macs(now, message);
    }
  }
};

}  // namespace ferrule::protocol
