// Twins of the outer door for tests: sockets on a network that exists in memory only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "io/udp.h"

namespace ferrule::io {

class MemoryUdp;

/// A datagram under way.
struct MemoryDatagram {
  Endpoint from;
  Endpoint to;
  std::uint8_t traffic_class = 0;
  std::vector<std::uint8_t> bytes;
};

/// Carries datagrams between the sockets opened on it: at once, in order, without loss, unless a hook
/// says otherwise. No clock and no randomness: what happens depends on the calls alone. Thread-safe.
/// Outlives its sockets.
class MemoryNetwork {
 public:
  enum class Fate : std::uint8_t { deliver, drop, hold };
  /// Sees each datagram before it is delivered and may change it. Is called with the network locked,
  /// and so must not call the network or a socket of it.
  using Hook = std::function<Fate(MemoryDatagram&)>;

  void set_hook(Hook hook);
  /// Delivers what the hook has held, in the order in which it was sent, past the hook.
  void release_held();
  /// Delivers a datagram that no socket sent (forged, repeated, from a changed address), past the
  /// hook. False when nobody is there to take it or its queue is full.
  bool deliver(MemoryDatagram datagram);
  /// All datagrams sent since the start or the last forget_sent(), as the hook saw them, before it
  /// changed them.
  [[nodiscard]] std::vector<MemoryDatagram> sent() const;
  void forget_sent();

 private:
  friend class MemoryUdp;
  void pass(MemoryDatagram datagram, std::vector<std::function<void()>>& wake);
  bool put(MemoryDatagram datagram, std::vector<std::function<void()>>& wake);

  mutable std::mutex mutex_;  // guards everything here, and the state of all sockets
  std::vector<MemoryUdp*> sockets_;
  Hook hook_;
  std::vector<MemoryDatagram> sent_;
  std::vector<MemoryDatagram> held_;
};

struct MemoryUdpOptions {
  /// The addresses of the machine, each with the index of its interface.
  std::vector<Source> addresses;
  std::uint16_t port = 0;  // 0: the lowest free one from 49152 on
  bool offload = true;     // received runs of equal datagrams come coalesced, as with UDP_GRO
};

/// A socket pair on a MemoryNetwork. Thread-safe in all its functions.
class MemoryUdp final : public Udp {
 public:
  /// An Error of address_in_use when another socket has one of the addresses and the port.
  [[nodiscard]] static Result<std::unique_ptr<MemoryUdp>> open(MemoryNetwork& network,
                                                               MemoryUdpOptions options);
  ~MemoryUdp() override;

  [[nodiscard]] Result<std::size_t> receive(std::span<ReceivedDatagrams> slots) override;
  std::size_t send(std::span<OutgoingDatagrams> batch) override;
  [[nodiscard]] std::uint16_t port() const noexcept override { return port_; }
  [[nodiscard]] Result<void> set_route_mark(std::uint32_t mark) override;
  [[nodiscard]] std::uint64_t send_failures() const noexcept override;

  [[nodiscard]] std::uint32_t mark() const;
  /// The machine has other addresses from now on (roaming, an address removed).
  void set_addresses(std::vector<Source> addresses);
  /// The next `count` datagrams are refused by the system.
  void refuse_sends(std::size_t count);
  /// Every receive is this Error from now on; none: no longer.
  void break_receive(std::optional<std::errc> error);
  /// Called, from the thread that sent, after something has arrived.
  void on_readable(std::function<void()> wake);

  static constexpr std::size_t kQueueBound = 4096;  // datagrams; more are lost, as in a full buffer

 private:
  friend class MemoryNetwork;
  struct Arrived {
    MemoryDatagram datagram;
    Source to;
  };
  MemoryUdp(MemoryNetwork& network, MemoryUdpOptions options) noexcept;
  const Source* address_for(const OutgoingDatagrams& entry, bool& refused) const;
  bool send_one(OutgoingDatagrams& entry, std::vector<std::function<void()>>& wake);
  void take(ReceivedDatagrams& slot);

  MemoryNetwork& network_;
  std::vector<Source> addresses_;
  std::uint16_t port_;
  bool offload_;
  std::deque<Arrived> inbox_;
  std::function<void()> wake_;
  std::uint32_t mark_ = 0;
  std::size_t refuse_ = 0;
  std::optional<std::errc> broken_;
  std::uint64_t failures_ = 0;
};

}  // namespace ferrule::io
