#include "protocol/source_key.h"

#include <gtest/gtest.h>

namespace ferrule::protocol {
namespace {

SourceKey source(std::string_view text) { return SourceKey::of(*IpAddress::parse(text)); }

TEST(SourceKey, P82_IsAnIpv4Address) {
  EXPECT_EQ(source("192.0.2.1"), source("192.0.2.1"));
  EXPECT_NE(source("192.0.2.1"), source("192.0.2.2"));
}

TEST(SourceKey, P82_IsAnIpv6NetOf64Bits) {
  EXPECT_EQ(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::2"));
  EXPECT_NE(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
}

TEST(SourceKey, P82_TellsTheFamiliesApart) { EXPECT_NE(source("0.0.0.0"), source("::")); }

// By libsodium's crypto_shorthash under the key 00 01 .. 0f.
TEST(SourceHash, IsSipHashOfPrefixAndFamily) {
  constexpr SourceHash kHash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  EXPECT_EQ(kHash(source("192.0.2.7")), 0x67817dba0313af68u);
  EXPECT_EQ(kHash(source("2001:db8:1:2:3:4:5:6")), 0x35f70e4dd8be6bb0u);
}

}  // namespace
}  // namespace ferrule::protocol
