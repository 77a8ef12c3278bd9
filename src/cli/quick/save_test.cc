// What `save` writes, of the interface that every machine has.
#include "cli/quick/save.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "cli/terminal/console_testing.h"
#include "files/conf_file.h"

namespace ferrule::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kKey1 = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kKey2 = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
const std::string kKey3 = "MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM=";
const std::string kDevice = "listen_port=7\npublic_key=" + std::string(64, '1') +
                            "\npublic_key=" + std::string(64, '2') + "\n";

class Save : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root may save";
    devices_.answers["lo"] = kDevice;
  }

  [[nodiscard]] std::string path() const { return folder_.conf_path(); }
  void write(const std::string& text) const { folder_.write(text); }
  [[nodiscard]] std::string file() const { return folder_.conf(); }
  Answer save() { return ask(devices_, {"save", path()}); }
  // The file after saving `text`, which saving again leaves as it is.
  std::string saved(const std::string& text) {
    write(text);
    Answer answer = save();
    EXPECT_EQ(answer.status, 0) << answer.err;
    std::string once = file();
    EXPECT_EQ(save().status, 0);
    EXPECT_EQ(file(), once) << "saved twice it is something else";
    return once;
  }

  ConfFolder folder_{"lo"};
  TestDevices devices_;
};

TEST_F(Save, NotesBehindTheLastKeyOfTheInterfaceStayItsNotes) {
  const std::string text = saved(
      "[Interface]\nListenPort = 7\n# Endpoint = vpn.example:7\n# ClientDNS = 10.0.0.1\n\n"
      "# Implementation = kernel\n\n[Peer]\nPublicKey = " +
      kKey1 + "\n");
  EXPECT_THAT(text, StartsWith("[Interface]\n# Endpoint = vpn.example:7\n# ClientDNS = 10.0.0.1\n"
                               "# Implementation = kernel\nAddress = "));
}

TEST_F(Save, CommentsStayWithWhatTheyAreAbout) {
  const std::string text = saved(
      "# Our office\n\n[Interface] # door\n#PostUp = true\nListenPort = 7 # lucky\n# end\n\n"
      "# the boss\n[Peer] # 1\nPublicKey = " +
      kKey1 + " # red\n#Endpoint = a:1\n\n# alone\n\n# Name = above\n[Peer]\nPublicKey = " + kKey2 +
      "\n\n# the last word\n");
  EXPECT_THAT(text, StartsWith("# Our office\n\n[Interface] # door\n#PostUp = true\n"
                               "# ListenPort: lucky\n# end\nAddress = "));
  EXPECT_THAT(text, HasSubstr("\nListenPort = 7\n\n# the boss\n[Peer] # 1\n# PublicKey: red\n"
                              "#Endpoint = a:1\nPublicKey = " +
                              kKey1 + "\n\n# alone\n\n# Name = above\n[Peer]\nPublicKey = " +
                              kKey2 + "\n\n# the last word\n"));
}

TEST_F(Save, NamesDatesAndPeersThatAreOffStayAsTheyAre) {
  const std::string off = "#~ [Peer]\n#~ # Name = carol\n#~ PublicKey = " + kKey3 + "\n";
  const std::string text =
      saved("[Interface]\n\n[Peer]\n# Name = alice\nPublicKey = " + kKey1 +
            "\n# Expires = 2999-01-01\n\n" + off + "\n[Peer]\nPublicKey = " + kKey2 + "\n");
  EXPECT_THAT(text, EndsWith("\n\n[Peer]\n# Name = alice\n# Expires = 2999-01-01\nPublicKey = " +
                             kKey1 + "\n\n" + off + "\n[Peer]\nPublicKey = " + kKey2 + "\n"));
}

TEST_F(Save, APeerThatIsOffWithinAnotherSectionIsWrittenOnce) {
  const std::string off = "#~ [Peer]\n#~ PublicKey = " + kKey3 + "\n";
  for (const std::string& before :
       {std::string("[Interface]\n"), "[Peer]\nPublicKey = " + kKey1 + "\n"}) {
    const std::string after = before.starts_with("[I") ? "ListenPort = 7\n" : "AllowedIPs = ::/0\n";
    const std::string text = saved(before + off + after);
    EXPECT_EQ(text.find(off), text.rfind(off)) << text;
    EXPECT_NE(text.find(off), text.npos) << text;
  }
}

TEST_F(Save, APeerThatIsOffButBackInTheDeviceIsOnWithItsName) {
  const std::string text =
      saved("[Interface]\n#~ [Peer]\n#~ # Name = alice\n#~ PublicKey = " + kKey1 + "\n");
  EXPECT_THAT(text, AllOf(HasSubstr("\n[Peer]\n# Name = alice\nPublicKey = " + kKey1 + "\n"),
                          Not(HasSubstr("#~"))));
}

