#include "cli/terminal/conf_text.h"

#include <unistd.h>

#include <utility>

#include "quick/record.h"

namespace ferrule::cli {

void print_errors(Console& console, const control::ConfErrors& errors) {
  for (const control::ConfError& error : errors) console.err.write(error.to_string());
}

std::optional<files::ConfText> read_conf_or_say(Console& console, const std::string& path) {
  auto text = files::read_conf_text(path);
  if (text) return std::move(*text);
  const files::ConfRefusal& refusal = text.error();
  if (!refusal.unreadable.empty()) {
    console.err.print("{}: {}\n", console.program, refusal.unreadable);
  }
  print_errors(console, refusal.errors);
  return std::nullopt;
}

std::string conf_of(const std::string& interface) {
  if (!files::is_interface_name(interface)) return interface;
  if (access(files::conf_path_of(interface).c_str(), F_OK) == 0) return interface;
  const auto record = quick::read_record(interface);
  return record && record->path.find('/') != std::string::npos ? record->path : interface;
}

}  // namespace ferrule::cli
