// What is wrong with a configuration that can be read: what parses, but cannot work, or not as meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keys.h"
#include "base/net.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/conf_error.h"

namespace ferrule::control {

enum class Severity { error, warning, note };

/// Something found in a file. An error keeps the tunnel, or a peer of it, from working; a warning is
/// about what works, but perhaps not as meant; a note says what could be nicer. Holds no key.
struct ConfFinding {
  Severity severity = Severity::error;
  std::string_view rule;  // a name for programs: "own-key"
  ConfError where;
};

/// What the machine knows about the host of an endpoint.
struct EndpointFacts {
  std::string host;                        // as the file has it
  std::vector<IpAddress> addresses;        // what it stands for
  std::optional<std::uint32_t> mtu_bytes;  // of the route to the first of them
  unsigned route_length = 0;               // prefix length of that route, which is not the tunnel's
};

/// What a file cannot say by itself. What is not known is left out, with the findings that need it.
struct MachineFacts {
  std::optional<PublicKey> own_key;        // of the file's private key
  std::optional<std::uint32_t> file_mode;  // permission bits of a regular file
  std::vector<EndpointFacts> endpoints;
};

/// Everything found in a configuration that was read from `document`, by line.
[[nodiscard]] std::vector<ConfFinding> check_configuration(const ConfDocument& document,
                                                           const Configuration& configuration,
                                                           const MachineFacts& facts);

}  // namespace ferrule::control
