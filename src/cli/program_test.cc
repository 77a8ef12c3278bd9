#include "cli/program.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

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
    EXPECT_THAT(answer.out, HasSubstr("Usage: ferrule COMMAND [ARGUMENT...]\n"));
    EXPECT_THAT(answer.out, HasSubstr("\nTunnels\n  init "));
    EXPECT_THAT(answer.out, HasSubstr("\nPeers\n  peer "));
    EXPECT_EQ(answer.err, "");
  }
}

TEST(Program, AsWgTheOverviewIsWgs) {
  const Answer answer = ask({"help"}, "", "wg");
  EXPECT_THAT(answer.out,
              StartsWith("Usage: wg <cmd> [<args>]\n\nAvailable subcommands:\n  show: "));
  EXPECT_THAT(answer.out, HasSubstr("  genkey: Generates a new private key"));
  EXPECT_EQ(ask({"help", "set"}, "", "wg").status, 1);
}

std::vector<std::string> all_commands() {
  std::vector<std::string> names;
  std::istringstream lines(ask({"help"}).out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ") || line[2] == ' ') continue;
    names.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

// The pages of commands, and of what commands have below them.
std::vector<std::vector<std::string>> all_pages() {
  std::vector<std::vector<std::string>> pages{{}};
  for (const std::string& name : all_commands()) pages.push_back({name});
  std::istringstream lines(ask({"peer", "--help"}).out);
  bool is_list = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ")) is_list = line == "Commands";
    if (is_list && line.starts_with("  ") && line[2] != ' ') {
      pages.push_back({"peer", line.substr(2, line.find(' ', 2) - 2)});
    }
  }
  return pages;
}

TEST(Program, EveryCommandHasHelpAndExamples) {
  EXPECT_GE(all_commands().size(), 22u);
  EXPECT_GE(all_pages().size(), 30u);
  for (std::vector<std::string> words : all_pages()) {
    if (words.empty()) continue;
    const std::string name = fmt::format("ferrule {}", fmt::join(words, " "));
    std::vector<std::string> asked = words;
    asked.push_back("--help");
    const Answer answer = ask(asked);
    EXPECT_EQ(answer.status, 0) << name;
    EXPECT_THAT(answer.out, StartsWith("Usage: " + name));
    EXPECT_THAT(answer.out, HasSubstr("\nExamples\n  ")) << name;
    EXPECT_EQ(answer.err, "") << name;
    asked.back() = "-h";
    EXPECT_EQ(ask(asked).out, answer.out) << name;
    words.insert(words.begin(), "help");
    EXPECT_EQ(ask(words).out, answer.out) << name;
  }
}

TEST(Program, HelpFitsAndItsTypesAreWords) {
  for (std::vector<std::string> words : all_pages()) {
    words.push_back("--help");
    std::istringstream lines(ask(words).out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
    for (const char* type : {"TEXT", "FLOAT", "UINT", "INT:", "[FLOAT"}) {
      EXPECT_THAT(ask(words).out, Not(HasSubstr(type))) << words[0];
    }
  }
}

TEST(Program, MistakesInTheWordsAreStatus2) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"nosuch"},
                                             {"help", "nosuch"},
                                             {"up"},
                                             {"up", "a", "b"},
                                             {"peer"},
                                             {"peer", "lst"},
                                             {"top", "--interval", "0"},
                                             {"check"}}) {
    const Answer answer = ask(words);
    EXPECT_EQ(answer.status, 2) << fmt::format("{}", fmt::join(words, " "));
    EXPECT_EQ(answer.out, "");
  }
  // wg's own keep theirs, and so does wg-quick.
  EXPECT_EQ(ask({"set"}).status, 1);
  EXPECT_EQ(ask({"nosuch"}, "", "wg").status, 1);
  EXPECT_EQ(ask({"up"}, "", "wg-quick").status, 1);
}

TEST(Program, AsWgHelpIsWgs) {
  EXPECT_EQ(ask({"genkey", "--help"}, "", "wg").status, 1);
  const Answer answer = ask({"show", "--help"}, "", "wg");
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.err, Not(HasSubstr("--watch")));
}

TEST(Program, AMisspeltOptionIsRecognised) {
  const Answer answer = ask({"watch", "--jsn"});
  EXPECT_EQ(answer.status, 2);
  EXPECT_EQ(answer.err,
            "ferrule watch: `--jsn' is not an option; did you mean `--json'?\n"
            "Try `ferrule watch --help'.\n");
}

TEST(Program, AnUnknownOptionIsToldBeforeWhatIsMissing) {
  EXPECT_THAT(ask({"up", "--kernl"}).err,
              HasSubstr("`--kernl' is not an option; did you mean `--kernel'?"));
  EXPECT_THAT(ask({"doctor", "--bogus=1"}).err, HasSubstr("`--bogus' is not an option\n"));
  EXPECT_THAT(ask({"up"}).err, HasSubstr("FILE is required"));
}

TEST(Program, OptionsAndNamesOfSubcommandsAreRecognisedToo) {
  EXPECT_THAT(ask({"peer", "lst", "wg0"}).err,
              HasSubstr("`lst' is not a command; did you mean `list'?"));
  EXPECT_THAT(ask({"peer", "add", "wg0", "a", "--allowed-ip", "::/0"}).err,
              HasSubstr("`--allowed-ip' is not an option; did you mean `--allowed-ips'?"));
  EXPECT_THAT(ask({"peer", "add"}).err, HasSubstr("IFACE is required"));
}

TEST(Program, AnUnknownCommandIsAnErrorInTwoLines) {
  const Answer answer = ask({"frobnicate"});
  EXPECT_EQ(answer.out, "");
  EXPECT_EQ(answer.err, "ferrule: `frobnicate' is not a command\nTry `ferrule help'.\n");
}

TEST(Program, AMisspeltCommandIsRecognised) {
  EXPECT_EQ(ask({"genky"}).err,
            "ferrule: `genky' is not a command; did you mean `genkey'?\nTry `ferrule help'.\n");
  EXPECT_THAT(ask({"genky"}, "", "wg").err,
              StartsWith("Invalid subcommand: `genky'\nDid you mean `genkey'?\nUsage: "));
}

TEST(Program, WhatOthersCallACommandIsRecognised) {
  EXPECT_THAT(ask({"stop"}).err, HasSubstr("did you mean `down'?"));
  EXPECT_THAT(ask({"list"}).err, HasSubstr("did you mean `peer list'?"));
}

}  // namespace
}  // namespace ferrule::cli
