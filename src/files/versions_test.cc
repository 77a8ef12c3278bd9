#include "files/versions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::files {
namespace {

class VersionsTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/ferrule-versions-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    path_ = folder_ + "/wg0.conf";
    write("0");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) { std::ofstream(path_) << text; }
  void edit(const std::string& text) {
    auto staged = StagedFile::write(path_, control::WipedText(text));
    ASSERT_TRUE(staged && staged->commit_edit());
  }
  static std::string text_of(const std::string& path) {
    const auto text = read_file(path);
    return text ? std::string(text->view()) : "?";
  }

  std::string folder_;
  std::string path_;
};

TEST_F(VersionsTest, AnEditKeepsWhatWasThere) {
  edit("1");
  edit("2");
  const auto versions = versions_of(path_);
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(text_of(versions[0].path), "1");
  EXPECT_EQ(text_of(versions[1].path), "0");
  EXPECT_GT(versions[0].number, versions[1].number);
}

TEST_F(VersionsTest, OnlyTheLastOnesAreKept) {
  for (int i = 1; i <= 15; ++i) edit(std::to_string(i));
  const auto versions = versions_of(path_);
  ASSERT_EQ(versions.size(), kMaxVersions);
  EXPECT_EQ(text_of(versions.front().path), "14");
  EXPECT_EQ(text_of(versions.back().path), "5");
}

TEST_F(VersionsTest, NobodyElseCanReadThem) {
  edit("1");
  struct stat status;
  ASSERT_EQ(stat(versions_of(path_).front().path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  ASSERT_EQ(stat((folder_ + "/.undo").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0700u);
}

TEST_F(VersionsTest, InAFolderOfOthersNothingIsKept) {
  ASSERT_EQ(mkdir((folder_ + "/.undo").c_str(), 0700), 0);
  ASSERT_EQ(chmod((folder_ + "/.undo").c_str(), 0777), 0);
  edit("1");
  EXPECT_TRUE(versions_of(path_).empty());
  EXPECT_EQ(text_of(path_), "1");
}

TEST_F(VersionsTest, OfALinkThoseOfTheFile) {
  const std::string link = folder_ + "/link.conf";
  ASSERT_EQ(symlink(path_.c_str(), link.c_str()), 0);
  edit("1");
  EXPECT_EQ(versions_of(link).size(), 1u);
}

TEST_F(VersionsTest, FilesWithAlikeNamesHaveTheirOwn) {
  edit("1");
  std::ofstream(folder_ + "/.undo/wg0.conf.bak.1") << "x";
  std::ofstream(folder_ + "/.undo/wg0.conf.2x") << "x";
  EXPECT_EQ(versions_of(path_).size(), 1u);
  EXPECT_TRUE(versions_of(folder_ + "/wg1.conf").empty());
}

TEST_F(VersionsTest, OfALargeFileNoneAreKept) {
  write(std::string(kMaxVersionBytes + 1, '#'));
  edit("1");
  EXPECT_TRUE(versions_of(path_).empty());
}

TEST_F(VersionsTest, WhatWasUndoneIsKeptOnce) {
  const auto first = keep_undone(path_, control::WipedText("a"));
  const auto second = keep_undone(path_, control::WipedText("b"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(text_of(*second), "b");
  EXPECT_TRUE(versions_of(path_).empty());
}

}  // namespace
}  // namespace ferrule::files
