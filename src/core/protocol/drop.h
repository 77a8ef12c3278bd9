// Every reason for which a message or packet is refused, with its name and its counter.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ferrule::protocol {

enum class Drop : std::uint8_t {
  none,
  // datagrams of any type
  malformed,  // unknown type, reserved bytes set, or a length that does not fit (P10, P11)
  device_down,
  // handshake messages
  bad_mac1,
  queue_full,
  source_queue_full,  // one source holds its share of the queue already (P85a)
  cookie_required,    // under load without a good mac2: answered by a cookie reply (P82)
  rate_limited,
  no_identity,    // the device has no private key (P26)
  bad_handshake,  // a DH or tag that does not hold
  unknown_peer,
  replayed_initiation,  // a timestamp not greater than the greatest one (P27)
  initiation_flood,     // within 20 ms of the last accepted one (P28)
  unknown_handshake,    // a response or cookie reply that nothing waits for
  bad_cookie_reply,
  no_resources,  // RNG or allocation failed (P35)
  // transport data, inwards
  unknown_index,
  expired_keypair,
  counter_limit,
  bad_tag,
  replayed_counter,
  peer_removed,
  inner_version,
  inner_header,
  inner_length,
  inner_source,  // not an allowed IP of this very peer
  // packets, outwards
  outbound_header,  // not an IP packet
  no_route,         // no peer has the destination
  no_endpoint,
  endpoint_loop,    // a message of ours: the route to the peer's endpoint leads into the tunnel
  staged_overflow,  // the oldest of a peer with too many, or with the most where all hold too much
  staged_expired,   // waited for longer than all attempts take, or the handshake was given up
  send_failed,
  tun_write_failed,
  count_,
};

constexpr std::size_t kDropCount = static_cast<std::size_t>(Drop::count_);

/// The name as it is written in counters and logs: that of the enumerator.
[[nodiscard]] std::string_view name_of(Drop drop) noexcept;

/// A count for each Drop. Thread-safe; counting never orders anything else.
class DropCounters {
 public:
  void count(Drop drop, std::uint64_t times = 1) noexcept {
    counters_[static_cast<std::size_t>(drop)].fetch_add(times, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t operator[](Drop drop) const noexcept {
    return counters_[static_cast<std::size_t>(drop)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kDropCount> counters_{};
};

}  // namespace ferrule::protocol
