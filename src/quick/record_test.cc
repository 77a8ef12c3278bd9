#include "quick/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/key_text.h"

namespace ferrule::quick {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(UpRecord, IsReadAsItWasWritten) {
  UpRecord record{.link_index = 7,
                  .mark = 51820,
                  .port = 7000,
                  .rules = {},
                  .forwarded = {Family::v6},
                  .path = "/a b/wg0.conf",
                  .saved = {},
                  .conf = control::WipedText("[Interface]\n# conf\n")};
  const io::RoutingRule tunnel{Family::v6, 51820, true, 51820, {}, 32764};
  const io::RoutingRule shared{Family::v4, {}, false, 254, 0, 32765};
  record.rules = {tunnel, shared};
  const auto read = parse_record(record_text(record).view());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->link_index, 7u);
  EXPECT_EQ(read->mark, 51820u);
  EXPECT_EQ(read->port, 7000u);
  EXPECT_THAT(read->rules, ElementsAre(tunnel, shared));
  EXPECT_THAT(read->forwarded, ElementsAre(Family::v6));
  EXPECT_EQ(read->path, "/a b/wg0.conf");
  EXPECT_EQ(read->conf.view(), "[Interface]\n# conf\n");
}

TEST(UpRecord, KnowsWhereAFileHasSaidThatPeersAre) {
  const PublicKey peer{{1}};
  const PublicKey silent{{2}};
  UpRecord record;
  record.conf.append("[Peer]\nPublicKey = " + to_base64(peer) + "\nEndpoint = vpn.example:7000\n" +
                     "[Peer]\nPublicKey = " + to_base64(silent) + "\n");
  record.saved.emplace(peer, control::HostPort{"fe80::1%eth0", "7001"});
  const auto read = parse_record(record_text(record).view());
  ASSERT_TRUE(read);
  EXPECT_THAT(known_endpoints(*read),
              UnorderedElementsAre(Pair(peer, control::HostPort{"vpn.example", "7000"}),
                                   Pair(peer, control::HostPort{"fe80::1%eth0", "7001"})));
}

TEST(UpRecord, OneOfAnEarlierReleaseIsRead) {
  const auto read =
      parse_record("ferrule 1\nlink 7\nmark 5\npath /x\nrule 4 table 5 mark 5 not 1\nconf\n#\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->port, 0u);
  EXPECT_TRUE(read->saved.empty());
  EXPECT_EQ(read->rules.size(), 1u);
}

TEST(UpRecord, WhatIsNoneIsNotRead) {
  for (const char* text : {"", "ferrule 1\nlink 7\n", "ferrule 2\nconf\n", "[Interface]\nconf\n"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
}

}  // namespace
}  // namespace ferrule::quick
