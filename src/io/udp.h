// The outer door: UDP datagrams, in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/error.h"
#include "base/local_place.h"
#include "base/net.h"

namespace ferrule::io {

/// Room for one receive, and what came. With UDP_GRO one receive can hold several datagrams of the
/// same sender, `segment_size` bytes apart, of which only the last may be shorter. Each begins with
/// kWirePrefix bytes that are the transport's.
struct ReceivedDatagrams {
  MutBytes room;                 // caller's; 64 KiB to be able to take coalesced datagrams
  std::size_t size = 0;          // bytes received, at the start of `room`
  std::size_t segment_size = 0;  // distance between datagrams; == size when there is one
  Endpoint from;                 // never IPv4-mapped; scope id only on link-local addresses
  Source to;                     // the local address and interface it came to
  std::uint8_t ecn = 0;          // the two ECN bits of the outer header
};

/// What the system would not send from (P75); the datagram went without it.
enum class SourceRefusal : std::uint8_t {
  none,
  interface,  // of OutgoingDatagrams::from, which went from the address alone
  source,     // all of it
};

/// One or more datagrams to one destination. `parts` are gathered. When `segment_size` is not zero
/// the gathered bytes are cut into datagrams of that size, of which only the last may be shorter
/// (UDP_SEGMENT): at most kMaxSegments of them and kMaxSendSize bytes. Each begins with kWirePrefix bytes
/// (base/wire.h) that are the transport's to fill: none for UDP.
struct OutgoingDatagrams {
  std::span<const Bytes> parts;
  std::size_t segment_size = 0;  // 0: one datagram
  Endpoint to;
  // None: the system chooses; without an interface: the routes choose that. Changed by send() where the
  // sockets are bound elsewhere.
  Source from;
  std::uint8_t traffic_class = 0;  // TOS or traffic class byte of the outer header, ECN included
  // Set by send():
  SourceRefusal refused = SourceRefusal::none;  // when the datagrams went
  std::size_t lost_bytes = 0;                   // of datagrams that did not go
  int error = 0;  // why not, as an errno; 0 too where there was just no room in time
};

constexpr std::size_t kMaxSegments = 64;
constexpr std::size_t kMaxSendSize = 65507;
constexpr std::size_t kMaxSendParts = 512;

/// Where sockets are, or are to be. Value type.
struct UdpPlace {
  std::uint16_t port = 0;             // 0: the system chooses one that is free for both families
  LocalAddresses only = {};           // these alone; empty: every address
  std::uint32_t interface_index = 0;  // what comes and goes by it alone; 0: by any

  [[nodiscard]] bool has(Family family) const noexcept {
    return only.is_empty() || only.of(family).family() != Family::none;
  }
  bool operator==(const UdpPlace&) const noexcept = default;
};

/// A port's pair of sockets, IPv4 and IPv6, seen as one. `receive` may be called by one thread at a
/// time, `send` by any number; it is destroyed once nobody is in either.
class Udp {
 public:
  virtual ~Udp() = default;

  /// Takes what is there without waiting: up to slots.size() receives. 0 when nothing is. Transient
  /// errors of the sockets are swallowed (P75b); an Error means that the socket is dead and must be
  /// bound anew.
  [[nodiscard]] virtual Result<std::size_t> receive(std::span<ReceivedDatagrams> slots) = 0;

  /// Sends all in order, several to a system call. Offload refusals are learned and the batch is sent
  /// plainly; a refused source is sent
  /// once more without its interface, then without. What the system still refuses is lost and
  /// counted; the number of entries fully handed over is returned.
  virtual std::size_t send(std::span<OutgoingDatagrams> batch) = 0;

  /// The bound port, host byte order.
  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  /// Marks what leaves, for the system's routes and firewall to see; 0: no mark. Here for systems that
  /// have none: every other mark is refused, as operation_not_supported.
  [[nodiscard]] virtual Result<void> set_route_mark(std::uint32_t mark);
  /// Forgets what was learned about paths (which refuse long trains): routes or MTUs have changed.
  virtual void forget_paths() noexcept {}
  /// Datagrams lost in send() because the system refused them, since the start.
  [[nodiscard]] virtual std::uint64_t send_failures() const noexcept = 0;
};

/// What is said where marks are asked for and there are none.
[[nodiscard]] inline Error no_route_marks() {
  return make_error(std::errc::operation_not_supported, "this system can't mark packets (fwmark)");
}

inline Result<void> Udp::set_route_mark(std::uint32_t mark) {
  if (mark != 0) return std::unexpected(no_route_marks());
  return {};
}

}  // namespace ferrule::io
