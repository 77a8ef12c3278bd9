#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/version.h"
#include "cli/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Program, SaysItsVersion) {
  for (const char* word : {"-v", "--version", "version"}) {
    const Answer answer = ask({word});
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.out, "ferrule " + std::string(kVersion) + "\n");
  }
}

TEST(Program, AsWgItSaysWhichWgItStandsFor) {
  const Answer answer = ask({"--version"}, "", "/usr/local/bin/wg");
  EXPECT_EQ(answer.out, "wireguard-tools v1.0.20210914 - ferrule " + std::string(kVersion) + "\n");
}

TEST(Program, HelpIsNoError) {
  for (const char* word : {"-h", "--help", "help"}) {
    const Answer answer = ask({word});
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.out, StartsWith("Usage: ferrule <cmd> [<args>]\n"));
    EXPECT_THAT(answer.out, HasSubstr("  genkey: Generates a new private key"));
    EXPECT_EQ(answer.err, "");
  }
}

TEST(Program, AnUnknownCommandIsAnErrorWithItsName) {
  const Answer answer = ask({"frobnicate"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.err, StartsWith("Invalid subcommand: `frobnicate'\nUsage: "));
}

TEST(Program, AMisspeltCommandIsRecognised) {
  EXPECT_THAT(ask({"genky"}).err, HasSubstr("Did you mean `genkey'?\n"));
}

}  // namespace
}  // namespace ferrule::cli
