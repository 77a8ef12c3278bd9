#include "io/memory/memory_tun.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ferrule::io {

using packet::GsoType;

bool MemoryTun::supports(GsoType type) const noexcept {
  if (type == GsoType::none) return true;
  return type == GsoType::udp ? support_.udp : support_.tcp;
}

Result<std::size_t> MemoryTun::read(std::span<TunRead> slots) {
  const std::lock_guard lock(mutex_);
  if (removed_)
    return std::unexpected(system_error(std::errc::no_such_device, "read from memory interface"));
  std::size_t filled = 0;
  while (filled < slots.size() && !to_tunnel_.empty()) {
    TunRead& slot = slots[filled++];
    FERRULE_CHECK(slot.headroom < slot.room.size());
    const MutBytes room = slot.room.subspan(slot.headroom);
    const MemoryPacket& packet = to_tunnel_.front();
    slot.size = std::min(packet.bytes.size(), room.size());  // the kernel cuts off, too
    slot.offload = packet.offload;
    copy(Bytes(packet.bytes).first(slot.size), room);
    to_tunnel_.pop_front();
  }
  return filled;
}

Result<std::size_t> MemoryTun::write(std::span<const TunWrite> batch) {
  const std::lock_guard lock(mutex_);
  if (removed_)
    return std::unexpected(system_error(std::errc::no_such_device, "write to memory interface"));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const TunWrite& packet = batch[i];
    const bool is_super = packet.offload.gso != GsoType::none;
    const bool refused = is_super && (refuse_super_packets_ || !supports(packet.offload.gso));
    if (up_ && refused) return i;
    if (!up_ || refuse_ > 0 || to_host_.size() >= kQueueBound) {
      if (up_ && refuse_ > 0) --refuse_;
      ++write_failures_;
      continue;
    }
    MemoryPacket taken;
    for (Bytes part : packet.parts) {
      taken.bytes.insert(taken.bytes.end(), part.begin(), part.end());
    }
    taken.offload = packet.offload;
    to_host_.push_back(std::move(taken));
  }
  return batch.size();
}

packet::OffloadSupport MemoryTun::offload_support() const noexcept { return support_; }

bool MemoryTun::host_sends(MemoryPacket packet) {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    if (!up_ || removed_ || to_tunnel_.size() >= kQueueBound) return false;
    if (!supports(packet.offload.gso)) return false;
    to_tunnel_.push_back(std::move(packet));
    wake = wake_;
  }
  if (wake) wake();
  return true;
}

std::vector<MemoryPacket> MemoryTun::host_receives() {
  const std::lock_guard lock(mutex_);
  return std::exchange(to_host_, {});
}

void MemoryTun::set_up(bool up) {
  const std::lock_guard lock(mutex_);
  up_ = up;
}

void MemoryTun::remove() {
  const std::lock_guard lock(mutex_);
  removed_ = true;
}

void MemoryTun::refuse_super_packets(bool refuse) {
  const std::lock_guard lock(mutex_);
  refuse_super_packets_ = refuse;
}

void MemoryTun::refuse_writes(std::size_t count) {
  const std::lock_guard lock(mutex_);
  refuse_ = count;
}

std::uint64_t MemoryTun::take_write_failures() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(write_failures_, 0);
}

void MemoryTun::on_readable(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

}  // namespace ferrule::io
