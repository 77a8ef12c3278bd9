// Longest-prefix match over the prefixes of one family (§2; P90).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/net.h"
#include "protocol/allowed_ips_blocks.h"

namespace ferrule::protocol {

/// The bits of an address, the first one on top of `high`. An IPv4 address takes 32 of them.
struct AddressBits {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  [[nodiscard]] static AddressBits v4(const std::uint8_t* address) noexcept {
    return {std::uint64_t{load_be32(address)} << 32, 0};
  }
  [[nodiscard]] static AddressBits v6(const std::uint8_t* address) noexcept {
    return {load_be64(address), load_be64(address + 8)};
  }
  bool operator==(const AddressBits&) const noexcept = default;
};

/// A prefix, its owner, and its neighbours in the owner's list.
struct OwnedPrefix {
  std::array<std::uint8_t, 16> address{};  // zero behind an IPv4 address
  PeerId peer;
  std::uint32_t previous = UINT32_MAX;
  std::uint32_t next = UINT32_MAX;
  std::uint8_t length = 0;
  Family family = Family::none;
  bool stays = false;   // within a change that replaces the owner's list (AllowedIps::keep)
  bool hashed = false;  // it is a host's, and stands in the index of these

  [[nodiscard]] AddressBits bits() const noexcept { return AddressBits::v6(address.data()); }
};

/// An index over some of the prefixes of an arena; it names them by their place there and does not own
/// them. A prefix may not change while it is in the trie. Lookups may run in any number
/// of threads as long as nobody changes the trie.
///
/// It is a tree bitmap (Eatherton, Varghese, Dittia) that skips levels as a Patricia trie does: a node
/// decides on four bits, so that a hundred thousand prefixes are five nodes deep, and stands in 16
/// bytes beside its siblings. Bits that are skipped are not compared on the way down, but once, with
/// the prefix that was found.
class AllowedIpsTrie {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// Keeps the reference.
  explicit AllowedIpsTrie(const BlockArena<OwnedPrefix>& prefixes) noexcept : prefixes_(prefixes) {}

  /// The place of the longest prefix that holds the address, or kNone.
  [[nodiscard]] std::uint32_t lookup(const AddressBits& address) const noexcept;
  /// A look-up, step by step: for who makes several at once, so that what one waits for in memory the others
  /// wait for, too. Begins as `start` says; `step` as long as it says so; then `end`, then `confirm`.
  struct Way {
    std::uint32_t at = kNone;
    std::uint32_t found = kNone;
    std::uint32_t best = kNone;  // node
    std::uint32_t best_bits = 0;
  };
  [[nodiscard]] Way start() const noexcept { return {.at = root_}; }
  [[nodiscard]] bool step(const AddressBits& address, Way& way) const noexcept;
  void end(Way& way) const noexcept;
  /// What `lookup` gives.
  [[nodiscard]] std::uint32_t confirm(const AddressBits& address, const Way& way) const noexcept;
  /// The place of exactly this prefix, or kNone. Host bits are zero.
  [[nodiscard]] std::uint32_t find(const AddressBits& address, unsigned length) const noexcept;
  /// Before each insert, which can't fail then.
  void make_room() {
    nodes_.make_room();
    lists_.make_room();
  }
  /// One step towards that this many inserts can't fail, whatever is removed meanwhile, until `let_go`. True: there is
  /// room for all. The trie has `present` prefixes, or fewer.
  [[nodiscard]] bool hold_some_room(std::size_t inserts, std::size_t present) {
    return nodes_.make_some_room(most_taken(inserts, node_count_)) &&
           lists_.make_some_room(most_taken(inserts, present));
  }
  /// Gives back some of what is free; true: there is nothing more to give.
  bool let_go() noexcept { return nodes_.let_go() && lists_.let_go(); }
  /// The prefix at `place` is not in the trie yet.
  void insert(std::uint32_t place) noexcept;
  /// The prefix at `place` is in the trie.
  void remove(std::uint32_t place) noexcept;

  [[nodiscard]] std::size_t node_count() const noexcept { return node_count_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return nodes_.memory_bytes() + lists_.memory_bytes();
  }

 private:
  // Holds the prefixes of lengths position to position + 3 that share their first `position` bits.
  struct Node {
    std::uint32_t children = 0;     // a block of nodes, in the order of child_bits
    std::uint32_t prefixes = 0;     // the only prefix, or else a block of them in lists_
    std::uint16_t child_bits = 0;   // by the four bits at `position`
    std::uint16_t prefix_bits = 0;  // by length and value: the bits of kCovering
    std::uint8_t position = 0;      // a multiple of four
    std::uint8_t child_order = 0;   // 2^order is the size of the block
    std::uint8_t prefix_order = 0;
  };
  static_assert(sizeof(Node) == 16);

  // Elements that `inserts` can take from an arena whose blocks hold `present` ones now. Each insert adds
  // to one block. One that is full grows to twice its size, k to 2k, and is full again after k inserts
  // more: 4 elements an insert, which covers the start of a block, too (a split takes 3 for two). Only
  // the first growth of a block that is there may come sooner; it takes twice what the block holds.
  // Removing frees blocks, and takes none. `insert` asks for the room of one more block.
  [[nodiscard]] static constexpr std::size_t most_taken(std::size_t inserts,
                                                        std::size_t present) noexcept {
    constexpr std::size_t kLargest = BlockArena<Node>::kLargest;
    return std::min(kLargest * inserts, 4 * inserts + 2 * present) + kLargest;
  }

  [[nodiscard]] std::uint32_t longest(const AddressBits& address, unsigned limit) const noexcept;
  [[nodiscard]] std::uint32_t child(const Node& node, unsigned nibble) const noexcept;
  [[nodiscard]] std::uint32_t prefix(const Node& node, unsigned bit) const noexcept;
  [[nodiscard]] AddressBits any_like(const AddressBits& address) const noexcept;
  [[nodiscard]] Node leaf(std::uint32_t place) const noexcept;

  void split(std::uint32_t at, unsigned position, const AddressBits& below,
             std::uint32_t place) noexcept;
  void add_child(std::uint32_t at, unsigned nibble, const Node& added) noexcept;
  void remove_child(std::uint32_t at, unsigned nibble) noexcept;
  void add_prefix(std::uint32_t at, unsigned bit, std::uint32_t place) noexcept;
  void remove_prefix(std::uint32_t at, unsigned bit) noexcept;
  void remove_if_needless(std::uint32_t at) noexcept;

  const BlockArena<OwnedPrefix>& prefixes_;
  BlockArena<Node> nodes_;
  BlockArena<std::uint32_t> lists_;
  std::uint32_t root_ = kNone;
  std::size_t node_count_ = 0;
};

}  // namespace ferrule::protocol
