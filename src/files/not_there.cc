#include "files/not_there.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "control/near_miss.h"
#include "files/conf_file.h"

namespace ferrule::files {

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
  return is_interface_name(interface) && access(conf_path_of(interface).c_str(), F_OK) == 0;
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

NotThere no_file(const std::string& path, std::string_view argument) {
  const bool is_path = argument.find('/') != argument.npos;
  const auto names = is_path ? std::vector<std::string>() : interfaces_with_files();
  NotThere told{fmt::format("`{}' does not exist", path)};
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  std::string_view name = argument;
  if (name.ends_with(kConfSuffix)) name.remove_suffix(kConfSuffix.size());
  if (!is_path && name != argument && access(std::string(argument).c_str(), F_OK) == 0) {
    told.hints.push_back(fmt::format("For the file in this folder, say `./{}'.", argument));
  } else if (name != argument && has_file(std::string(name))) {
    told.hints.push_back(fmt::format("For the one in /etc/wireguard, say `{}'.", name));
  } else if (const auto meant = control::nearest(name, candidates)) {
    told.what += fmt::format("; did you mean `{}'?", *meant);
  } else if (!names.empty()) {
    told.hints.push_back("There are: " + list_of(names));
  }
  return told;
}

NotThere no_interface(client::DeviceClient& devices, const std::string& name) {
  auto names = devices.list();
  if (!names) names.emplace();
  NotThere told{is_not(name, "a WireGuard interface", *names)};
  if (has_file(name)) {
    told.hints.push_back(fmt::format("It is not up: `ferrule up {}' brings it up.", name));
  } else if (!names->empty()) {
    told.hints.push_back("Up are: " + list_of(*names));
  }
  return told;
}

}  // namespace ferrule::files
