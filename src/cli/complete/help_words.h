// What a page of the help says of a command's words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ferrule::cli {

struct HelpWord {
  std::string word;
  std::string meaning;  // its first line
  std::string value;    // what stands behind an option: "FILE"
};

/// Reads a page as help_page, overview and wg_help make it.
class HelpWords {
 public:
  explicit HelpWords(std::string_view page);

  [[nodiscard]] const std::vector<HelpWord>& commands() const noexcept { return commands_; }
  [[nodiscard]] const std::vector<HelpWord>& options() const noexcept { return options_; }
  /// "FILE" for "--out"; "" for an option without a value, and for what is none.
  [[nodiscard]] std::string_view value_of(std::string_view option) const noexcept;
  /// The word in the usage for the positional of this index: "IFACE"; "" behind the last one.
  [[nodiscard]] std::string_view positional(std::size_t index) const noexcept;
  /// What else may stand there, to the letter: "all" of "[IFACE | all | interfaces]".
  [[nodiscard]] std::vector<std::string> choices(std::size_t index) const;

 private:
  void read_usage(std::string_view usage);
  void read_entry(std::string_view line, bool is_command);

  std::vector<HelpWord> commands_;
  std::vector<HelpWord> options_;
  std::vector<std::vector<std::string>> positionals_;  // each with its choices
  bool last_repeats_ = false;
};

}  // namespace ferrule::cli
