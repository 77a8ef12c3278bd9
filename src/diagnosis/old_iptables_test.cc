#include "diagnosis/old_iptables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <cstring>
#include <functional>

namespace ferrule::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kAccept = -NF_ACCEPT - 1;
constexpr int kDrop = -NF_DROP - 1;

template <class T>
std::vector<std::uint8_t> bytes_of(const T& value) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(&value);
  return {first, first + sizeof value};
}

// A table "filter" with the chain INPUT, entry by entry.
class Table {
 public:
  Table() {
    table_.name = "filter";
    table_.hooks = 1u << NF_INET_LOCAL_IN;
  }

  // The next match of the next rule.
  template <class T>
  void match(const char* name, const T& data, std::uint8_t revision = 0) {
    xt_entry_match head{};
    head.u.user.match_size = static_cast<std::uint16_t>(XT_ALIGN(sizeof head + sizeof data));
    std::strcpy(head.u.user.name, name);
    head.u.user.revision = revision;
    append(matches_, bytes_of(head));
    append(matches_, bytes_of(data));
    matches_.resize(matches_.size() + head.u.user.match_size - sizeof head - sizeof data);
  }

  std::uint32_t rule(const std::function<void(ipt_entry&)>& fill, int verdict,
                     const char* target = "") {
    xt_standard_target end{};
    std::strcpy(end.target.u.user.name, target);
    end.target.u.user.target_size = sizeof end;
    end.verdict = verdict;
    return add(fill, bytes_of(end));
  }
  std::uint32_t head(const char* chain) {
    xt_error_target end{};
    std::strcpy(end.target.u.user.name, XT_ERROR_TARGET);
    std::strcpy(end.errorname, chain);
    return add({}, bytes_of(end));
  }
  void policy(int verdict) { table_.policies[NF_INET_LOCAL_IN] = rule({}, verdict); }

  [[nodiscard]] std::vector<FilterChain> chains() const { return chains_of(Family::v4, table_); }
  OldTable table_;

 private:
  static void append(std::vector<std::uint8_t>& to, const std::vector<std::uint8_t>& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  }
  std::uint32_t add(const std::function<void(ipt_entry&)>& fill,
                    const std::vector<std::uint8_t>& target) {
    ipt_entry entry{};
    entry.target_offset = static_cast<std::uint16_t>(sizeof entry + matches_.size());
    entry.next_offset = static_cast<std::uint16_t>(entry.target_offset + target.size());
    if (fill) fill(entry);
    const auto at = static_cast<std::uint32_t>(table_.entries.size());
    append(table_.entries, bytes_of(entry));
    append(table_.entries, matches_);
    append(table_.entries, target);
    matches_.clear();
    return at;
  }
  std::vector<std::uint8_t> matches_;
};

void from_lan(ipt_entry& entry) {
  entry.ip.proto = 17;
  entry.ip.src.s_addr = 0x000200C0;   // 192.0.2.0
  entry.ip.smsk.s_addr = 0x00FFFFFF;  // /24
  std::strcpy(entry.ip.iniface, "eth+");
  std::memset(entry.ip.iniface_mask, 0xFF, 3);
}

xt_udp to_port(std::uint16_t port) { return {{0, 0xFFFF}, {port, port}, 0}; }

std::vector<std::string> texts(const FilterChain& chain) {
  std::vector<std::string> texts;
  for (const FilterRule& rule : chain.rules) texts.push_back(rule_text(rule.expressions));
  return texts;
}

TEST(OldIptables, RulesAreSaidAsNftWouldSayThem) {
  Table table;
  table.match("udp", to_port(51820));
  table.rule(from_lan, kDrop);
  xt_conntrack_mtinfo3 tracked{};
  tracked.match_flags = XT_CONNTRACK_STATE;
  tracked.state_mask = XT_CONNTRACK_STATE_BIT(0);
  table.match("conntrack", tracked, 3);
  table.rule({}, kAccept);
  table.match("limit", std::uint64_t{0});
  table.rule({}, 0, "REJECT");
  table.rule({}, 0, "LOG");
  table.policy(kDrop);
  table.head("ERROR");
  const auto chains = table.chains();
  ASSERT_THAT(chains, SizeIs(1));
  EXPECT_EQ(chains[0].table, "iptables-legacy filter");
  EXPECT_EQ(chains[0].name, "INPUT");
  EXPECT_EQ(chains[0].hook, "input");
  EXPECT_TRUE(chains[0].drops_by_default);
  EXPECT_THAT(texts(chains[0]),
              ElementsAre("ip saddr 192.0.2.0/24 iifname \"eth*\" meta l4proto udp udp dport 51820 "
                          "drop",
                          "ct state established accept", "xt reject", ""));
  EXPECT_EQ(chains[0].rules[2].handle, 3u);
}

TEST(OldIptables, ChainsAreEnteredByTheirNames) {
  Table table;
  const std::uint32_t jump = table.rule({}, 0);
  table.policy(kAccept);
  table.head("SUB");
  const std::uint32_t begin = table.rule({}, kDrop);
  table.rule({}, XT_RETURN);
  table.head("ERROR");
  const auto at = table.table_.entries.begin() + jump + sizeof(ipt_entry) + sizeof(xt_entry_target);
  const auto verdict = bytes_of(begin);
  std::ranges::copy(verdict, at);
  const auto chains = table.chains();
  ASSERT_THAT(chains, SizeIs(2));
  EXPECT_THAT(texts(chains[0]), ElementsAre("jump SUB"));
  EXPECT_THAT(texts(chains[1]), ElementsAre("drop", "return"));
  EXPECT_EQ(chains[1].hook, "");
  PacketFilter filter;
  for (const FilterChain& chain : chains) filter.add(chain);
  const auto rule = filter.stopper_of(FilterPacket());
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->chain, "SUB");
  EXPECT_TRUE(rule->is_certain);
}

TEST(OldIptables, RulesOfWgQuicksAreLeftOutAndCountedAllTheSame) {
  Table table;
  xt_comment_info comment{};
  std::strcpy(comment.comment, "wg-quick(8) rule for wg0");
  table.match("comment", comment);
  table.rule({}, kDrop);
  table.rule(from_lan, kDrop);
  table.policy(kAccept);
  table.head("ERROR");
  const auto chains = table.chains();
  ASSERT_THAT(chains, SizeIs(1));
  ASSERT_THAT(chains[0].rules, SizeIs(1));
  EXPECT_EQ(chains[0].rules[0].handle, 2u);
}

TEST(OldIptables, WhatIsNoTableHasNoChains) {
  Table table;
  table.rule(from_lan, kDrop);
  table.policy(kAccept);
  table.head("ERROR");
  for (std::size_t size = 1; size < table.table_.entries.size(); ++size) {
    OldTable cut = table.table_;
    cut.entries.resize(size);
    for (const FilterChain& chain : chains_of(Family::v4, cut)) EXPECT_THAT(chain.name, "INPUT");
  }
  table.table_.entries.assign(500, 0);
  EXPECT_THAT(table.chains(), IsEmpty());
}

}  // namespace
}  // namespace ferrule::diagnosis
