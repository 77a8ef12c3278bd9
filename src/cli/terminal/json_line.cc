#include "cli/terminal/json_line.h"

#include "cli/show/show_text.h"

namespace ferrule::cli {

JsonLine& JsonLine::text(std::string_view name, std::string_view value) {
  return json(name, json_text(value));
}

JsonLine& JsonLine::number(std::string_view name, std::int64_t value) {
  return json(name, std::to_string(value));
}

JsonLine& JsonLine::flag(std::string_view name, bool value) {
  return json(name, value ? "true" : "false");
}

JsonLine& JsonLine::json(std::string_view name, std::string_view value) {
  if (text_.size() > 1) text_ += ", ";
  text_ += json_text(name);
  text_ += ": ";
  text_ += value;
  return *this;
}

}  // namespace ferrule::cli
