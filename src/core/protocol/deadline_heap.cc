#include "protocol/deadline_heap.h"

#include <algorithm>

namespace ferrule::protocol {

namespace {
// Four children stand in one cache line: half the levels of a binary heap for the same misses.
constexpr std::size_t kArity = 4;
}  // namespace

void DeadlineHeap::set(PeerId peer, Instant at) {
  if (at.is_never()) {
    remove(peer);
    return;
  }
  while (peer.slot >= place_.size()) place_.push_back(0);
  std::size_t place = 0;
  if (place_[peer.slot] == 0) {
    place = heap_.size();
    heap_.push_back({at, peer});
  } else {
    place = place_[peer.slot] - 1;
    heap_[place] = {at, peer};
  }
  settle(place);
}

void DeadlineHeap::remove(PeerId peer) noexcept {
  if (peer.slot >= place_.size() || place_[peer.slot] == 0) return;
  const std::size_t place = place_[peer.slot] - 1;
  // The slot may have a new tenant by now, whose deadline is none of this one's business.
  if (heap_[place].peer != peer) return;
  place_[peer.slot] = 0;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  heap_[place] = last;
  settle(place);
}

std::optional<DeadlineHeap::Entry> DeadlineHeap::top() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.front();
}

void DeadlineHeap::settle(std::size_t place) noexcept {
  const Entry entry = heap_[place];
  place = sift_down(sift_up(place, entry), entry);
  put(place, entry);
}

std::size_t DeadlineHeap::sift_up(std::size_t place, const Entry& entry) noexcept {
  while (place > 0) {
    const std::size_t parent = (place - 1) / kArity;
    if (heap_[parent].at <= entry.at) break;
    put(place, heap_[parent]);
    place = parent;
  }
  return place;
}

std::size_t DeadlineHeap::sift_down(std::size_t place, const Entry& entry) noexcept {
  for (std::size_t first = kArity * place + 1; first < heap_.size(); first = kArity * place + 1) {
    std::size_t earliest = first;
    const std::size_t end = std::min(first + kArity, heap_.size());
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child].at < heap_[earliest].at) earliest = child;
    }
    if (entry.at <= heap_[earliest].at) break;
    put(place, heap_[earliest]);
    place = earliest;
  }
  return place;
}

void DeadlineHeap::put(std::size_t place, const Entry& entry) noexcept {
  heap_[place] = entry;
  place_[entry.peer.slot] = static_cast<std::uint32_t>(place + 1);
}

}  // namespace ferrule::protocol
