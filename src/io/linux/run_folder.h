// What is to be known of interfaces while they are up, and lost when the machine starts anew.
#pragma once

#include <string>

#include "base/error.h"

namespace ferrule::io {

/// Root's folder for it: nobody else can write there.
constexpr const char* kRunFolder = "/run/ferrule";

/// Makes kRunFolder if it is not there; an Error where it can't be made, or is not root's alone to write.
[[nodiscard]] Result<void> make_run_folder();

/// A file there, of an interface of this network namespace: /run/ferrule/4026531840-wg0SUFFIX.
[[nodiscard]] std::string run_file(const std::string& interface, const std::string& suffix);

}  // namespace ferrule::io
