#include "quick/find_file.h"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "files/conf_file.h"
#include "files/not_there.h"

namespace ferrule::quick {

namespace {

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

void warn_of_readers(const std::string& path, files::Listener& listener) {
  struct stat file;
  struct stat folder;
  if (stat(path.c_str(), &file) != 0) return;
  if (stat(std::string(folder_of(path)).c_str(), &folder) != 0) return;
  if ((file.st_mode & folder.st_mode & S_IRWXO) == 0) return;
  listener.warn(fmt::format("`{}' is world accessible", path));
}

// Why a file's name names no interface, and what to do.
Failure bad_name(const std::string& path, std::string_view name, bool has_extension) {
  Failure failure{
      fmt::format("The config file must be a valid interface name, followed by .conf: `{}'", path)};
  if (!has_extension) {
    failure.hints.emplace_back("Its name does not end with `.conf'.");
  } else if (name.size() >= IF_NAMESIZE) {
    failure.hints.push_back(fmt::format(
        "`{}' has {} letters, and an interface's name {} at most: give the file a shorter one.",
        name, name.size(), IF_NAMESIZE - 1));
  } else {
    failure.hints.emplace_back("An interface's name has letters, digits and _=+.- only.");
  }
  return failure;
}

// A name for the interface, which only programs inside would see.
std::string interface_of(const std::string& path) {
  const std::string stem = std::filesystem::path(path).stem();
  // The kernel keeps two names for itself.
  const bool is_free = stem != "all" && stem != "default";
  return files::is_interface_name(stem) && is_free ? stem : "wg0";
}

}  // namespace

Attempt<QuickPlace> find_quick_file(std::string_view argument, files::Listener& listener) {
  if (argument == "-") {
    return std::unexpected(Failure{
        "standard input has no name, and an interface needs one: write it to a file NAME.conf"});
  }
  std::string path(argument);
  if (files::is_interface_name(argument)) path = files::conf_path_of(argument);
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         std::free);
  if (real == nullptr) {
    if (errno != ENOENT) return std::unexpected(Failure{path + ": " + std::strerror(errno)});
    files::NotThere told = files::no_file(path, argument);
    return std::unexpected(Failure{std::move(told.what), {}, std::move(told.hints)});
  }
  const std::size_t slash = path.rfind('/');
  std::string_view name = std::string_view(path).substr(slash == path.npos ? 0 : slash + 1);
  const bool has_extension = name.ends_with(files::kConfSuffix);
  if (has_extension) name.remove_suffix(files::kConfSuffix.size());
  if (!has_extension || !files::is_interface_name(name)) {
    return std::unexpected(bad_name(path, name, has_extension));
  }
  warn_of_readers(real.get(), listener);
  return QuickPlace{std::string(name), real.get(), path};
}

Attempt<QuickFile> read_quick_file(std::string_view argument, files::Listener& listener) {
  auto place = find_quick_file(argument, listener);
  if (!place) return std::unexpected(std::move(place.error()));
  auto conf = files::read_conf_text(place->path);
  if (!conf) {
    return std::unexpected(
        Failure{std::move(conf.error().unreadable), std::move(conf.error().errors)});
  }
  for (const control::ConfError& warning : conf->configuration.warnings) {
    listener.warn(control::trimmed(warning.to_string()));
  }
  return QuickFile{std::move(place->interface), std::move(place->path), std::move(place->given),
                   std::move(conf->document), std::move(conf->configuration)};
}

Attempt<QuickFile> read_quick_text(const std::string& path, std::string_view text) {
  control::ConfDocument document(path, text);
  auto read = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!read) return std::unexpected(Failure{"", std::move(read.error())});
  return QuickFile{interface_of(path), path, path, std::move(document), std::move(*read)};
}

}  // namespace ferrule::quick
