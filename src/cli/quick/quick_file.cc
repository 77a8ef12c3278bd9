#include "cli/quick/quick_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "cli/input.h"

namespace ferrule::cli {

namespace {

constexpr std::string_view kFolder = "/etc/wireguard/";
constexpr std::string_view kExtension = ".conf";
constexpr std::size_t kMaxNameBytes = 15;

bool is_interface_name(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_=+.-").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, is_allowed);
}

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

void warn_of_readers(Console& console, const std::string& path) {
  struct stat file;
  struct stat folder;
  if (stat(path.c_str(), &file) != 0) return;
  if (stat(std::string(folder_of(path)).c_str(), &folder) != 0) return;
  if ((file.st_mode & folder.st_mode & S_IRWXO) == 0) return;
  console.err.print("Warning: `{}' is world accessible\n", path);
}

const control::ConfEntry* find_entry(const control::ConfDocument& document, std::string_view key,
                                     std::string_view value) {
  const control::ConfEntry* found = nullptr;
  bool holds_value = false;
  for (const control::ConfSection& section : document.sections()) {
    for (const control::ConfEntry& entry : section.entries) {
      if (!control::is_named(entry.key, key)) continue;
      const bool holds = entry.value.find(value) != entry.value.npos;
      if (holds_value && !holds) continue;
      found = &entry;
      holds_value = holds;
    }
  }
  return found;
}

}  // namespace

std::optional<QuickPlace> find_quick_file(Console& console, std::string_view argument) {
  std::string path(argument);
  if (is_interface_name(argument)) {
    path = std::string(kFolder) + path + std::string(kExtension);
  }
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
  const bool has_extension = name.ends_with(kExtension);
  if (has_extension) name.remove_suffix(kExtension.size());
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
  const auto text = read_file(place->path);
  if (!text) {
    console.err.print("{}: {}\n", console.program, text.error().what);
    return std::nullopt;
  }
  control::ConfDocument document(place->path, text->view());
  auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!configuration) {
    for (const control::ConfError& error : configuration.error()) {
      console.err.write(error.to_string());
    }
    return std::nullopt;
  }
  for (const control::ConfError& warning : configuration->warnings) {
    console.err.print("Warning: {}", warning.to_string());
  }
  return QuickFile{std::move(place->interface), std::move(place->path), std::move(place->given),
                   std::move(document), std::move(*configuration)};
}

void report_at(Console& console, const QuickFile& file, std::string_view key,
               std::string_view value, std::string_view what) {
  const control::ConfEntry* entry = find_entry(file.document, key, value);
  if (entry == nullptr) {
    console.err.print("{}: {}: {}\n", console.program, file.path, what);
    return;
  }
  const std::size_t at = entry->value.find(value);
  const std::string_view part =
      at == entry->value.npos ? entry->value : entry->value.substr(at, value.size());
  console.err.write(file.document.error_at(entry->line, part, std::string(what)).to_string());
}

std::optional<std::string> implementation_of(const control::ConfDocument& document) {
  std::optional<std::string> found;
  for (const control::ConfSection& section : document.sections()) {
    if (section.kind != control::ConfSectionKind::interface) continue;
    for (std::size_t i = section.header_line + 1; i < section.end_line; ++i) {
      std::string_view line = control::trimmed(document.line(i));
      if (!line.starts_with('#')) continue;
      line.remove_prefix(1);
      const std::size_t equals = line.find('=');
      if (equals == line.npos || !control::is_named(line.substr(0, equals), "Implementation")) {
        continue;
      }
      found = control::trimmed(line.substr(equals + 1));
    }
  }
  return found;
}

}  // namespace ferrule::cli
