// Why something is not as it was to be.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "control/conf_error.h"

namespace ferrule::files {

/// Value type.
struct Failure {
  std::string what;                     // in a line; "": that is in `errors`, or was said
  control::ConfErrors errors = {};      // with their places in a file
  std::vector<std::string> hints = {};  // what can be done about it, a line each
};

template <class T>
using Attempt = std::expected<T, Failure>;

}  // namespace ferrule::files
