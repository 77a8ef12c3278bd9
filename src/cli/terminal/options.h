// The command lines of Ferrule's own commands. (wg's have a syntax of their own and read it by hand.)
//
// CLI11 reads them, behind this: its header takes seconds of whatever includes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal/command.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ferrule::cli {

/// The exit status when the words of a command line mean nothing: 2, but 1 as wg-quick.
[[nodiscard]] int usage_status(const Console& console) noexcept;

/// A word of a command line, or an option. Value type; its command line outlives it.
class Option {
 public:
  explicit Option(CLI::Option& option) noexcept : option_(&option) {}

  Option& required();
  /// What stands for its value in the help.
  Option& shown_as(const char* word);
  /// It takes whole numbers from `least` to `most`.
  Option& between(std::int64_t least, std::int64_t most);
  Option& one_of(std::vector<std::string> values);
  /// One that may not stand beside it.
  Option& excludes(const char* name);
  /// It may come again, with one word behind it each time; as ssh has them.
  Option& one_word_each();

 private:
  CLI::Option* option_;
};

/// What follows a command's name: words, options with a value, flags, or subcommands with those. Values are
/// set by `read_options`, and outlive it; what is not said stays as it was.
class CommandLine {
 public:
  explicit CommandLine(const std::string& what);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  /// `name` is "-i,--interval", or "IFACE" for a word without a dash.
  Option add_option(const char* name, std::string& value, const char* what);
  Option add_option(const char* name, std::vector<std::string>& values, const char* what);
  Option add_option(const char* name, std::optional<int>& value, const char* what);
  Option add_option(const char* name, unsigned& value, const char* what);
  Option add_option(const char* name, std::size_t& value, const char* what);
  /// `word` stands for its value in the help.
  Option add_value(const char* name, std::string& value, const char* word, const char* what);
  /// One that takes seconds.
  Option add_seconds(const char* name, double& value, const char* what, double least, double most);
  Option add_flag(const char* name, bool& value, const char* what);
  /// One of the subcommands has to be named. It lives as long as this.
  CommandLine& add_command(const char* name, const char* what);
  /// A line each; shown by the help.
  void examples(const std::string& lines);

  /// Whether an option was said.
  [[nodiscard]] bool has(const char* name) const;
  /// Whether this is the subcommand that was named.
  [[nodiscard]] bool is_named() const;

  [[nodiscard]] CLI::App& app() noexcept { return *app_; }

 private:
  explicit CommandLine(CLI::App& command) noexcept;

  std::unique_ptr<CLI::App> own_;  // none: it is a subcommand's, which is its command's
  CLI::App* app_;
  std::vector<std::unique_ptr<CommandLine>> commands_;
};

/// Reads the command's words. None: the options are set, go on. Else the exit status: help has been
/// printed (0), or what is wrong with the words (2).
[[nodiscard]] std::optional<int> read_options(CommandLine& line, Console& console,
                                              Arguments arguments);

}  // namespace ferrule::cli
