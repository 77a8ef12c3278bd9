#include "protocol/allowed_ips_trie.h"

#include <algorithm>
#include <bit>

namespace ferrule::protocol {

namespace {

constexpr unsigned kStride = 4;

// The ones of a byte. A table, since the instruction is not in the x86-64 baseline.
constexpr std::array<std::uint8_t, 256> kOnes = [] {
  std::array<std::uint8_t, 256> ones{};
  for (unsigned i = 0; i < ones.size(); ++i) ones[i] = static_cast<std::uint8_t>(std::popcount(i));
  return ones;
}();

unsigned ones(unsigned bits) noexcept { return kOnes[bits & 0xff] + kOnes[bits >> 8]; }

// How many elements of a packed array come before that of `bit`.
unsigned rank(unsigned bits, unsigned bit) noexcept { return ones(bits & ((1u << bit) - 1)); }

// A node's prefixes by rising length: bit 0 is the empty one, 1 and 2 are those of one bit, 3 to 6 of
// two, 7 to 14 of three.
constexpr unsigned prefix_bit(unsigned nibble, unsigned length) noexcept {
  return (1u << length) - 1 + (nibble >> (kStride - length));
}

// By nibble: the prefixes in a node that hold it.
constexpr std::array<std::uint16_t, 16> kCovering = [] {
  std::array<std::uint16_t, 16> covering{};
  for (unsigned nibble = 0; nibble < covering.size(); ++nibble) {
    for (unsigned length = 0; length < kStride; ++length) {
      covering[nibble] |= static_cast<std::uint16_t>(1u << prefix_bit(nibble, length));
    }
  }
  return covering;
}();

// The four bits at `position`. Behind the end of an IPv6 address there are none, and only the empty
// prefix, which holds any; the shift is masked for that case.
unsigned nibble_at(const AddressBits& bits, unsigned position) noexcept {
  const std::uint64_t half = position < 64 ? bits.high : bits.low;
  return half >> ((60 - position) & 63) & 15;
}

unsigned common_length(const AddressBits& a, const AddressBits& b) noexcept {
  if (a.high != b.high) return static_cast<unsigned>(std::countl_zero(a.high ^ b.high));
  return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

unsigned level_of(unsigned length) noexcept { return length / kStride * kStride; }

unsigned prefix_bit_of(const OwnedPrefix& prefix) noexcept {
  return prefix_bit(nibble_at(prefix.bits(), level_of(prefix.length)), prefix.length % kStride);
}

unsigned highest_bit(unsigned bits) noexcept {
  return static_cast<unsigned>(std::bit_width(bits)) - 1;
}

}  // namespace

std::uint32_t AllowedIpsTrie::lookup(const AddressBits& address) const noexcept {
  Way way = start();
  while (step(address, way)) {
  }
  end(way);
  return confirm(address, way);
}

bool AllowedIpsTrie::step(const AddressBits& address, Way& way) const noexcept {
  if (way.at == kNone) return false;
  const Node& node = nodes_[way.at];
  const unsigned nibble = nibble_at(address, node.position);
  if (const unsigned bits = node.prefix_bits & kCovering[nibble]; bits != 0) {
    way.best = way.at;
    way.best_bits = bits;
  }
  way.at = child(node, nibble);
  if (way.at == kNone) return false;
  __builtin_prefetch(&nodes_[way.at]);
  return true;
}

void AllowedIpsTrie::end(Way& way) const noexcept {
  if (way.best == kNone) return;
  way.found = prefix(nodes_[way.best], highest_bit(way.best_bits));
  // It may lie across two lines.
  const OwnedPrefix* const prefix = &prefixes_[way.found];
  __builtin_prefetch(prefix);
  __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(prefix + 1) - 1);
}

std::uint32_t AllowedIpsTrie::confirm(const AddressBits& address, const Way& way) const noexcept {
  if (way.found == kNone) return kNone;
  const OwnedPrefix& prefix = prefixes_[way.found];
  const unsigned common = common_length(address, prefix.bits());
  if (common >= prefix.length) return way.found;
  // It differs in bits that were skipped. All nodes on the way share the bits before their position
  // with it, so that whatever matches in one within the common bits does match.
  return longest(address, common);
}

std::uint32_t AllowedIpsTrie::longest(const AddressBits& address, unsigned limit) const noexcept {
  const Node* best = nullptr;
  unsigned best_bits = 0;
  for (std::uint32_t at = root_; at != kNone;) {
    const Node& node = nodes_[at];
    if (node.position > limit) break;
    const unsigned nibble = nibble_at(address, node.position);
    if (const unsigned bits = node.prefix_bits & kCovering[nibble]; bits != 0) {
      best = &node;
      best_bits = bits;
    }
    at = child(node, nibble);
  }
  return best == nullptr ? kNone : prefix(*best, highest_bit(best_bits));
}

std::uint32_t AllowedIpsTrie::find(const AddressBits& address, unsigned length) const noexcept {
  const unsigned level = level_of(length);
  std::uint32_t at = root_;
  while (at != kNone && nodes_[at].position < level) {
    at = child(nodes_[at], nibble_at(address, nodes_[at].position));
  }
  if (at == kNone || nodes_[at].position != level) return kNone;
  const unsigned bit = prefix_bit(nibble_at(address, level), length % kStride);
  if ((nodes_[at].prefix_bits >> bit & 1) == 0) return kNone;
  const std::uint32_t place = prefix(nodes_[at], bit);
  return prefixes_[place].bits() == address ? place : kNone;
}

void AllowedIpsTrie::insert(std::uint32_t place) noexcept {
  const OwnedPrefix& prefix = prefixes_[place];
  const AddressBits address = prefix.bits();
  const unsigned level = level_of(prefix.length);
  if (root_ == kNone) {
    root_ = nodes_.take(0);
    nodes_[root_] = leaf(place);
    ++node_count_;
    return;
  }

  // Whatever stands at the end of the address's way tells where the address leaves it.
  const AddressBits other = any_like(address);
  const unsigned common = common_length(address, other);
  for (std::uint32_t at = root_;;) {
    const unsigned position = nodes_[at].position;
    if (position > std::min(common, level)) {
      split(at, std::min(level_of(common), level), other, place);
      return;
    }
    if (position == level) {
      add_prefix(at, prefix_bit_of(prefix), place);
      return;
    }
    const unsigned nibble = nibble_at(address, position);
    const std::uint32_t next = child(nodes_[at], nibble);
    if (next == kNone) {
      add_child(at, nibble, leaf(place));
      return;
    }
    at = next;
  }
}

void AllowedIpsTrie::remove(std::uint32_t place) noexcept {
  const OwnedPrefix& prefix = prefixes_[place];
  const AddressBits address = prefix.bits();
  std::uint32_t parent = kNone;
  std::uint32_t at = root_;
  while (nodes_[at].position < level_of(prefix.length)) {
    parent = at;
    at = child(nodes_[at], nibble_at(address, nodes_[at].position));
  }
  remove_prefix(at, prefix_bit_of(prefix));
  if (nodes_[at].prefix_bits != 0 || nodes_[at].child_bits != 0) {
    remove_if_needless(at);
  } else if (parent != kNone) {
    remove_child(parent, nibble_at(address, nodes_[parent].position));
    remove_if_needless(parent);
  } else {
    root_ = kNone;
    node_count_ = 0;
    nodes_.release();
    lists_.release();
  }
}

std::uint32_t AllowedIpsTrie::child(const Node& node, unsigned nibble) const noexcept {
  if ((node.child_bits >> nibble & 1) == 0) return kNone;
  return node.children + rank(node.child_bits, nibble);
}

std::uint32_t AllowedIpsTrie::prefix(const Node& node, unsigned bit) const noexcept {
  if (std::has_single_bit(node.prefix_bits)) return node.prefixes;
  return lists_[node.prefixes + rank(node.prefix_bits, bit)];
}

// Any prefix below the last node on the address's way.
AddressBits AllowedIpsTrie::any_like(const AddressBits& address) const noexcept {
  std::uint32_t at = root_;
  for (std::uint32_t next = root_; next != kNone;) {
    at = next;
    next = child(nodes_[at], nibble_at(address, nodes_[at].position));
  }
  while (nodes_[at].prefix_bits == 0) at = nodes_[at].children;
  return prefixes_[prefix(nodes_[at], highest_bit(nodes_[at].prefix_bits))].bits();
}

AllowedIpsTrie::Node AllowedIpsTrie::leaf(std::uint32_t place) const noexcept {
  Node node;
  node.prefixes = place;
  node.prefix_bits = static_cast<std::uint16_t>(1u << prefix_bit_of(prefixes_[place]));
  node.position = static_cast<std::uint8_t>(level_of(prefixes_[place].length));
  return node;
}

// Puts a node above the one at `at`, which holds `below`, and the prefix at `place` into or beside it.
void AllowedIpsTrie::split(std::uint32_t at, unsigned position, const AddressBits& below,
                           std::uint32_t place) noexcept {
  const OwnedPrefix& prefix = prefixes_[place];
  const Node old = nodes_[at];
  nodes_[at] = Node{};
  nodes_[at].position = static_cast<std::uint8_t>(position);
  add_child(at, nibble_at(below, position), old);
  if (position == level_of(prefix.length)) {
    add_prefix(at, prefix_bit_of(prefix), place);
  } else {
    add_child(at, nibble_at(prefix.bits(), position), leaf(place));
  }
}

void AllowedIpsTrie::add_child(std::uint32_t at, unsigned nibble, const Node& added) noexcept {
  Node node = nodes_[at];
  const unsigned count = ones(node.child_bits);
  if (count == 0) {
    node.child_order = 0;
    node.children = nodes_.take(0);
  } else if (count == 1u << node.child_order) {
    const std::uint32_t block = nodes_.take(node.child_order + 1);
    std::copy_n(&nodes_[node.children], count, &nodes_[block]);
    nodes_.give_back(node.children, node.child_order++);
    node.children = block;
  }
  Node* const children = &nodes_[node.children];
  const unsigned before = rank(node.child_bits, nibble);
  std::copy_backward(children + before, children + count, children + count + 1);
  children[before] = added;
  node.child_bits |= static_cast<std::uint16_t>(1u << nibble);
  nodes_[at] = node;
  ++node_count_;
}

// The block keeps its size: a smaller one might not be had, and the same child may come back.
void AllowedIpsTrie::remove_child(std::uint32_t at, unsigned nibble) noexcept {
  Node& node = nodes_[at];
  Node* const children = &nodes_[node.children];
  const unsigned count = ones(node.child_bits);
  const unsigned before = rank(node.child_bits, nibble);
  std::copy(children + before + 1, children + count, children + before);
  node.child_bits &= static_cast<std::uint16_t>(~(1u << nibble));
  if (count == 1) nodes_.give_back(node.children, node.child_order);
  --node_count_;
}

void AllowedIpsTrie::add_prefix(std::uint32_t at, unsigned bit, std::uint32_t place) noexcept {
  Node& node = nodes_[at];
  const unsigned count = ones(node.prefix_bits);
  if (count == 0) {
    node.prefixes = place;
    node.prefix_bits = static_cast<std::uint16_t>(1u << bit);
    return;
  }
  if (count == 1) {
    const std::uint32_t only = node.prefixes;
    node.prefix_order = 1;
    node.prefixes = lists_.take(1);
    lists_[node.prefixes] = only;
  } else if (count == 1u << node.prefix_order) {
    const std::uint32_t block = lists_.take(node.prefix_order + 1u);
    std::copy_n(&lists_[node.prefixes], count, &lists_[block]);
    lists_.give_back(node.prefixes, node.prefix_order++);
    node.prefixes = block;
  }
  std::uint32_t* const list = &lists_[node.prefixes];
  const unsigned before = rank(node.prefix_bits, bit);
  std::copy_backward(list + before, list + count, list + count + 1);
  list[before] = place;
  node.prefix_bits |= static_cast<std::uint16_t>(1u << bit);
}

void AllowedIpsTrie::remove_prefix(std::uint32_t at, unsigned bit) noexcept {
  Node& node = nodes_[at];
  const unsigned count = ones(node.prefix_bits);
  if (count > 1) {
    std::uint32_t* const list = &lists_[node.prefixes];
    const unsigned before = rank(node.prefix_bits, bit);
    std::copy(list + before + 1, list + count, list + before);
    if (count == 2) {
      const std::uint32_t only = list[0];
      lists_.give_back(node.prefixes, node.prefix_order);
      node.prefixes = only;
    }
  }
  node.prefix_bits &= static_cast<std::uint16_t>(~(1u << bit));
}

// A node without prefixes is there to tell children apart: with one child alone, the child takes its
// place.
void AllowedIpsTrie::remove_if_needless(std::uint32_t at) noexcept {
  const Node node = nodes_[at];
  if (node.prefix_bits != 0 || !std::has_single_bit(node.child_bits)) return;
  nodes_[at] = nodes_[node.children];
  nodes_.give_back(node.children, node.child_order);
  --node_count_;
}

}  // namespace ferrule::protocol
