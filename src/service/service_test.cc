// A running device on a machine that exists in memory only.
#include "service/service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crypto/random.h"
#include "engine/polled_testing.h"
#include "io/clock.h"
#include "io/memory/memory_network_view.h"

namespace ferrule::service {
namespace {

using engine::testing::kPort;
using engine::testing::PolledTun;
using engine::testing::PolledUdp;

class LinesLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return true; }
  void write(LogLevel, std::string_view line) noexcept override {
    lines.emplace_back(line);
    if (line == "the interface is down") went_down = true;
  }
  std::vector<std::string> lines;  // the control thread's
  std::atomic<bool> went_down = false;
};

class NobodyConnects final : public io::Listener {
 public:
  explicit NobodyConnects(io::MemoryEvents& events) : connecting_(events), place_(events) {}
  std::unique_ptr<io::Stream> accept() override { return nullptr; }
  io::Waitable waitable() const noexcept override { return connecting_.waitable(); }
  io::Waitable place_waitable() const noexcept override { return place_.waitable(); }
  bool is_gone() override { return gone_; }
  // By any thread.
  void remove() {
    gone_ = true;
    place_.set();
  }

 private:
  io::MemorySignal connecting_;
  io::MemorySignal place_;
  std::atomic<bool> gone_ = false;
};

// The test's own thread is the control thread. What happens on the machine happens when `at` says so, on a
// thread of its own.
class ServiceTest : public ::testing::Test {
 protected:
  explicit ServiceTest(Looks how_often = {.rarely = 3600s, .often = 3600s}) : looks(how_often) {}
  void SetUp() override {
    ASSERT_TRUE(service.listen());
    ASSERT_TRUE(service.watch(stop.waitable(), [this] { service.end("told to"); }));
    network.set_owner(own, 1);
    network.set_link(true, 1400, true);
  }
  // Until it ends by itself, or is ended once `happens` is done and `settled` holds, ten seconds at most.
  void run(const std::function<void()>& happens, const std::function<bool()>& settled) {
    service.start();
    std::jthread machine([&] {
      happens();
      const Instant end = io::now().boot + 10s;
      while (!settled() && !over && io::now().boot < end) std::this_thread::sleep_for(1ms);
      stop.set();
    });
    service.run();
    over = true;
  }
  [[nodiscard]] bool was_told(std::string_view what) const {
    return std::ranges::any_of(
        log.lines, [&](const std::string& line) { return line.find(what) != std::string::npos; });
  }
  Result<std::vector<engine::UdpDoor>> open_sockets() {
    std::vector<engine::UdpDoor> doors;
    auto udp = std::make_unique<PolledUdp>(events, wire, Source{own, 1});
    const io::Waitable waitable = udp->waitable();
    doors.push_back({std::move(udp), {waitable}});
    ++opened;
    return doors;
  }

  const Looks looks;
  const IpAddress own = *IpAddress::parse("192.0.2.1");
  io::MemoryEvents events;
  io::MemoryNetwork wire;
  io::MemoryNetworkView network{events};
  io::MemorySignal stop{events};
  io::MemoryPoller poller{events};
  PolledTun tun{events};
  LinesLog log;
  crypto::SystemRng rng;
  NobodyConnects listener{events};
  std::atomic<int> opened = 0;
  io::UdpPlace opened_at;  // the last time
  std::atomic<bool> over = false;
  Service service{{.log = log,
                   .rng = rng,
                   .poller = poller,
                   .network = network,
                   .listener = listener,
                   .scope_of = [](const char*) { return 0u; },
                   .tuns = {{tun, tun.waitable()}},
                   .open_udp =
                       [this](const io::UdpPlace& at, auto, auto) {
                         opened_at = at;
                         return open_sockets();
                       },
                   .engine = {.open_poller = [this]() -> Result<std::unique_ptr<io::Poller>> {
                     return std::make_unique<io::MemoryPoller>(events);
                   }},
                   .looks = looks},
                  nullptr};
};

// Nothing is told of what happens on it.
class ServiceOnASilentMachine : public ServiceTest {
 protected:
  ServiceOnASilentMachine() : ServiceTest({.rarely = 50ms, .often = 5ms}) {}
};

TEST_F(ServiceTest, P75c_ItFollowsTheInterfaceUpAndDown) {
  run(
      [&] {
        while (opened == 0) std::this_thread::sleep_for(1ms);
        network.set_link(false, 1300);
      },
      [&] { return log.went_down.load(); });
  EXPECT_TRUE(was_told("the interface is up"));
  EXPECT_TRUE(was_told("the interface is down"));
  EXPECT_FALSE(service.engine().device().is_up());
  EXPECT_EQ(service.engine().device().mtu(), 1300u);
}

TEST_F(ServiceTest, P75d_WhatItIsToBeBoundToIsWaitedFor) {
  const IpAddress wanted = *IpAddress::parse("192.0.2.9");
  protocol::DeviceChange change;
  change.bind = LocalAddresses{wanted, {}};
  ASSERT_TRUE(service.engine().apply(io::now(), std::move(change)));
  run([&] { network.set_owner(wanted, 1); }, [&] { return opened > 0; });
  EXPECT_EQ(opened_at.only, (LocalAddresses{wanted, {}}));
  EXPECT_TRUE(service.engine().missing_of_place().empty());
}

TEST_F(ServiceTest, ItEndsWithItsInterface) {
  run([&] { network.remove_link(); }, [] { return false; });
  EXPECT_TRUE(was_told("ending: the interface is gone"));
}

TEST_F(ServiceTest, P103_ItEndsWhenNobodyFindsItAnyMore) {
  run([&] { listener.remove(); }, [] { return false; });
  EXPECT_TRUE(was_told("ending: the UAPI socket was removed"));
}

// However it goes: not one word of it, and no lane that reads from it.
TEST_F(ServiceOnASilentMachine, ItEndsWithAnInterfaceThatVanishes) {
  network.set_link(false, 1400);
  const Instant start = io::now().boot;
  run([&] { network.remove_link(false); }, [] { return false; });
  EXPECT_TRUE(was_told("ending: the interface is gone"));
  EXPECT_LT(io::now().boot - start, 5s) << "it looks now and then";
}

TEST_F(ServiceOnASilentMachine, ItFollowsTheInterface) {
  network.hide_link();
  run(
      [&] {
        while (opened == 0) std::this_thread::sleep_for(1ms);
        network.set_link(false, 1400, false);
      },
      [&] { return log.went_down.load(); });
  EXPECT_TRUE(was_told("the interface is down"));
}

}  // namespace
}  // namespace ferrule::service
