#include "io/memory/memory_network_view.h"

#include <utility>

namespace ferrule::io {

void MemoryNetworkView::set_link(bool up, std::uint32_t mtu, bool told) {
  {
    const std::lock_guard lock(mutex_);
    link_.up = up;
    link_.mtu = mtu;
    news_.link = news_.link || told;
  }
  if (told) signal_.set();
}

void MemoryNetworkView::remove_link(bool told) {
  {
    const std::lock_guard lock(mutex_);
    exists_ = false;
    news_.link = news_.link || told;
  }
  if (told) signal_.set();
}

void MemoryNetworkView::hide_link() {
  const std::lock_guard lock(mutex_);
  link_.is_announced = false;
}

void MemoryNetworkView::set_owner(const IpAddress& source,
                                  std::optional<std::uint32_t> interface_index) {
  {
    const std::lock_guard lock(mutex_);
    if (interface_index) {
      owners_[source] = *interface_index;
    } else {
      owners_.erase(source);
    }
    news_.network = true;
  }
  signal_.set();
}

void MemoryNetworkView::set_way(const IpAddress& source, WayOut way) {
  {
    const std::lock_guard lock(mutex_);
    ways_[source] = way;
    news_.network = true;
  }
  signal_.set();
}

Result<LinkState> MemoryNetworkView::link() {
  const std::lock_guard lock(mutex_);
  if (!exists_) {
    return std::unexpected(system_error(std::errc::no_such_device, "look at memory interface"));
  }
  return link_;
}

bool MemoryNetworkView::link_exists() {
  const std::lock_guard lock(mutex_);
  return exists_;
}

std::optional<std::uint32_t> MemoryNetworkView::owner(const Source& source) {
  const std::lock_guard lock(mutex_);
  const auto found = owners_.find(source.address);
  return found == owners_.end() ? std::nullopt : std::optional(found->second);
}

bool MemoryNetworkView::can_bind(const IpAddress& address, std::uint32_t /*interface_index*/) {
  const std::lock_guard lock(mutex_);
  return owners_.contains(address);
}

WayOut MemoryNetworkView::way_out(const Endpoint& /*destination*/, const Source& source,
                                  std::uint32_t /*mark*/) {
  const std::lock_guard lock(mutex_);
  const auto found = ways_.find(source.address);
  return found == ways_.end() ? WayOut::chosen : found->second;
}

NetworkView::News MemoryNetworkView::take_news() {
  signal_.clear();
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

}  // namespace ferrule::io
