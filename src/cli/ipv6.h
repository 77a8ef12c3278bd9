// Whether interfaces of this machine have IPv6.
#pragma once

namespace ferrule::cli {

/// False where the kernel has none, or new interfaces get none (sysctl disable_ipv6), as in most
/// containers.
[[nodiscard]] bool has_ipv6();

}  // namespace ferrule::cli
