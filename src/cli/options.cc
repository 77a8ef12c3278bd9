#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

namespace ferrule::cli {

std::optional<int> read_options(CLI::App& app, Console& console, Arguments arguments) {
  app.name(console.program + " " + std::string(arguments[0]));
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  std::ranges::reverse(words);  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    console.out.write(app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    console.err.print("{}: {}\nTry `{} --help'.\n", app.get_name(), error.what(), app.get_name());
    return 1;
  }
}

}  // namespace ferrule::cli
