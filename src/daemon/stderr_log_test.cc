#include "daemon/stderr_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "io/linux/fd.h"

namespace ferrule::daemon {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

// A log into a pipe, which is read when a test says so.
class StderrLogTest : public testing::Test {
 protected:
  StderrLogTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    open();
  }
  void open(milliseconds repeats_told_after = milliseconds(60'000)) {
    log.emplace(LogLevel::verbose, "wg0",
                StderrLog::Options{.fd = write_end.get(),
                                   .repeats_told_after = repeats_told_after,
                                   .last_words = milliseconds(200)});
  }
  void write(std::string_view line) { log->write(LogLevel::error, line); }

  // The lines that are in the pipe, without what all begin with.
  std::vector<std::string> read() {
    std::array<char, 65536> room;
    for (ssize_t got = 0; (got = ::read(read_end.get(), room.data(), room.size())) > 0;) {
      text.append(room.data(), static_cast<std::size_t>(got));
    }
    std::vector<std::string> lines;
    for (std::size_t end = 0; (end = text.find('\n')) != text.npos; text.erase(0, end + 1)) {
      const std::string line = text.substr(0, end);
      EXPECT_TRUE(line.starts_with("ferruled: wg0: ")) << line;
      lines.push_back(line.substr(15));
    }
    return lines;
  }
  // All that comes until the log ends; it is read on the way, so that it need not wait.
  std::vector<std::string> read_to_the_end() {
    std::vector<std::string> lines;
    for (int tries = 0; tries < 50; ++tries) {
      log->flush();
      for (std::string& line : read()) lines.push_back(std::move(line));
    }
    log.reset();
    for (std::string& line : read()) lines.push_back(std::move(line));
    return lines;
  }
  void fill_pipe() {
    const int flags = ::fcntl(write_end.get(), F_GETFL);
    ::fcntl(write_end.get(), F_SETFL, flags | O_NONBLOCK);
    const std::string line = "ferruled: wg0: " + std::string(4080, 'x') + "\n";
    while (::write(write_end.get(), line.data(), line.size()) > 0) {
    }
    ::fcntl(write_end.get(), F_SETFL, flags);
  }

  io::UniqueFd read_end;
  io::UniqueFd write_end;
  std::string text;
  std::optional<StderrLog> log;
};

TEST_F(StderrLogTest, LinesAreWrittenInOrder) {
  log->start();
  for (const char* line : {"one", "two", "three"}) write(line);
  log->flush();
  EXPECT_THAT(read(), ElementsAre("one", "two", "three"));
}

TEST_F(StderrLogTest, UntilItMayStartLinesAreKept) {
  write("early");
  ::usleep(20'000);
  EXPECT_THAT(read(), IsEmpty());
  log->start();
  write("late");
  log->flush();
  EXPECT_THAT(read(), ElementsAre("early", "late"));
}

TEST_F(StderrLogTest, WhatIsLeftIsWrittenAtTheEnd) {
  write("one");
  write("one");
  log->write_always("why");
  log.reset();
  EXPECT_THAT(read(), ElementsAre("one", "repeated: the line before, times: 1", "why"));
}

TEST_F(StderrLogTest, OnlyLinesOfItsLevelAreWritten) {
  log.emplace(LogLevel::silent, "wg0", StderrLog::Options{.fd = write_end.get()});
  write("an error");
  log->write_always("why there is no daemon");
  log.reset();
  EXPECT_THAT(read(), ElementsAre("why there is no daemon"));
}

TEST_F(StderrLogTest, ALineThatIsTooLongIsCut) {
  write(std::string(2 * StderrLog::kMaxLineBytes, 'x'));
  log->flush();
  EXPECT_THAT(read(), ElementsAre(std::string(StderrLog::kMaxLineBytes, 'x')));
}

TEST_F(StderrLogTest, AReaderThatStallsKeepsNobodyWaiting) {
  constexpr int kLines = 5000;
  log->start();
  fill_pipe();
  for (int i = 0; i < kLines; ++i) write(fmt::format("line {}: {}", i, std::string(80, '.')));
  std::vector<std::string> lines = read_to_the_end();
  std::erase_if(lines, [](const std::string& line) { return line.starts_with('x'); });
  ASSERT_GT(lines.size(), 100u);
  ASSERT_LT(lines.size(), std::size_t{kLines});
  // When the log's thread gets its turn is the system's choice: lines may be missing in several places.
  constexpr std::string_view kDropped = "dropped, since nobody was reading the log, lines: ";
  int next = 0;
  for (const std::string& line : lines) {
    if (line.starts_with(kDropped)) {
      next += std::stoi(line.substr(kDropped.size()));
    } else {
      ASSERT_TRUE(line.starts_with(fmt::format("line {}: ", next))) << line;
      ++next;
    }
  }
  EXPECT_EQ(next, kLines) << "each line is there or counted where it is missing";
}

TEST_F(StderrLogTest, AfterAStallLinesAreWrittenAgain) {
  log->start();
  fill_pipe();
  for (int i = 0; i < 5000; ++i) write(fmt::format("line {}", i) + std::string(80, '.'));
  std::size_t before = 0;
  for (int tries = 0; tries < 50; ++tries, log->flush()) before += read().size();
  EXPECT_GT(before, 100u);
  write("afterwards");
  log->flush();
  EXPECT_THAT(read(), ElementsAre("afterwards"));
}

TEST_F(StderrLogTest, AnEndWaitsForAReaderThatStallsABoundedTime) {
  log->start();
  fill_pipe();
  write("not now");
  const auto before = std::chrono::steady_clock::now();
  log.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  while (!read().empty()) ::usleep(20'000);  // the thread goes on meanwhile, and ends
}

TEST_F(StderrLogTest, ADescriptorThatSomebodyMadeNonBlockingLosesNothing) {
  ::fcntl(write_end.get(), F_SETFL, O_NONBLOCK);
  log->start();
  fill_pipe();
  ::fcntl(write_end.get(), F_SETFL, O_NONBLOCK);
  write("one");
  ::usleep(50'000);
  const std::vector<std::string> lines = read_to_the_end();
  EXPECT_EQ(lines.back(), "one");
}

TEST_F(StderrLogTest, ALineThatRepeatsIsToldOnceWithACount) {
  log->start();
  for (int i = 0; i < 1000; ++i) write("again");
  write("another");
  write("again");
  log->flush();
  EXPECT_THAT(read(),
              ElementsAre("again", "repeated: the line before, times: 999", "another", "again"));
}

TEST_F(StderrLogTest, WhatRepeatsIsToldAfterAWhile) {
  open(milliseconds(50));
  log->start();
  for (int i = 0; i < 10; ++i) write("again");
  ::usleep(500'000);
  EXPECT_THAT(read(), ElementsAre("again", "repeated: the line before, times: 9"));
}

TEST_F(StderrLogTest, WhatRepeatsWhileTheReaderStallsTakesNoRoom) {
  log->start();
  fill_pipe();
  for (int i = 0; i < 100'000; ++i) write("again");
  write("last");
  std::vector<std::string> lines = read_to_the_end();
  std::erase_if(lines, [](const std::string& line) { return line.starts_with('x'); });
  EXPECT_THAT(lines, ElementsAre("again", "repeated: the line before, times: 99999", "last"));
}

}  // namespace
}  // namespace ferrule::daemon
