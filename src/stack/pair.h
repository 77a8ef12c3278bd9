// Two ends of a connection within this process: ours, and the one that is given away.
#pragma once

#include "base/error.h"
#include "io/linux/fd.h"

namespace ferrule::stack {

struct Pair {
  io::UniqueFd ours;
  io::UniqueFd theirs;
};
/// `type`: SOCK_STREAM, or SOCK_SEQPACKET, which keeps messages apart. Neither end waits.
[[nodiscard]] Result<Pair> make_pair(int type);

/// Which socket a descriptor is, however often its number was another's. 0: none.
[[nodiscard]] std::uint64_t identity_of(int socket) noexcept;

}  // namespace ferrule::stack
