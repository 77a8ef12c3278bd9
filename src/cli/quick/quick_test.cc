// What the commands for whole interfaces print and ask of devices, as far as nothing else changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kHex = "0101010101010101010101010101010101010101010101010101010101010101";
constexpr const char* kBase64 = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

class QuickCommand : public testing::Test {
 protected:
  QuickCommand() {
    std::string path = testing::TempDir() + "quickXXXXXX";
    folder_ = mkdtemp(path.data());
  }
  ~QuickCommand() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text, const std::string& name = "wg0.conf") {
    const std::string path = folder_ + '/' + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), 0600);
    return path;
  }
  // A device whose one peer shook hands so long ago, and a file that calls it localhost.
  Answer resolve(std::int64_t silence_s, const std::string& endpoint) {
    devices_.answers["wg0"] = std::string("public_key=") + kHex + "\nendpoint=" + endpoint +
                              "\nlast_handshake_time_sec=" + std::to_string(kTestNow - silence_s) +
                              '\n';
    const std::string path =
        write(std::string("[Peer]\nPublicKey = ") + kBase64 + "\nEndpoint = localhost:51820\n");
    return ask(devices_, {"resolve", path});
  }

  TestDevices devices_;
  std::string folder_;
};

TEST_F(QuickCommand, StripLeavesWhatWgKnows) {
  const std::string path =
      write("[Interface]\n Address = 10.0.0.1\nListenPort = 5 # five\nPostUp=x\n\n[Peer]\nMTU = 1");
  EXPECT_EQ(ask({"strip", path}).out, "[Interface]\nListenPort = 5 # five\n\n[Peer]\nMTU = 1\n\n");
}

TEST_F(QuickCommand, StripTakesStandardInput) {
  const Answer answer = ask({"strip", "-"}, "[Interface]\nAddress = 10.0.0.1\nListenPort = 5\n");
  EXPECT_EQ(answer.out, "[Interface]\nListenPort = 5\n\n");
  EXPECT_EQ(answer.status, 0);
}

TEST_F(QuickCommand, StandardInputNamesNoInterface) {
  const Answer answer = ask({"undo", "-"}, "[Interface]\n");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("standard input has no name"));
}

TEST_F(QuickCommand, AFileMustBeNamedAfterItsInterface) {
  for (const char* name : {"wg0.txt", "no good.conf", ".conf", "0123456789abcdef.conf"}) {
    const Answer answer = ask({"strip", write("", name)});
    EXPECT_EQ(answer.status, 1) << name;
    EXPECT_THAT(answer.err, HasSubstr("must be a valid interface name")) << name;
  }
}

TEST_F(QuickCommand, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(ask({"strip", "nosuch9"}).err,
              HasSubstr("`/etc/wireguard/nosuch9.conf' does not exist"));
}

TEST_F(QuickCommand, ResolveGivesSilentPeersTheAddressOfTheirName) {
  EXPECT_EQ(resolve(200, "192.0.2.1:51820").status, 0);
  ASSERT_EQ(devices_.set_requests.size(), 1u);
  EXPECT_THAT(devices_.set_requests[0], HasSubstr("update_only=true\nendpoint="));
}

TEST_F(QuickCommand, ResolveLeavesPeersThatAnswer) {
  EXPECT_EQ(resolve(100, "192.0.2.1:51820").status, 0);
  EXPECT_THAT(devices_.set_requests, IsEmpty());
}

TEST_F(QuickCommand, ResolveLeavesPeersThatAreWhereTheirNameSays) {
  EXPECT_EQ(resolve(200, "127.0.0.1:51820").status, 0);
  EXPECT_THAT(devices_.set_requests, IsEmpty());
}

TEST_F(QuickCommand, ResolveSaysWhenThereIsNoDevice) {
  EXPECT_EQ(ask(devices_, {"resolve", write("[Interface]\n")}).status, 1);
}

}  // namespace
}  // namespace ferrule::cli
