#include "proxy/resolver.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "proxy/name_server_testing.h"

namespace ferrule::proxy {
namespace {

constexpr std::string_view kSeven{"\x0a\0\0\7", 4};

std::string seven(const std::string& question) { return dns_address(question, kSeven); }

struct Resolving : TestServices {
  // The resolver asks these servers, all at the port of the first.
  Resolver make(const std::vector<std::string>& servers, std::uint16_t port,
                std::vector<std::string> search = {}) {
    ResolverSettings settings;
    for (const std::string& server : servers) {
      settings.servers.push_back(*IpAddress::parse(server));
    }
    settings.search = std::move(search);
    return {services, settings, port};
  }
  std::string resolve(Resolver& resolver, const std::string& name) {
    std::string outcome;
    resolver.resolve(name, [&](Result<std::vector<IpAddress>> found) {
      outcome = found ? found->front().to_string() : found.error().what;
      code = found ? 0 : found.error().code;
    });
    run_until([&] { return !outcome.empty(); });
    return outcome;
  }
  int code = 0;
};

TEST(Resolver, AsksForANameOnceAndRemembersIt) {
  Resolving test;
  const TestNameServer server(test, loopback(), seven);
  Resolver resolver = test.make({"127.0.0.1"}, server.at().port);
  EXPECT_EQ(test.resolve(resolver, "web.example"), "10.0.0.7");
  EXPECT_EQ(server.asked(), 2u) << "A and AAAA";
  EXPECT_EQ(test.resolve(resolver, "web.example"), "10.0.0.7");
  EXPECT_EQ(server.asked(), 2u);
  EXPECT_EQ(test.services.counters.cached_lookups, 2u);
}

TEST(Resolver, AnAnswerThatMayNotBeKeptIsNot) {
  Resolving test;
  const TestNameServer server(test, loopback(), [](const std::string& question) {
    return dns_address(question, kSeven, 0);
  });
  Resolver resolver = test.make({"127.0.0.1"}, server.at().port);
  (void)test.resolve(resolver, "web.example");
  const unsigned before = server.asked();
  (void)test.resolve(resolver, "web.example");
  EXPECT_GT(server.asked(), before);
}

TEST(Resolver, WhereNobodyListensTheNextServerIsAsked) {
  Resolving test;
  const TestNameServer server(test, loopback(), seven);
  Resolver resolver = test.make({"127.0.0.8", "127.0.0.1"}, server.at().port);
  EXPECT_EQ(test.resolve(resolver, "web.example"), "10.0.0.7");
}

TEST(Resolver, WhereAServerFailsTheNextIsAsked) {
  Resolving test;
  const TestNameServer server(test, loopback(), seven);
  const TestNameServer failing(
      test, Endpoint(*IpAddress::parse("127.0.0.8"), server.at().port),
      [](const std::string& question) { return dns_failure(question, 2); });
  Resolver resolver = test.make({"127.0.0.8", "127.0.0.1"}, server.at().port);
  EXPECT_EQ(test.resolve(resolver, "web.example"), "10.0.0.7");
  EXPECT_GT(failing.asked(), 0u);
}

TEST(Resolver, SearchDomainsAreTried) {
  Resolving test;
  const TestNameServer server(test, loopback(), [](const std::string& question) {
    const bool is_whole = question.find("\4corp") != question.npos;
    return is_whole ? seven(question) : dns_failure(question, 3);
  });
  Resolver resolver = test.make({"127.0.0.1"}, server.at().port, {"example", "corp.example"});
  EXPECT_EQ(test.resolve(resolver, "web"), "10.0.0.7");
}

TEST(Resolver, WhatNobodyKnowsIsToldApartFromWhatNobodyAnswers) {
  Resolving test;
  const TestNameServer server(test, loopback(),
                              [](const std::string& question) { return dns_failure(question, 3); });
  Resolver knowing = test.make({"127.0.0.1"}, server.at().port);
  (void)test.resolve(knowing, "nobody.example");
  EXPECT_EQ(test.code, ENOENT);
  Resolver alone = test.make({"127.0.0.8"}, server.at().port);
  (void)test.resolve(alone, "web.example");
  EXPECT_EQ(test.code, ETIMEDOUT);
}

TEST(Resolver, WithoutServersItSaysSo) {
  Resolving test;
  Resolver resolver = test.make({}, 53);
  EXPECT_NE(test.resolve(resolver, "web.example").find("no DNS"), std::string::npos);
  EXPECT_EQ(test.resolve(resolver, "10.1.2.3"), "10.1.2.3");
}

}  // namespace
}  // namespace ferrule::proxy
