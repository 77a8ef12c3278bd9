// As much of XML as configuration files of firewalls have: elements, attributes, texts.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/wiped_text.h"

namespace ferrule::cli {

/// Elements nest no deeper.
constexpr std::size_t kMostXmlDepth = 64;

/// Move-only: its text may be a key.
struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  control::WipedText content;  // its own text
  std::vector<XmlElement> children;

  /// What an element below has in it; "" when there is none.
  [[nodiscard]] std::string_view text(std::string_view child) const noexcept;
  [[nodiscard]] std::string_view attribute(const std::string& key) const noexcept;
  /// Calls `found` for every element of this name in it, however deep.
  void each(std::string_view wanted, const std::function<void(const XmlElement&)>& found) const;
};

/// The outermost element, or what is wrong. Entities other than the five of XML itself are refused.
[[nodiscard]] std::expected<XmlElement, std::string> read_xml(std::string_view text);

}  // namespace ferrule::cli
