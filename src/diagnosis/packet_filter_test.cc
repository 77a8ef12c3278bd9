#include "diagnosis/packet_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ferrule::diagnosis {
namespace {

const char* const kUdp =
    R"({"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":)";

// A datagram for the port, from 192.0.2.2 by eth0.
FilterPacket datagram() {
  FilterPacket packet;
  packet.in = "eth0";
  packet.source = *IpAddress::parse("192.0.2.2");
  packet.source_port = packet.destination_port = 51820;
  packet.state = "new";
  return packet;
}

std::string rule(const std::string& expressions, const std::string& chain = "input") {
  return R"({"rule":{"family":"inet","table":"filter","chain":")" + chain +
         R"(","handle":7,"expr":[)" + expressions + "]}}";
}

std::string port(const std::string& right) { return kUdp + right + "}}"; }
std::string meta(const std::string& key, const std::string& right, const std::string& op = "==") {
  return R"({"match":{"op":")" + op + R"(","left":{"meta":{"key":")" + key + R"("}},"right":)" +
         right + "}}";
}
const std::string kDrop = R"({"drop":null})";
const std::string kAccept = R"({"accept":null})";

std::optional<FirewallRule> stopper(const std::vector<std::string>& rules,
                                    const std::string& policy = "accept",
                                    const FilterPacket& packet = datagram()) {
  std::string ruleset =
      R"({"nftables":[{"metainfo":{"version":"1.0.6"}},)"
      R"({"chain":{"family":"inet","table":"filter","name":"input","type":"filter",)"
      R"("hook":"input","prio":0,"policy":")" +
      policy + R"("}},{"chain":{"family":"inet","table":"filter","name":"sub"}})";
  for (const std::string& each : rules) ruleset += ',' + each;
  return PacketFilter::parse(ruleset + "]}").stopper_of(packet);
}

TEST(PacketFilter, ADropOfOurPortStops) {
  const auto found = stopper({rule(port("51820") + ',' + kDrop)});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->text, "udp dport 51820 drop");
  EXPECT_EQ(found->table, "inet filter");
  EXPECT_EQ(found->chain, "input");
  EXPECT_EQ(found->handle, 7u);
  EXPECT_TRUE(found->is_certain);
}

TEST(PacketFilter, SetsRangesAndRejectsToo) {
  const auto found = stopper({rule(port(R"({"set":[53,{"range":[51000,52000]}]})") +
                                   R"(,{"counter":{"packets":1,"bytes":2}},{"reject":null})")});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->text, "udp dport { 53, 51000-52000 } reject");
}

TEST(PacketFilter, WhatIsOfOthersPasses) {
  EXPECT_FALSE(stopper({rule(port("5182") + ',' + kDrop)}));
  EXPECT_FALSE(stopper({rule(meta("iifname", R"("eth1")") + ',' + kDrop)}));
  EXPECT_FALSE(stopper({rule(
      R"({"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":51820}},)" +
      kDrop)}));
}

TEST(PacketFilter, TheFirstVerdictCounts) {
  EXPECT_FALSE(stopper({rule(port("51820") + ',' + kAccept), rule(kDrop)}));
  EXPECT_TRUE(stopper({rule(kDrop), rule(port("51820") + ',' + kAccept)})->is_certain);
}

TEST(PacketFilter, APolicyThatDropsWantsAnAccept) {
  EXPECT_TRUE(stopper({}, "drop")->is_certain);
  EXPECT_EQ(stopper({}, "drop")->handle, 0u);
  EXPECT_FALSE(stopper({rule(port("51820") + ',' + kAccept)}, "drop"));
}

TEST(PacketFilter, AnswersPassWhereTheyAreLetIn) {
  const std::string answers =
      R"({"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},)" +
      kAccept;
  EXPECT_TRUE(stopper({rule(answers)}, "drop"));
  FilterPacket answer = datagram();
  answer.state = "established";
  EXPECT_FALSE(stopper({rule(answers)}, "drop", answer));
}

TEST(PacketFilter, WhatIsNotKnownMayStop) {
  const auto by_set = stopper({rule(port(R"("@ports")") + ',' + kDrop)});
  ASSERT_TRUE(by_set);
  EXPECT_FALSE(by_set->is_certain);
  EXPECT_FALSE(stopper({rule(port(R"("@ports")") + ',' + kAccept)}, "drop")->is_certain);
  EXPECT_FALSE(stopper({rule(R"({"limit":{"rate":5}},)" + kDrop)})->is_certain);
}

TEST(PacketFilter, JumpsAreFollowed) {
  const std::string sub = rule(port("51820") + ',' + kDrop, "sub");
  const std::string jump = R"({"jump":{"target":"sub"}})";
  EXPECT_TRUE(stopper({sub, rule(jump)})->is_certain);
  EXPECT_EQ(stopper({sub, rule(jump)})->chain, "sub");
  EXPECT_FALSE(stopper({sub, rule(meta("iifname", R"("eth1")") + ',' + jump)}));
  EXPECT_FALSE(stopper({sub, rule(meta("mark", "3") + ',' + jump)})->is_certain);
  EXPECT_FALSE(stopper({rule(R"({"return":null})", "sub"), sub, rule(jump)}));
}

TEST(PacketFilter, AChainThatJumpsToItselfEnds) {
  EXPECT_FALSE(
      stopper({rule(R"({"jump":{"target":"sub"}})", "sub"), rule(R"({"jump":{"target":"sub"}})")}));
}

TEST(PacketFilter, VerdictMapsAreLookedUp) {
  const std::string map =
      R"({"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},"data":{"set":[[53,{"accept":null}],[51820,{"drop":null}]]}}})";
  EXPECT_TRUE(stopper({rule(map)})->is_certain);
}

TEST(PacketFilter, NamesMayEndWithAStarAndPrefixesHold) {
  EXPECT_TRUE(stopper({rule(meta("iifname", R"("eth*")") + ',' + kDrop)}));
  EXPECT_FALSE(stopper({rule(meta("iifname", R"("eth0")", "!=") + ',' + kDrop)}));
  const auto from = [](const std::string& network) {
    return rule(
        R"({"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"prefix":{"addr":")" +
        network + R"(","len":24}}}},)" + kDrop);
  };
  EXPECT_EQ(stopper({from("192.0.2.0")})->text, "ip saddr 192.0.2.0/24 drop");
  EXPECT_FALSE(stopper({from("198.51.100.0")}));
}

TEST(PacketFilter, TheLeakProtectionOfWgQuickIsLeftOut) {
  const std::string ruleset =
      R"({"nftables":[{"chain":{"family":"ip","table":"wg-quick-wg0","name":"preraw","type":"filter","hook":"input","prio":-300,"policy":"drop"}}]})";
  EXPECT_FALSE(PacketFilter::parse(ruleset).stopper_of(datagram()));
}

TEST(PacketFilter, WhatIsNoRulesetStopsNothing) {
  for (const char* text : {"", "{", "[]", R"({"nftables":3})", R"({"nftables":[1,{"rule":{}}]})"}) {
    EXPECT_FALSE(PacketFilter::parse(text).stopper_of(datagram())) << text;
  }
}

}  // namespace
}  // namespace ferrule::diagnosis
