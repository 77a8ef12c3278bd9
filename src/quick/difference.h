// What a change would change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/keys.h"
#include "base/local_place.h"
#include "base/net.h"
#include "control/uapi_client.h"
#include "protocol/configuration.h"

namespace ferrule::quick {

/// What was, or is to be: a number, a place or none, prefixes, a text; or nothing that could be told.
using DifferenceValue =
    std::variant<std::monostate, std::uint64_t, Endpoint, std::vector<Cidr>, std::string>;

/// One thing that a change would make another. Tells no key but public ones.
struct Difference {
  std::string text;                    // "peer KEY: endpoint 192.0.2.1:5 -> 192.0.2.2:5"
  std::string_view change;             // "endpoint", for programs
  std::optional<PublicKey> peer = {};  // none: it is the device's
  DifferenceValue from = {};
  DifferenceValue to = {};
};

/// Makes one change of those of one peer, in which what comes later counts, as for a device; and leaves
/// out the device itself, which is no peer of its own.
void join_sections(Segments<protocol::PeerChange>& peers, const control::DeviceStatus& device);

/// Leaves in a change only what makes the device another, and says what that is.
/// An allowed IP that several peers of the change have stays with the last of them, as it would on
/// the device. `place`: where that is bound.
[[nodiscard]] std::vector<Difference> keep_differences(protocol::DeviceChange& change,
                                                       const control::DeviceStatus& device,
                                                       const LocalPlace& place = {});

}  // namespace ferrule::quick
