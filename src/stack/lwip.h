// lwIP's own headers.
#pragma once

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>

#include "base/error.h"
#include "base/net.h"

namespace ferrule::stack {

[[nodiscard]] ip_addr_t to_lwip(const IpAddress& address) noexcept;
[[nodiscard]] Endpoint from_lwip(const ip_addr_t& address, std::uint16_t port) noexcept;
/// What the system would say.
[[nodiscard]] int errno_of(err_t error) noexcept;

}  // namespace ferrule::stack
