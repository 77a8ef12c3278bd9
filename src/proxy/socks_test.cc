#include "proxy/socks.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace ferrule::proxy {
namespace {

using Step = SocksServer::Step;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

// What a server says to all of a client's words at once.
struct Talk {
  explicit Talk(std::string words, bool wants_password = false)
      : server(wants_password), left(std::move(words)) {
    step = server.advance(left, said);
  }
  SocksServer server;
  std::string left;
  std::string said;
  Step step;
};

const std::string kGreeting = bytes({5, 1, 0});

TEST(Socks, ARequestForAnAddressIsRead) {
  const Talk talk(kGreeting + bytes({5, 1, 0, 1, 10, 0, 0, 7, 0x1f, 0x90}) + "early");
  ASSERT_EQ(talk.step, Step::request);
  EXPECT_EQ(talk.server.request().target, *parse_target("10.0.0.7:8080"));
  EXPECT_EQ(talk.server.request().command, SocksCommand::connect);
  EXPECT_EQ(talk.said, bytes({5, 0}));
  EXPECT_EQ(talk.left, "early");
}

TEST(Socks, ARequestForANameIsRead) {
  const Talk talk(kGreeting + bytes({5, 3, 0, 3, 5}) + "a.b-c" + bytes({0, 53}));
  ASSERT_EQ(talk.step, Step::request);
  EXPECT_EQ(talk.server.request().target, *parse_target("a.b-c:53"));
  EXPECT_EQ(talk.server.request().command, SocksCommand::associate);
}

TEST(Socks, WordsMayComeByteByByte) {
  const std::string words =
      kGreeting + bytes({5, 1, 0, 4}) + std::string(15, '\0') + bytes({1, 0, 80});
  SocksServer server(false);
  std::string input;
  std::string said;
  Step step = Step::more;
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(step, Step::more) << i;
    input += words[i];
    step = server.advance(input, said);
  }
  ASSERT_EQ(step, Step::request);
  EXPECT_EQ(server.request().target, *parse_target("[::1]:80"));
}

TEST(Socks, AMappedAddressIsOneOfIPv4) {
  const Talk talk(kGreeting + bytes({5, 1, 0, 4,    0,    0,  0, 0, 0, 0, 0,
                                     0, 0, 0, 0xff, 0xff, 10, 0, 0, 7, 0, 80}));
  ASSERT_EQ(talk.step, Step::request);
  EXPECT_EQ(talk.server.request().target.address, *IpAddress::parse("10.0.0.7"));
}

TEST(Socks, APasswordIsAskedForAndJudged) {
  Talk talk(bytes({5, 2, 0, 2, 1, 3}) + "ada" + bytes({4}) + "love" +
                bytes({5, 1, 0, 1, 10, 0, 0, 7, 0, 80}),
            true);
  ASSERT_EQ(talk.step, Step::password);
  EXPECT_EQ(talk.server.user(), "ada");
  EXPECT_EQ(talk.server.password(), "love");
  EXPECT_EQ(talk.server.advance(talk.left, talk.said), Step::more) << "not judged yet";
  talk.server.judge(true, talk.said);
  EXPECT_EQ(talk.server.advance(talk.left, talk.said), Step::request);
  EXPECT_EQ(talk.said, bytes({5, 2, 1, 0}));
  EXPECT_TRUE(talk.server.password().empty());
}

TEST(Socks, ABadPasswordIsTheEnd) {
  Talk talk(bytes({5, 1, 2, 1, 1, 'a', 1, 'b'}) + bytes({5, 1, 0, 1, 10, 0, 0, 7, 0, 80}), true);
  ASSERT_EQ(talk.step, Step::password);
  talk.server.judge(false, talk.said);
  EXPECT_EQ(talk.server.advance(talk.left, talk.said), Step::failed);
  EXPECT_EQ(talk.said, bytes({5, 2, 1, 1}));
}

TEST(Socks, WhoOffersNoWayInIsTold) {
  const Talk talk(bytes({5, 1, 0}), true);
  EXPECT_EQ(talk.step, Step::failed);
  EXPECT_EQ(talk.said, bytes({5, 0xff}));
}

