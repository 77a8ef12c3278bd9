// Whole screens of `ferrule top`, as they are kept in tests/screens. After a change that is meant,
// FERRULE_WRITE_SCREENS=1 writes them anew: look at the difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

#include "cli/top/view.h"

namespace ferrule::cli {
namespace {

constexpr std::int64_t kNow = 1'796'126'405;
constexpr TopScreen kSmall{24, 80, true};
constexpr TopScreen kMiddle{40, 120, true};
constexpr TopScreen kLarge{60, 200, true};

struct Known {
  std::string_view name;  // "": it has none
  std::string_view endpoint;
  std::int64_t age_s;  // < 0: never seen
  double rx;           // bytes a second, about which it swells and falls
  double tx;
  std::uint64_t lost_of_1000;
};

constexpr std::array<Known, 9> kPeers{{
    {"alice-laptop", "192.0.2.10:51820", 5, 1.2e6, 5.4e6, 0},
    {"bob-phone", "198.51.100.77:40112", 61, 1.5e5, 8.8e5, 12},
    {"Кабинет бухгалтерии", "203.0.113.5:51820", 119, 3.3e6, 4.0e5, 0},
    {"東京オフィス・三階会議室", "[2001:db8:1111:2222:3333:4444:5555:6666]:51820", 17, 4.0e5, 6.0e4,
     150},
    {"nas in the cellar, behind the boiler and the old router", "192.0.2.11:1", 150, 20, 3, 0},
    {"", "192.0.2.12:51820", 3700, 0, 0, 0},
    {"", "", -1, 0, 0, 0},
    {"carol-tablet", "", -1, 0, 0, 0},
    {"zoë", "[fe80::1]:51820", 400'000, 0, 0, 0},
}};

PublicKey key_of(std::size_t number) {
  PublicKey key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    key.bytes[i] = static_cast<std::uint8_t>(number * 37 + i * 11 + 3);
  }
  return key;
}

// A machine with two interfaces, watched for 60 s.
class TopScreens : public testing::Test {
 protected:
  TopScreens() {
    setenv("TZ", "UTC-2", 1);
    tzset();
    snapshot_.devices.emplace_back().name = "wg0";
    snapshot_.devices.emplace_back().name = "office";
    snapshot_.absent.push_back({"wg7", ENODEV});
    monitor::DeviceSnapshot& device = snapshot_.devices[0];
    device.status.listen_port = 51820;
    monitor::PeerNames names;
    for (std::size_t i = 0; i < kPeers.size(); ++i) {
      device.status.peers.push_back(peer_of(i));
      if (!kPeers[i].name.empty()) names[key_of(i)] = kPeers[i].name;
    }
    device.names = std::make_shared<const monitor::PeerNames>(std::move(names));
    for (int look = 0; look < 60; ++look) watch(look);
    settle(state_, snapshot_, history_);
  }
  ~TopScreens() override {
    unsetenv("TZ");
    tzset();
  }

  static protocol::PeerStatus peer_of(std::size_t number) {
    const Known& known = kPeers[number];
    protocol::PeerStatus peer;
    peer.public_key = key_of(number);
    if (!known.endpoint.empty()) peer.endpoint = *Endpoint::parse(known.endpoint);
    if (known.age_s >= 0) peer.last_handshake.seconds = kNow - known.age_s;
    peer.persistent_keepalive_s = number == 1 ? 25 : 0;
    const std::string inside = "10.10.0." + std::to_string(number + 2);
    peer.allowed_ips = {Cidr(*IpAddress::parse(inside), 32)};
    peer.messages.emplace();
    return peer;
  }

  void watch(int look) {
    for (std::size_t i = 0; i < kPeers.size(); ++i) {
      protocol::PeerStatus& peer = snapshot_.devices[0].status.peers[i];
      const double swell = 1 + 0.6 * std::sin(look / 4.0 + static_cast<double>(i));
      peer.rx_bytes += static_cast<std::uint64_t>(kPeers[i].rx * swell);
      peer.tx_bytes += static_cast<std::uint64_t>(kPeers[i].tx * swell);
      if (kPeers[i].rx <= 0) continue;
      peer.messages->expected += 1000;
      peer.messages->received += 1000 - kPeers[i].lost_of_1000;
    }
    const auto looks = static_cast<std::uint64_t>(look);
    snapshot_.devices[0].stats = {{"drop_bad_mac1", 7},
                                  {"drop_no_route", 3 * looks},
                                  {"lane_0_cpu_ns", 420'000'000 * looks},
                                  {"lane_1_cpu_ns", 80'000'000 * looks}};
    snapshot_.now = {Instant::from_ns((look + 1) * 1'000'000'000LL), WallTime{kNow, 0}};
    history_.add(snapshot_);
  }

  void type(std::string_view keys) {
    for (const char key : keys) press(state_, key, snapshot_, history_);
  }

  std::string drawn(const TopScreen& screen) const {
    std::string text;
    for (const Line& line : draw_top({state_, snapshot_, history_, screen})) {
      for (const Span& span : line) text += span.text;
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
    }
    return text;
  }

  void expect(std::string_view name, const TopScreen& screen) const {
    const std::string text = drawn(screen);
    const std::string path = FERRULE_SCREENS + ("/top-" + std::string(name)) + ".txt";
    if (std::getenv("FERRULE_WRITE_SCREENS") != nullptr) std::ofstream(path) << text;
    std::ostringstream kept;
    kept << std::ifstream(path).rdbuf();
    EXPECT_EQ(text, kept.str()) << path;
  }

  monitor::Snapshot snapshot_;
  monitor::History history_;
  TopState state_;
};

TEST_F(TopScreens, List) {
  expect("list-80x24", kSmall);
  expect("list-120x40", kMiddle);
  expect("list-200x60", kLarge);
}

TEST_F(TopScreens, ListWithoutUnicode) {
  expect("list-ascii-80x24", {kSmall.rows, kSmall.columns, false});
}

TEST_F(TopScreens, ListSortedByWhatIsNotSeen) {
  type("ssr");
  expect("list-by-total-80x24", kSmall);
  expect("list-by-total-120x40", kMiddle);
}

TEST_F(TopScreens, ListFilteredByName) {
  type("/lap\n");
  expect("list-filtered-80x24", kSmall);
}

TEST_F(TopScreens, OnePeer) {
  type("\n");
  expect("peer-80x24", kSmall);
  expect("peer-120x40", kMiddle);
  expect("peer-200x60", kLarge);
}

TEST_F(TopScreens, Help) {
  type("h");
  expect("help-80x24", kSmall);
}

}  // namespace
}  // namespace ferrule::cli
