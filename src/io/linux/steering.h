// Which socket of a port's group a datagram comes to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/net.h"

namespace ferrule::io {

/// The first byte of a message tells handshake messages (1 to 3) from data (§5.4).
constexpr std::uint8_t kFirstHandshakeType = 1;
constexpr std::uint8_t kLastHandshakeType = 3;

/// Has the kernel give datagrams that begin as handshake messages do to the last socket of the group
/// that `fd` has joined (SO_REUSEPORT), and all others to the `lanes` before it: those of one sender to
/// one lane. What came before is where it was. Of datagrams that come coalesced the first decides for
/// all. False where the kernel can't (before Linux 4.5): it then spreads senders over the whole group.
[[nodiscard]] bool steer_handshakes(int fd, Family family, std::size_t lanes) noexcept;

}  // namespace ferrule::io
