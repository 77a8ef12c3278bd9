// Whether interfaces of this machine have IPv6.
#pragma once

#include <cstdint>

namespace ferrule::quick {

constexpr std::uint32_t kLeastMtuOfIPv6 = 1280;  // RFC 8200 §5

/// False where the kernel has none, or new interfaces get none (sysctl disable_ipv6), as in most
/// containers.
[[nodiscard]] bool has_ipv6();

}  // namespace ferrule::quick
