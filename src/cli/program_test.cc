#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/version.h"
#include "cli/terminal/console_testing.h"

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

TEST(Program, EveryCommandHasHelp) {
  for (const char* command :
       {"show",    "showconf", "set",    "setconf", "addconf", "syncconf", "genkey", "genpsk",
        "pubkey",  "up",       "down",   "save",    "strip",   "check",    "doctor", "init",
        "metrics", "peer",     "reload", "resolve", "top",     "watch"}) {
    const Answer answer = ask({command, "--help"});
    EXPECT_EQ(answer.status, 0) << command;
    EXPECT_THAT(answer.out, HasSubstr("Usage: ferrule " + std::string(command)));
    EXPECT_EQ(answer.err, "") << command;
  }
}

TEST(Program, AsWgHelpIsWgs) {
  EXPECT_EQ(ask({"genkey", "--help"}, "", "wg").status, 1);
  const Answer answer = ask({"show", "--help"}, "", "wg");
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.err, Not(HasSubstr("--watch")));
}

TEST(Program, AMisspeltOptionIsRecognised) {
  const Answer answer = ask({"watch", "--jsn"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err,
            "ferrule watch: there is no option --jsn; did you mean --json?\n"
            "Try `ferrule watch --help'.\n");
}

TEST(Program, AnUnknownOptionIsToldBeforeWhatIsMissing) {
  EXPECT_THAT(ask({"up", "--kernl"}).err, HasSubstr("no option --kernl; did you mean --kernel?"));
  EXPECT_THAT(ask({"doctor", "--bogus=1"}).err, HasSubstr("there is no option --bogus\n"));
  EXPECT_THAT(ask({"up"}).err, HasSubstr("FILE is required"));
}

TEST(Program, OptionsAndNamesOfSubcommandsAreRecognisedToo) {
  EXPECT_THAT(ask({"peer", "lst", "wg0"}).err, HasSubstr("no subcommand lst; did you mean list?"));
  EXPECT_THAT(ask({"peer", "add", "wg0", "a", "--allowed-ip", "::/0"}).err,
              HasSubstr("no option --allowed-ip; did you mean --allowed-ips?"));
  EXPECT_THAT(ask({"peer", "add"}).err, HasSubstr("IFACE is required"));
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
