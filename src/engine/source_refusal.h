// What the outer door says of a source, in the protocol's words.
#pragma once

#include "io/udp.h"
#include "protocol/peer.h"

namespace ferrule::engine {

/// What may still be used of a source that the system refused so.
[[nodiscard]] inline protocol::SourceUse left_of(io::SourceRefusal refusal) noexcept {
  return refusal == io::SourceRefusal::interface ? protocol::SourceUse::address
                                                 : protocol::SourceUse::nothing;
}

}  // namespace ferrule::engine
