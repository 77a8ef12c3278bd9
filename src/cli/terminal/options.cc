#include "cli/terminal/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
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

template <class T>
CLI::Range range(T least, T most) {
  CLI::Range all(least, most);
  all.description("");  // or else it would stand behind the word
  return all;
}

}  // namespace

int usage_status(const Console& console) noexcept {
  return is_called_wg_quick(console.program) ? 1 : 2;
}

std::optional<int> read_options(CommandLine& line, Console& console, Arguments arguments) {
  CLI::App& app = line.app();
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

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::shown_as(const char* word) {
  option_->type_name(word);
  return *this;
}

Option& Option::between(std::int64_t least, std::int64_t most) {
  option_->check(range(least, most));
  return *this;
}

Option& Option::one_of(std::vector<std::string> values) {
  CLI::IsMember member(std::move(values));
  member.description("");
  option_->check(member);
  return *this;
}

Option& Option::excludes(const char* name) {
  option_->excludes(name);
  return *this;
}

Option& Option::one_word_each() {
  option_->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  return *this;
}

CommandLine::CommandLine(const std::string& what)
    : own_(std::make_unique<CLI::App>(what)), app_(own_.get()) {}

CommandLine::CommandLine(CLI::App& command) noexcept : app_(&command) {}

CommandLine::~CommandLine() = default;

Option CommandLine::add_option(const char* name, std::string& value, const char* what) {
  return Option(*app_->add_option(name, value, what));
}

Option CommandLine::add_option(const char* name, std::vector<std::string>& values,
                               const char* what) {
  return Option(*app_->add_option(name, values, what));
}

Option CommandLine::add_option(const char* name, std::optional<int>& value, const char* what) {
  return Option(*app_->add_option(name, value, what));
}

Option CommandLine::add_option(const char* name, unsigned& value, const char* what) {
  return Option(*app_->add_option(name, value, what));
}

Option CommandLine::add_option(const char* name, std::size_t& value, const char* what) {
  return Option(*app_->add_option(name, value, what));
}

Option CommandLine::add_value(const char* name, std::string& value, const char* word,
                              const char* what) {
  return add_option(name, value, what).shown_as(word);
}

Option CommandLine::add_seconds(const char* name, double& value, const char* what, double least,
                                double most) {
  return Option(
      *app_->add_option(name, value, what)->type_name("SECONDS")->check(range(least, most)));
}

Option CommandLine::add_flag(const char* name, bool& value, const char* what) {
  return Option(*app_->add_flag(name, value, what));
}

CommandLine& CommandLine::add_command(const char* name, const char* what) {
  app_->require_subcommand(1);
  commands_.emplace_back(new CommandLine(*app_->add_subcommand(name, what)));
  return *commands_.back();
}

void CommandLine::examples(const std::string& lines) { app_->footer(lines); }

bool CommandLine::has(const char* name) const { return app_->count(name) > 0; }

bool CommandLine::is_named() const { return app_->parsed(); }

}  // namespace ferrule::cli
