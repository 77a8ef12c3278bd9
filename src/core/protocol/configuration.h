// The values that a device's configuration is made of: what may be asked of it, what it says of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/keys.h"
#include "base/local_place.h"
#include "base/net.h"
#include "base/segments.h"
#include "base/small_segments.h"
#include "base/time.h"
#include "protocol/message_counts.h"
#include "protocol/messages.h"

namespace ferrule::protocol {

struct AllowedIpChange {
  Cidr cidr;
  bool remove = false;  // takes just this one from the peer, if it is the peer's (P101)
};

/// Most peers have an address of each family.
using AllowedIpChanges = SmallSegments<AllowedIpChange, 2>;

/// What is to become of one peer. Fields that are not set stay as they are.
struct PeerChange {
  PublicKey public_key;
  bool remove = false;
  bool update_only = false;                   // skip when there is no such peer
  bool replace_allowed_ips = false;           // those not named here go
  std::optional<PresharedKey> preshared_key;  // all zero: none
  std::optional<Endpoint> endpoint;
  std::optional<std::uint16_t> persistent_keepalive_s;  // 0: off
  AllowedIpChanges allowed_ips;
};

/// A set request, whole. Applied in order: device fields, then peers in the order given (the same
/// peer may come more than once). Move-only, since it holds keys.
struct DeviceChange {
  std::optional<PrivateKey> private_key;  // all zero: no identity
  std::optional<std::uint16_t> listen_port;
  std::optional<std::uint32_t> fwmark;
  std::optional<LocalAddresses> bind;         // empty: all addresses
  std::optional<std::string> bind_interface;  // "": all interfaces
  bool replace_peers = false;                 // all peers go first
  Segments<PeerChange> peers;
};

/// What a peer says of itself. Move-only, since it holds a key.
struct PeerStatus {
  PublicKey public_key;
  PresharedKey preshared_key;
  Endpoint endpoint;  // none when unknown
  WallTime last_handshake;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  std::optional<MessageCounts> messages;  // none: not told
  std::uint16_t persistent_keepalive_s = 0;
  std::vector<Cidr> allowed_ips;  // in the order in which they were added
};

/// What is worth knowing of a peer when the device is made anew. No secrets.
struct PeerMemory {
  PublicKey public_key;
  Endpoint endpoint;                  // the last; none when unknown
  std::optional<Timestamp> received;  // the greatest that was accepted (P27)
  std::optional<Timestamp> sent;      // the last (P29)
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  std::int64_t seen_s = 0;   // on the wall clock: when the device last had the peer
  bool had_session = false;  // at that time

  bool operator==(const PeerMemory&) const = default;
};

/// The same of a device. It belongs to a private key, whose public key it names by its hash.
struct DeviceMemory {
  using Identity = std::array<std::uint8_t, 32>;
  Identity identity{};
  std::optional<Timestamp> reserved;  // no stamp that was sent is greater
  Segments<PeerMemory> peers;
};

}  // namespace ferrule::protocol
