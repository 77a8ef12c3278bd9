// The examples for whoever embeds libferrule do what they say.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace ferrule {
namespace {

struct Ended {
  int status;
  std::string output;
};

Ended run(const std::string& command) {
  std::FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {-1, "popen failed"};
  std::string output;
  std::array<char, 256> some;
  while (std::fgets(some.data(), some.size(), pipe) != nullptr) output += some.data();
  return {pclose(pipe), output};
}

TEST(Embed, TheExampleInCppCarriesAPacket) {
  const Ended ended = run(FERRULE_BUILT "/two_tunnels");
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_NE(ended.output.find("100 bytes arrived"), ended.output.npos) << ended.output;
}

TEST(Embed, TheExampleInCCarriesAPacket) {
  const Ended ended = run(FERRULE_BUILT "/two_tunnels_c");
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_NE(ended.output.find("100 bytes arrived"), ended.output.npos) << ended.output;
}

TEST(Embed, TheExampleInPythonSimulatesAnHour) {
  if (run("python3 --version").status != 0) GTEST_SKIP() << "no python3";
  const Ended ended = run("python3 " FERRULE_BINDINGS
                          "/python/lossy_world.py --library " FERRULE_BUILT "/libferrule.so.1");
  EXPECT_EQ(ended.status, 0) << ended.output;
}

}  // namespace
}  // namespace ferrule
