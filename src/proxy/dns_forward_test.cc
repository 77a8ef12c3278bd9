#include "proxy/dns_forward.h"

#include <gtest/gtest.h>

#include "proxy/dns_message.h"
#include "proxy/name_server_testing.h"

namespace ferrule::proxy {
namespace {

constexpr std::uint16_t kId = 0x1234;
constexpr std::string_view kSeven{"\x0a\0\0\7", 4};

std::string seven(const std::string& question) { return dns_address(question, kSeven); }

struct Forwarding : TestServices {
  void start(const std::vector<std::string>& servers, std::uint16_t port) {
    std::vector<IpAddress> addresses;
    for (const std::string& server : servers) addresses.push_back(*IpAddress::parse(server));
    io::UniqueFd socket = reach.open_udp(loopback()).value();
    at = netstack::local_end_of(socket.get());
    forward.emplace(services, std::move(socket), addresses, port);
    client = reach.open_udp(loopback()).value();
    ASSERT_TRUE(reach.set_other_end(client.get(), at));
  }
  std::string ask(const std::string& question) {
    EXPECT_GE(::send(client.get(), question.data(), question.size(), MSG_NOSIGNAL), 0);
    std::string answer;
    run_until([&] { return !(answer = received(client.get())).empty(); });
    return answer;
  }

  Endpoint at;
  std::optional<DnsForward> forward;
  io::UniqueFd client;
};

const std::string kQuestion = dns_question(kId, "web.example", DnsType::a);

TEST(DnsForward, GivesTheAnswerBackAsItCame) {
  Forwarding test;
  std::string asked;
  const TestNameServer server(test, loopback(), [&](const std::string& question) {
    asked = question;
    return seven(question);
  });
  test.start({"127.0.0.1"}, server.at().port);
  EXPECT_EQ(test.ask(kQuestion), seven(kQuestion));
  EXPECT_EQ(asked.substr(2), kQuestion.substr(2)) << "all but the id, which is the forward's own";
}

TEST(DnsForward, AsksTheNextServerWhereOneFails) {
  Forwarding test;
  const TestNameServer server(test, loopback(), seven);
  const TestNameServer failing(
      test, Endpoint(*IpAddress::parse("127.0.0.8"), server.at().port),
      [](const std::string& question) { return dns_failure(question, 5); });
  test.start({"127.0.0.7", "127.0.0.8", "127.0.0.1"}, server.at().port);
  EXPECT_EQ(test.ask(kQuestion), seven(kQuestion));
  EXPECT_EQ(failing.asked(), 1u);
  EXPECT_EQ(test.ask(kQuestion), seven(kQuestion));
  EXPECT_EQ(failing.asked(), 1u) << "the one that has answered is asked first";
}

TEST(DnsForward, ThatThereIsNoSuchNameIsAnAnswer) {
  Forwarding test;
  const TestNameServer server(test, loopback(),
                              [](const std::string& question) { return dns_failure(question, 3); });
  test.start({"127.0.0.1", "127.0.0.8"}, server.at().port);
  EXPECT_EQ(test.ask(kQuestion)[3] & 15, 3);
  EXPECT_EQ(server.asked(), 1u);
}

TEST(DnsForward, SaysSoWhereNobodyAnswers) {
  Forwarding test;
  test.start({"127.0.0.7", "127.0.0.8"}, 1);
  const std::string answer = test.ask(kQuestion);
  EXPECT_EQ(answer.substr(0, 2), kQuestion.substr(0, 2));
  EXPECT_EQ(answer[3] & 15, 2);
}

TEST(DnsForward, AnswersToOtherQuestionsAreNone) {
  Forwarding test;
  const TestNameServer server(test, loopback(), [](const std::string& question) {
    std::string other = seven(question);
    other[0] = static_cast<char>(other[0] ^ 1);
    return other;
  });
  test.start({"127.0.0.1"}, server.at().port);
  ASSERT_GE(::send(test.client.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL), 0);
  test.run_until([&] { return server.asked() > 0; });
  bool is_later = false;
  const Timer later(test.loop, test.loop.now() + 50ms, [&] { is_later = true; });
  test.run_until([&] { return is_later; });
  EXPECT_EQ(received(test.client.get()), "");
}

TEST(DnsForward, WhatIsNoQuestionIsLost) {
  Forwarding test;
  const TestNameServer server(test, loopback(), seven);
  test.start({"127.0.0.1"}, server.at().port);
  for (const std::string& text : {std::string("short"), dns_failure(kQuestion, 0)}) {
    ASSERT_GE(::send(test.client.get(), text.data(), text.size(), MSG_NOSIGNAL), 0);
  }
  test.run_until([&] { return test.services.counters.lost_datagrams == 2; });
  EXPECT_EQ(server.asked(), 0u);
}

}  // namespace
}  // namespace ferrule::proxy
