// What has been learned about paths that refuse segmentation offload.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/net.h"

namespace ferrule::io {

/// Remembers, by destination address, the smallest segment size of a train that was refused because
/// a segment exceeded the path's MTU: such trains go plainly from then on. By destination and not
/// for all, since one peer behind a narrow link must not slow the others. Bounded: a newer lesson
/// takes the slot of an older one, which then costs one refused call to learn again and no datagram.
/// Thread-safe without locks.
class SegmentLimits {
 public:
  [[nodiscard]] bool refuses(const IpAddress& to, std::size_t segment_size) const noexcept {
    const std::uint64_t key = hash(to);
    const std::uint64_t slot = slots_[key % kSlots].load(std::memory_order_relaxed);
    return (slot & kTagMask) == (key & kTagMask) && slot != 0 && segment_size >= (slot & kSizeMask);
  }

  void learn(const IpAddress& to, std::size_t segment_size) noexcept {
    const std::uint64_t key = hash(to);
    if (refuses(to, segment_size)) return;
    slots_[key % kSlots].store((key & kTagMask) | (segment_size & kSizeMask),
                               std::memory_order_relaxed);
  }

  /// When routes or MTUs have changed.
  void forget() noexcept {
    for (auto& slot : slots_) slot.store(0, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kSlots = 256;
  static constexpr std::uint64_t kSizeMask = 0xffff;
  static constexpr std::uint64_t kTagMask = ~kSizeMask;

  // Whoever makes addresses collide wins nothing but plain sends.
  static std::uint64_t hash(const IpAddress& address) noexcept {
    std::uint64_t value = 0x9E3779B97F4A7C15u;
    for (std::uint8_t byte : address.bytes()) value = (value ^ byte) * 0x100000001B3u;
    value ^= value >> 32;
    value *= 0xD6E8FEB86659FD93u;
    return value ^ (value >> 29);
  }

  std::array<std::atomic<std::uint64_t>, kSlots> slots_{};
};

}  // namespace ferrule::io
