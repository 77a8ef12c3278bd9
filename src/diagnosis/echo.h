// Echo requests by one interface, whatever the routes say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"

namespace ferrule::diagnosis {

/// What came back for an echo request.
struct EchoAnswer {
  IpAddress from;
  IpAddress target;  // whom the request was for
  std::uint16_t sequence = 0;
  bool is_reply = false;    // else somebody on the way says why it went no further
  bool is_expired = false;  // its hops were used up there
};

/// Where a request may get before its hops are used up.
constexpr int kAllHops = 64;

/// Sends ICMP or ICMPv6 echo requests that may not be cut into fragments, and collects what comes back.
/// Needs CAP_NET_RAW. Move-only.
class EchoSocket {
 public:
  [[nodiscard]] static Result<EchoSocket> open(Family family, const std::string& interface);

  /// A packet of `bytes` in all, headers included. False when the system does not take it.
  bool send(const IpAddress& to, std::uint16_t sequence, std::size_t bytes, int hops = kAllHops);
  /// The answers to this socket's requests that come until `timeout_ms` have passed without any. A WireGuard
  /// that says by itself that it can't send something is no answer.
  [[nodiscard]] std::vector<EchoAnswer> receive(int timeout_ms);

 private:
  EchoSocket(io::UniqueFd fd, Family family, std::uint16_t id) noexcept
      : fd_(std::move(fd)), family_(family), id_(id) {}
  io::UniqueFd fd_;
  Family family_;
  std::uint16_t id_;
  int hops_ = 0;
};

/// The headers of a request without data.
[[nodiscard]] constexpr std::size_t least_echo_bytes(Family family) noexcept {
  return family == Family::v4 ? 28 : 48;
}

/// Reads an ICMP or ICMPv6 message that came from `from`: an answer to a request of this id, or none.
/// Sequence and target are those of the request.
[[nodiscard]] bool read_echo_answer(Family family, Bytes message, std::uint16_t id,
                                    const IpAddress& from, EchoAnswer& answer);

}  // namespace ferrule::diagnosis
