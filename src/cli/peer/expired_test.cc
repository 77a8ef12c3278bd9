#include "cli/peer/expired.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/console_testing.h"

namespace ferrule::cli {
namespace {

const std::string kPeer1 = "[Peer]\n# Name = bob\nPublicKey = " + std::string(42, 'A') + "E=\n";
const std::string kPeer2 = "[Peer]\nPublicKey = " + std::string(42, 'B') + "A=\n";

// How many peers are left of a file's on 2023-11-14, and what is said.
std::size_t left_of(const std::string& text, std::string& said) {
  const MemoryFile err;
  Console console;
  console.err = Output(err.fd());
  console.now_s = kTestNow;
  const control::ConfDocument document("wg0.conf", text);
  auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  EXPECT_TRUE(configuration);
  leave_out_expired(console, document, *configuration);
  console.err.flush();
  said = err.content();
  return configuration->peers.size();
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

TEST(Expired, ACommentThatIsNoDateIsSpokenOf) {
  std::string said;
  EXPECT_EQ(left_of(kPeer1 + "# Expires = never\n" + kPeer2, said), 2u);
  EXPECT_TRUE(said.starts_with("Warning: wg0.conf:4:13: Expires: expected a date")) << said;
}

}  // namespace
}  // namespace ferrule::cli
