// The outer door on Linux: a v6-only IPv6 socket and an IPv4 socket on one port.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"
#include "io/linux/port_guard.h"
#include "io/linux/segment_limits.h"
#include "io/linux/udp_calls.h"
#include "io/udp.h"

namespace ferrule::io {

struct UdpOptions {
  UdpPlace at;
  std::uint32_t mark = 0;  // SO_MARK, which needs CAP_NET_ADMIN; 0: none
  // A further socket on a port that this program holds; `at.port` is not 0. Else a port that something holds
  // is refused, also when that allows sharing: two daemons never end up in one group by accident.
  bool joins = false;
  PortGuard* held = nullptr;  // of `at.port`: this program's, whom it lets in
  bool offload = true;        // UDP_SEGMENT and UDP_GRO, where the kernel has them
  UdpCalls calls;
};

/// Whether sockets can be bound to an address of this machine now, and to an interface (0: to none) besides:
/// in a VRF, or while an IPv6 address is still looked for on the link, only the kernel can tell.
[[nodiscard]] bool can_bind_to(const IpAddress& address, std::uint32_t interface_index) noexcept;

/// `send` may be called by any number of threads, `receive` by one at a time; `set_route_mark` and
/// `forget_paths` by any. A machine without IPv6 has the IPv4 socket only (P75a), and who is bound to an
/// address has that one's family. From such sockets nothing leaves by another address or interface, whatever
/// the source of a datagram was to be.
class LinuxUdp final : public Udp {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LinuxUdp>> open(const UdpOptions& options);
  /// All sockets of a port.
  struct Group {
    std::vector<std::unique_ptr<LinuxUdp>> lanes;
    std::unique_ptr<LinuxUdp> handshakes;  // null: handshake messages come to the lanes
    // Keeps the port from other programs, also when the sockets are closed; instead of UdpOptions::held.
    // Null: the kernel can't.
    std::shared_ptr<PortGuard> guard;
  };
  /// For `lanes` (>= 1) lanes, over which the kernel spreads senders by their address and port, and one
  /// for handshake messages, where it can tell them from data (steering.h). Data may come there too.
  /// `options.joins` is not looked at.
  [[nodiscard]] static Result<Group> open_group(const UdpOptions& options, std::size_t lanes);

  /// A datagram that does not fit into its slot's room is given as one of size 0; of a coalesced
  /// series that does not fit, those that fit whole are given.
  [[nodiscard]] Result<std::size_t> receive(std::span<ReceivedDatagrams> slots) override;
  /// Waits for room in the socket's buffer for at most kSendPatience in all.
  std::size_t send(std::span<OutgoingDatagrams> batch) override;
  [[nodiscard]] std::uint16_t port() const noexcept override { return port_; }
  [[nodiscard]] Result<void> set_route_mark(std::uint32_t mark) override;
  [[nodiscard]] std::uint64_t send_failures() const noexcept override {
    return failures_.load(std::memory_order_relaxed);
  }

  /// For the event loop: readable when `receive` has something. -1 when the family is missing.
  [[nodiscard]] int poll_fd(Family family) const noexcept { return socket(family).fd.get(); }
  /// Whether trains leave as one (UDP_SEGMENT): false too once the kernel has refused that.
  [[nodiscard]] bool segments(Family family) const noexcept {
    return socket(family).segments.load(std::memory_order_relaxed);
  }
  /// Whether datagrams arrive coalesced (UDP_GRO).
  [[nodiscard]] bool coalesces(Family family) const noexcept { return socket(family).coalesces; }
  void forget_paths() noexcept override;
  /// Datagrams cut off since the start, because they did not fit into their room.
  [[nodiscard]] std::uint64_t truncated() const noexcept {
    return truncated_.load(std::memory_order_relaxed);
  }

 private:
  struct Socket {
    UniqueFd fd;
    std::atomic<bool> segments = false;
    std::atomic<bool> may_be_foreign = false;  // sends from any address (IPV6_FREEBIND)
    bool coalesces = false;
    unsigned errors_in_row = 0;  // receive's
  };
  class SendCall;
  class Patience;

  LinuxUdp() = default;
  static Result<Group> open_shared(const UdpOptions& options, std::size_t lanes);
  Result<void> bind_pair(const UdpOptions& options);
  Result<void> bind_v4(const UdpOptions& options);
  Result<bool> bind_v6(const UdpOptions& options);
  bool steer(std::size_t lanes) noexcept;
  Socket& socket(Family family) noexcept { return family == Family::v6 ? v6_ : v4_; }
  const Socket& socket(Family family) const noexcept { return family == Family::v6 ? v6_ : v4_; }

  Result<std::size_t> receive_from(Socket& from, std::span<ReceivedDatagrams> slots);
  int receive_some(int fd, mmsghdr* messages, unsigned count) noexcept;
  void finish(ReceivedDatagrams& slot, const msghdr& header, std::size_t size) noexcept;

  std::size_t send_run(Socket& to, std::span<OutgoingDatagrams> run, Patience& patience);
  bool goes_plainly(const Socket& to, const OutgoingDatagrams& entry) const noexcept;
  int send_some(const Socket& to, mmsghdr* messages, unsigned count) noexcept;
  int send_once(const Socket& to, const OutgoingDatagrams& entry, const Source& from) noexcept;
  int send_again(const Socket& to, const OutgoingDatagrams& entry, const Source& from, int error,
                 Patience& patience) noexcept;
  bool recover(Socket& to, OutgoingDatagrams& entry, int error, Patience& patience);
  int send_without(Socket& to, OutgoingDatagrams& entry, int error, Patience& patience);
  bool allow_foreign(Socket& of, const Source& source, int error) noexcept;
  bool send_cut(Socket& to, OutgoingDatagrams& entry, Patience& patience);
  void learn(Socket& to, const OutgoingDatagrams& entry, int error) noexcept;
  void lose(OutgoingDatagrams& entry, int error) noexcept;
  [[nodiscard]] Source allowed(const Source& from) const noexcept;

  Socket v4_;
  Socket v6_;
  std::uint16_t port_ = 0;
  LocalAddresses only_;                // bound to these; empty: to none
  std::uint32_t interface_index_ = 0;  // bound to it; 0: to none
  bool v6_first_ = false;              // whose turn it is to be received from first
  UdpCalls calls_;
  std::atomic<bool> has_sendmmsg_ = true;
  std::atomic<bool> has_recvmmsg_ = true;
  SegmentLimits limits_;
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> truncated_ = 0;
};

}  // namespace ferrule::io
