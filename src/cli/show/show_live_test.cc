#include "cli/show/show_live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string frame(std::string_view text, std::size_t rows) {
  return std::string(frame_of(text, rows).view());
}

TEST(ShowLive, AnIntervalIsASecondUnlessSaidOtherwise) {
  EXPECT_EQ(watch_interval("--watch"), 1s);
  EXPECT_EQ(watch_interval("--watch=5"), 5s);
  EXPECT_EQ(watch_interval("--watch=0.1"), 100ms);
  EXPECT_EQ(watch_interval("--watch=3600"), 1h);
}

TEST(ShowLive, WhatIsNoIntervalIsNone) {
  for (const char* word : {"--watch=", "--watch=0", "--watch=0.09", "--watch=3601", "--watch=-1",
                           "--watch=1s", "--watch=nan", "--watch=inf", "--watched", "--wat"}) {
    EXPECT_FALSE(watch_interval(word)) << word;
  }
}

TEST(ShowLive, AFrameLeavesNothingOfTheOneBefore) {
  EXPECT_EQ(frame("a\nb\n", 24), "\x1b[Ha\x1b[K\r\nb\x1b[K\r\n\x1b[J");
  EXPECT_EQ(frame("", 24), "\x1b[H\x1b[J");
}

TEST(ShowLive, WhatFindsNoRoomIsCounted) {
  EXPECT_EQ(frame("a\nb\n", 3), frame("a\nb\n", 24));
  EXPECT_EQ(frame("a\nb\nc\n", 3), "\x1b[Ha\x1b[K\r\nb\x1b[K\r\n\x1b[J(1 more line)");
  EXPECT_EQ(frame("a\nb\n", 1), "\x1b[H\x1b[J(2 more lines)");
}

TEST(ShowLive, NeedsATerminal) {
  TestDevices devices;
  devices.answers["wg0"] = "listen_port=1\n";
  const Answer answer = ask(devices, {"show", "wg0", "--watch"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.err, HasSubstr("--watch needs a terminal"));
}

TEST(ShowLive, ANonsenseIntervalIsRefused) {
  const Answer answer = ask({"show", "--watch=soon"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, StartsWith("Invalid parameter: `--watch=soon'\n"));
}

}  // namespace
}  // namespace ferrule::cli
