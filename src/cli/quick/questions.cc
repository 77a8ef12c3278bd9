#include "cli/quick/questions.h"

#include <unistd.h>

#include "control/conf_document.h"

namespace ferrule::cli {

Questions::Questions(Console& console) : console_(console), may_ask_(isatty(console.in) == 1) {}

// None at the end of the input.
std::optional<std::string> Questions::read_line() const {
  std::string line;
  char c = 0;
  ssize_t got = 0;
  while ((got = read(console_.in, &c, 1)) == 1 && c != '\n') line += c;
  if (got != 1 && line.empty()) return std::nullopt;
  return std::string(control::trimmed(line));
}

bool Questions::ask(std::string& answer, const Question& question) {
  if (!answer.empty()) return true;
  if (!may_ask_) {
    answer = question.usual;
    if (!answer.empty() || question.may_be_empty) return true;
    console_.err.print("{} is missing: {}\n", question.option, question.text);
    return false;
  }
  while (true) {
    console_.err.print("{}", question.text);
    if (!question.usual.empty()) console_.err.print(" [{}]", question.usual);
    console_.err.write(": ");
    console_.err.flush();
    const auto line = read_line();
    if (!line) {
      console_.err.write("\nThere is no answer.\n");
      return false;
    }
    answer = line->empty() ? question.usual : *line;
    if (answer.empty() && question.may_be_empty) return true;
    if (answer.empty()) {
      console_.err.write("An answer is needed here.\n");
      continue;
    }
    const auto mistake = question.mistake ? question.mistake(answer) : std::nullopt;
    if (!mistake) return true;
    console_.err.print("{}\n", *mistake);
    answer.clear();
  }
}

}  // namespace ferrule::cli
