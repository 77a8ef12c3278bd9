// What a proxy is to offer, and where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "proxy/target.h"

namespace ferrule::proxy {

/// Where to listen. Value type.
struct ListenAt {
  Endpoint at;
  [[nodiscard]] bool is_loopback() const noexcept;
};
/// "port", "address:port", "[address]:port", "localhost:port", or ":port" and "*:port" for all addresses.
[[nodiscard]] std::optional<ListenAt> parse_listen(std::string_view text);

/// "[bind:]port:host:hostport" as ssh's -L and -R have it, with "/udp" behind it for datagrams. Without an
/// address it is loopback here, and all addresses inside, where nobody else could come. Value type.
struct Forward {
  ListenAt from;
  Target to;
  bool is_udp = false;
};
[[nodiscard]] std::optional<Forward> parse_local_forward(std::string_view text);
[[nodiscard]] std::optional<Forward> parse_remote_forward(std::string_view text);

/// User, and password or hash. Value type.
struct ProxyUser {
  std::string name;
  std::string secret;
};

struct Offer {
  ListenAt at;
  std::vector<ProxyUser> users;  // besides those of all
};

struct ProxySettings {
  std::vector<Offer> socks;
  std::vector<Offer> http;
  std::vector<ListenAt> dns;
  std::vector<Forward> local;   // from here to inside
  std::vector<Forward> remote;  // from inside to here; a target's name is the machine's to resolve
  std::optional<Target> stdio;
  std::optional<ListenAt> health;
  std::vector<ProxyUser> users;
  bool is_insecure = false;  // other addresses than loopback without a password
  std::optional<bool> prefers_v4;

  /// Whether there is anything to do.
  [[nodiscard]] bool offers_anything() const noexcept;
  /// Somebody else than this machine's users could come in without a password: where.
  [[nodiscard]] std::optional<std::string> open_door() const;
};

}  // namespace ferrule::proxy
