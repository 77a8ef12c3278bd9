// Echo requests by one interface, whatever the routes say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"

namespace ferrule::diagnosis {

/// An echo reply that came.
struct EchoReply {
  IpAddress from;
  std::uint16_t sequence = 0;
};

/// Sends ICMP or ICMPv6 echo requests that may not be cut into fragments, and collects replies.
/// Needs CAP_NET_RAW. Move-only.
class EchoSocket {
 public:
  [[nodiscard]] static Result<EchoSocket> open(Family family, const std::string& interface);

  /// A packet of `bytes` in all, headers included. False when the system does not take it.
  bool send(const IpAddress& to, std::uint16_t sequence, std::size_t bytes);
  /// The replies to this socket's requests that come until `timeout_ms` have passed without any.
  [[nodiscard]] std::vector<EchoReply> receive(int timeout_ms);

 private:
  EchoSocket(io::UniqueFd fd, Family family, std::uint16_t id) noexcept
      : fd_(std::move(fd)), family_(family), id_(id) {}
  io::UniqueFd fd_;
  Family family_;
  std::uint16_t id_;
};

/// The headers of a request without data.
[[nodiscard]] constexpr std::size_t least_echo_bytes(Family family) noexcept {
  return family == Family::v4 ? 28 : 48;
}

}  // namespace ferrule::diagnosis
