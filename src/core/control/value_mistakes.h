// Values that can't be meant as they are written, in words for the person who wrote them.
//
// A mistake is refused: nothing could come of the value. A doubt is about what wg takes all the same.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/net.h"
#include "control/values.h"

namespace ferrule::control {

/// `is_error`: with that value nothing will work. Else it works, but perhaps not as meant.
struct Doubt {
  bool is_error = false;
  std::string what;
};

/// Of HOST:PORT. None: it can be looked up.
[[nodiscard]] std::optional<std::string> endpoint_mistake(std::string_view text);
/// Of HOST:PORT without a mistake.
[[nodiscard]] std::optional<Doubt> endpoint_doubt(std::string_view text);
/// HOST[:PORT] with the port that it has or else `port`, as it stands in a file; or what is wrong with
/// it, which may be a doubt, if an endpoint like that never works.
[[nodiscard]] std::expected<std::string, std::string> complete_endpoint(std::string_view text,
                                                                        std::uint16_t port);

/// Of one of DNS: neither an address, nor a domain that anybody may have.
[[nodiscard]] std::optional<std::string> dns_mistake(std::string_view text);
[[nodiscard]] std::optional<Doubt> dns_doubt(const IpAddress& server);

/// Of one of an interface's addresses.
[[nodiscard]] std::optional<Doubt> address_doubt(const InterfaceAddress& address);
/// Of one of a peer's prefixes.
[[nodiscard]] std::optional<Doubt> allowed_ip_doubt(std::string_view text);

}  // namespace ferrule::control
