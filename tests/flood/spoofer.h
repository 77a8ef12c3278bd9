// Datagrams with source addresses of our choosing. Needs CAP_NET_RAW; for network namespaces only.
#pragma once

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"
#include "messages.h"

namespace ferrule::flood {

constexpr std::size_t kMaxBatch = 256;

class Spoofer {
 public:
  /// From `from`; none: from 100.64.0.0/10 at random, a new address and port for each datagram.
  [[nodiscard]] static Result<Spoofer> open(const Endpoint& to, const Endpoint& from);

  /// Sends up to `count` (at most kMaxBatch) of `messages`, going round, and returns how many left.
  [[nodiscard]] Result<std::size_t> send(std::span<const Message> messages, std::size_t count);

 private:
  struct Headers {
    iphdr ip;
    udphdr udp;
  };

  Spoofer(io::UniqueFd fd, const Endpoint& to, const Endpoint& from);
  void fill(Headers& headers, std::size_t payload);

  io::UniqueFd fd_;
  sockaddr_in to_{};
  in_addr_t from_address_ = 0;  // 0: at random
  in_port_t from_port_ = 0;
  std::mt19937 rng_{3};
  std::size_t next_ = 0;
  std::array<Headers, kMaxBatch> headers_{};
};

}  // namespace ferrule::flood
