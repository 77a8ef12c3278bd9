#include "cli/terminal/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "control/near_miss.h"

namespace ferrule::cli {

namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

// "there is no option --jsn; did you mean --json?"; none when `word` is one of the names.
std::optional<std::string> unknown(std::string_view what, std::string_view word,
                                   const std::vector<std::string>& names) {
  if (std::ranges::find(names, word) != names.end()) return std::nullopt;
  std::string text = fmt::format("there is no {} {}", what, word);
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  if (const auto meant = control::nearest(word, candidates)) {
    text += fmt::format("; did you mean {}?", *meant);
  }
  return text;
}

// What CLI11 may leave out over something else that is missing: a word that means nothing here.
std::optional<std::string> find_unknown_word(const CLI::App& app, Arguments words) {
  const CLI::App* reader = &app;
  const std::vector<std::string> subcommands = subcommand_names(app);
  for (const std::string_view word : words) {
    if (word == "--") break;
    if (word.starts_with("--")) {
      const std::string_view name = word.substr(0, word.find('='));
      if (auto text = unknown("option", name, option_names(*reader))) return text;
    } else if (reader == &app && !subcommands.empty() && !word.starts_with('-')) {
      if (auto text = unknown("subcommand", word, subcommands)) return text;
      reader = app.get_subcommand(std::string(word));
    }
  }
  return std::nullopt;
}

}  // namespace

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
    const std::string why =
        find_unknown_word(app, arguments.subspan(1)).value_or(std::string(error.what()));
    console.err.print("{}: {}\nTry `{} --help'.\n", app.get_name(), why, app.get_name());
    return 1;
  }
}

}  // namespace ferrule::cli
