// Other programs: the user's own hooks, the daemon, and what sets up DNS.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ferrule::quick {

/// The program of this name in PATH; a name with a slash is a path already. None: there is none.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

/// This program's file, and the folder that it lies in.
[[nodiscard]] std::string own_path();
[[nodiscard]] std::string own_folder();

/// Runs a program to its end, its input and output being ours. An end with another status than 0 is an
/// Error that says so of `name`.
[[nodiscard]] Result<void> run_child(const std::vector<std::string>& words,
                                     const std::string& name);
/// The same with neither input nor output.
[[nodiscard]] Result<void> run_quietly(const std::vector<std::string>& words);
/// The same by the program's own name, and with `input` to read.
[[nodiscard]] Result<void> feed_child(const std::vector<std::string>& words,
                                      std::string_view input);
/// The same, and returns what it prints; an Error says what it complains of.
[[nodiscard]] Result<std::string> ask_child(const std::vector<std::string>& words,
                                            std::string_view input = {});

/// Starts a program that goes on after us, in a session of its own and without input or output.
[[nodiscard]] Result<void> start_child(const std::vector<std::string>& words);

}  // namespace ferrule::quick
