#include "base/utf8.h"

#include <gtest/gtest.h>

namespace ferrule {
namespace {

char32_t code_of(std::string_view text) {
  const auto character = first_character(text);
  return character && character->size == text.size() ? character->code : U'\xFFFD';
}

TEST(Utf8, ACharacterHasOneToFourBytes) {
  EXPECT_EQ(code_of("a"), U'a');
  EXPECT_EQ(code_of("\u00eb"), U'\u00eb');
  EXPECT_EQ(code_of("\u20ac"), U'\u20ac');
  EXPECT_EQ(code_of("\U0001F600"), U'\U0001F600');
  EXPECT_EQ(code_of("\xF4\x8F\xBF\xBF"), U'\U0010FFFF');
}

TEST(Utf8, WhatFollowsIsNotLookedAt) { EXPECT_EQ(first_character("\u00eb\xFF")->size, 2u); }

TEST(Utf8, WhatIsNoCharacterIsNone) {
  for (const std::string_view text :
       {"", "\x80", "\xC3", "\xC3(", "\xE2\x82", "\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80",
        "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(first_character(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8, WhatIsWrittenIsReadAgain) {
  for (const char32_t code : {0x1u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    EXPECT_EQ(code_of(utf8_of(code)), code) << static_cast<std::uint32_t>(code);
  }
}

TEST(Utf8, ControlsAndTurnsAreNotForATerminal) {
  for (const char32_t code : {U'\x00', U'\x1B', U'\x7F', char32_t{0x80}, char32_t{0x9B},
                              char32_t{0x2028}, char32_t{0x202E}, char32_t{0x2066}}) {
    EXPECT_FALSE(is_printable(code)) << static_cast<std::uint32_t>(code);
  }
  for (const char32_t code : {U' ', U'~', char32_t{0xA0}, char32_t{0x20AC}, char32_t{0x1F600}}) {
    EXPECT_TRUE(is_printable(code)) << static_cast<std::uint32_t>(code);
  }
}

}  // namespace
}  // namespace ferrule
