#include "cli/quick/quick_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "cli/conf_file.h"

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

}  // namespace

std::optional<QuickPlace> find_quick_file(Console& console, std::string_view argument) {
  std::string path(argument);
  if (is_interface_name(argument)) path = conf_path_of(argument);
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         std::free);
  if (real == nullptr) {
    const bool is_missing = errno == ENOENT;
    console.err.print("{}: `{}' {}\n", console.program, path,
                      is_missing ? "does not exist" : std::strerror(errno));
    return std::nullopt;
  }
  const std::size_t slash = path.rfind('/');
  std::string_view name = std::string_view(path).substr(slash == path.npos ? 0 : slash + 1);
  const bool has_extension = name.ends_with(kConfSuffix);
  if (has_extension) name.remove_suffix(kConfSuffix.size());
  if (!has_extension || !is_interface_name(name)) {
    console.err.print(
        "{}: The config file must be a valid interface name, followed by .conf: `{}'\n",
        console.program, path);
    return std::nullopt;
  }
  warn_of_readers(console, real.get());
  return QuickPlace{std::string(name), real.get(), path};
}

std::optional<QuickFile> read_quick_file(Console& console, std::string_view argument) {
  auto place = find_quick_file(console, argument);
  if (!place) return std::nullopt;
  auto conf = read_conf_text(console, place->path);
  if (!conf) return std::nullopt;
  for (const control::ConfError& warning : conf->configuration.warnings) {
    console.err.print("Warning: {}", warning.to_string());
  }
  return QuickFile{std::move(place->interface), std::move(place->path), std::move(place->given),
                   std::move(conf->document), std::move(conf->configuration)};
}

void report_at(Console& console, const QuickFile& file, std::string_view key,
               std::string_view value, std::string_view what) {
  console.err.write(error_about(file.document, key, value, std::string(what)).to_string());
}

}  // namespace ferrule::cli
