#include "cli/top/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrule::cli {
namespace {

using testing::ElementsAre;

TEST(TopPlot, AFullBarIsTheScale) {
  EXPECT_THAT(plot({0, 1, 4, 8}, 4, 1, 8, true), ElementsAre(" ▁▄█"));
  EXPECT_THAT(plot({0, 1, 4, 8}, 4, 1, 8, false), ElementsAre(" .=@"));
  EXPECT_THAT(plot({0, 1, 4, 8}, 4, 1, 16, true), ElementsAre(" ▁▂▄"));
}

TEST(TopPlot, TheLeastIsSeen) {
  EXPECT_THAT(plot({0.001}, 1, 1, 1000, true), ElementsAre("▁"));
  EXPECT_THAT(plot({0.001}, 1, 2, 1000, true), ElementsAre(" ", "▁"));
}

TEST(TopPlot, TheNewestIsAtTheRight) {
  EXPECT_THAT(plot({9, 9, 0, 1}, 2, 1, 1, true), ElementsAre(" █"));
  EXPECT_THAT(plot({1}, 3, 1, 1, true), ElementsAre("  █"));
  EXPECT_THAT(plot({}, 4, 1, 1, true), ElementsAre("    "));
}

TEST(TopPlot, LinesStandOnEachOther) {
  EXPECT_THAT(plot({2, 8, 12, 16}, 4, 2, 16, true), ElementsAre("  ▄█", "▂███"));
}

TEST(TopPlot, AScaleIsARoundNumber) {
  EXPECT_EQ(scale_text(plot_scale(0), true), "0–1 kbit/s");
  EXPECT_EQ(scale_text(plot_scale(125'000), true), "0–1 Mbit/s");
  EXPECT_EQ(scale_text(plot_scale(125'001), true), "0–2 Mbit/s");
  EXPECT_EQ(scale_text(plot_scale(300'000), true), "0–5 Mbit/s");
  EXPECT_EQ(scale_text(plot_scale(700'000), false), "0-10 Mbit/s");
  EXPECT_EQ(scale_text(plot_scale(12.5e9), true), "0–100 Gbit/s");
}

TEST(TopPlot, RatesAreInBits) {
  EXPECT_EQ(rate_text(1), "8 ");
  EXPECT_EQ(rate_text(125'000), "1.0 M");
}

}  // namespace
}  // namespace ferrule::cli
