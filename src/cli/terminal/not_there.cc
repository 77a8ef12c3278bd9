#include "cli/terminal/not_there.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "control/near_miss.h"
#include "files/conf_file.h"

namespace ferrule::cli {

namespace {

constexpr std::size_t kMostNames = 8;

// "wg0, wg1, ...".
std::string list_of(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kMostNames);
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(shown);
  const std::string list = fmt::format("{}", fmt::join(names.begin(), end, ", "));
  return shown < names.size() ? list + ", ..." : list;
}

bool has_file(const std::string& interface) {
  return files::is_interface_name(interface) &&
         access(files::conf_path_of(interface).c_str(), F_OK) == 0;
}

}  // namespace

std::string is_not(std::string_view word, std::string_view what,
                   const std::vector<std::string>& names) {
  std::string text = fmt::format("`{}' is not {}", word, what);
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  if (const auto meant = control::nearest(word, candidates)) {
    text += fmt::format("; did you mean `{}'?", *meant);
  }
  return text;
}

void say_no_file(Console& console, const std::string& path, std::string_view argument) {
  const bool is_path = argument.find('/') != argument.npos;
  const auto names = is_path ? std::vector<std::string>() : files::interfaces_with_files();
  console.err.print("{}: `{}' does not exist", console.program, path);
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  std::string_view name = argument;
  if (name.ends_with(files::kConfSuffix)) name.remove_suffix(files::kConfSuffix.size());
  if (!is_path && name != argument && access(std::string(argument).c_str(), F_OK) == 0) {
    console.err.print("\nFor the file in this folder, say `./{}'.\n", argument);
  } else if (name != argument && has_file(std::string(name))) {
    console.err.print("\nFor the one in /etc/wireguard, say `{}'.\n", name);
  } else if (const auto meant = control::nearest(name, candidates)) {
    console.err.print("; did you mean `{}'?\n", *meant);
  } else if (!names.empty()) {
    console.err.print("\nThere are: {}\n", list_of(names));
  } else {
    console.err.write("\n");
  }
}

void say_no_interface(Console& console, const std::string& name) {
  auto names = console.devices->list();
  if (!names) names.emplace();
  console.err.print("{}: {}\n", console.program, is_not(name, "a WireGuard interface", *names));
  if (has_file(name)) {
    console.err.print("It is not up: `ferrule up {}' brings it up.\n", name);
  } else if (!names->empty()) {
    console.err.print("Up are: {}\n", list_of(*names));
  }
}

}  // namespace ferrule::cli
