// The command line of `ferrule proxy`.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "cli/run/inner_tunnel.h"
#include "cli/terminal/command.h"
#include "proxy/settings.h"

namespace ferrule::cli {

struct ProxyOptions {
  std::string file;
  proxy::ProxySettings settings;
  ReachChoice reach;
  std::optional<int> ready_fd;
  std::string hash_password_of;  // a user: nothing is run, but a line made for a file
};

/// Reads it; or the exit status, and what is wrong was said.
[[nodiscard]] std::variant<ProxyOptions, int> read_proxy_options(Console& console,
                                                                 Arguments arguments);

}  // namespace ferrule::cli
