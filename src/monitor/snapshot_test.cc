#include "monitor/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "base/key_text.h"

namespace ferrule::monitor {
namespace {

using testing::ElementsAre;

const PublicKey kAlice{{1}};
const PublicKey kBob{{2}};

// wg1 and wg0, each with keys and Alice as its peer; only wg0 tells what it counts.
class TwoDevices final : public client::DeviceClient {
 public:
  Result<std::vector<std::string>> list() override {
    return std::vector<std::string>{"wg1", "wg0"};
  }
  Result<control::DeviceStatus> get(const std::string& name) override {
    if (name != "wg0" && name != "wg1") return std::unexpected(system_error(ENODEV, name));
    control::DeviceStatus status;
    status.private_key = *secret_from_hex(std::string(64, '7'));
    protocol::PeerStatus& peer = status.peers.emplace_back();
    peer.public_key = kAlice;
    peer.preshared_key = *secret_from_hex(std::string(64, '7'));
    return status;
  }
  Result<void> set(const std::string&, const protocol::DeviceChange&) override { return {}; }
  Result<control::DeviceStats> stats(const std::string& name) override {
    if (name != "wg0") return std::unexpected(system_error(EPROTO, name));
    return control::DeviceStats{{{"drop_bad_mac1", 3}}, {{kAlice, {90, 100}}, {kBob, {1, 1}}}};
  }
};

class TakeSnapshot : public testing::Test {
 protected:
  Snapshot take(const std::vector<std::string>& names = {}) {
    return take_snapshot(client_, names, book_, {});
  }
  std::vector<std::string> names(const std::vector<std::string>& asked) {
    std::vector<std::string> names;
    for (const DeviceSnapshot& device : take(asked).devices) names.push_back(device.name);
    return names;
  }

  TwoDevices client_;
  NameBook book_;
};

TEST_F(TakeSnapshot, DevicesComeByName) { EXPECT_THAT(names({}), ElementsAre("wg0", "wg1")); }

TEST_F(TakeSnapshot, WhatDoesNotAnswerIsAbsent) {
  EXPECT_THAT(names({"wg7", "wg1"}), ElementsAre("wg1"));
  const Snapshot snapshot = take({"wg7", "wg1"});
  ASSERT_EQ(snapshot.absent.size(), 1u);
  EXPECT_EQ(snapshot.absent[0].name, "wg7");
  EXPECT_EQ(snapshot.absent[0].code, ENODEV);
}

TEST_F(TakeSnapshot, ANameThatStandsTwiceIsOneDevice) {
  EXPECT_THAT(names({"wg1", "wg0", "wg1"}), ElementsAre("wg0", "wg1"));
}

TEST_F(TakeSnapshot, SecretsAreLetGo) {
  for (const DeviceSnapshot& device : take().devices) {
    EXPECT_FALSE(device.status.private_key);
    EXPECT_TRUE(device.status.peers.at(0).preshared_key.is_zero());
  }
}

TEST_F(TakeSnapshot, CountsGoToTheirPeers) {
  const Snapshot snapshot = take();
  EXPECT_EQ(snapshot.devices[0].stat("drop_bad_mac1"), 3u);
  EXPECT_EQ(snapshot.devices[0].status.peers.at(0).messages, (protocol::MessageCounts{90, 100}));
  EXPECT_EQ(snapshot.devices[1].stat("drop_bad_mac1"), 0u);
  EXPECT_FALSE(snapshot.devices[1].status.peers.at(0).messages);
}

}  // namespace
}  // namespace ferrule::monitor
