// A twin of the inner door for tests: a tunnel interface that exists in memory only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "base/error.h"
#include "io/tun.h"

namespace ferrule::io {

/// A packet or super-packet, on either side of the interface.
struct MemoryPacket {
  std::vector<std::uint8_t> bytes;
  packet::Offload offload;
};

/// One queue of an interface that is up at first. The test plays the host on the other side. No clock
/// and no randomness. Thread-safe in all its functions.
class MemoryTun final : public Tun {
 public:
  explicit MemoryTun(packet::OffloadSupport support = {}) noexcept : support_(support) {}

  [[nodiscard]] Result<std::size_t> read(std::span<TunRead> slots) override;
  [[nodiscard]] Result<std::size_t> write(std::span<const TunWrite> batch) override;
  [[nodiscard]] std::uint64_t take_write_failures() noexcept override;
  [[nodiscard]] packet::OffloadSupport offload_support() const noexcept override;

  /// The host sends a packet into the tunnel. False when it is lost: the interface is down or gone,
  /// its queue is full, or the packet is a super-packet of a kind that isn't supported.
  bool host_sends(MemoryPacket packet);
  /// What the host has got from the tunnel since the last call, in order.
  [[nodiscard]] std::vector<MemoryPacket> host_receives();

  void set_up(bool up);
  /// The interface is deleted: reads and writes are Errors of no_such_device from now on.
  void remove();
  /// Whether super-packets are refused, whatever offload_support() promises.
  void refuse_super_packets(bool refuse);
  /// The next `count` ordinary packets are refused by the system.
  void refuse_writes(std::size_t count);
  /// Called, from the thread that calls host_sends(), after a packet has arrived.
  void on_readable(std::function<void()> wake);

  static constexpr std::size_t kQueueBound = 4096;  // packets in each direction; more are lost

 private:
  bool supports(packet::GsoType type) const noexcept;

  mutable std::mutex mutex_;  // guards everything here
  packet::OffloadSupport support_;
  bool up_ = true;
  bool removed_ = false;
  bool refuse_super_packets_ = false;
  std::size_t refuse_ = 0;
  std::deque<MemoryPacket> to_tunnel_;
  std::vector<MemoryPacket> to_host_;
  std::function<void()> wake_;
  std::uint64_t write_failures_ = 0;
};

}  // namespace ferrule::io
