#include "proxy/http_request.h"

#include <gtest/gtest.h>

namespace ferrule::proxy {
namespace {

using Outcome = HttpHead::Outcome;

TEST(HttpHead, ConnectNamesATarget) {
  const HttpHead head = parse_http_head("CONNECT web.example:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16");
  ASSERT_EQ(head.outcome, Outcome::good);
  EXPECT_TRUE(head.request.is_connect);
  EXPECT_EQ(head.request.target, *parse_target("web.example:443"));
  EXPECT_EQ(head.request.passed_on, "");
  EXPECT_EQ(head.request.size, 45u);
}

TEST(HttpHead, AWholeUrlBecomesARequestToItsServer) {
  const HttpHead head = parse_http_head(
      "GET http://user@[fd00::1]:8080/a?b#c HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\n"
      "Proxy-Authorization: Basic YTpi\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\nbody");
  ASSERT_EQ(head.outcome, Outcome::good);
  EXPECT_EQ(head.request.target, *parse_target("[fd00::1]:8080"));
  EXPECT_EQ(head.request.passed_on,
            "GET /a?b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head.request.authorization, "Basic YTpi");
}

TEST(HttpHead, AUrlWithoutPathOrPortHasTheUsualOnes) {
  const HttpHead head = parse_http_head("HEAD HTTP://web.example?q HTTP/1.0\n\n");
  ASSERT_EQ(head.outcome, Outcome::good);
  EXPECT_EQ(head.request.target, *parse_target("web.example:80"));
  EXPECT_TRUE(head.request.passed_on.starts_with("HEAD /?q HTTP/1.0\r\n"));
}

TEST(HttpHead, ItIsWaitedForToItsEnd) {
  const std::string text = "\r\nCONNECT a:1 HTTP/1.1\r\nA: b\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(parse_http_head(text.substr(0, size)).outcome, Outcome::more) << size;
  }
  EXPECT_EQ(parse_http_head(text).outcome, Outcome::good);
}

TEST(HttpHead, WhatIsMalformedIsRefused) {
  for (const char* text : {
           "GET / HTTP/1.1\r\n\r\n",           // a server's request
           "GET https://a/ HTTP/1.1\r\n\r\n",  // would need TLS of ours
           "GET ftp://a/ HTTP/1.1\r\n\r\n",
           "GET http:///x HTTP/1.1\r\n\r\n",
           "GET http://a:0/ HTTP/1.1\r\n\r\n",
           "GET http://a:65536/ HTTP/1.1\r\n\r\n",
           "GET http://a b/ HTTP/1.1\r\n\r\n",
           "CONNECT a HTTP/1.1\r\n\r\n",
           "CONNECT fd00::1:443 HTTP/1.1\r\n\r\n",
           "CONNECT [a]:443 HTTP/1.1\r\n\r\n",
           "CONNECT a:443\r\n\r\n",
           "CONNECT a:443 HTTP/2\r\n\r\n",
           "CON\x01NECT a:443 HTTP/1.1\r\n\r\n",
           "CONNECT a:443 HTTP/1.1\r\n folded: x\r\n\r\n",
           "CONNECT a:443 HTTP/1.1\r\nno colon\r\n\r\n",
           "CONNECT a:443 HTTP/1.1\r\nspace : x\r\n\r\n",
           "CONNECT a:443 HTTP/1.1\r\nA: b\rc\r\n\r\n",
       }) {
    EXPECT_EQ(parse_http_head(text).outcome, Outcome::bad) << text;
  }
}

TEST(HttpBasic, UserAndPasswordAreRead) {
  const auto read = parse_basic("Basic YWRhOmxvdmU6bGFjZQ==");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->user, "ada");
  EXPECT_EQ(read->password, "love:lace");
  EXPECT_TRUE(parse_basic("basic YTpi"));
  for (const char* text : {"", "Basic", "Bearer YTpi", "Basic !!!!", "Basic YWRh"}) {
    EXPECT_FALSE(parse_basic(text)) << text;
  }
}

}  // namespace
}  // namespace ferrule::proxy
