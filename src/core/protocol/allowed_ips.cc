#include "protocol/allowed_ips.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/check.h"

namespace ferrule::protocol {

namespace {

AddressBits bits_of(Family family, const std::uint8_t* address) noexcept {
  return family == Family::v4 ? AddressBits::v4(address) : AddressBits::v6(address);
}

// Of the host with this address. Who may add prefixes may crowd the index, and nobody else: without a key.
// The families never have the same tag, so that no address of one is taken for one of the other.
std::uint64_t host_hash(Family family, const AddressBits& bits) noexcept {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15u;
  std::uint64_t mixed = (bits.high ^ bits.low * kFactor) * kFactor;
  mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93u;
  mixed ^= mixed >> 32;
  constexpr std::uint64_t kTagBit = std::uint64_t{1} << 32;
  return family == Family::v4 ? mixed & ~kTagBit : mixed | kTagBit;
}

std::uint64_t host_hash(const OwnedPrefix& host) noexcept {
  return host_hash(host.family, host.bits());
}

bool is_host(const OwnedPrefix& prefix) noexcept {
  return prefix.length == (prefix.family == Family::v4 ? 32 : 128);
}

// What of it a look-up reads may lie across two lines.
void prefetch_owner(const OwnedPrefix& prefix) noexcept {
  __builtin_prefetch(&prefix);
  __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(&prefix.peer + 1) - 1);
}

}  // namespace

AllowedIps::AllowedIps() : v4_(prefixes_), v6_(prefixes_) {}
AllowedIps::~AllowedIps() = default;

void AllowedIps::insert(const Cidr& cidr, PeerId peer) {
  FERRULE_CHECK(!peer.is_none() && cidr.address().family() != Family::none);
  PeerList& list = make_list(peer);
  if (const std::uint32_t place = find(cidr); place != kNone) {
    if (prefixes_[place].peer == peer) return;
    unlink(place);
    prefixes_[place].peer = peer;
    append(list, place);
    return;
  }
  trie_of(cidr.address().family()).make_room();
  prefixes_.make_room();
  const std::uint32_t place = prefixes_.take(0);
  OwnedPrefix& prefix = prefixes_[place];
  prefix = OwnedPrefix{};
  copy(cidr.address().bytes(), prefix.address);
  prefix.length = static_cast<std::uint8_t>(cidr.length());
  prefix.family = cidr.address().family();
  prefix.peer = peer;
  prefix.hashed = is_host(prefix) && insert_host(place);
  if (!prefix.hashed) trie_of(prefix.family).insert(place);
  append(list, place);
  ++size_;
}

bool AllowedIps::insert_host(std::uint32_t place) noexcept try {
  hosts_.insert(host_hash(prefixes_[place]), place);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool AllowedIps::remove(const Cidr& cidr, PeerId peer) noexcept {
  const std::uint32_t place = find(cidr);
  if (place == kNone || prefixes_[place].peer != peer) return false;
  unlink(place);
  forget(place);
  return true;
}

void AllowedIps::remove_peer(PeerId peer) noexcept {
  const PeerList* list = list_of(peer);
  if (list == nullptr) return;
  std::uint32_t place = list->first;
  lists_[peer.slot] = PeerList{};
  while (place != kNone) {
    const std::uint32_t next = prefixes_[place].next;
    forget(place);
    place = next;
  }
}

void AllowedIps::keep(const Cidr& cidr, PeerId peer) noexcept {
  const std::uint32_t place = find(cidr);
  if (place != kNone && prefixes_[place].peer == peer) prefixes_[place].stays = true;
}

bool AllowedIps::remove_some(PeerId peer, Walk& walk, std::size_t count) noexcept {
  if (!std::exchange(walk.begun, true)) {
    const PeerList* list = list_of(peer);
    walk.next = list == nullptr ? kNone : list->first;
  }
  for (; walk.next != kNone && count > 0; --count) {
    const std::uint32_t place = std::exchange(walk.next, prefixes_[walk.next].next);
    if (std::exchange(prefixes_[place].stays, false)) continue;
    unlink(place);
    forget(place);
  }
  return walk.next != kNone;
}

bool AllowedIps::hold_some_room(const Room& room) {
  // As much as `insert` asks for.
  return prefixes_.make_some_room(room.v4 + room.v6 + prefixes_.kLargest) &&
         v4_.hold_some_room(room.v4, size_) && v6_.hold_some_room(room.v6, size_);
}

bool AllowedIps::let_go() noexcept { return prefixes_.let_go() && v4_.let_go() && v6_.let_go(); }

PeerId AllowedIps::lookup_v4(const std::uint8_t* address) const noexcept {
  return lookup(Family::v4, AddressBits::v4(address));
}

PeerId AllowedIps::lookup_v6(const std::uint8_t* address) const noexcept {
  return lookup(Family::v6, AddressBits::v6(address));
}

PeerId AllowedIps::lookup(const IpAddress& address) const noexcept {
  if (address.family() == Family::none) return PeerId{};
  return lookup(address.family(), bits_of(address.family(), address.bytes().data()));
}

PeerId AllowedIps::lookup(Family family, const AddressBits& bits) const noexcept {
  const std::uint32_t host = find_host(family, bits);
  return owner(host != kNone ? host : trie_of(family).lookup(bits));
}

std::uint32_t AllowedIps::find_host(Family family, const AddressBits& bits) const noexcept {
  return hosts_.find(host_hash(family, bits),
                     [&](std::uint32_t place) { return prefixes_[place].bits() == bits; });
}

void AllowedIps::lookup_together(std::span<Lookup> lookups) const noexcept {
  while (!lookups.empty()) {
    const std::size_t count = std::min(lookups.size(), kLookupsTogether);
    lookup_some(lookups.first(count));
    lookups = lookups.subspan(count);
  }
}

// Look-ups on their way, by their number.
struct AllowedIps::Together {
  std::array<AddressBits, kLookupsTogether> bits;
  std::array<std::uint8_t, kLookupsTogether> left;  // those that have found nothing yet
  std::size_t left_count = 0;
};

void AllowedIps::lookup_some(std::span<Lookup> lookups) const noexcept {
  Together together;
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    together.bits[i] = bits_of(lookups[i].family, lookups[i].address);
    together.left[together.left_count++] = static_cast<std::uint8_t>(i);
  }
  if (!hosts_.empty()) find_hosts(together, lookups);
  if (together.left_count > 0) walk_tries(together, lookups);
}

