// What a command of `ferrule` is: a name, what it is for, and a function.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "cli/terminal/output.h"
#include "client/device_client.h"

namespace ferrule::cli {

/// What a command talks to. Not thread-safe.
struct Console {
  std::string program;  // as it was called: wg's messages begin with it
  int in = 0;
  Output out{1};
  Output err{2};
  std::unique_ptr<client::DeviceClient> devices = client::make_device_client();
  std::int64_t now_s = 0;  // Unix time
};

/// Whether we were called as wg, and must do as it does to the letter.
[[nodiscard]] inline bool is_called_wg(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "wg";
}

/// The same for wg-quick.
[[nodiscard]] inline bool is_called_wg_quick(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "wg-quick";
}

/// The words of a command line: the command's name, then what follows it.
using Arguments = std::span<const std::string_view>;

/// What commands are for; the help has them so.
enum class Group : std::uint8_t { tunnels, peers, explanations, views, wg };

struct Command {
  Group group;
  std::string_view name;
  std::string_view description;
  /// Returns the exit status. Whatever it prints is flushed by the caller.
  int (*run)(Console& console, Arguments arguments);
};

}  // namespace ferrule::cli
