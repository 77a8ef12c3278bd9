// The inner door on Linux: a tunnel interface and its queues.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/linux/fd.h"
#include "io/linux/kernel_query.h"
#include "io/linux/limits.h"
#include "io/tun.h"

namespace ferrule::io {

/// One queue of a tunnel interface (/dev/net/tun). `read` may be called by one thread at a time,
/// `write` and the counters by any.
class LinuxTun final : public Tun {
 public:
  /// Takes over a non-blocking descriptor whose interface has, or hasn't, vnet headers.
  LinuxTun(UniqueFd fd, bool has_vnet_header, packet::OffloadSupport support) noexcept;

  [[nodiscard]] Result<std::size_t> read(std::span<TunRead> slots) override;
  [[nodiscard]] Result<std::size_t> write(std::span<const TunWrite> batch) override;
  [[nodiscard]] std::uint64_t take_write_failures() noexcept override;
  [[nodiscard]] packet::OffloadSupport offload_support() const noexcept override;

  /// For the event loop: readable when `read` has something, EPOLLERR when the interface is gone.
  [[nodiscard]] int poll_fd() const noexcept { return fd_.get(); }
  /// Super-packets that the kernel refused: given back to the caller, not lost.
  [[nodiscard]] std::uint64_t refused_super_packets() const noexcept {
    return refused_super_packets_.load(std::memory_order_relaxed);
  }

 private:
  enum class Outcome : std::uint8_t { taken, lost, refused, gone };
  enum Kind : std::uint8_t { kTcp, kUdp, kKinds };

  Result<bool> read_one(TunRead& slot);
  Outcome write_one(const TunWrite& packet) noexcept;
  Outcome refusal(const TunWrite& packet, int error) noexcept;

  UniqueFd fd_;
  bool has_vnet_header_;
  packet::OffloadSupport support_;
  unsigned read_errors_in_row_ = 0;
  std::array<std::atomic<unsigned>, kKinds> refusals_in_row_{};
  std::atomic<std::uint64_t> write_failures_ = 0;
  std::atomic<std::uint64_t> refused_super_packets_ = 0;
};

struct TunOptions {
  std::string name = "wg%d";        // "%d": the kernel chooses a number
  bool offload = true;              // vnet headers with TSO and USO, where the kernel has them
  std::size_t queues = 1;           // more than one: IFF_MULTI_QUEUE, where the interface has it
  std::uint32_t mtu = kDefaultMtu;  // given to an interface that did not exist before
};

/// A tunnel interface and its queues. It goes away with this object, unless it is persistent. The
/// queries may be called by any thread; they follow it into other network namespaces (P75c), for
/// which they need CAP_NET_ADMIN.
class TunInterface {
 public:
  /// Creates the interface or attaches to a persistent one of that name.
  [[nodiscard]] static Result<TunInterface> open(const TunOptions& options);
  /// Takes over a descriptor that is attached to an interface already (WG_TUN_FD): one queue, with
  /// vnet headers or without as it came, everything else unchanged. It was opened with IFF_NO_PI: the
  /// kernel doesn't tell (it reports the flag in any case). `mtu_bytes` is for an interface in a network
  /// namespace that the caller can't look into, of which the descriptor alone tells nothing but whether
  /// it is up; none: unknown, and taken for kDefaultMtu there.
  ///
  /// It may also be a socket that keeps packets apart (SOCK_SEQPACKET) and has a TCP/IP stack at its other end:
  /// each message is a packet with a vnet header before it. The interface is up until that end is closed.
  [[nodiscard]] static Result<TunInterface> adopt(UniqueFd fd, bool offload = true,
                                                  std::optional<std::uint32_t> mtu_bytes = {});

  /// At least one, at most as many as asked for. All of them must be read.
  [[nodiscard]] std::size_t queue_count() const noexcept { return queues_.size(); }
  [[nodiscard]] LinuxTun& queue(std::size_t index) const noexcept { return *queues_[index]; }
  [[nodiscard]] bool has_vnet_header() const noexcept { return has_vnet_header_; }

  /// The present name, also when it was renamed or moved. An Error of EBADFD: it is gone.
  [[nodiscard]] Result<std::string> name() const;
  [[nodiscard]] bool exists() const;
  [[nodiscard]] Result<LinkState> state() const;
  /// For an interface in the caller's network namespace.
  [[nodiscard]] Result<void> set_mtu(std::uint32_t mtu_bytes) const;
  /// The network namespace that the interface is in now. Needs CAP_NET_ADMIN there.
  [[nodiscard]] Result<UniqueFd> network_namespace() const;

 private:
  TunInterface() = default;
  int first_fd() const noexcept { return queues_.front()->poll_fd(); }
  [[nodiscard]] static Result<TunInterface> adopt_socket(UniqueFd fd, bool offload,
                                                         std::optional<std::uint32_t> mtu_bytes);
  [[nodiscard]] LinkState glimpse(const std::string& name) const;

  bool has_vnet_header_ = false;
  bool is_socket_ = false;
  std::optional<std::uint32_t> told_mtu_bytes_;
  std::vector<std::unique_ptr<LinuxTun>> queues_;
};

/// Whether the caller's network namespace has an interface of that name.
[[nodiscard]] bool interface_exists(const std::string& name) noexcept;

}  // namespace ferrule::io
