#include <fmt/format.h>

#include <string>

#include "diagnosis/packet_filter.h"

namespace ferrule::diagnosis {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostElements = 8;  // of a set that are shown

std::string word(const Json& json) {
  return json.is_string() ? json.get<std::string>() : json.dump();
}

std::string left_text(const Json& left) {
  if (!left.is_object() || left.empty()) return word(left);
  const auto first = left.begin();
  const std::string kind = first.key();
  const Json& what = first.value();
  if (kind == "payload" && what.contains("field")) {
    return word(what.value("protocol", Json("@"))) + ' ' + word(what["field"]);
  }
  if (kind != "meta" && kind != "ct") return kind;
  const std::string key = word(what.value("key", Json("?")));
  const bool is_short = key.starts_with("iif") || key.starts_with("oif");
  return kind == "meta" && is_short ? key : kind + ' ' + key;
}

std::string right_text(const Json& right, bool is_name) {
  if (right.is_string()) return is_name ? '"' + right.get<std::string>() + '"' : word(right);
  if (right.is_array() || (right.is_object() && right.contains("set"))) {
    const Json& elements = right.is_array() ? right : right["set"];
    if (!elements.is_array()) return word(elements);
    std::string text;
    for (std::size_t i = 0; i < elements.size() && i < kMostElements; ++i) {
      text += (text.empty() ? "" : ", ") + right_text(elements[i], is_name);
    }
    if (elements.size() > kMostElements) text += ", ...";
    return right.is_array() && elements.size() == 1 ? text : "{ " + text + " }";
  }
  if (!right.is_object()) return word(right);
  if (right.contains("range") && right["range"].size() == 2) {
    return word(right["range"][0]) + '-' + word(right["range"][1]);
  }
  if (right.contains("prefix")) {
    const Json& prefix = right["prefix"];
    return word(prefix.value("addr", Json("?"))) + '/' + word(prefix.value("len", Json("?")));
  }
  return right.begin().key();
}

std::string match_text(const Json& match) {
  const std::string left = left_text(match.value("left", Json()));
  const bool is_name = left.starts_with("iif") || left.starts_with("oif");
  const std::string right = right_text(match.value("right", Json()), is_name);
  const std::string op = word(match.value("op", Json("==")));
  return op == "==" || op == "in" ? left + ' ' + right : left + ' ' + op + ' ' + right;
}

std::string expression_text(const Json& expression) {
  if (!expression.is_object() || expression.empty()) return word(expression);
  const auto first = expression.begin();
  const std::string kind = first.key();
  const Json& what = first.value();
  if (kind == "match") return match_text(what);
  if (kind == "jump" || kind == "goto") return kind + ' ' + word(what.value("target", Json("?")));
  return kind == "counter" ? "" : kind;
}

}  // namespace

std::string rule_text(const Json& expressions) {
  std::string text;
  for (const Json& expression : expressions) {
    const std::string part = expression_text(expression);
    if (!part.empty()) text += (text.empty() ? "" : " ") + part;
  }
  return text;
}

}  // namespace ferrule::diagnosis