TEST(Socks, Version4NamesAnAddressOrAName) {
  const Talk old(bytes({4, 1, 0, 80, 10, 0, 0, 7}) + "user" + bytes({0}));
  ASSERT_EQ(old.step, Step::request);
  EXPECT_EQ(old.server.request().target, *parse_target("10.0.0.7:80"));
  const Talk named(bytes({4, 1, 0, 80, 0, 0, 0, 1, 0}) + "web.example" + bytes({0}) + "x");
  ASSERT_EQ(named.step, Step::request);
  EXPECT_EQ(named.server.request().target, *parse_target("web.example:80"));
  EXPECT_EQ(named.left, "x");
  EXPECT_EQ(socks_answer(named.server.request(), SocksReply::granted, {}).substr(0, 2),
            bytes({0, 90}));
}

TEST(Socks, Version4HasNoPasswords) {
  EXPECT_EQ(Talk(bytes({4, 1, 0, 80, 10, 0, 0, 7, 0}), true).step, Step::failed);
}

TEST(Socks, WhatIsNoSuchThingHasACode) {
  const Talk command(kGreeting + bytes({5, 9, 0, 1, 1, 2, 3, 4, 0, 1}));
  EXPECT_EQ(command.step, Step::failed);
  EXPECT_EQ(command.said.substr(2, 2), bytes({5, 7}));
  const Talk type(kGreeting + bytes({5, 1, 0, 2, 1, 2, 3, 4, 0, 1}));
  EXPECT_EQ(type.said.substr(2, 2), bytes({5, 8}));
}

TEST(Socks, TooLongAnOldNameIsTheEnd) {
  EXPECT_EQ(Talk(bytes({4, 1, 0, 80, 0, 0, 0, 1}) + std::string(300, 'u')).step, Step::failed);
}

TEST(Socks, AnOldNameMayBeSoLongAndNoLongerHoweverItComes) {
  const std::string start = bytes({4, 1, 0, 80, 10, 0, 0, 7});
  const std::string end(1, '\0');
  EXPECT_EQ(Talk(start + std::string(255, 'u') + end).step, Step::request);
  EXPECT_EQ(Talk(start + std::string(256, 'u') + end).step, Step::failed);
  const std::string named = bytes({4, 1, 0, 80, 0, 0, 0, 1, 0});
  EXPECT_EQ(Talk(named + std::string(256, 'n') + end).step, Step::failed);
}

TEST(SocksDatagram, CarriesTargetAndPayload) {
  const std::string text = bytes({0, 0, 0, 1, 10, 0, 0, 7, 0, 53}) + "payload";
  const auto read =
      parse_socks_datagram({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->target, *parse_target("10.0.0.7:53"));
  EXPECT_EQ(read->payload.size(), 7u);
  EXPECT_EQ(socks_datagram_header(*Endpoint::parse("10.0.0.7:53")), text.substr(0, 10));
}

TEST(SocksDatagram, FragmentsAndPartsAreNone) {
  const std::string whole = bytes({0, 0, 0, 3, 3}) + "abc" + bytes({0, 53});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto read =
        parse_socks_datagram({reinterpret_cast<const std::uint8_t*>(whole.data()), size});
    EXPECT_EQ(read.has_value(), size == whole.size()) << size;
  }
  std::string fragment = whole;
  fragment[2] = 1;
  EXPECT_FALSE(parse_socks_datagram(
      {reinterpret_cast<const std::uint8_t*>(fragment.data()), fragment.size()}));
}

TEST(SocksReplies, TellWhatTheSystemSays) {
  EXPECT_EQ(socks_reply_of(ECONNREFUSED), SocksReply::refused);
  EXPECT_EQ(socks_reply_of(ETIMEDOUT), SocksReply::host_unreachable);
  EXPECT_EQ(socks_reply_of(ENETUNREACH), SocksReply::network_unreachable);
  EXPECT_EQ(socks_reply_of(EMFILE), SocksReply::failed);
}

}  // namespace
}  // namespace ferrule::proxy
