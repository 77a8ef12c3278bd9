// What the data path and the control side of a device have in common.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "protocol/allowed_ips.h"
#include "protocol/cookie.h"
#include "protocol/drop.h"
#include "protocol/exclusion.h"
#include "protocol/index_table.h"
#include "protocol/peer.h"
#include "protocol/peer_table.h"
#include "protocol/staging.h"

namespace ferrule::protocol {

/// The tables of a device, whoever excludes others from them, and what else both of its sides touch. Each
/// of its parts (DataPath, Handshaker, Configurator) is given the same ones, and owns the rest of what it
/// needs.
struct DeviceTables {
  /// Keeps the reference.
  explicit DeviceTables(Exclusion& by) noexcept : exclusion(by), staging(by) {}

  Exclusion& exclusion;

  // Thread-safe, each for itself.
  DropCounters drops;
  Staging staging;
  std::atomic<std::size_t> mtu{1420};
  std::atomic<std::uint64_t> memory_changes{0};  // rises with what is worth remembering

  // Read by the data path, changed by the control side under Exclusion::lock_tables.
  PeerTable peers;
  AllowedIps allowed_ips;
  IndexTable indices;
  Mac1Checker mac1;  // without an identity it refuses everything
  bool up = false;

  // Set before there is anybody to read it: what is known of a place that a peer newly reaches us at (P75).
  SourceUse first_use = SourceUse::chosen;

  void memory_changed() noexcept { memory_changes.fetch_add(1, std::memory_order_relaxed); }
  /// Under the peer's lock: what was staged for too long goes, or all of it.
  void expire_staged(const Now& now, Peer& peer) noexcept;
  void drop_staged(Peer& peer, Drop why) noexcept;
};

}  // namespace ferrule::protocol
