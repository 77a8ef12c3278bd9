// What rooms below tell on the way, printed.
#pragma once

#include <optional>
#include <utility>

#include "cli/terminal/command.h"
#include "files/listener.h"
#include "quick/failure.h"

namespace ferrule::cli {

/// Prints at once to the console's error output, which must outlive it.
class ConsoleListener final : public files::Listener {
 public:
  explicit ConsoleListener(Console& console) noexcept : console_(console) {}
  void step(std::string_view command) override;
  void warn(std::string_view what) override;
  void fail(std::string_view what) override;
  void say(std::string_view line) override;

 private:
  Console& console_;
};

void print_failure(Console& console, const quick::Failure& failure);

/// What was attempted. None: why is printed.
template <class T>
[[nodiscard]] std::optional<T> value_or_say(Console& console, quick::Attempt<T> attempt) {
  if (attempt) return std::move(*attempt);
  print_failure(console, attempt.error());
  return std::nullopt;
}

}  // namespace ferrule::cli
