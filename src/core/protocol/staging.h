// Packets that wait for a session (P73, P73a): what one peer has waiting, and which peers hold most.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>

#include "base/boxed.h"
#include "base/ids.h"
#include "base/time.h"
#include "base/wiped_bytes.h"
#include "protocol/exclusion.h"

namespace ferrule::protocol {

struct Peer;

/// Laid out so that it can be sealed where it stands: room for prefix and header, the packet, room for
/// padding and tag. It is plaintext: wiped wherever it goes.
struct StagedPacket {
  WipedBytes message;
  std::uint32_t size = 0;  // of the inner packet
  std::uint16_t lane = 0;  // the lane that read it, and that must send it (P77)
  std::uint64_t place = 0;
  Instant since;

  /// What it costs, with what a list and an allocator add.
  [[nodiscard]] std::size_t cost() const noexcept { return message.size() + kOverhead; }
  static constexpr std::size_t kOverhead = 96;
};

/// Owns them, oldest first. To move one from list to list takes no memory.
using StagedPackets = std::list<StagedPacket>;

/// A peer's place among those that hold much. Guarded by Exclusion::lock_staging; `rank` may also be
/// read under the peer's lock.
struct StagingRank {
  Peer* previous = nullptr;
  Peer* next = nullptr;
  std::uint8_t rank = 0;
};

/// What one peer has waiting. Guarded by the peer's lock; changed by `Staging`.
struct StagedQueue {
  struct Waiting {
    StagedPackets packets;  // by their places
    std::uint32_t cost = 0;
    std::uint32_t shared = 0;  // of its cost, what counts for the device's bound
    StagingRank rank;
  };
  Boxed<Waiting> waiting;  // from the first packet on
  std::uint64_t next_place = 0;

  [[nodiscard]] bool empty() const noexcept { return !waiting || waiting->packets.empty(); }
  /// Gives `count` datagrams their places: those that come later stand behind them, whoever is first
  /// to stage his (P44a, P77).
  [[nodiscard]] std::uint64_t take_places(std::uint64_t count) noexcept {
    const std::uint64_t first = next_place;
    next_place += count;
    return first;
  }
};

/// The staged packets of a device, and their bounds. A peer keeps at most kMaxStagedPackets. Its newest
/// one is its own; all others of all peers share kMaxStagedBytes. So a device stages no more than that
/// and one packet a peer, and no peer is kept from staging by what others hold.
///
/// Peers are ranked by the power of two that what they share has reached: who holds most is known to a
/// factor of two, and costs a step, and a peer changes its rank once in many packets.
///
/// Thread-safe, as each member says: the caller holds the tables shared, and the lock of the peer.
class Staging {
 public:
  explicit Staging(Exclusion& exclusion) noexcept : exclusion_(exclusion) {}

  // --- under the peer's lock; each tells how many packets it dropped ---
  /// Takes over the one packet of `one`, or leaves it there without memory. Drops the oldest if there are
  /// too many.
  std::size_t add(Peer& peer, StagedPackets& one) noexcept;
  /// Drops what has waited for longer than kStagedFor.
  std::size_t expire(Instant now, Peer& peer) noexcept;
  std::size_t drop_all(Peer& peer) noexcept;
  /// Drops the oldest, unless it is the newest, too.
  std::size_t give_up_oldest(Peer& peer) noexcept;
  /// Moves the lane's packets to the end of `out`.
  void take(Peer& peer, std::uint16_t lane, StagedPackets& out) noexcept;

  // --- under no peer's lock ---
  /// Whether somebody must give up something.
  [[nodiscard]] bool is_full() const noexcept;
  /// Who holds most, and has for longest. None when nobody can give up anything.
  [[nodiscard]] PeerId greatest() const noexcept;

 private:
  static constexpr std::size_t kRanks = 33;  // 0, and each power of two
  struct Rank {
    Peer* first = nullptr;
    Peer* last = nullptr;
  };

  void drop_front(Peer& peer) noexcept;
  void account(Peer& peer) noexcept;
  void move(Peer& peer, std::uint8_t to) noexcept;

  Exclusion& exclusion_;
  std::atomic<std::size_t> shared_{0};
  std::array<Rank, kRanks> ranks_;  // guarded by Exclusion::lock_staging; the first stays empty
};

}  // namespace ferrule::protocol
