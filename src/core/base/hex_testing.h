// For tests: bytes written as hex, so that vectors read as the RFCs print them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace ferrule::test {

/// The bytes of `text`: hex digits, and spaces wherever they help the eye.
inline std::vector<std::uint8_t> unhex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  int high = -1;
  for (const char character : text) {
    if (character == ' ') continue;
    const std::size_t digit = std::string_view("0123456789abcdef").find(character);
    FERRULE_CHECK(digit != std::string_view::npos);
    if (high < 0) {
      high = static_cast<int>(digit);
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high * 16 + static_cast<int>(digit)));
      high = -1;
    }
  }
  FERRULE_CHECK(high < 0);
  return bytes;
}

inline std::string hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace ferrule::test
