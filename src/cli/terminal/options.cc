#include "cli/terminal/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "cli/terminal/help.h"
#include "cli/terminal/not_there.h"

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

// None when `word` is one of the names.
std::optional<std::string> unknown(std::string_view what, std::string_view word,
                                   const std::vector<std::string>& names) {
  if (std::ranges::find(names, word) != names.end()) return std::nullopt;
  return is_not(word, what, names);
}

// What CLI11 may leave out over something else that is missing: a word that means nothing here.
std::optional<std::string> find_unknown_word(const CLI::App& app, Arguments words) {
  const CLI::App* reader = &app;
  const std::vector<std::string> subcommands = subcommand_names(app);
  for (const std::string_view word : words) {
    if (word == "--") break;
    if (word.starts_with("--")) {
      const std::string_view name = word.substr(0, word.find('='));
      if (auto text = unknown("an option", name, option_names(*reader))) return text;
    } else if (reader == &app && !subcommands.empty() && !word.starts_with('-')) {
      if (auto text = unknown("a command", word, subcommands)) return text;
      reader = app.get_subcommand(std::string(word));
    }
  }
  return std::nullopt;
}

// What is wrong, in our words where CLI11's are its own.
std::string why_not(const CLI::App& app, const CLI::ParseError& error, Arguments words) {
  if (auto unknown = find_unknown_word(app, words)) return *unknown;
  if (app.get_subcommands().empty() && !app.get_subcommands({}).empty()) {
    return fmt::format("a command is missing: {}", fmt::join(subcommand_names(app), ", "));
  }
  const std::string what = error.what();
  constexpr std::string_view kExtras = "The following argument was not expected: ";
  constexpr std::string_view kManyExtras = "The following arguments were not expected: ";
  for (const std::string_view start : {kExtras, kManyExtras}) {
    if (what.starts_with(start)) return "too many words: " + what.substr(start.size());
  }
  return what;
}

}  // namespace

int usage_status(const Console& console) noexcept {
  return is_called_wg_quick(console.program) ? 1 : 2;
}

std::optional<int> read_options(CLI::App& app, Console& console, Arguments arguments) {
  app.name(console.program + " " + std::string(arguments[0]));
  const auto set_help = [](CLI::App& of) { of.set_help_flag("-h,--help", "print this"); };
  set_help(app);
  for (CLI::App* sub : app.get_subcommands({})) set_help(*sub);
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  std::ranges::reverse(words);  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    console.out.write(help_page(app));
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string why = why_not(app, error, arguments.subspan(1));
    console.err.print("{0}: {1}\nTry `{0} --help'.\n", app.get_name(), why);
    return usage_status(console);
  }
}

CLI::Option* add_value(CLI::App& app, const char* name, std::string& value, const char* word,
                       const char* what) {
  return app.add_option(name, value, what)->type_name(word);
}

CLI::Option* add_seconds(CLI::App& app, const char* name, double& value, const char* what,
                         double least, double most) {
  CLI::Range range(least, most);
  range.description("");  // or else it would stand behind the word
  return app.add_option(name, value, what)->type_name("SECONDS")->check(range);
}

}  // namespace ferrule::cli
