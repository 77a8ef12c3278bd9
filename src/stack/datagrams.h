// A UDP socket of the stack, as one end of a pair of sockets.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"
#include "io/linux/loop.h"

struct udp_pcb;

namespace ferrule::stack {

/// What stands before a datagram on its way through the pair: whose it is, or for whom (zeros: for the one that
/// was set). Family (4 or 6), nothing, port, address.
constexpr std::size_t kAddressBytes = 20;
[[nodiscard]] std::array<std::uint8_t, kAddressBytes> encode(const Endpoint& end) noexcept;
[[nodiscard]] Endpoint decode(const std::uint8_t* bytes) noexcept;

/// Carries datagrams between a port and our end of a pair, until the other end is closed. What does not fit is
/// lost. It lives by itself.
class Datagrams : public std::enable_shared_from_this<Datagrams> {
 public:
  /// At an address, which may be all zeros, and a port, which may be 0.
  [[nodiscard]] static Result<std::shared_ptr<Datagrams>> open(io::Loop& loop, const Endpoint& at,
                                                               io::UniqueFd socket);
  ~Datagrams();
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  /// Lets go of the port.
  void end();
  [[nodiscard]] Endpoint local_end() const noexcept;
  /// From then on it hears of this one alone. False: no way leads there.
  [[nodiscard]] bool set_other_end(const Endpoint& to) noexcept;

 private:
  Datagrams(io::Loop& loop, udp_pcb* pcb, io::UniqueFd socket)
      : loop_(loop), pcb_(pcb), socket_(std::move(socket)) {}
  void ready();

  io::Loop& loop_;
  udp_pcb* pcb_;
  io::UniqueFd socket_;
  Endpoint other_;
  io::Watched watched_;
  std::shared_ptr<Datagrams> self_;
};

}  // namespace ferrule::stack
