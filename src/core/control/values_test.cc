#include "control/values.h"

#include <gtest/gtest.h>

#include <string>

namespace ferrule::control {
namespace {

TEST(Values, FwmarkIsOffDecimalOrHex) {
  EXPECT_EQ(parse_fwmark("off"), 0u);
  EXPECT_EQ(parse_fwmark("OFF"), 0u);
  EXPECT_EQ(parse_fwmark("0"), 0u);
  EXPECT_EQ(parse_fwmark("51820"), 51820u);
  EXPECT_EQ(parse_fwmark("0xCa6c"), 0xca6cu);
  EXPECT_EQ(parse_fwmark("4294967295"), UINT32_MAX);
  EXPECT_EQ(parse_fwmark("0xffffffff"), UINT32_MAX);
}

TEST(Values, AnythingElseIsNoFwmark) {
  for (const char* text : {"", "0x", "0X1", "0xg", "0x0x1", "0x-1", "-1", "+1", "4294967296",
                           "0x100000000", "on", "of", "offf", "1 "}) {
    EXPECT_EQ(parse_fwmark(text), std::nullopt) << text;
  }
}

TEST(Values, KeepaliveIsOffOrSeconds) {
  EXPECT_EQ(parse_keepalive("off"), 0);
  EXPECT_EQ(parse_keepalive("0"), 0);
  EXPECT_EQ(parse_keepalive("025"), 25);
  EXPECT_EQ(parse_keepalive("65535"), 65535);
}

TEST(Values, AnythingElseIsNoKeepalive) {
  for (const char* text : {"", "65536", "-1", "0x10", "on", "25s"}) {
    EXPECT_EQ(parse_keepalive(text), std::nullopt) << text;
  }
}

TEST(Values, HostAndPortOfANameAndOfBothFamilies) {
  EXPECT_EQ(parse_host_port("vpn.example.org:51820"), (HostPort{"vpn.example.org", "51820"}));
  EXPECT_EQ(parse_host_port("192.0.2.1:1"), (HostPort{"192.0.2.1", "1"}));
  EXPECT_EQ(parse_host_port("[2001:db8::1]:1"), (HostPort{"2001:db8::1", "1"}));
  EXPECT_EQ(parse_host_port("[fe80::1%eth0]:1"), (HostPort{"fe80::1%eth0", "1"}));
}

TEST(Values, APortMayBeAService) {
  EXPECT_EQ(parse_host_port("a:domain"), (HostPort{"a", "domain"}));
}

// As wg has it: the last colon is the port's.
TEST(Values, AnIpv6AddressWithoutBracketsEndsAtTheLastColon) {
  EXPECT_EQ(parse_host_port("2001:db8::1:51820"), (HostPort{"2001:db8::1", "51820"}));
}

TEST(Values, HostOrPortMissingIsRefused) {
  for (const char* text : {"", "a", ":1", "a:", "[::1]", "[::1]:", "[::1]1", "[::1", "[]:1"}) {
    EXPECT_EQ(parse_host_port(text), std::nullopt) << text;
  }
}

TEST(Values, APortEndsAt65535) {
  EXPECT_TRUE(parse_host_port("a:65535"));
  EXPECT_FALSE(parse_host_port("a:65536"));
}

TEST(Values, AnAllowedIpWithoutLengthIsOneAddress) {
  EXPECT_EQ(parse_allowed_ip("10.0.0.1")->change.cidr.to_string(), "10.0.0.1/32");
  EXPECT_EQ(parse_allowed_ip("::1")->change.cidr.to_string(), "::1/128");
}

TEST(Values, SignsMakeAllowedIpsIncremental) {
  EXPECT_FALSE(parse_allowed_ip("10.0.0.0/8")->incremental);
  EXPECT_TRUE(parse_allowed_ip("+10.0.0.0/8")->incremental);
  EXPECT_FALSE(parse_allowed_ip("+10.0.0.0/8")->change.remove);
  EXPECT_TRUE(parse_allowed_ip("-10.0.0.0/8")->incremental);
  EXPECT_TRUE(parse_allowed_ip("-10.0.0.0/8")->change.remove);
}

TEST(Values, HostBitsAreMaskedOffAndNoticed) {
  EXPECT_FALSE(parse_allowed_ip("10.0.0.0/8")->has_host_bits);
  EXPECT_TRUE(parse_allowed_ip("10.0.0.1/8")->has_host_bits);
  EXPECT_EQ(parse_allowed_ip("10.0.0.1/8")->change.cidr.to_string(), "10.0.0.0/8");
  EXPECT_TRUE(parse_allowed_ip("fd00::1/64")->has_host_bits);
}

TEST(Values, AnythingElseIsNoAllowedIp) {
  for (const char* text : {"", "-", "+-10.0.0.0/8", "10.0.0.0/", "10.0.0.0/33", "::/129",
                           "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/8/8", "example.org", "[::1]/128"}) {
    EXPECT_FALSE(parse_allowed_ip(text)) << text;
  }
}

TEST(Values, AnInterfaceAddressKeepsItsHostBits) {
  const auto address = parse_interface_address("10.0.0.1/24");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->address.to_string(), "10.0.0.1");
  EXPECT_EQ(address->prefix_length, 24u);
}

}  // namespace
}  // namespace ferrule::control
