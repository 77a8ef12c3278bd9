#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/terminal/console_testing.h"
#include "files/versions.h"

namespace ferrule::cli {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kConf =
    "[Interface]\n"
    "PrivateKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
    "Address = 10.0.0.1/24\nListenPort = 51820\n# Endpoint = vpn.example\n";

class Undo : public testing::Test {
 protected:
  Undo() : folder_("undo0") { folder_.write(kConf); }

  Answer peer(const std::string& verb, const std::string& name) {
    return ask(devices_, {"peer", verb, folder_.conf_path(), name});
  }
  Answer undo(const std::string& option = {}) {
    std::vector<std::string> words{"undo", folder_.conf_path()};
    if (!option.empty()) words.push_back(option);
    return ask(devices_, words);
  }

  ConfFolder folder_;
  TestDevices devices_;
};

TEST_F(Undo, EachOneTakesBackAnEdit) {
  ASSERT_EQ(peer("add", "alice").status, 0);
  const std::string with_alice = folder_.conf();
  ASSERT_EQ(peer("disable", "alice").status, 0);
  EXPECT_EQ(undo().status, 0);
  EXPECT_EQ(folder_.conf(), with_alice);
  EXPECT_EQ(undo().status, 0);
  EXPECT_EQ(folder_.conf(), kConf);
  const Answer last = undo();
  EXPECT_EQ(last.status, 1);
  EXPECT_THAT(last.err, HasSubstr("there is no edit to take back"));
}

TEST_F(Undo, WhatChangesIsToldWithoutKeys) {
  ASSERT_EQ(ask({"peer", "add", folder_.conf_path(), "alice", "--psk"}).status, 0);
  const Answer answer = undo();
  EXPECT_THAT(answer.out, HasSubstr("undo0.conf is as it was until 20"));
  EXPECT_THAT(answer.out, HasSubstr("  - # Name = alice\n  - PublicKey = "));
  EXPECT_THAT(answer.out, ContainsRegex("  - PresharedKey [* ]+\n"));
  EXPECT_THAT(answer.out, HasSubstr("0 earlier versions are left; what was undone is "));
}

TEST_F(Undo, WhatWasUndoneIsKept) {
  ASSERT_EQ(peer("add", "alice").status, 0);
  folder_.write(folder_.conf() + "# mine\n");
  const std::string before = folder_.conf();
  ASSERT_EQ(undo().status, 0);
  EXPECT_EQ(ask({"check", folder_.path() / ".undo/undo0.conf.undone", "--offline"}).status, 0);
  EXPECT_THAT(before, HasSubstr("# mine"));
}

TEST_F(Undo, EditsAreListed) {
  EXPECT_THAT(undo("--list").out, HasSubstr("there is no edit to take back"));
  ASSERT_EQ(peer("add", "alice").status, 0);
  ASSERT_EQ(peer("remove", "alice").status, 0);
  const std::string list = undo("--list").out;
  EXPECT_THAT(list, HasSubstr(" 1  20"));
  EXPECT_THAT(list, HasSubstr("0 lines added, 4 lines removed\n 2  "));
  EXPECT_THAT(list, HasSubstr("5 lines added, 0 lines removed\n"));
}

TEST_F(Undo, AFileThatIsNotThereIsNamed) {
  const Answer answer = ask({"undo", folder_.path() / "other.conf"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("other.conf"));
}

TEST_F(Undo, InitKeepsWhatItWritesOver) {
  ASSERT_EQ(ask({"init", folder_.conf_path(), "--server", "--force"}).status, 0);
  ASSERT_THAT(folder_.conf(), Not(HasSubstr("vpn.example")));
  ASSERT_EQ(undo().status, 0);
  EXPECT_EQ(folder_.conf(), kConf);
}

}  // namespace
}  // namespace ferrule::cli
