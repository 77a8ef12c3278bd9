// Questions on a terminal.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// What is asked, and what is done where nobody can be asked.
struct Question {
  std::string_view text;
  std::string_view option;  // that would have said it
  std::string usual = {};   // for an empty answer
  bool may_be_empty = false;
  /// Why an answer can't be meant; none when it can.
  std::function<std::optional<std::string>(const std::string& answer)> mistake = {};
};

/// Asks on a terminal, again where an answer can't be meant; elsewhere, says which option is missing.
class Questions {
 public:
  explicit Questions(Console& console);

  [[nodiscard]] bool may_ask() const noexcept { return may_ask_; }
  /// Fills in what is empty. False: there is no answer, and none is no answer.
  [[nodiscard]] bool ask(std::string& answer, const Question& question);

 private:
  [[nodiscard]] std::optional<std::string> read_line() const;

  Console& console_;
  bool may_ask_;
};

}  // namespace ferrule::cli
