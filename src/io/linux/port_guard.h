// Keeps a UDP port that several sockets share from every other program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "io/linux/fd.h"

namespace ferrule::io {

/// SO_REUSEPORT, by which the kernel spreads senders over sockets, lets any program of the same user into the
/// group. A guard is one more socket a family, on the address of the group, which takes no part and shares with
/// nobody: the kernel asks it first, and refuses whoever else asks for the port (EADDRINUSE). It is bound to
/// an interface that there is not, so that nothing ever comes to it: while it stands alone the port is
/// closed towards the network, and stays ours. (docs/decisions/0016-port-guard.md)
///
/// Who binds to an interface of the machine, and shares, passes it: that is no accident.
class PortGuard {
 public:
  /// For the sockets `shared`, which hold `port`; `held` guards them so far, or is null. An Error where the
  /// kernel can't (before Linux 5.7, mostly), and the port is as it was.
  [[nodiscard]] static Result<std::shared_ptr<PortGuard>> put(std::uint16_t port,
                                                              std::span<const int> shared,
                                                              PortGuard* held);
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Lets sockets with SO_REUSEADDR bind the port, or no longer.
  void let_in(bool let) noexcept;

 private:
  explicit PortGuard(std::uint16_t port) noexcept : port_(port) {}

  std::uint16_t port_;
  std::array<UniqueFd, 2> sockets_;  // one a family
};

/// Whether a socket may share its address with others that may.
bool set_shares_address(int fd, bool shares) noexcept;

}  // namespace ferrule::io
