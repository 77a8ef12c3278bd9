// Addresses as text, held against the GNU C library's, by which `wg` reads and writes them. Others differ in
// details.
#include "base/ip_text.h"

#include <gtest/gtest.h>

#ifdef __GLIBC__
#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace ferrule {
namespace {

using V4 = std::array<std::uint8_t, 4>;
using V6 = std::array<std::uint8_t, 16>;

template <class Address>
std::string library_text(const Address& bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

// What both make of a text without zero bytes.
void compare(const std::string& text) {
  V4 v4{};
  V4 library_v4{};
  const bool is_v4 = ::inet_pton(AF_INET, text.c_str(), library_v4.data()) == 1;
  ASSERT_EQ(parse_ipv4(text, v4), is_v4) << text;
  if (is_v4) {
    ASSERT_EQ(v4, library_v4) << text;
  }
  V6 v6{};
  V6 library_v6{};
  const bool is_v6 = ::inet_pton(AF_INET6, text.c_str(), library_v6.data()) == 1;
  ASSERT_EQ(parse_ipv6(text, v6), is_v6) << text;
  if (is_v6) {
    ASSERT_EQ(v6, library_v6) << text;
  }
}

class IpText : public ::testing::Test {
 protected:
  std::size_t below(std::size_t bound) { return dice() % bound; }
  // With runs of zeros, and often holding an IPv4 address.
  V6 some_v6() {
    V6 bytes{};
    for (std::size_t i = 0; i < 16; i += 2) {
      if (below(3) == 0) bytes[i] = static_cast<std::uint8_t>(dice() & (below(2) ? 0xff : 0));
      if (below(2) == 0) bytes[i + 1] = static_cast<std::uint8_t>(dice());
    }
    if (below(4) == 0) std::fill_n(bytes.begin(), 10 + 2 * below(3), std::uint8_t{0});
    if (below(4) == 0) bytes[10] = bytes[11] = 0xff;
    return bytes;
  }
  std::mt19937 dice{1};
};

TEST_F(IpText, P75a_IsPrintedAsByTheLibraryAndReadBack) {
  for (int i = 0; i < 200'000; ++i) {
    const V6 bytes = some_v6();
    const std::string text = ipv6_text(bytes);
    ASSERT_EQ(text, library_text(bytes));
    V6 read{};
    ASSERT_TRUE(parse_ipv6(text, read)) << text;
    ASSERT_EQ(read, bytes) << text;
    const V4 v4{bytes[0], bytes[3], bytes[5], bytes[15]};
    ASSERT_EQ(ipv4_text(v4), library_text(v4));
  }
}

TEST_F(IpText, P75a_WhatIsAlmostAnAddressIsReadAsByTheLibrary) {
  constexpr std::string_view kLetters = "0123456789abcdefABCDEF:::...0001ffffg%/ +-x";
  for (int i = 0; i < 300'000; ++i) {
    std::string text = below(3) == 0
                           ? library_text(V4{1, 22, 133, static_cast<std::uint8_t>(dice())})
                           : library_text(some_v6());
    for (std::size_t changes = below(4); changes > 0; --changes) {
      const std::size_t at = below(text.size() + 1);
      const char letter = kLetters[below(kLetters.size())];
      switch (below(3)) {
        case 0:
          text.insert(at, 1, letter);
          break;
        case 1:
          if (at < text.size()) text[at] = letter;
          break;
        default:
          if (at < text.size()) text.erase(at, 1 + below(3));
      }
    }
    compare(text);
    if (HasFatalFailure()) return;
  }
}

TEST_F(IpText, P75a_AnythingIsReadAsByTheLibrary) {
  constexpr std::string_view kLetters = "0123:::...fF9";
  for (int i = 0; i < 300'000; ++i) {
    std::string text(below(20), ' ');
    for (char& letter : text) letter = kLetters[below(kLetters.size())];
    compare(text);
    if (HasFatalFailure()) return;
  }
}

TEST_F(IpText, P75a_EdgesAreReadAsByTheLibrary) {
  for (const char* text : {"",
                           ":",
                           "::",
                           ":::",
                           "1::",
                           "::1",
                           ":1",
                           "1:",
                           "1:2:3:4:5:6:7:8",
                           "1:2:3:4:5:6:7::",
                           "::2:3:4:5:6:7:8",
                           "1::2:3:4:5:6:7:8",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7",
                           "12345::",
                           "::00001",
                           "::1.2.3.4",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:1.2.3.4",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::ffff:1.2.3.256",
                           "1::2::3",
                           "::1.2.3",
                           "0.0.0.0",
                           "00.0.0.0",
                           "1.2.3.04",
                           "256.1.1.1",
                           "1.2.3.4.",
                           ".1.2.3.4",
                           "1..3.4",
                           "1.2.3",
                           "-1.2.3.4",
                           "+1.2.3.4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "0x1.2.3.4",
                           "::0x1",
                           "::-1",
                           "fe80::1%1",
                           "1.2.3.0004"}) {
    compare(text);
  }
}

}  // namespace
}  // namespace ferrule
#endif
