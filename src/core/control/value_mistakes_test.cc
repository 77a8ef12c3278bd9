#include "control/value_mistakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ferrule::control {
namespace {

using testing::HasSubstr;

std::string doubt(const std::optional<Doubt>& found) {
  if (!found) return "none";
  return (found->is_error ? "error: " : "warning: ") + found->what;
}
std::string of_endpoint(const std::string& text) {
  EXPECT_EQ(endpoint_mistake(text).value_or("none"), "none") << text;
  return doubt(endpoint_doubt(text));
}
std::string of_address(const std::string& text) {
  const auto address = parse_interface_address(text);
  EXPECT_TRUE(address) << text;
  return doubt(address_doubt(*address));
}

TEST(EndpointMistake, WhatCanBeLookedUpIsNone) {
  for (const char* text : {"192.0.2.1:51820", "vpn.example.com:51820", "vpn.example.com.:1",
                           "[2001:db8::1]:65535", "[fe80::1%eth0]:5", "my_host:5", "a-1.b:5",
                           "xn--bcher-kva.example:5", "b\xc3\xbc.example:5", "127.0.0.1:5",
                           "[::1]:5", "localhost:5", "[vpn.example.com]:5", "1and1.com:5"}) {
    EXPECT_EQ(endpoint_mistake(text).value_or("none"), "none") << text;
    EXPECT_EQ(doubt(endpoint_doubt(text)), "none") << text;
  }
}

struct Mistake {
  const char* text;
  const char* message;
};
class EndpointMistakes : public testing::TestWithParam<Mistake> {};
TEST_P(EndpointMistakes, AreNamed) {
  EXPECT_THAT(endpoint_mistake(GetParam().text).value_or("none"), HasSubstr(GetParam().message))
      << GetParam().text;
}
constexpr Mistake kMistakes[] = {
    {"", "there is none"},
    {"http://h:51820", "`http://' does not belong here"},
    {"udp://192.0.2.1:51820", "`udp://'"},
    {"user@h:1", "no `@'"},
    {"\"192.0.2.1:51820\"", "quotes"},
    {"'h:1'", "quotes"},
    {"h:1:2", "more than one `:'"},
    {"192.0.2.1:51820:", "more than one `:'"},
    {"2001:db8::5", "in brackets, with a port behind it: [2001:db8::5]:51820"},
    {"::1", "in brackets"},
    {"fe80::1%eth0", "in brackets"},
    {"[2001:db8::5]", "there is no port: [2001:db8::5]:51820"},
    {"[2001:db8::5", "not closed"},
    {"[2001:db8::5]51820", "expected a `:'"},
    {"[2001:db8::g]:1", "is no IPv6 address"},
    {"[2001:db8::1]:1:2", "two ports"},
    {"example.org", "there is no port: example.org:51820"},
    {"192.0.2.1", "there is no port: 192.0.2.1:51820"},
    {"h:", "no port behind"},
    {":51820", "there is no host"},
    {"h:99999", "they end at 65535"},
    {"h:-1", "`-1' is no port"},
    {"h:51820/udp", "`51820/udp' is no port"},
    {"h/path:1", "no path and no prefix length"},
    {"10.0.0.1/32:51820", "no path and no prefix length"},
    {"300.1.2.3:1", "`300.1.2.3' is no IPv4 address"},
    {"1.2.3.4.5:1", "is no IPv4 address"},
    {"1..2:1", "is no IPv4 address"},
    {"a..b:1", "is no name that a host can have"},
    {"-a.b:1", "is no name"},
    {"a b:1", "is no name"},
    {"<server>:51820", "is no name"},
    {"$HOST:1", "is no name"},
};
INSTANTIATE_TEST_SUITE_P(All, EndpointMistakes, testing::ValuesIn(kMistakes));

TEST(EndpointDoubt, WhatWgTakesAndCannotWorkIsAnError) {
  EXPECT_THAT(of_endpoint("h:0"), HasSubstr("error: port 0"));
  EXPECT_THAT(of_endpoint("h:00"), HasSubstr("error: port 0"));
  EXPECT_THAT(of_endpoint("0.0.0.0:5"), HasSubstr("error: 0.0.0.0 means any address"));
  EXPECT_THAT(of_endpoint("[::]:5"), HasSubstr("error: :: means any"));
  EXPECT_THAT(of_endpoint("224.0.0.1:5"), HasSubstr("error: 224.0.0.1 is a multicast"));
  EXPECT_THAT(of_endpoint("[ff02::1]:5"), HasSubstr("error: ff02::1 is a multicast"));
  EXPECT_THAT(of_endpoint("255.255.255.255:5"), HasSubstr("error: 255.255.255.255"));
  EXPECT_THAT(of_endpoint("[fe80::1]:5"), HasSubstr("error: fe80::1 is on every link"));
}

TEST(EndpointDoubt, WhatMeansSomethingElseIsAWarning) {
  EXPECT_THAT(of_endpoint("192.168.001.010:5"), HasSubstr("warning: `192.168.001.010' is read as "
                                                          "192.168.1.8"));
  EXPECT_THAT(of_endpoint("10.1:5"), HasSubstr("read as 10.0.0.1"));
  EXPECT_THAT(of_endpoint("0x7f.1:5"), HasSubstr("read as 127.0.0.1"));
  EXPECT_THAT(of_endpoint("h:wireguard"), HasSubstr("warning: `wireguard' is the name of a port"));
  EXPECT_THAT(of_endpoint("2001:db8::5:51820"),
              HasSubstr("warning: without brackets this means [2001:db8::5]:51820"));
}

TEST(CompleteEndpoint, GetsAPortWhereItHasNone) {
  EXPECT_EQ(complete_endpoint("a.example", 7), "a.example:7");
  EXPECT_EQ(complete_endpoint("a.example:8", 7), "a.example:8");
  EXPECT_EQ(complete_endpoint("192.0.2.1", 7), "192.0.2.1:7");
  EXPECT_EQ(complete_endpoint("2001:db8::1", 7), "[2001:db8::1]:7");
  EXPECT_EQ(complete_endpoint("[2001:db8::1]", 7), "[2001:db8::1]:7");
  EXPECT_EQ(complete_endpoint("[2001:db8::1]:8", 0), "[2001:db8::1]:8");
}

TEST(CompleteEndpoint, IsNoneThatNeverWorks) {
  for (const char* text : {"", "http://a.example", "http://a.example:1", "a b", "a.example:99999",
                           "a.example:0", "0.0.0.0", "user@a", "a:1:2", "fe80::1", "<ip>"}) {
    EXPECT_FALSE(complete_endpoint(text, 7)) << text;
  }
  EXPECT_THAT(complete_endpoint("a.example", 0).error(), HasSubstr("no port is known"));
}

TEST(DnsMistake, AddressesAndDomainsAreNone) {
  for (const char* text :
       {"1.1.1.1", "fd00::53", "corp.example", "lan", "home.arpa.", "~corp.example", "~.",
        "a_b.example", "b\xc3\xbc.example", "127.0.0.53"}) {
    EXPECT_EQ(dns_mistake(text).value_or("none"), "none") << text;
  }
}

class DnsMistakes : public testing::TestWithParam<Mistake> {};
TEST_P(DnsMistakes, AreNamed) {
  EXPECT_THAT(dns_mistake(GetParam().text).value_or("none"), HasSubstr(GetParam().message))
      << GetParam().text;
}
constexpr Mistake kDnsMistakes[] = {
    {"\"1.1.1.1\"", "quotes"},
    {"10.64.0.1/32", "a name server has no prefix length: 10.64.0.1"},
    {"fd00::53/128", "a name server has no prefix length: fd00::53"},
    {"auto", "no name server would be set"},
    {"None", "no name server would be set"},
    {"DHCP", "no name server would be set"},
    {"8.8.8", "expected an address or a domain"},
    {"1.1.1.1:53", "expected an address or a domain"},
    {"[fd00::53]", "expected an address or a domain"},
    {"https://dns.example/dns-query", "only plain DNS"},
    {"tls://1.1.1.1", "only plain DNS"},
    {"a@b", "expected an address or a domain"},
    {"1.1.1.1|8.8.8.8", "expected an address or a domain"},
    {"-", "expected an address or a domain"},
    {"a..b", "expected an address or a domain"},
};
INSTANTIATE_TEST_SUITE_P(All, DnsMistakes, testing::ValuesIn(kDnsMistakes));

TEST(DnsDoubt, AServerIsSomebodys) {
  EXPECT_THAT(doubt(dns_doubt(*IpAddress::parse("0.0.0.0"))),
              HasSubstr("error: 0.0.0.0 means any"));
  EXPECT_THAT(doubt(dns_doubt(*IpAddress::parse("ff02::fb"))), HasSubstr("error"));
  EXPECT_EQ(doubt(dns_doubt(*IpAddress::parse("127.0.0.53"))), "none");
}

TEST(AddressDoubt, WhatAMachineMayHaveIsNone) {
  for (const char* text : {"10.0.0.1/24", "10.0.0.2", "10.0.0.0/31", "10.0.0.0/32", "10.0.0.1/8",
                           "fd00::1/64", "fd00::/127", "fd00::1", "169.254.1.2/16", "fe80::1/64"}) {
    EXPECT_EQ(of_address(text), "none") << text;
  }
}

TEST(AddressDoubt, WhatCannotBeMeantIsNamed) {
  EXPECT_THAT(of_address("255.255.255.0"), HasSubstr("error: 255.255.255.0 is a netmask"));
  EXPECT_THAT(of_address("255.255.255.255/32"), HasSubstr("error: 255.255.255.255 is a netmask"));
  EXPECT_THAT(of_address("127.0.0.1/8"), HasSubstr("error: 127.0.0.1 is every machine's own"));
  EXPECT_THAT(of_address("::1/128"), HasSubstr("error: ::1 is every machine's own"));
  EXPECT_THAT(of_address("224.1.1.1/24"), HasSubstr("error: 224.1.1.1 is a multicast"));
  EXPECT_THAT(of_address("ff05::1/64"), HasSubstr("error"));
  EXPECT_THAT(of_address("0.0.0.0/0"), HasSubstr("error: 0.0.0.0 means any"));
  EXPECT_THAT(of_address("10.66.0.2/0"), HasSubstr("error: 10.66.0.2/0: the whole Internet"));
  EXPECT_THAT(of_address("fd00::2/0"), HasSubstr("/128 is one address"));
  EXPECT_THAT(of_address("250.1.1.1/24"), HasSubstr("error: 250.1.1.1 is an address that no"));
  EXPECT_THAT(of_address("10.66.0.0/24"), HasSubstr("warning: 10.66.0.0/24 is the network itself"));
  EXPECT_THAT(of_address("10.66.0.255/24"), HasSubstr("warning: 10.66.0.255 is the broadcast"));
  EXPECT_THAT(of_address("fd00::/64"), HasSubstr("warning: fd00::/64 is the network itself"));
}

TEST(AllowedIpDoubt, EverythingHasALengthOfZero) {
  EXPECT_THAT(doubt(allowed_ip_doubt("0.0.0.0")), HasSubstr("everything is 0.0.0.0/0"));
  EXPECT_THAT(doubt(allowed_ip_doubt("::")), HasSubstr("everything is ::/0"));
  EXPECT_EQ(doubt(allowed_ip_doubt("0.0.0.0/0")), "none");
  EXPECT_EQ(doubt(allowed_ip_doubt("10.0.0.1")), "none");
}

}  // namespace
}  // namespace ferrule::control
