#include "cli/quick/quick_file.h"

#include <fmt/ranges.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "cli/terminal/conf_text.h"
#include "control/near_miss.h"
#include "files/conf_file.h"

namespace ferrule::cli {

namespace {

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

void warn_of_readers(Console& console, const std::string& path) {
  struct stat file;
  struct stat folder;
  if (stat(path.c_str(), &file) != 0) return;
  if (stat(std::string(folder_of(path)).c_str(), &folder) != 0) return;
  if ((file.st_mode & folder.st_mode & S_IRWXO) == 0) return;
  console.err.print("Warning: `{}' is world accessible\n", path);
}

// "wg0, office": the interfaces with a file in the usual folder; "" when there are none.
std::vector<std::string> names_of_files() {
  std::vector<std::string> names;
  const std::filesystem::path folder =
      std::filesystem::path(files::conf_path_of("x")).parent_path();
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    if (entry.path().extension() == files::kConfSuffix) names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

// What whoever named a file that is not there may have meant.
void tell_what_is_there(Console& console, std::string_view argument) {
  if (argument.find('/') == argument.npos && argument.ends_with(files::kConfSuffix)) {
    const std::string_view name = argument.substr(0, argument.size() - files::kConfSuffix.size());
    if (access(std::string(argument).c_str(), F_OK) == 0) {
      console.err.print("For the file in this folder, say `./{}'.\n", argument);
    } else if (access(files::conf_path_of(name).c_str(), F_OK) == 0) {
      console.err.print("For the one in /etc/wireguard, say `{}'.\n", name);
    }
    return;
  }
  const std::vector<std::string> names = names_of_files();
  if (argument.find('/') != argument.npos || names.empty()) return;
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (const auto meant = control::nearest(argument, views)) {
    console.err.print("Did you mean `{}'?\n", *meant);
  } else {
    console.err.print("There are: {}\n", fmt::join(names, ", "));
  }
}

// Why a file's name names no interface, and what to do.
void tell_of_name(Console& console, std::string_view name, bool has_extension) {
  if (!has_extension) {
    console.err.write("Its name does not end with `.conf'.\n");
  } else if (name.size() >= IF_NAMESIZE) {
    console.err.print(
        "`{}' has {} letters, and an interface's name {} at most: give the file a shorter "
        "one.\n",
        name, name.size(), IF_NAMESIZE - 1);
  } else {
    console.err.write("An interface's name has letters, digits and _=+.- only.\n");
  }
}

}  // namespace

std::optional<QuickPlace> find_quick_file(Console& console, std::string_view argument) {
  std::string path(argument);
  if (files::is_interface_name(argument)) path = files::conf_path_of(argument);
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         std::free);
  if (real == nullptr) {
    const bool is_missing = errno == ENOENT;
    console.err.print("{}: `{}' {}\n", console.program, path,
                      is_missing ? "does not exist" : std::strerror(errno));
    if (is_missing) tell_what_is_there(console, argument);
    return std::nullopt;
  }
  const std::size_t slash = path.rfind('/');
  std::string_view name = std::string_view(path).substr(slash == path.npos ? 0 : slash + 1);
  const bool has_extension = name.ends_with(files::kConfSuffix);
  if (has_extension) name.remove_suffix(files::kConfSuffix.size());
  if (!has_extension || !files::is_interface_name(name)) {
    console.err.print(
        "{}: The config file must be a valid interface name, followed by .conf: `{}'\n",
        console.program, path);
    tell_of_name(console, name, has_extension);
    return std::nullopt;
  }
  warn_of_readers(console, real.get());
  return QuickPlace{std::string(name), real.get(), path};
}

std::optional<QuickFile> read_quick_file(Console& console, std::string_view argument) {
  auto place = find_quick_file(console, argument);
  if (!place) return std::nullopt;
  auto conf = read_conf_or_say(console, place->path);
  if (!conf) return std::nullopt;
  for (const control::ConfError& warning : conf->configuration.warnings) {
    console.err.print("Warning: {}", warning.to_string());
  }
  return QuickFile{std::move(place->interface), std::move(place->path), std::move(place->given),
                   std::move(conf->document), std::move(conf->configuration)};
}

}  // namespace ferrule::cli
