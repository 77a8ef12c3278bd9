#include "cli/terminal/listener.h"

#include "cli/terminal/conf_text.h"

namespace ferrule::cli {

void ConsoleListener::step(std::string_view command) {
  console_.err.print("[#] {}\n", command);
  console_.err.flush();  // before what a program says that is started now
}

void ConsoleListener::warn(std::string_view what) {
  console_.err.print("Warning: {}\n", what);
  console_.err.flush();
}

void ConsoleListener::fail(std::string_view what) {
  console_.err.print("{}: {}\n", console_.program, what);
  console_.err.flush();
}

void ConsoleListener::say(std::string_view line) {
  console_.err.print("{}\n", line);
  console_.err.flush();
}

void print_failure(Console& console, const quick::Failure& failure) {
  if (!failure.what.empty()) console.err.print("{}: {}\n", console.program, failure.what);
  print_errors(console, failure.errors);
  for (const std::string& hint : failure.hints) console.err.print("{}\n", hint);
}

}  // namespace ferrule::cli
