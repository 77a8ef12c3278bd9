#include "cli/terminal/json.h"

#include <gtest/gtest.h>

#include "files/memory_file_testing.h"

namespace ferrule::cli {
namespace {

TEST(Json, TextIsEscaped) {
  for (const std::string& text :
       {std::string("a\"b\\c"), std::string("\x01\n\t"), std::string("ä")}) {
    EXPECT_EQ(Json::parse(to_line(text)).get<std::string>(), text);
  }
}

// JSON is UTF-8, whatever a file has.
TEST(Json, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(Json::parse(to_line("a\xff\xc3(")).get<std::string>(), "a\uFFFD\uFFFD(");
}

TEST(Json, MembersStayInTheirOrder) {
  EXPECT_EQ(to_line({{"b", 1}, {"a", "x"}}), R"({"b":1,"a":"x"})");
}

TEST(Json, LinesStandAsDeepAsAsked) {
  EXPECT_EQ(to_lines({{"a", "\n"}}), "{\n  \"a\": \"\\n\"\n}");
  EXPECT_EQ(to_lines({{"a", 1}}, 1), "{\n    \"a\": 1\n  }");
}

TEST(Json, AListHasAValueALine) {
  const files::MemoryFile file;
  Output out(file.fd());
  JsonList none(out);
  none.end();
  JsonList two(out);
  two.add({{"a", 1}});
  two.add("b");
  two.end();
  out.flush();
  EXPECT_EQ(file.content(), "[]\n[\n  {\"a\":1},\n  \"b\"\n]\n");
}

}  // namespace
}  // namespace ferrule::cli
