#include "proxy/settings.h"

#include <gtest/gtest.h>

namespace ferrule::proxy {
namespace {

std::string listens(std::string_view text) {
  const auto read = parse_listen(text);
  return read ? read->at.to_string() : "";
}

TEST(ListenAt, IsAPortOrAnAddressWithOne) {
  EXPECT_EQ(listens("1080"), "127.0.0.1:1080");
  EXPECT_EQ(listens("localhost:1080"), "127.0.0.1:1080");
  EXPECT_EQ(listens("10.0.0.1:1"), "10.0.0.1:1");
  EXPECT_EQ(listens("[::1]:1080"), "[::1]:1080");
  EXPECT_EQ(listens(":1080"), "[::]:1080");
  EXPECT_EQ(listens("*:0"), "[::]:0");
  for (const char* text :
       {"", "x", "70000", "host:1", "1:2:3", "[::1]", "[::1]x:1", "-1", "[::1:1"}) {
    EXPECT_EQ(listens(text), "") << text;
  }
}

TEST(ListenAt, KnowsLoopback) {
  EXPECT_TRUE(parse_listen("127.1.2.3:1")->is_loopback());
  EXPECT_TRUE(parse_listen("[::1]:1")->is_loopback());
  EXPECT_FALSE(parse_listen("0.0.0.0:1")->is_loopback());
  EXPECT_FALSE(parse_listen(":1")->is_loopback());
}

TEST(Forward, IsWrittenAsSshHasIt) {
  const auto read = parse_local_forward("8080:web.example:80");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->from.at.to_string(), "127.0.0.1:8080");
  EXPECT_EQ(read->to.to_string(), "web.example:80");
  EXPECT_FALSE(read->is_udp);
  EXPECT_EQ(parse_remote_forward("8080:web:80")->from.at.to_string(), "[::]:8080");
  const auto all = parse_local_forward("[::1]:53:[fd00::1]:53/udp");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->from.at.to_string(), "[::1]:53");
  EXPECT_EQ(all->to.to_string(), "[fd00::1]:53");
  EXPECT_TRUE(all->is_udp);
  for (const char* text :
       {"", "80", "80:a", "80:a:0", "80:a:b", "80::1", "80:a b:1", "x:80:a:1:2"}) {
    EXPECT_FALSE(parse_local_forward(text)) << text;
  }
}

TEST(OpenDoor, IsWhereOthersComeInWithoutAPassword) {
  ProxySettings settings;
  settings.socks.push_back({*parse_listen("1080"), {}});
  EXPECT_FALSE(settings.open_door());
  settings.http.push_back({*parse_listen("0.0.0.0:80"), {}});
  EXPECT_EQ(settings.open_door(), "0.0.0.0:80");
  settings.http[0].users.push_back({"ada", "x"});
  EXPECT_FALSE(settings.open_door());
  settings.dns.push_back(*parse_listen(":53"));
  EXPECT_TRUE(settings.open_door());
  settings.is_insecure = true;
  EXPECT_FALSE(settings.open_door());
}

TEST(Target, IsANameOrAnAddress) {
  EXPECT_EQ(parse_target("a.b:1")->to_string(), "a.b:1");
  EXPECT_EQ(parse_target("[::ffff:10.0.0.1]:1")->to_string(), "10.0.0.1:1");
  EXPECT_EQ(parse_target("a", 80)->to_string(), "a:80");
  for (const char* text : {"", ":1", "a:", "a:0", "a..b:1", ".a:1", "a b:1", "::1:1", "[a]:1"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
}

}  // namespace
}  // namespace ferrule::proxy