// Each step is made for all before the next one, so that what the first waits for in memory the others wait
// for, too.
void AllowedIps::find_hosts(Together& together, std::span<Lookup> lookups) const noexcept {
  std::array<std::uint64_t, kLookupsTogether> hashes;
  std::array<std::uint32_t, kLookupsTogether> places;
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    hashes[i] = host_hash(lookups[i].family, together.bits[i]);
    __builtin_prefetch(hosts_.first_look(hashes[i]));
  }
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    // Of the same tag, which is one of four thousand million: that it is the one is seen later.
    places[i] = hosts_.find(hashes[i], [](std::uint32_t) { return true; });
    if (places[i] != kNone) prefetch_owner(prefixes_[places[i]]);
  }
  together.left_count = 0;
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    std::uint32_t place = places[i];
    if (place != kNone && prefixes_[place].bits() != together.bits[i]) {
      place = find_host(lookups[i].family, together.bits[i]);
    }
    lookups[i].owner = owner(place);
    if (place == kNone) together.left[together.left_count++] = static_cast<std::uint8_t>(i);
  }
}

// All go a step, then all that have not arrived another one.
void AllowedIps::walk_tries(Together& together, std::span<Lookup> lookups) const noexcept {
  std::array<AllowedIpsTrie::Way, kLookupsTogether> ways;
  const std::span<const std::uint8_t> all(together.left.data(), together.left_count);
  for (const std::uint8_t i : all) ways[i] = trie_of(lookups[i].family).start();
  std::array<std::uint8_t, kLookupsTogether> under_way = together.left;
  for (std::size_t count = all.size(); count > 0;) {
    std::size_t still = 0;
    for (const std::uint8_t i : std::span(under_way).first(count)) {
      if (trie_of(lookups[i].family).step(together.bits[i], ways[i])) under_way[still++] = i;
    }
    count = still;
  }
  for (const std::uint8_t i : all) trie_of(lookups[i].family).end(ways[i]);
  for (const std::uint8_t i : all) {
    lookups[i].owner = owner(trie_of(lookups[i].family).confirm(together.bits[i], ways[i]));
  }
}

void AllowedIps::for_each(PeerId peer, const std::function<void(const Cidr&)>& visit) const {
  const PeerList* list = list_of(peer);
  if (list == nullptr) return;
  for (std::uint32_t place = list->first; place != kNone; place = prefixes_[place].next) {
    visit(cidr_at(place));
  }
}

Cidr AllowedIps::cidr_at(std::uint32_t place) const noexcept {
  const OwnedPrefix& prefix = prefixes_[place];
  const std::span<const std::uint8_t, 16> bytes(prefix.address);
  const bool is_v4 = prefix.family == Family::v4;
  return Cidr(is_v4 ? IpAddress::v4(bytes.first<4>()) : IpAddress::v6(bytes), prefix.length);
}

std::uint32_t AllowedIps::find(const Cidr& cidr) const noexcept {
  const Family family = cidr.address().family();
  if (family == Family::none) return kNone;
  const AddressBits bits = bits_of(family, cidr.address().bytes().data());
  if (cidr.length() == cidr.address().bits()) {
    if (const std::uint32_t host = find_host(family, bits); host != kNone) return host;
  }
  return trie_of(family).find(bits, cidr.length());
}

const AllowedIps::PeerList* AllowedIps::list_of(PeerId peer) const noexcept {
  if (peer.slot >= lists_.size()) return nullptr;
  const PeerList& list = lists_[peer.slot];
  return list.generation == peer.generation ? &list : nullptr;
}

AllowedIps::PeerList& AllowedIps::make_list(PeerId peer) {
  while (peer.slot >= lists_.size()) lists_.push_back({});
  PeerList& list = lists_[peer.slot];
  if (list.generation != peer.generation) {
    remove_peer({peer.slot, list.generation});  // a tenant that is gone
    list.generation = peer.generation;
  }
  return list;
}

void AllowedIps::append(PeerList& list, std::uint32_t place) noexcept {
  prefixes_[place].previous = list.last;
  prefixes_[place].next = kNone;
  (list.last == kNone ? list.first : prefixes_[list.last].next) = place;
  list.last = place;
}

void AllowedIps::unlink(std::uint32_t place) noexcept {
  const OwnedPrefix& prefix = prefixes_[place];
  PeerList& list = lists_[prefix.peer.slot];
  (prefix.previous == kNone ? list.first : prefixes_[prefix.previous].next) = prefix.next;
  (prefix.next == kNone ? list.last : prefixes_[prefix.next].previous) = prefix.previous;
}

void AllowedIps::forget(std::uint32_t place) noexcept {
  const OwnedPrefix& prefix = prefixes_[place];
  if (prefix.hashed) {
    (void)hosts_.remove(host_hash(prefix), place);
  } else {
    trie_of(prefix.family).remove(place);
  }
  prefixes_.give_back(place, 0);
  if (--size_ == 0) prefixes_.release();
}

}  // namespace ferrule::protocol
