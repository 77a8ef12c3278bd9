// PreUp, PostUp, PreDown and PostDown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quick/failure.h"
#include "quick/quick_file.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// A command of the user's as a step: run by bash, or sh where there is none, with %i replaced by the
/// interface's name. It fails as its first failing command does.
[[nodiscard]] Action hook_action(const std::string& hook, const std::string& interface);

/// Runs the hooks of a key until one fails.
[[nodiscard]] Attempt<void> run_hooks(const QuickFile& file, std::string_view key,
                                      const std::vector<std::string>& hooks,
                                      files::Listener& listener);

/// Whether the shell can read a command; nothing of it is run.
[[nodiscard]] bool can_shell_read(const std::string& hook);

/// What hooks find in their environment: INTERFACE, CONFIG_FILE, LC_ALL=C, and our folder in front of
/// PATH. To be called once, before programs are started.
void prepare_environment(const std::string& interface, const std::string& path);

}  // namespace ferrule::quick
