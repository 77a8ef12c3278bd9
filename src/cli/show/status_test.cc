#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;

// Names that no interface of this machine has.
TestDevices two() {
  TestDevices devices;
  devices.answers["test-a"] = "listen_port=7\npublic_key=" + std::string(64, '1') +
                              "\nlast_handshake_time_sec=1699999940\nrx_bytes=2048\ntx_bytes=1\n" +
                              "public_key=" + std::string(64, '2') + "\n";
  devices.answers["test-b"] = "";
  return devices;
}

TEST(Status, ATunnelIsALine) {
  TestDevices devices = two();
  const Answer answer = ask(devices, {"status", "test-a", "test-b"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out,
            "test-a  up       1 of 2 peers connected, 2.0 KiB received, 1 B sent\n"
            "test-b  up       0 of 0 peers connected\n");
}

TEST(Status, OneThatIsNamedAndNotUpIsStatus3) {
  TestDevices devices = two();
  const Answer answer = ask(devices, {"status", "test-a", "test-c"});
  EXPECT_EQ(answer.status, 3);
  EXPECT_THAT(answer.out, HasSubstr("\ntest-c  down   \n"));
  EXPECT_EQ(ask(devices, {"status", "test-a"}).status, 0);
  EXPECT_EQ(ask(devices, {"status"}).status, 0);
  EXPECT_EQ(ask({"status"}).status, 3);
}

TEST(Status, OneThatCannotBeAskedIsUnknown) {
  TestDevices devices = two();
  devices.get_errno = EACCES;
  const Answer answer = ask(devices, {"status", "test-a"});
  EXPECT_EQ(answer.status, 3);
  EXPECT_EQ(answer.out, "test-a  unknown  Permission denied\n");
}

TEST(Status, ForAPromptItIsShort) {
  TestDevices devices = two();
  EXPECT_EQ(ask(devices, {"status", "--short", "test-a", "test-b", "test-c"}).out,
            "test-a test-b? test-c!\n");
  EXPECT_EQ(ask({"status", "--short"}).out, "");
}

TEST(Status, AsJsonItHasAVersion) {
  TestDevices devices = two();
  const auto json =
      nlohmann::json::parse(ask(devices, {"status", "--json", "test-a", "test-c"}).out);
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["tunnels"][0]["state"], "up");
  EXPECT_EQ(json["tunnels"][0]["connected"], 1);
  EXPECT_EQ(json["tunnels"][0]["transferRx"], 2048);
  EXPECT_EQ(json["tunnels"][1]["state"], "down");
}

}  // namespace
}  // namespace ferrule::cli
