// What stands between a message and the wire.
#pragma once

#include <cstddef>

namespace ferrule {

/// Room before each message, for a transport other than plain UDP to write into: a frame's length, a
/// disguise. This is the one place that knows how much: buffers make room for it, what is handed to the
/// outer door begins with it, and what comes from there does. A build that wants some defines it for all of its
/// sources (tests/wire_prefix).
#ifdef FERRULE_WIRE_PREFIX
constexpr std::size_t kWirePrefix = FERRULE_WIRE_PREFIX;
#else
constexpr std::size_t kWirePrefix = 0;
#endif

}  // namespace ferrule
