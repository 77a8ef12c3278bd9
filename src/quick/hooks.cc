#include "quick/hooks.h"

#include <cstdlib>
#include <string_view>

#include "control/hidden_keys.h"
#include "quick/child.h"

namespace ferrule::quick {

namespace {

constexpr std::string_view kPlaceholder = "%i";

std::string with_name(std::string hook, const std::string& interface) {
  for (std::size_t at = hook.find(kPlaceholder); at != hook.npos;
       at = hook.find(kPlaceholder, at + interface.size())) {
    hook.replace(at, kPlaceholder.size(), interface);
  }
  return hook;
}

// The shell options under which wg-quick evaluates hooks: people have come to rely on them.
std::vector<std::string> shell_words(const std::string& hook) {
  if (find_program("bash")) {
    return {"bash", "-e", "-o", "pipefail", "-O", "extglob", "-c", "eval \"$1\"", "hook", hook};
  }
  return {"sh", "-e", "-c", "eval \"$1\"", "hook", hook};
}

}  // namespace

Attempt<void> run_hooks(const QuickFile& file, std::string_view key,
                        const std::vector<std::string>& hooks, files::Listener& listener) {
  for (const std::string& hook : hooks) {
    const auto done = perform(listener, hook_action(hook, file.interface));
    if (!done) return failed_at(file, key, hook, done.error().what);
  }
  return {};
}

bool can_shell_read(const std::string& hook) {
  if (find_program("bash"))
    return run_quietly({"bash", "-n", "-O", "extglob", "-c", hook}).has_value();
  return run_quietly({"sh", "-n", "-c", hook}).has_value();
}

Action hook_action(const std::string& hook, const std::string& interface) {
  const std::string command = with_name(hook, interface);
  return {control::command_without_keys(command),
          [command] { return run_child(shell_words(command), "the command"); }};
}

void prepare_environment(const std::string& interface, const std::string& path) {
  setenv("INTERFACE", interface.c_str(), 1);
  setenv("CONFIG_FILE", path.c_str(), 1);
  setenv("LC_ALL", "C", 1);
  const char* before = std::getenv("PATH");
  const std::string usual = before != nullptr ? before : "/usr/sbin:/usr/bin:/sbin:/bin";
  setenv("PATH", (own_folder() + ':' + usual).c_str(), 1);
}

}  // namespace ferrule::quick
