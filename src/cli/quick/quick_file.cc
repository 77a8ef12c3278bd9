#include "cli/quick/quick_file.h"

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
#include "cli/terminal/not_there.h"
#include "files/conf_file.h"
#include "files/input.h"

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

// A name for the interface, which only programs inside would see.
std::string interface_of(const std::string& path) {
  const std::string stem = std::filesystem::path(path).stem();
  // The kernel keeps two names for itself.
  const bool is_free = stem != "all" && stem != "default";
  return files::is_interface_name(stem) && is_free ? stem : "wg0";
}

}  // namespace

std::optional<QuickPlace> find_quick_file(Console& console, std::string_view argument) {
  if (argument == "-") {
    console.err.print(
        "{}: standard input has no name, and an interface needs one: write it to a file "
        "NAME.conf\n",
        console.program);
    return std::nullopt;
  }
  std::string path(argument);
  if (files::is_interface_name(argument)) path = files::conf_path_of(argument);
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         std::free);
  if (real == nullptr) {
    if (errno != ENOENT) {
      console.err.print("{}: {}: {}\n", console.program, path, std::strerror(errno));
    } else {
      say_no_file(console, path, argument);
    }
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

std::optional<QuickFile> read_quick_text(Console& console, const std::string& path,
                                         std::string_view text) {
  control::ConfDocument document(path, text);
  auto read = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!read) {
    print_errors(console, read.error());
    return std::nullopt;
  }
  return QuickFile{interface_of(path), path, path, std::move(document), std::move(*read)};
}

std::optional<QuickFile> read_quick_input(Console& console) {
  const std::string path(kStandardInput);
  const auto text = files::read_fd(console.in, path);
  if (text) return read_quick_text(console, path, text->view());
  console.err.print("{}: {}\n", console.program, text.error().what);
  return std::nullopt;
}

}  // namespace ferrule::cli
