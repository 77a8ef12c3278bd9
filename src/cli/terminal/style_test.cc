#include "cli/terminal/style.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace ferrule::cli {
namespace {

const Style kPlain(false);
const Style kColored(true);

TEST(Style, PlainTextHasNoCodes) {
  EXPECT_EQ(kPlain.reset() + kPlain.bold(Color::green, "interface"), "interface");
}

TEST(Style, ColorsEndWithTheirText) {
  EXPECT_EQ(kColored.colored(Color::cyan, "/"), "\x1b[36m/\x1b[0m");
  EXPECT_EQ(kColored.bold(Color::green, "interface"), "\x1b[32m\x1b[1minterface\x1b[0m");
}

TEST(Style, DurationsNameTheirUnits) {
  EXPECT_EQ(kPlain.duration(1), "1 second");
  EXPECT_EQ(kPlain.duration(59), "59 seconds");
  EXPECT_EQ(kPlain.duration(60), "1 minute");
  EXPECT_EQ(kPlain.duration(3601), "1 hour, 1 second");
  EXPECT_EQ(kPlain.duration(2 * 31536000 + 2 * 86400 + 2 * 3600 + 2 * 60 + 2),
            "2 years, 2 days, 2 hours, 2 minutes, 2 seconds");
}

TEST(Style, AgoTellsWhenTheClockWasSetBack) {
  EXPECT_EQ(kPlain.ago(100, 100), "Now");
  EXPECT_EQ(kPlain.ago(100, 160), "1 minute ago");
  EXPECT_EQ(kPlain.ago(101, 100), "(System clock wound backward; connection problems may ensue.)");
}

TEST(Style, SizesKeepTheirUnitUntilTheNextIsFull) {
  EXPECT_EQ(kPlain.size(1023), "1023 B");
  EXPECT_EQ(kPlain.size(1024), "1.00 KiB");
  EXPECT_EQ(kPlain.size((1 << 20) - 1), "1024.00 KiB");
  EXPECT_EQ(kPlain.size(1 << 20), "1.00 MiB");
  EXPECT_EQ(kPlain.size(std::uint64_t{3} << 29), "1.50 GiB");
  EXPECT_EQ(kPlain.size(std::uint64_t{1} << 50), "1024.00 TiB");
}

class WantsColor : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("WG_COLOR_MODE");
    unsetenv("NO_COLOR");
    terminal_ = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal_ < 0) GTEST_SKIP() << "no terminal to be had";
  }
  void TearDown() override {
    SetEnvironment("", "");
    close(terminal_);
  }
  void SetEnvironment(const char* mode, const char* no_color) {
    *mode != '\0' ? setenv("WG_COLOR_MODE", mode, 1) : unsetenv("WG_COLOR_MODE");
    *no_color != '\0' ? setenv("NO_COLOR", no_color, 1) : unsetenv("NO_COLOR");
  }
  int terminal_ = -1;
};

TEST_F(WantsColor, OnATerminal) {
  EXPECT_TRUE(wants_color(terminal_));
  EXPECT_FALSE(wants_color(-1));
}

TEST_F(WantsColor, NotWhenNoColorIsSet) {
  SetEnvironment("", "1");
  EXPECT_FALSE(wants_color(terminal_));
}

TEST_F(WantsColor, AsWgColorModeSays) {
  SetEnvironment("never", "");
  EXPECT_FALSE(wants_color(terminal_));
  SetEnvironment("always", "1");
  EXPECT_TRUE(wants_color(-1));
}

}  // namespace
}  // namespace ferrule::cli
