#include "protocol/staging.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "base/check.h"
#include "protocol/constants.h"
#include "protocol/peer.h"

namespace ferrule::protocol {

std::size_t Staging::add(Peer& peer, StagedPackets& one) noexcept {
  Boxed<StagedQueue::Waiting>& waiting = peer.traffic.staged.waiting;
  if (!waiting && !waiting.emplace()) return 0;
  StagedQueue::Waiting& queue = *waiting;
  const std::uint64_t place = one.front().place;
  // Nearly always the end. Another lane may have staged what was planned later.
  auto before = queue.packets.end();
  while (before != queue.packets.begin() && std::prev(before)->place > place) --before;
  queue.cost += static_cast<std::uint32_t>(one.front().cost());
  queue.packets.splice(before, one);
  const std::size_t too_many = queue.packets.size() > kMaxStagedPackets ? 1 : 0;
  if (too_many != 0) drop_front(peer);
  account(peer);
  return too_many;
}

std::size_t Staging::expire(Instant now, Peer& peer) noexcept {
  if (peer.traffic.staged.empty()) return 0;
  StagedQueue::Waiting& queue = *peer.traffic.staged.waiting;
  std::size_t dropped = 0;
  for (; !queue.packets.empty() && now - queue.packets.front().since > kStagedFor; ++dropped) {
    drop_front(peer);
  }
  if (dropped != 0) account(peer);
  return dropped;
}

std::size_t Staging::drop_all(Peer& peer) noexcept {
  if (peer.traffic.staged.empty()) return 0;
  StagedQueue::Waiting& queue = *peer.traffic.staged.waiting;
  const std::size_t dropped = queue.packets.size();
  queue.packets.clear();
  queue.cost = 0;
  account(peer);
  return dropped;
}

std::size_t Staging::give_up_oldest(Peer& peer) noexcept {
  if (peer.traffic.staged.empty() || peer.traffic.staged.waiting->packets.size() < 2) return 0;
  drop_front(peer);
  account(peer);
  return 1;
}

void Staging::take(Peer& peer, std::uint16_t lane, StagedPackets& out) noexcept {
  if (peer.traffic.staged.empty()) return;
  StagedQueue::Waiting& queue = *peer.traffic.staged.waiting;
  for (auto packet = queue.packets.begin(); packet != queue.packets.end();) {
    const auto next = std::next(packet);
    if (packet->lane == lane) {
      queue.cost -= static_cast<std::uint32_t>(packet->cost());
      out.splice(out.end(), queue.packets, packet);
    }
    packet = next;
  }
  account(peer);
}

bool Staging::is_full() const noexcept {
  return shared_.load(std::memory_order_relaxed) > kMaxStagedBytes;
}

PeerId Staging::greatest() const noexcept {
  const StagingGuard guard(exclusion_);
  for (std::size_t rank = kRanks - 1; rank > 0; --rank) {
    if (ranks_[rank].first != nullptr) return ranks_[rank].first->id;
  }
  return {};
}

void Staging::drop_front(Peer& peer) noexcept {
  StagedQueue::Waiting& queue = *peer.traffic.staged.waiting;
  queue.cost -= static_cast<std::uint32_t>(queue.packets.front().cost());
  queue.packets.pop_front();
}

void Staging::account(Peer& peer) noexcept {
  StagedQueue::Waiting& queue = *peer.traffic.staged.waiting;
  const std::size_t own = queue.packets.empty() ? 0 : queue.packets.back().cost();
  const std::uint32_t shared = queue.cost - static_cast<std::uint32_t>(own);
  if (shared >= queue.shared) {
    shared_.fetch_add(shared - queue.shared, std::memory_order_relaxed);
  } else {
    shared_.fetch_sub(queue.shared - shared, std::memory_order_relaxed);
  }
  queue.shared = shared;
  const auto rank = static_cast<std::uint8_t>(std::bit_width(shared));
  if (rank != queue.rank.rank) move(peer, rank);
}

// A peer comes last in its new rank: who has held as much for longer gives up first.
void Staging::move(Peer& peer, std::uint8_t to) noexcept {
  const StagingGuard guard(exclusion_);
  const auto rank_of = [](Peer& ranked) -> StagingRank& {
    return ranked.traffic.staged.waiting->rank;
  };
  StagingRank& own = rank_of(peer);
  if (own.rank != 0) {
    Rank& from = ranks_[own.rank];
    (own.previous == nullptr ? from.first : rank_of(*own.previous).next) = own.next;
    (own.next == nullptr ? from.last : rank_of(*own.next).previous) = own.previous;
  }
  own = {.previous = to == 0 ? nullptr : ranks_[to].last, .next = nullptr, .rank = to};
  if (to == 0) return;
  (own.previous == nullptr ? ranks_[to].first : rank_of(*own.previous).next) = &peer;
  ranks_[to].last = &peer;
}

}  // namespace ferrule::protocol
