#include "service/state_keeper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "crypto/random.h"
#include "crypto/x25519.h"
#include "io/linux/kept_file.h"
#include "protocol/noise.h"

namespace ferrule::service {
namespace {

namespace fs = std::filesystem;

class LinesLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel level) const noexcept override {
    return level == LogLevel::error;
  }
  void write(LogLevel, std::string_view line) noexcept override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

// A machine with a folder, on which daemons come and go.
class StateKeeperTest : public ::testing::Test {
 protected:
  StateKeeperTest() {
    std::string name = (fs::temp_directory_path() / "state-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder / "wg0.state";
  }
  ~StateKeeperTest() override {
    // A writer that was left behind may still make its file.
    std::error_code error;
    for (int i = 0; i < 1000 && fs::exists(folder); ++i) fs::remove_all(folder, error);
  }

  // One daemon's life: a device with a key and a peer that it has sent an initiation.
  struct Life {
    explicit Life(StateKeeperTest& test, const PrivateKey& key)
        : now(test.now),
          keeper(test.open_file(), test.log, test.now),
          device(rng, crypto::best_aead_backend(), exclusion, test.log) {
      keeper.fill(device);
      keeper.start([] {});
      protocol::DeviceChange change;
      change.private_key = PrivateKey(key.clone());
      protocol::PeerChange& peer = change.peers.emplace_back();
      peer.public_key = crypto::public_key_of(*crypto::generate_private_key(rng));
      peer.endpoint = *Endpoint::parse("192.0.2.1:1");
      peer.persistent_keepalive_s = 25;
      EXPECT_TRUE(device.prepare(change).has_value());
      protocol::Outbox outbox;
      device.apply(now, std::move(change), outbox);
      device.up();
      protocol::Budget budget = protocol::Budget::unlimited();
      (void)device.catch_up(now, budget);
      protocol::Budget more = protocol::Budget::unlimited();
      (void)device.fire_timers(now, more, outbox);
    }
    Now now;
    crypto::SystemRng rng;
    protocol::NoExclusion exclusion;
    StateKeeper keeper;
    protocol::Device device;
  };

  [[nodiscard]] Result<std::unique_ptr<io::KeptFile>> open_file() const {
    return io::LinuxKeptFile::open(path.string());
  }
  [[nodiscard]] std::vector<std::uint8_t> bytes() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::optional<control::State> state() const {
    auto read = control::read_state(bytes());
    return read ? std::optional(std::move(*read)) : std::nullopt;
  }
  void put(std::string_view text) const { std::ofstream(path, std::ios::binary) << text; }

  fs::path folder, path;
  LinesLog log;
  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  crypto::SystemRng rng;
  PrivateKey key = *crypto::generate_private_key(rng);
};

TEST_F(StateKeeperTest, AFileIsForItsOwnerAlone) {
  Life life(*this, key);
  life.keeper.finish(now, life.device);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(path.string() + ".new"));
  ASSERT_TRUE(state());
  EXPECT_EQ(state()->memory.peers.size(), 1u);
}

TEST_F(StateKeeperTest, P29_AFileReservesStampsAheadOfItself) {
  Life life(*this, key);
  for (int i = 0; i < 10'000 && !state(); ++i) {
    life.keeper.work(now, life.device);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto written = state();
  ASSERT_TRUE(written);
  EXPECT_EQ(written->memory.reserved,
            protocol::timestamp_after(protocol::make_timestamp(now.wall), kStampsAhead_s));
}

TEST_F(StateKeeperTest, P29_AStartReservesBeforeItSendsAnything) {
  {
    Life life(*this, key);
    life.keeper.finish(now, life.device);
  }
  const auto before = state()->memory.reserved;
  now.wall.seconds -= 1000;
  const StateKeeper keeper(open_file(), log, now);
  EXPECT_EQ(state()->memory.reserved, protocol::timestamp_after(*before, kStampsAhead_s));
  EXPECT_EQ(state()->memory.peers.size(), 1u);
}

TEST_F(StateKeeperTest, NoMoreThanOneFileInFiveSeconds) {
  Life life(*this, key);
  std::size_t written = 0;
  std::optional<control::State> last;
  for (int tenth = 0; tenth < 200; ++tenth) {
    life.now.boot = life.now.boot + 100ms;
    life.now.wall.seconds = 1'700'000'000 + tenth;
    protocol::Outbox outbox;
    protocol::DeviceChange change;  // a change with each turn
    change.private_key = *crypto::generate_private_key(rng);
    ASSERT_TRUE(life.device.prepare(change).has_value());
    life.device.apply(life.now, std::move(change), outbox);
    protocol::Budget budget = protocol::Budget::unlimited();
    (void)life.device.fire_timers(life.now, budget, outbox);
    for (int i = 0; i < 3; ++i) {
      life.keeper.work(life.now, life.device);
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
    const auto now_there = state();
    if (now_there && (!last || last->written_s != now_there->written_s)) ++written;
    last = now_there;
  }
  EXPECT_GE(written, 2u);
  EXPECT_LE(written, 5u);
}

TEST_F(StateKeeperTest, WhatIsWrongIsNamedAndStopsNothing) {
  for (const char* text : {"", "x",
                           "FERRULE\n and then something else that is long enough to be read as "
                           "a header, and as a trailer behind it, so that a version is missed "}) {
    put(text);
    log.lines.clear();
    Life life(*this, key);
    ASSERT_EQ(log.lines.size(), 1u) << text;
    EXPECT_EQ(log.lines[0].find("the state file " + path.string() + " is ignored: "), 0u);
    life.keeper.finish(now, life.device);
    EXPECT_TRUE(state());
  }
}

TEST_F(StateKeeperTest, AnotherKeysFileIsNamedAndReplaced) {
  {
    Life life(*this, key);
    life.keeper.finish(now, life.device);
  }
  Life life(*this, *crypto::generate_private_key(rng));
  life.keeper.work(now, life.device);
  ASSERT_FALSE(log.lines.empty());
  EXPECT_NE(log.lines[0].find("it is of another private key"), std::string::npos);
}

TEST_F(StateKeeperTest, WhatIsNoFileIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Life life(*this, key);
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_NE(log.lines[0].find("is no file"), std::string::npos);
}

TEST_F(StateKeeperTest, WithoutAFolderItGoesOn) {
  path = folder / "a" / "b" / "wg0.state";
  Life life(*this, key);
  ASSERT_EQ(log.lines.size(), 1u);
  life.keeper.work(now, life.device);
  life.keeper.finish(now, life.device);
  EXPECT_EQ(log.lines.size(), 1u);
}

TEST_F(StateKeeperTest, ALongGoneSessionIsNotRevived) {
  control::State old;
  old.written_s = now.wall.seconds - 200;
  protocol::PeerMemory peer;
  peer.had_session = true;
  peer.seen_s = old.written_s;
  std::vector<std::uint8_t> file;
  const control::StateHeader header = control::state_header(old);
  const control::StateRecord record = control::state_record(peer);
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), record.begin(), record.end());
  const crypto::Hash hash = crypto::hash({file});
  file.insert(file.end(), hash.begin(), hash.end());
  put({reinterpret_cast<const char*>(file.data()), file.size()});
  const StateKeeper keeper(open_file(), log, now);
  ASSERT_TRUE(state());
  ASSERT_EQ(state()->memory.peers.size(), 1u);
  EXPECT_FALSE(state()->memory.peers[0].had_session);
}

}  // namespace
}  // namespace ferrule::service
