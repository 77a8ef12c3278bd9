// JSON as commands print it.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/terminal/output.h"

namespace ferrule::cli {

/// The version of what is printed as JSON (docs/json.md), but for what says another one: it grows when a
/// member goes or changes its meaning, not when one is added.
constexpr int kJsonVersion = 1;

/// Members stay in the order in which they came.
using Json = nlohmann::ordered_json;

/// On one line. Bytes of its texts that are no UTF-8 become U+FFFD. Not for secrets: they would stay
/// behind in memory.
[[nodiscard]] std::string to_line(const Json& value);
/// A member a line, as it stands `depth` levels deep in something larger.
[[nodiscard]] std::string to_lines(const Json& value, std::size_t depth = 0);

/// Prints an array of any size, a value a line.
class JsonList {
 public:
  explicit JsonList(Output& out) : out_(out) { out_.write("["); }
  void add(const Json& value);
  /// Nothing comes any more. To be called once.
  void end();

 private:
  Output& out_;
  bool is_empty_ = true;
};

}  // namespace ferrule::cli
