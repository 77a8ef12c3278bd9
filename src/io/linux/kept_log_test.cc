#include "io/linux/kept_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace ferrule::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

class KeptLogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ferrule_log_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/wg0.log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  KeptLog open(const char* system_log = "/nowhere") {
    auto log = KeptLog::open(path_, "wg0", system_log);
    EXPECT_TRUE(log);
    return std::move(*log);
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (const KeptLine& line : read_kept_log(path_)) all.push_back(line.text);
    return all;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(KeptLogTest, LinesAreReadAsTheyWereTold) {
  KeptLog log = open();
  log.write("one");
  log.write("two");
  EXPECT_THAT(texts(), ElementsAre("one", "two"));
  EXPECT_THAT(read_kept_log(path_).front().time, MatchesRegex("20..-..-..T..:..:..\\.......Z"));
}

TEST_F(KeptLogTest, WithoutFilesThereIsNone) {
  EXPECT_THAT(read_kept_log(path_), IsEmpty());
  EXPECT_FALSE(KeptLog::open(folder_ + "/no/folder", "wg0"));
}

TEST_F(KeptLogTest, NobodyElseCanReadIt) {
  open().write("one");
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(KeptLogTest, ItGoesOnWhereItWas) {
  open().write("one");
  open().write("two");
  EXPECT_THAT(texts(), ElementsAre("one", "two"));
}

TEST_F(KeptLogTest, ItIsBoundedAndTheLastLinesAreThere) {
  KeptLog log = open();
  const std::string line(1000, 'x');
  for (int i = 0; i < 2000; ++i) log.write(std::to_string(i) + line);
  struct stat status;
  for (const std::string& path : {path_, path_ + ".old"}) {
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_LE(static_cast<std::size_t>(status.st_size), KeptLog::kMaxBytes);
  }
  const auto all = texts();
  ASSERT_GT(all.size(), 200u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i], std::to_string(2000 - all.size() + i) + line);
  }
  KeptLog next = open();
  next.write("next");
  EXPECT_EQ(texts().back(), "next");
}

TEST_F(KeptLogTest, ALineThatIsTooLongIsCut) {
  KeptLog log = open();
  log.write(std::string(10'000, 'x'));
  log.write("next");
  ASSERT_EQ(texts().size(), 2u);
  EXPECT_LT(texts().front().size(), KeptLog::kMaxLineBytes);
}

// A system's log that takes two datagrams and no more until it is read.
class SystemLog {
 public:
  explicit SystemLog(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  std::vector<std::string> read() {
    std::vector<std::string> all;
    std::array<char, 8192> room;
    while (true) {
      const ssize_t got = recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT);
      if (got < 0) return all;
      all.emplace_back(room.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  UniqueFd fd_;
};

TEST_F(KeptLogTest, TheSystemsLogGetsLinesToo) {
  SystemLog system(folder_ + "/log");
  KeptLog log = open((folder_ + "/log").c_str());
  log.write("one");
  EXPECT_THAT(system.read(),
              ElementsAre("<30>ferruled[" + std::to_string(getpid()) + "]: wg0: one"));
}

TEST_F(KeptLogTest, ASystemsLogThatStallsIsNotWaitedFor) {
  SystemLog system(folder_ + "/log");
  KeptLog log = open((folder_ + "/log").c_str());
  for (int i = 0; i < 5000; ++i) log.write("x");  // some hundred wait in a socket at most
  const std::size_t taken = system.read().size();
  ASSERT_LT(taken, 5000u);
  log.write("next");
  EXPECT_THAT(system.read(), ElementsAre(HasSubstr("did not take: " + std::to_string(5000 - taken)),
                                         HasSubstr("wg0: next")));
}

}  // namespace
}  // namespace ferrule::io
