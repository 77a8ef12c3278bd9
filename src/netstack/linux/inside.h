// The process that lives in a namespace.
#pragma once

#include <sys/types.h>

#include "io/linux/fd.h"
#include "netstack/linux/namespace.h"

namespace ferrule::netstack {

/// How the first message begins; behind it stands text: why not, or notes, one a line. With it come the
/// descriptors of the interface, the network namespace, the mount namespace (if there is one) and the
/// user namespace (if it said so).
enum class Hello : char { refused = 1, made, with_user };

/// Makes namespaces as the settings say, says so to `control`, and serves sockets until the other side
/// closes, or the process `parent` ends. A request is three bytes: family, type and count; the answer
/// brings as many sockets, or none and an errno.
[[noreturn]] void live_inside(const NamespaceSettings& settings, io::UniqueFd control,
                              pid_t parent);

/// Why a step was refused, in words of what can be done about it; "" where that is not known.
[[nodiscard]] std::string advice_on_namespaces(int error);
[[nodiscard]] std::string advice_on_tun(int error);

}  // namespace ferrule::netstack
