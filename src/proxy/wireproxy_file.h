// Files of wireproxy: a WireGuard configuration, in the file or named by it, and what is offered.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "control/conf_error.h"
#include "control/wiped_text.h"
#include "proxy/settings.h"

namespace ferrule::proxy {

struct WireproxyFile {
  std::string conf_path;    // of WGConfig; "": the file has the sections itself
  control::WipedText conf;  // these, with as many lines as the file has before them
  ProxySettings settings;
};

/// Whether a text has what only such files have.
[[nodiscard]] bool is_wireproxy_file(std::string_view text);

/// A variable of the environment; none: there is no such.
using Variables = std::function<std::optional<std::string>(const std::string&)>;

/// Reads it; values that begin with '$' are variables, unless another '$' follows. Or everything that is wrong, by line.
[[nodiscard]] std::expected<WireproxyFile, control::ConfErrors> read_wireproxy_file(
    const std::string& name, std::string_view text, const Variables& variables);

}  // namespace ferrule::proxy
