#include "monitor/peer_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace ferrule::monitor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// The key of 32 bytes of 0x11.
const std::string kKeyText = "ERERERERERERERERERERERERERERERERERERERERERE=";

class NameBookTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "ferrule-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    key_.bytes.fill(0x11);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "wg0.conf"; }
  void write(const std::string& name) {
    std::ofstream(path()) << "[Interface]\n[Peer]\n# Name = " << name
                          << "\nPublicKey = " << kKeyText << "\n";
  }

  std::filesystem::path folder_;
  PublicKey key_;
  NameBook book_;
};

TEST_F(NameBookTest, NamesComeFromTheFile) {
  write("alice");
  EXPECT_THAT(*book_.of(path()), ElementsAre(Pair(key_, "alice")));
}

TEST_F(NameBookTest, AMistakeInOnePeerCostsNoOtherItsName) {
  write("alice");
  std::ofstream(path(), std::ios::app) << "[Peer]\n# Name = bob\n# Expires = never\nPublicKey = "
                                       << "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=\n";
  EXPECT_THAT(*book_.of(path()), ElementsAre(Pair(key_, "alice")));
}

TEST_F(NameBookTest, AFileThatChangesIsReadAgain) {
  write("alice");
  (void)book_.of(path());
  write("a longer name");
  EXPECT_THAT(*book_.of(path()), ElementsAre(Pair(key_, "a longer name")));
}

// Two changes may happen within one tick of the file system's clock.
TEST_F(NameBookTest, AFileOfAnotherSizeIsReadAgain) {
  write("alice");
  (void)book_.of(path());
  const auto changed = std::filesystem::last_write_time(path());
  write("a longer name");
  std::filesystem::last_write_time(path(), changed);
  EXPECT_THAT(*book_.of(path()), ElementsAre(Pair(key_, "a longer name")));
}

TEST_F(NameBookTest, AFileOfTheSameSizeIsReadAgainWhenItIsNewer) {
  write("alice");
  (void)book_.of(path());
  const auto changed = std::filesystem::last_write_time(path());
  write("carol");
  std::filesystem::last_write_time(path(), changed + std::chrono::seconds(1));
  EXPECT_THAT(*book_.of(path()), ElementsAre(Pair(key_, "carol")));
}

TEST_F(NameBookTest, NoFileIsNoNames) {
  EXPECT_THAT(*book_.of(path()), IsEmpty());
  EXPECT_THAT(*book_.of("not an interface's name"), IsEmpty());
}

TEST_F(NameBookTest, AFileWithMistakesIsNoNames) {
  std::ofstream(path()) << "[Interface]\nNonsense\n";
  EXPECT_THAT(*book_.of(path()), IsEmpty());
}

}  // namespace
}  // namespace ferrule::monitor
