#include "proxy/dns_message.h"

#include <gtest/gtest.h>

#include <string>

namespace ferrule::proxy {
namespace {

constexpr std::uint16_t kId = 0x1234;

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
std::string u32(unsigned value) { return u16(value >> 16) + u16(value & 0xffff); }
std::string name(std::string_view text) {
  std::string labels;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('.'), text.size());
    labels += static_cast<char>(end);
    labels += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return labels + '\0';
}
std::string record(const std::string& owner, unsigned type, unsigned ttl, const std::string& data) {
  return owner + u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(data.size())) + data;
}
const std::string kFour{"\x0a\0\0\7", 4};

struct Parts {
  unsigned flags = 0x8180;
  std::string question{"web.example"};
  std::string answers{};
  unsigned answer_count = 0;
  std::string authority{};
};
std::string message(const Parts& parts) {
  return u16(kId) + u16(parts.flags) + u16(1) + u16(parts.answer_count) +
         u16(parts.authority.empty() ? 0 : 1) + u16(0) + name(parts.question) + u16(1) + u16(1) +
         parts.answers + parts.authority;
}
std::optional<DnsAnswer> parse(const std::string& text) {
  return parse_dns_answer({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, kId,
                          "Web.example.", DnsType::a);
}

TEST(DnsQuestion, NamesWhatIsAskedFor) {
  const std::string text = dns_question(kId, "Web.example.", DnsType::aaaa);
  EXPECT_EQ(text, u16(kId) + u16(0x0100) + u16(1) + u16(0) + u16(0) + u16(1) + name("web.example") +
                      u16(28) + u16(1) + '\0' + u16(41) + u16(1232) + std::string(6, '\0'));
  EXPECT_EQ(dns_question(kId, "no name", DnsType::a), "");
  EXPECT_EQ(dns_question(kId, std::string(64, 'a'), DnsType::a), "");
}

TEST(DnsAnswer, AddressesAndTheShortestLifeAreRead) {
  const auto answer = parse(message(
      {.answers = record("\xc0\x0c", 1, 300, kFour) + record(name("WEB.example"), 1, 60, kFour),
       .answer_count = 2}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, DnsOutcome::found);
  EXPECT_EQ(answer->addresses.size(), 2u);
  EXPECT_EQ(answer->addresses[0].to_string(), "10.0.0.7");
  EXPECT_EQ(answer->ttl_s, 60u);
}

TEST(DnsAnswer, AliasesAreFollowedAndOthersAreNot) {
  const auto answer = parse(message({.answers = record("\xc0\x0c", 5, 30, name("real.example")) +
                                                record(name("other.example"), 1, 300, kFour) +
                                                record(name("real.example"), 1, 300, kFour),
                                     .answer_count = 3}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->addresses.size(), 1u);
  EXPECT_EQ(answer->ttl_s, 30u);
}

TEST(DnsAnswer, AliasesInACircleEnd) {
  const auto answer = parse(message({.answers = record("\xc0\x0c", 5, 30, name("a.example")) +
                                                record(name("a.example"), 5, 30, "\xc0\x0c"),
                                     .answer_count = 2}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, DnsOutcome::no_address);
}

TEST(DnsAnswer, AbsenceHasTheLifeOfItsRecord) {
  const std::string start = name("ns") + name("who") + u32(1) + u32(2) + u32(3) + u32(4) + u32(20);
  const auto answer =
      parse(message({.flags = 0x8183, .authority = record(name("example"), 6, 100, start)}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, DnsOutcome::no_such_name);
  EXPECT_EQ(answer->ttl_s, 20u);
}

TEST(DnsAnswer, WhatAnswersSomethingElseIsNone) {
  EXPECT_FALSE(parse(message({.flags = 0x0180})));
  EXPECT_FALSE(parse(message({.question = "other.example"})));
  std::string other_id = message({});
  other_id[0] ^= 1;
  EXPECT_FALSE(parse(other_id));
}

TEST(DnsAnswer, AServersFailureAndTruncationAreTold) {
  EXPECT_EQ(parse(message({.flags = 0x8182}))->outcome, DnsOutcome::server_failed);
  EXPECT_TRUE(parse(message({.flags = 0x8380}))->is_truncated);
}

TEST(DnsAnswer, PartsOfOneAreHarmless) {
  const std::string whole = message(
      {.answers = record("\xc0\x0c", 5, 30, "\1a\xc0\x10") + record("\xc0\x0c", 1, 300, kFour),
       .answer_count = 2});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto answer = parse(whole.substr(0, size));
    if (size == whole.size()) {
      EXPECT_EQ(answer->outcome, DnsOutcome::found);
    }
  }
}

TEST(DnsAnswer, APointerToItselfEnds) {
  EXPECT_FALSE(parse(u16(kId) + u16(0x8180) + u16(1) + u16(0) + u16(0) + u16(0) + "\xc0\x0c" +
                     u16(1) + u16(1)));
}

}  // namespace
}  // namespace ferrule::proxy
