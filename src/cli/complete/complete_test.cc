#include "cli/complete/complete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Not;

// The words offered, without their meanings. No interface has a file here, unless this machine's has.
std::vector<std::string> complete(std::vector<std::string> words, TestDevices devices = {}) {
  words.insert(words.begin(), {"complete", "--"});
  std::istringstream lines(ask(devices, words).out);
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);)
    found.push_back(line.substr(0, line.find('\t')));
  return found;
}

TEST(Complete, CommandsComeFirst) {
  EXPECT_THAT(complete({""}), IsSupersetOf({"up", "down", "peer", "show", "genkey", "help"}));
  EXPECT_THAT(complete({"gen"}), ElementsAre("genkey", "genpsk"));
  EXPECT_THAT(complete({"help", "sho"}), ElementsAre("show", "showconf"));
  EXPECT_THAT(complete({"peer", "re"}), ElementsAre("rekey", "remove", "rename"));
}

TEST(Complete, OptionsAreThoseOfTheCommand) {
  EXPECT_THAT(complete({"watch", "--j"}), ElementsAre("--json"));
  EXPECT_THAT(complete({"peer", "add", "wg0", "--p"}), ElementsAre("--psk", "--png"));
  EXPECT_THAT(complete({"show", "--"}), ElementsAre("--json", "--watch"));
}

TEST(Complete, ValuesAreOfTheirKind) {
  EXPECT_THAT(complete({"peer", "add", "wg0", "a", "--expires", "3"}), ElementsAre("30d"));
  EXPECT_THAT(complete({"peer", "add", "wg0", "a", "--png", ""}), ElementsAre("@files"));
  EXPECT_THAT(complete({"export", "wg0", "--to", ""}),
              ElementsAre("conf", "networkmanager", "networkd"));
}

TEST(Complete, InterfacesThatAreUpAreKnown) {
  TestDevices devices;
  devices.answers["test-a"] = "";
  EXPECT_THAT(complete({"show", "test"}, devices), ElementsAre("test-a"));
  EXPECT_THAT(complete({"show", "a"}, devices), ElementsAre("all"));
  EXPECT_THAT(complete({"show", "test-a", "lis"}, devices), ElementsAre("listen-port"));
  EXPECT_THAT(complete({"status", "test-b", "test"}, devices), ElementsAre("test-a"));
  EXPECT_THAT(complete({"up", ""}, devices), Contains("@files"));
}

TEST(Complete, PeersAreKnownByTheirNames) {
  const ConfFolder folder("wg0");
  folder.write(
      "[Peer]\n# Name = alice\nPublicKey = ERERERERERERERERERERERERERERERERERERERERERE=\n"
      "[Peer]\n# Name = al b\nPublicKey = IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=\n");
  EXPECT_THAT(complete({"peer", "remove", folder.conf_path(), ""}), ElementsAre("alice", "al b"));
  EXPECT_THAT(complete({"peer", "rename", folder.conf_path(), "ali"}), ElementsAre("alice"));
  EXPECT_THAT(complete({"doctor", folder.conf_path(), "al"}), ElementsAre("alice", "al b"));
  EXPECT_THAT(complete({"peer", "add", folder.conf_path(), ""}), Not(Contains("alice")));
  EXPECT_THAT(complete({"peer", "remove", folder.conf_path(), "ERE"}),
              ElementsAre("ERERERERERERERERERERERERERERERERERERERERERE="));
}

TEST(Complete, WordsOfSetFollowItsInterface) {
  EXPECT_THAT(complete({"set", "wg0", "listen"}), ElementsAre("listen-port"));
  EXPECT_THAT(complete({"set", "wg0", "private-key", ""}), ElementsAre("@files"));
}

TEST(Complete, WhatIsNoCommandOffersNothing) {
  EXPECT_THAT(complete({"nosuch", ""}), ElementsAre());
  EXPECT_EQ(ask({"complete", "--", "nosuch", ""}).err, "");
}

}  // namespace
}  // namespace ferrule::cli
