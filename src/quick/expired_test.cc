#include "quick/expired.h"

#include <gtest/gtest.h>

#include <string>

#include "files/listener_testing.h"

namespace ferrule::quick {
namespace {

const std::string kPeer1 = "[Peer]\n# Name = bob\nPublicKey = " + std::string(42, 'A') + "E=\n";
const std::string kPeer2 = "[Peer]\nPublicKey = " + std::string(42, 'B') + "A=\n";

const control::Date kToday = *control::parse_date("2023-11-14");

constexpr std::size_t kRefused = 99;

// How many peers are left of a file's, and what is said.
std::size_t left_of(const std::string& text, std::string& said) {
  control::ConfDocument document("wg0.conf", text);
  auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  EXPECT_TRUE(configuration);
  QuickFile file{"wg0", "wg0.conf", "wg0.conf", std::move(document), std::move(*configuration)};
  files::TestListener listener;
  const auto done = leave_out_expired(file, kToday, listener);
  said.clear();
  for (const std::string& line : listener.heard()) said += line + '\n';
  if (done) return file.configuration.peers.size();
  for (const control::ConfError& error : done.error().errors) said += error.to_string();
  return kRefused;
}

TEST(Expired, WhoseDayHasComeIsLeftOut) {
  std::string said;
  EXPECT_EQ(left_of(kPeer1 + "# Expires = 2023-11-14\n" + kPeer2, said), 1u);
  EXPECT_EQ(said, "bob expired on 2023-11-14: left out\n");
}

TEST(Expired, WhoseDayIsToComeStays) {
  std::string said;
  EXPECT_EQ(left_of(kPeer1 + "# Expires = 2023-11-15\n" + kPeer2, said), 2u);
  EXPECT_EQ(said, "");
}

TEST(Expired, WhatIsNoDateIsRefusedWithItsPlace) {
  std::string said;
  EXPECT_EQ(left_of(kPeer1 + "# Expires = 2023-13-14\n" + kPeer2 + "#expires=\n", said), kRefused);
  EXPECT_TRUE(said.starts_with("wg0.conf:4:13: Expires: expected a date, like 2027-01-31\n"))
      << said;
  EXPECT_TRUE(said.find("wg0.conf:7:") != said.npos) << said;
}

TEST(Expired, TheDateOfADisabledPeerDoesNotMatter) {
  std::string said;
  const std::string disabled = "#~ [Peer]\n#~ # Expires = never\n#~ PublicKey = x\n";
  EXPECT_EQ(left_of(disabled + kPeer1 + "# Expires = 2023-11-14\n" + kPeer2, said), 1u);
  EXPECT_EQ(said, "bob expired on 2023-11-14: left out\n");
}

TEST(Expired, ADateThatIsNoPeersIsSpokenOfAndLetsAllIn) {
  std::string said;
  EXPECT_EQ(left_of(kPeer1 + "\n# Expires = 2023-11-14\n\n" + kPeer2, said), 2u);
  EXPECT_TRUE(said.starts_with("wg0.conf:5:1: Expires: this is no peer's date")) << said;
}

}  // namespace
}  // namespace ferrule::quick
