#include "protocol/peer_table.h"

#include <algorithm>
#include <utility>

namespace ferrule::protocol {

namespace {
// An empty map has one bucket, which its first element does not make do with.
constexpr std::size_t kMinBuckets = 16;
}  // namespace

Peer& PeerTable::add(const PublicKey& key) {
  if (spares_.empty()) (void)make_spares(1, 1, 1);
  if (free_ == kNone) make_slots(1);
  // From here on nothing fails.
  std::uint32_t index = free_;
  if (index == kNone) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    free_ = slots_[index].next;
  }
  Peers::node_type node = std::move(spares_.back());
  spares_.pop_back();
  Slot& slot = slots_[index];
  node.key() = key;
  slot.peer = &node.mapped().emplace(PeerId{index, slot.generation}, next_sequence_++, key);
  peers_.insert(std::move(node));
  slot.previous = last_;
  slot.next = kNone;
  (last_ == kNone ? first_ : slots_[last_].next) = index;
  last_ = index;
  return *slot.peer;
}

void PeerTable::remove(PeerId id) noexcept {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  Peers::node_type node = peers_.extract(peers_.find(peer->public_key));
  node.mapped().reset();
  if (spares_.size() < spares_.capacity()) spares_.push_back(std::move(node));
  Slot& slot = slots_[id.slot];
  (slot.previous == kNone ? first_ : slots_[slot.previous].next) = slot.next;
  (slot.next == kNone ? last_ : slots_[slot.next].previous) = slot.previous;
  slot.peer = nullptr;
  ++slot.generation;  // ids of the peer that was here name nothing from now on
  slot.next = free_;
  free_ = id.slot;
}

bool PeerTable::make_spares(std::size_t adds, std::size_t more, std::size_t at_once) {
  spares_.reserve(adds);
  Peers one;
  for (; at_once > 0 && spares_.size() < more; --at_once) {
    one.try_emplace(PublicKey{});
    spares_.push_back(one.extract(one.begin()));
  }
  if (spares_.size() < more) return false;
  const std::size_t most = peers_.size() + more;
  const std::size_t buckets = peers_.bucket_count();
  if (most > buckets || buckets < kMinBuckets) {
    peers_.reserve(std::max({most, 2 * buckets, kMinBuckets}));
  }
  return true;
}

void PeerTable::make_slots(std::size_t more) {
  const std::size_t most = slots_.size() + more;
  if (most > slots_.capacity()) slots_.reserve(std::max(most, 2 * slots_.capacity()));
}

void PeerTable::drop_spares() noexcept { std::vector<Peers::node_type>().swap(spares_); }

Peer* PeerTable::find(const PublicKey& key) const noexcept {
  const auto found = peers_.find(key);
  return found == peers_.end() ? nullptr : const_cast<Peer*>(&*found->second);
}

}  // namespace ferrule::protocol
