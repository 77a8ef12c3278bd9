#include "cli/quick/quick_file.h"

#include <utility>

#include "cli/terminal/listener.h"
#include "files/input.h"
#include "quick/find_file.h"

namespace ferrule::cli {

std::optional<QuickPlace> find_quick_file(Console& console, std::string_view argument) {
  ConsoleListener listener(console);
  return value_or_say(console, quick::find_quick_file(argument, listener));
}

std::optional<QuickFile> read_quick_file(Console& console, std::string_view argument) {
  ConsoleListener listener(console);
  return value_or_say(console, quick::read_quick_file(argument, listener));
}

std::optional<QuickFile> read_quick_text(Console& console, const std::string& path,
                                         std::string_view text) {
  return value_or_say(console, quick::read_quick_text(path, text));
}

std::optional<QuickFile> read_quick_input(Console& console) {
  const std::string path(kStandardInput);
  const auto text = files::read_fd(console.in, path);
  if (text) return read_quick_text(console, path, text->view());
  console.err.print("{}: {}\n", console.program, text.error().what);
  return std::nullopt;
}

}  // namespace ferrule::cli