TEST_F(Save, APeerThatHasExpiredStays) {
  const std::string old =
      "[Peer]\n# Expires = 2001-01-01\nPublicKey = " + kKey3 + "\nPresharedKey = " + kKey2 + "\n";
  EXPECT_THAT(saved("[Interface]\n\n" + old), HasSubstr("\n" + old));
}

TEST_F(Save, APeerThatTheDeviceNoLongerHasGoesAndCommentsAroundItStay) {
  const std::string text = saved("[Interface]\n\n[Peer]\n# Name = carol\nPublicKey = " + kKey3 +
                                 "\n\n# alone\n\n[Peer]\nPublicKey = " + kKey1 + "\n");
  EXPECT_THAT(text, AllOf(Not(HasSubstr("carol")), Not(HasSubstr(kKey3)),
                          HasSubstr("\n\n# alone\n\n[Peer]\nPublicKey = " + kKey1)));
}

TEST_F(Save, SectionsThatStandTwiceLoseNoComment) {
  const std::string text =
      saved("[Interface]\n# a\nListenPort = 7\n\n[Peer]\n# b\nPublicKey = " + kKey1 +
            "\n\n[Interface]\n# c\nTable = off\n\n[Peer]\n# d\nPublicKey = " + kKey1 + "\n");
  EXPECT_THAT(text, AllOf(StartsWith("[Interface]\n# a\n# c\n"),
                          HasSubstr("[Peer]\n# b\n# d\nPublicKey = " + kKey1)));
}

TEST_F(Save, CommentsBehindRepeatedHeadersAreNoNotesAndNoPeers) {
  const std::string text =
      saved("[Interface]\n[Interface] #~ [Peer]\n[Peer]\n# Name = bob\nPublicKey = " + kKey1 +
            "\n[Peer] # Expires = soon\nPublicKey = " + kKey1 + "\n");
  EXPECT_THAT(text, AllOf(StartsWith("[Interface]\n# Interface: ~ [Peer]\n"),
                          HasSubstr("[Peer]\n# Name = bob\n# Peer: Expires = soon\nPublicKey = ")));
}

TEST_F(Save, LineEndsOfOtherSystemsAndForeignBytesAreNoMatter) {
  const std::string text = saved(
      "[Interface]\r\n# caf\xe9\r\nListenPort = 7\r\n\r\n[peer]\r\n# Name = bob\r\npublickey=" +
      kKey1);
  EXPECT_THAT(text, AllOf(StartsWith("[Interface]\n# caf\xe9\nAddress"),
                          HasSubstr("\n\n[Peer]\n# Name = bob\nPublicKey = " + kKey1 + "\n")));
}

TEST_F(Save, AFileThatCannotBeReadIsNamedAndStays) {
  for (const char* text : {"[Interface]\n\nAdress = 10.0.0.1/24\n", "[Interface]\n\n#~ [Peer]\n",
                           "\n\n\xef\xbb\xbf[Interface]\n"}) {
    write(text);
    const Answer answer = save();
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("lo.conf:3:")) << text;
    EXPECT_EQ(file(), text);
  }
}

TEST_F(Save, WhenTheDiskIsFullTheFileStays) {
  const std::string text = "[Interface]\n# " + std::string(100'000, 'x') + "\n";
  write(text);
  const FileSizeLimit limit(50'000);
  const Answer answer = save();
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("File too large"));
  EXPECT_EQ(file(), text);
  EXPECT_EQ(folder_.file_count(), 1);
}

TEST_F(Save, ALinkIsFollowedAndTheFileIsForItsOwnerAlone) {
  const auto elsewhere = folder_.path() / "elsewhere";
  std::filesystem::create_directory(elsewhere);
  std::ofstream(elsewhere / "real") << "[Interface]\n# here\n";
  ASSERT_EQ(chown((elsewhere / "real").c_str(), 12, 34), 0);
  std::filesystem::create_symlink("elsewhere/real", path());
  ASSERT_EQ(save().status, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  struct stat status;
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  EXPECT_EQ(status.st_uid, 12u);
  EXPECT_THAT(file(), StartsWith("[Interface]\n# here\nAddress"));
}

// Another change of the file under way: `save` waits for it, and reads the file then.
TEST_F(Save, WhatChangesMeanwhileIsNotLost) {
  write("[Interface]\n");
  Answer answer;
  std::thread saving;
  {
    const auto lock = files::lock_folder_of(path());
    ASSERT_TRUE(lock);
    saving = std::thread([&] { answer = save(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    write("[Interface]\n# Endpoint = late:1\n");
  }
  saving.join();
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(file(), StartsWith("[Interface]\n# Endpoint = late:1\nAddress = "));
}

}  // namespace
}  // namespace ferrule::cli
