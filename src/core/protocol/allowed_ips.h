// Cryptokey routing: which peer a prefix belongs to (§2; P90, P91).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/ids.h"
#include "base/net.h"
#include "base/segments.h"
#include "protocol/allowed_ips_blocks.h"
#include "protocol/allowed_ips_trie.h"
#include "protocol/hash_index.h"

namespace ferrule::protocol {

/// A longest-prefix-match table for IPv4 and IPv6, in which each prefix has one owner. Lookups may
/// run in any number of threads as long as nobody changes the table; whoever changes it excludes
/// them (Exclusion::lock_tables). Every single change leaves a table that is right in itself.
///
/// Prefixes of a whole address, which most peers of a large device have, stand in a hash index: one of them
/// is always the longest that holds its address, and is found in two steps. All others stand in a trie a family, and
/// so do hosts that the index has no memory for.
class AllowedIps {
 public:
  AllowedIps();
  ~AllowedIps();
  AllowedIps(const AllowedIps&) = delete;
  AllowedIps& operator=(const AllowedIps&) = delete;

  /// Gives `cidr` to `peer`, taking it from whoever had it. A prefix that the peer already has keeps
  /// its place in the peer's order.
  void insert(const Cidr& cidr, PeerId peer);
  /// Takes `cidr` from `peer`. False when it was not the peer's.
  bool remove(const Cidr& cidr, PeerId peer) noexcept;
  /// Takes everything from `peer`. O(number of its prefixes).
  void remove_peer(PeerId peer) noexcept;
  /// Where the prefix is the peer's, the walk that follows leaves it where it is. Lookups may go on.
  void keep(const Cidr& cidr, PeerId peer) noexcept;
  /// Takes from `peer` those of its next `count` prefixes that are not to be kept. False when there are
  /// none behind them. `walk` begins as {}, and goes on as long as the peer gets no others.
  struct Walk {
    bool begun = false;
    std::uint32_t next = 0;
  };
  bool remove_some(PeerId peer, Walk& walk, std::size_t count) noexcept;

  /// One step of taking memory, so that until `let_go` this many inserts can't fail, for peers in slots
  /// that there is room for. True: all of it is there. It may reserve twice what they take, but touches none
  /// of it. After a failure, too, call `let_go`.
  struct Room {
    std::size_t v4 = 0;
    std::size_t v6 = 0;
  };
  [[nodiscard]] bool hold_some_room(const Room& room);
  /// One step of taking the memory for peers in the first `slots` slots. True: there is room. Lookups may
  /// go on.
  [[nodiscard]] bool hold_slots(std::size_t slots) { return lists_.reserve_some(slots); }
  /// Gives back some of what is free. True: there is nothing more to give.
  bool let_go() noexcept;

  /// The owner of the longest prefix that holds the address, or PeerId none. `address` is 4 or 16
  /// bytes in network order.
  [[nodiscard]] PeerId lookup_v4(const std::uint8_t* address) const noexcept;
  [[nodiscard]] PeerId lookup_v6(const std::uint8_t* address) const noexcept;
  [[nodiscard]] PeerId lookup(const IpAddress& address) const noexcept;
  /// Several at once, which among very many prefixes takes a fraction of the time.
  struct Lookup {
    const std::uint8_t* address = nullptr;  // 4 or 16 bytes in network order
    Family family = Family::v4;
    PeerId owner;  // is found
  };
  static constexpr std::size_t kLookupsTogether = 64;
  void lookup_together(std::span<Lookup> lookups) const noexcept;

  /// The peer's prefixes in the order in which they were given to it.
  void for_each(PeerId peer, const std::function<void(const Cidr&)>& visit) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // A slot's list belongs to the tenant that had it last: the one of another generation has none.
  struct PeerList {
    std::uint32_t generation = 0;
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };

  [[nodiscard]] AllowedIpsTrie& trie_of(Family family) noexcept {
    return family == Family::v4 ? v4_ : v6_;
  }
  [[nodiscard]] const AllowedIpsTrie& trie_of(Family family) const noexcept {
    return family == Family::v4 ? v4_ : v6_;
  }
  struct Together;
  void lookup_some(std::span<Lookup> lookups) const noexcept;
  void find_hosts(Together& together, std::span<Lookup> lookups) const noexcept;
  void walk_tries(Together& together, std::span<Lookup> lookups) const noexcept;
  [[nodiscard]] PeerId lookup(Family family, const AddressBits& bits) const noexcept;
  [[nodiscard]] std::uint32_t find_host(Family family, const AddressBits& bits) const noexcept;
  [[nodiscard]] bool insert_host(std::uint32_t place) noexcept;
  [[nodiscard]] PeerId owner(std::uint32_t place) const noexcept {
    return place == kNone ? PeerId{} : prefixes_[place].peer;
  }
  [[nodiscard]] std::uint32_t find(const Cidr& cidr) const noexcept;
  [[nodiscard]] Cidr cidr_at(std::uint32_t place) const noexcept;
  [[nodiscard]] const PeerList* list_of(PeerId peer) const noexcept;
  [[nodiscard]] PeerList& make_list(PeerId peer);
  void append(PeerList& list, std::uint32_t place) noexcept;
  void unlink(std::uint32_t place) noexcept;
  void forget(std::uint32_t place) noexcept;

  BlockArena<OwnedPrefix> prefixes_;  // of both families; the tries name them by their place
  std::size_t size_ = 0;
  HashIndex hosts_;  // of both
  AllowedIpsTrie v4_;
  AllowedIpsTrie v6_;
  Segments<PeerList> lists_;  // by slot
};

}  // namespace ferrule::protocol
