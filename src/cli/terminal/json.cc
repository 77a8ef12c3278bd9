#include "cli/terminal/json.h"

namespace ferrule::cli {

namespace {

constexpr int kIndent = 2;

std::string dump(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string to_line(const Json& value) { return dump(value, -1); }

std::string to_lines(const Json& value, std::size_t depth) {
  std::string text = dump(value, kIndent);
  if (depth == 0) return text;
  // A line break within a text is written as \\n.
  const std::string indent(depth * kIndent, ' ');
  for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos; ++at) {
    text.insert(at + 1, indent);
  }
  return text;
}

void JsonList::add(const Json& value) {
  out_.write(is_empty_ ? "\n  " : ",\n  ");
  out_.write(to_line(value));
  is_empty_ = false;
}

void JsonList::end() { out_.write(is_empty_ ? "]\n" : "\n]\n"); }

}  // namespace ferrule::cli
