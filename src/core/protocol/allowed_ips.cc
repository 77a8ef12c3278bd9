#include "protocol/allowed_ips.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace ferrule::protocol {

AllowedIps::AllowedIps() : v4_(prefixes_), v6_(prefixes_) {}
AllowedIps::~AllowedIps() = default;

void AllowedIps::insert(const Cidr& cidr, PeerId peer) {
  FERRULE_CHECK(!peer.is_none() && cidr.address().family() != Family::none);
  PeerList& list = make_list(peer);
  AllowedIpsTrie& trie = trie_of(cidr.address().family());
  if (const std::uint32_t place = find(cidr); place != kNone) {
    if (prefixes_[place].peer == peer) return;
    unlink(place);
    prefixes_[place].peer = peer;
    append(list, place);
    return;
  }
  trie.make_room();
  prefixes_.make_room();
  const std::uint32_t place = prefixes_.take(0);
  OwnedPrefix& prefix = prefixes_[place];
  prefix = OwnedPrefix{};
  copy(cidr.address().bytes(), prefix.address);
  prefix.length = static_cast<std::uint8_t>(cidr.length());
  prefix.family = cidr.address().family();
  prefix.peer = peer;
  trie.insert(place);
  append(list, place);
  ++size_;
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
  return owner(v4_.lookup(AddressBits::v4(address)));
}

PeerId AllowedIps::lookup_v6(const std::uint8_t* address) const noexcept {
  return owner(v6_.lookup(AddressBits::v6(address)));
}

PeerId AllowedIps::lookup(const IpAddress& address) const noexcept {
  if (address.family() == Family::v4) return lookup_v4(address.bytes().data());
  if (address.family() == Family::v6) return lookup_v6(address.bytes().data());
  return PeerId{};
}

void AllowedIps::lookup_together(std::span<Lookup> lookups) const noexcept {
  while (!lookups.empty()) {
    const std::size_t count = std::min(lookups.size(), kLookupsTogether);
    lookup_some(lookups.first(count));
    lookups = lookups.subspan(count);
  }
}

// All go a step, then all that have not arrived another one: the first's next node is there by then.
void AllowedIps::lookup_some(std::span<Lookup> lookups) const noexcept {
  std::array<AddressBits, kLookupsTogether> bits;
  std::array<AllowedIpsTrie::Way, kLookupsTogether> ways;
  std::array<std::uint8_t, kLookupsTogether> under_way;
  std::size_t left = lookups.size();
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    const Lookup& lookup = lookups[i];
    bits[i] = lookup.family == Family::v4 ? AddressBits::v4(lookup.address)
                                          : AddressBits::v6(lookup.address);
    ways[i] = trie_of(lookup.family).start();
    under_way[i] = static_cast<std::uint8_t>(i);
  }
  while (left > 0) {
    std::size_t still = 0;
    for (std::size_t j = 0; j < left; ++j) {
      const std::uint8_t i = under_way[j];
      if (trie_of(lookups[i].family).step(bits[i], ways[i])) under_way[still++] = i;
    }
    left = still;
  }
  for (std::size_t i = 0; i < lookups.size(); ++i) trie_of(lookups[i].family).end(ways[i]);
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    lookups[i].owner = owner(trie_of(lookups[i].family).confirm(bits[i], ways[i]));
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
  const std::uint8_t* const address = cidr.address().bytes().data();
  if (cidr.address().family() == Family::v4) {
    return v4_.find(AddressBits::v4(address), cidr.length());
  }
  if (cidr.address().family() == Family::none) return kNone;
  return v6_.find(AddressBits::v6(address), cidr.length());
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
  trie_of(prefixes_[place].family).remove(place);
  prefixes_.give_back(place, 0);
  if (--size_ == 0) prefixes_.release();
}

}  // namespace ferrule::protocol
