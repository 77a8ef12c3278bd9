#include "cli/quick/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrule::cli {
namespace {

using testing::ElementsAre;

TEST(UpRecord, IsReadAsItWasWritten) {
  UpRecord record{7, 51820, {}, "/a b/wg0.conf", control::WipedText("[Interface]\n# conf\n")};
  const io::RoutingRule tunnel{Family::v6, 51820, true, 51820, {}, 32764};
  const io::RoutingRule shared{Family::v4, {}, false, 254, 0, 32765};
  record.rules = {tunnel, shared};
  const auto read = parse_record(record_text(record).view());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->link_index, 7u);
  EXPECT_EQ(read->mark, 51820u);
  EXPECT_THAT(read->rules, ElementsAre(tunnel, shared));
  EXPECT_EQ(read->path, "/a b/wg0.conf");
  EXPECT_EQ(read->conf.view(), "[Interface]\n# conf\n");
}

TEST(UpRecord, WhatIsNoneIsNotRead) {
  for (const char* text : {"", "ferrule 1\nlink 7\n", "ferrule 2\nconf\n", "[Interface]\nconf\n"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
}

}  // namespace
}  // namespace ferrule::cli
