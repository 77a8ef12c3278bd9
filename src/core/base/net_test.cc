#include "base/net.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "base/hex_testing.h"

namespace ferrule {
namespace {

using std::string_view_literals::operator""sv;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }
Cidr cidr(std::string_view text) { return Cidr::parse(text).value(); }

TEST(IpAddress, IsNoneAtFirst) {
  const IpAddress none;
  EXPECT_EQ(none.family(), Family::none);
  EXPECT_TRUE(none.bytes().empty());
  EXPECT_EQ(none.bits(), 0u);
  EXPECT_EQ(none.to_string(), "");
}

TEST(IpAddress, V4HasFourBytesInNetworkOrder) {
  const IpAddress address = ip("192.0.2.1");
  EXPECT_EQ(address.family(), Family::v4);
  EXPECT_EQ(test::hex(address.bytes()), "c0000201");
  EXPECT_EQ(address.bits(), 32u);
}

TEST(IpAddress, V6HasSixteenBytesInNetworkOrder) {
  const IpAddress address = ip("2001:db8::1");
  EXPECT_EQ(address.family(), Family::v6);
  EXPECT_EQ(test::hex(address.bytes()), "20010db8000000000000000000000001");
  EXPECT_EQ(address.bits(), 128u);
}

TEST(IpAddress, IsMadeFromBytes) {
  EXPECT_EQ(IpAddress::v4(std::array<std::uint8_t, 4>{10, 0, 0, 1}), ip("10.0.0.1"));
  std::array<std::uint8_t, 16> bytes{};
  bytes[15] = 1;
  EXPECT_EQ(IpAddress::v6(bytes), ip("::1"));
}

TEST(IpAddress, TextSurvivesTheRoundTrip) {
  for (const auto text : {"0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1",
                          "::ffff:192.0.2.1", "2001:db8:1:2:3:4:5:6"}) {
    EXPECT_EQ(ip(text).to_string(), text);
  }
}

TEST(IpAddress, LongestV6TextIsRead) {
  EXPECT_EQ(ip("0000:0000:0000:0000:0000:ffff:255.255.255.255").unmapped(), ip("255.255.255.255"));
}

TEST(IpAddress, TextThatIsNoAddressIsRefused) {
  for (const auto text :
       {""sv,           " "sv,
        "1"sv,          "1.2.3"sv,
        "1.2.3.4.5"sv,  "1.2.3.256"sv,
        "1.2.3.04"sv,   "1.2.3.4 "sv,
        " 1.2.3.4"sv,   "1.2.3.4\n"sv,
        "1.2.3.-4"sv,   "0x1.2.3.4"sv,
        "1.2.3.4/32"sv, ":"sv,
        ":::"sv,        "1::2::3"sv,
        "12345::"sv,    "::g"sv,
        "[::1]"sv,      "fe80::1%1"sv,
        "::1 "sv,       "localhost"sv,
        "1.2.3.4\0"sv,  "1.2.3.4\0005"sv,
        "::1\0"sv,      "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
    EXPECT_EQ(IpAddress::parse(text), std::nullopt) << text;
  }
}

TEST(IpAddress, P75a_MappedAddressBecomesV4) {
  EXPECT_EQ(ip("::ffff:192.0.2.1").family(), Family::v6);
  EXPECT_EQ(ip("::ffff:192.0.2.1").unmapped(), ip("192.0.2.1"));
}

TEST(IpAddress, P75a_OtherAddressesUnmapToThemselves) {
  for (const auto text : {"192.0.2.1", "::192.0.2.1", "::fffe:192.0.2.1", "1::ffff:192.0.2.1"}) {
    EXPECT_EQ(ip(text).unmapped(), ip(text)) << text;
  }
  EXPECT_EQ(IpAddress().unmapped(), IpAddress());
}

TEST(IpAddress, P75a_LinkLocalIsFe80WithTenBits) {
  EXPECT_TRUE(ip("fe80::1").is_link_local());
  EXPECT_TRUE(ip("febf::1").is_link_local());
  EXPECT_FALSE(ip("fec0::1").is_link_local());
  EXPECT_FALSE(ip("fe7f::1").is_link_local());
  EXPECT_FALSE(ip("254.128.0.1").is_link_local());
}

TEST(Endpoint, TheWayThereIsPartOfIt) {
  const Endpoint udp(*IpAddress::parse("192.0.2.1"), 5);
  const Endpoint other(udp.address, 5, 0, Transport{1});
  EXPECT_EQ(udp.transport, Transport::udp);
  EXPECT_NE(udp, other);
  EXPECT_EQ(Endpoint::parse("192.0.2.1:5")->transport, Transport::udp);
}

TEST(Endpoint, ReadsAddressAndPort) {
  EXPECT_EQ(endpoint("1.2.3.4:5"), (Endpoint{ip("1.2.3.4"), 5}));
  EXPECT_EQ(endpoint("[::1]:65535"), (Endpoint{ip("::1"), 65535}));
  EXPECT_EQ(endpoint("[2001:db8::1]:0"), (Endpoint{ip("2001:db8::1"), 0}));
}

TEST(Endpoint, TextSurvivesTheRoundTrip) {
  for (const auto text : {"1.2.3.4:5", "[::1]:65535", "[fe80::1%2]:51820", "[fe80::1]:1"}) {
    EXPECT_EQ(endpoint(text).to_string(), text);
  }
  EXPECT_EQ(Endpoint().to_string(), "");
}

TEST(Endpoint, P75a_ScopeIsKeptForLinkLocalAddresses) {
  EXPECT_EQ(endpoint("[fe80::1%4294967295]:5"), (Endpoint{ip("fe80::1"), 5, UINT32_MAX}));
}

TEST(Endpoint, P75a_ScopeOfOtherAddressesIsDropped) {
  EXPECT_EQ(endpoint("[2001:db8::1%2]:5"), (Endpoint{ip("2001:db8::1"), 5, 0}));
}

TEST(Endpoint, P75a_MappedAddressIsReadAsV4) {
  EXPECT_EQ(endpoint("[::ffff:1.2.3.4]:5"), endpoint("1.2.3.4:5"));
}

TEST(Endpoint, TextThatIsNoEndpointIsRefused) {
  for (const auto text : {""sv,
                          ":"sv,
                          ":5"sv,
                          "1.2.3.4"sv,
                          "1.2.3.4:"sv,
                          "1.2.3.4:+5"sv,
                          "1.2.3.4:-5"sv,
                          "1.2.3.4: 5"sv,
                          "1.2.3.4:5 "sv,
                          " 1.2.3.4:5"sv,
                          "1.2.3.4:65536"sv,
                          "1.2.3.4:0x5"sv,
                          "1.2.3.4:99999999999999999999"sv,
                          "1.2.3.4:5\0"sv,
                          "[1.2.3.4]:5"sv,
                          "1.2.3.4%1:5"sv,
                          "::1:5"sv,
                          "[::1]"sv,
                          "[::1]5"sv,
                          "[::1:5"sv,
                          "::1]:5"sv,
                          "[]:5"sv,
                          "[::1]:65536"sv,
                          "[[::1]]:5"sv,
                          "[fe80::1%]:5"sv,
                          "[fe80::1%eth0]:5"sv,
                          "[fe80::1%-1]:5"sv,
                          "[fe80::1%4294967296]:5"sv,
                          "[fe80::1%1%2]:5"sv,
                          "fe80::1%2:5"sv,
                          "example.com:5"sv}) {
    EXPECT_EQ(Endpoint::parse(text), std::nullopt) << text;
  }
}

TEST(Cidr, ReadsPrefix) {
  EXPECT_EQ(cidr("10.0.0.0/8"), Cidr(ip("10.0.0.0"), 8));
  EXPECT_EQ(cidr("2001:db8::/32"), Cidr(ip("2001:db8::"), 32));
}

TEST(Cidr, AddressAloneMeansItsFullLength) {
  EXPECT_EQ(cidr("10.1.2.3").length(), 32u);
  EXPECT_EQ(cidr("2001:db8::1").length(), 128u);
}

TEST(Cidr, P91_DefaultRoutesAreOrdinaryPrefixes) {
  EXPECT_EQ(cidr("0.0.0.0/0").length(), 0u);
  EXPECT_EQ(cidr("::/0").length(), 0u);
  EXPECT_NE(cidr("0.0.0.0/0"), cidr("::/0"));
}

TEST(Cidr, P90_HostBitsAreMaskedOff) {
  EXPECT_EQ(cidr("10.255.255.255/9"), cidr("10.128.0.0/9"));
  EXPECT_EQ(cidr("255.255.255.255/0"), cidr("0.0.0.0/0"));
  EXPECT_EQ(cidr("2001:db8::ffff/127").address(), ip("2001:db8::fffe"));
}

TEST(Cidr, P90_EveryLengthMasksExactlyItsHostBits) {
  const IpAddress all_ones = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  for (unsigned length = 0; length <= 128; ++length) {
    const Cidr masked(all_ones, length);
    const Bytes bytes = masked.address().bytes();
    for (unsigned bit = 0; bit < 128; ++bit) {
      EXPECT_EQ(bytes[bit / 8] >> (7 - bit % 8) & 1, bit < length) << length << " " << bit;
    }
  }
}

TEST(Cidr, TextSurvivesTheRoundTrip) {
  for (const auto text : {"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "::/0", "2001:db8::1/128"}) {
    EXPECT_EQ(cidr(text).to_string(), text);
  }
  EXPECT_EQ(Cidr().to_string(), "");
}

TEST(Cidr, TextThatIsNoPrefixIsRefused) {
  for (const auto text : {""sv,
                          "/"sv,
                          "/8"sv,
                          "10.0.0.0/"sv,
                          "10.0.0.0/33"sv,
                          "::/129"sv,
                          "10.0.0.0/-1"sv,
                          "10.0.0.0/+8"sv,
                          "10.0.0.0/ 8"sv,
                          "10.0.0.0/8 "sv,
                          " 10.0.0.0/8"sv,
                          "10.0.0.0 /8"sv,
                          "10.0.0.0/8x"sv,
                          "10.0.0.0/x8"sv,
                          "10.0.0.0/0x8"sv,
                          "10.0.0.0/8/8"sv,
                          "10.0.0.0//8"sv,
                          "10.0.0.0/255.0.0.0"sv,
                          "10.0.0.0/4294967304"sv,
                          "10/8"sv,
                          "-10.0.0.0/8"sv,
                          "[::]/0"sv,
                          "10.0.0.0/8\0"sv}) {
    EXPECT_EQ(Cidr::parse(text), std::nullopt) << text;
  }
}

TEST(Cidr, ContainsWhatSharesItsPrefix) {
  EXPECT_TRUE(cidr("10.128.0.0/9").contains(ip("10.255.0.1")));
  EXPECT_FALSE(cidr("10.128.0.0/9").contains(ip("10.127.255.255")));
  EXPECT_TRUE(cidr("2001:db8::/33").contains(ip("2001:db8::1")));
  EXPECT_FALSE(cidr("2001:db8::/33").contains(ip("2001:db8:8000::1")));
}

TEST(Cidr, ContainsNothingOfAnotherFamily) {
  EXPECT_FALSE(cidr("0.0.0.0/0").contains(ip("::1")));
  EXPECT_FALSE(cidr("::/0").contains(ip("1.2.3.4")));
  EXPECT_FALSE(Cidr().contains(IpAddress()));
}

}  // namespace
}  // namespace ferrule
