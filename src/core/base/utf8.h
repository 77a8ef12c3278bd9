// Characters of UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ferrule {

struct Utf8Character {
  char32_t code;
  std::size_t size;  // in bytes
};

/// The one that `text` begins with; none when it is empty or begins with something else.
[[nodiscard]] std::optional<Utf8Character> first_character(std::string_view text) noexcept;

/// The bytes of a character.
[[nodiscard]] std::string utf8_of(char32_t code);

/// Whether a terminal may be given it: no control, and nothing that turns the direction of writing for
/// what follows.
[[nodiscard]] bool is_printable(char32_t code) noexcept;

}  // namespace ferrule
