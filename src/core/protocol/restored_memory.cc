#include "protocol/restored_memory.h"

#include <algorithm>
#include <utility>

namespace ferrule::protocol {

namespace {

// A stamp that is kept is the last one when it was kept: smallest steps may have followed (P29).
constexpr std::uint32_t kUnkeptSeconds = 10;

constexpr auto kByKey = [](const PeerMemory& memory, const PublicKey& key) {
  return memory.public_key < key;
};

}  // namespace

void RestoredMemory::remember(DeviceMemory memory) {
  identity_ = memory.identity;
  remembered_floor_ = memory.reserved;
  peers_ = std::move(memory.peers);
  std::ranges::sort(peers_, {}, &PeerMemory::public_key);
  const auto doubled = std::ranges::unique(peers_, {}, &PeerMemory::public_key);
  for (auto gone = doubled.size(); gone > 0; --gone) peers_.pop_back();
  unclaimed_ = peers_.size();
}

void RestoredMemory::recognize(const DeviceMemory::Identity& own) noexcept {
  if (!identity_) return;
  is_foreign_ = identity_ != own;
  identity_.reset();
  if (is_foreign_) {
    unclaimed_ = 0;
    return;
  }
  stamp_floor_ = remembered_floor_;
}

const PeerMemory* RestoredMemory::claim(const PublicKey& key) noexcept {
  if (identity_ || unclaimed_ == 0) return nullptr;
  const auto found = std::lower_bound(peers_.begin(), peers_.end(), key, kByKey);
  if (found == peers_.end() || found->public_key != key || found->seen_s < 0) return nullptr;
  found->seen_s = -1;
  --unclaimed_;
  if (found->sent) found->sent = timestamp_after(*found->sent, kUnkeptSeconds);
  return &*found;
}

bool RestoredMemory::forget_claimed(Budget& budget) noexcept {
  if (unclaimed_ != 0 || peers_.empty()) return false;
  for (; !peers_.empty() && !budget.is_spent(); budget.spend(1)) peers_.pop_back();
  if (peers_.empty()) peers_ = {};
  return !peers_.empty();
}

bool RestoredMemory::visit_unclaimed(std::size_t& next, std::size_t count,
                                     const std::function<void(const PeerMemory&)>& visit) const {
  if (unclaimed_ == 0) return false;
  for (; next < peers_.size() && count > 0; ++next, --count) {
    const PeerMemory& memory = peers_[next];
    if (memory.seen_s >= 0) visit(memory);
  }
  return next < peers_.size();
}

Timestamp RestoredMemory::next_stamp(const WallTime& now,
                                     const std::optional<Timestamp>& last_sent) const noexcept {
  Timestamp stamp = make_timestamp(now);
  if (stamp_limit_) stamp = std::min(stamp, *stamp_limit_);
  // P60: the wall clock went backwards, here or across a restart.
  for (const std::optional<Timestamp>& sent : {stamp_floor_, last_sent}) {
    if (sent && stamp <= *sent) stamp = next_timestamp(*sent);
  }
  return stamp;
}

}  // namespace ferrule::protocol
