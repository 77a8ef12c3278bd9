// A whole engine: its threads under stress, and what it does when sockets and threads fail it.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "crypto/random.h"
#include "crypto/x25519.h"
#include "engine/polled_testing.h"
#include "engine/world_testing.h"
#include "io/clock.h"
#include "io/poller.h"

namespace ferrule::engine::testing {
namespace {

using protocol::Drop;

// --- machines with threads ---------------------------------------------------------------------

constexpr std::size_t kLanes = 2;
constexpr std::size_t kWorkers = 2;  // of each lane

std::unique_ptr<io::Poller> memory_poller(io::MemoryEvents& events) {
  return std::make_unique<io::MemoryPoller>(events);
}

// An engine with all of its threads, in real time. Its lanes share a port, and each has an address of
// its own, by which the test chooses who receives what.
class Machine {
 public:
  /// With a socket for handshakes, which the control thread reads, or without.
  Machine(io::MemoryNetwork& network, int number, bool has_handshake_door)
      : network_(network), number_(number), has_handshake_door_(has_handshake_door) {
    protocol::DeviceChange change;
    change.private_key = PrivateKey(key_.clone());
    EXPECT_TRUE(engine_.apply(io::now(), std::move(change)));
  }
  ~Machine() {
    stopping_ = true;
    poller_->wake();
    if (control_.joinable()) control_.join();
  }
  void add_peer(const Machine& peer, const char* allowed_ip) {
    protocol::PeerChange change;
    change.public_key = crypto::public_key_of(peer.key_);
    change.endpoint = peer.endpoint(0);
    change.allowed_ips.push_back({*Cidr::parse(allowed_ip), false});
    protocol::DeviceChange all;
    all.peers.push_back(std::move(change));
    EXPECT_TRUE(engine_.apply(io::now(), std::move(all)));
  }
  void start() {
    engine_.up(io::now());
    control_ = std::thread([this] { run(); });
  }
  Endpoint endpoint(std::size_t lane) const { return {address(lane).address, kPort, 0}; }
  std::uint64_t drops(Drop drop) { return engine_.device().drops()[drop]; }

  io::MemoryEvents events;
  std::array<PolledTun, kLanes> tuns{PolledTun(events), PolledTun(events)};

 private:
  static constexpr std::uint64_t kHandshakes = 1;

  Source address(std::size_t lane) const {
    const auto last = number_ + 100 * static_cast<int>(lane);
    return {*IpAddress::parse("192.0.2." + std::to_string(last)), 1};
  }
  std::vector<TunDoor> tun_doors() {
    std::vector<TunDoor> doors;
    for (PolledTun& tun : tuns) doors.push_back({tun, tun.waitable()});
    return doors;
  }
  std::vector<UdpDoor> open_sockets(std::size_t lanes) {
    std::vector<UdpDoor> doors;
    const std::size_t count = has_handshake_door_ ? lanes + 1 : lanes;
    for (std::size_t lane = 0; lane < count; ++lane) {
      auto udp = std::make_unique<PolledUdp>(events, network_, address(lane));
      const io::Waitable waitable = udp->waitable();
      doors.push_back({std::move(udp), {waitable}});
    }
    return doors;
  }
  EngineOptions options() {
    EngineOptions options;
    options.open_poller = [this] { return memory_poller(events); };
    options.workers_per_lane = kWorkers;
    if (has_handshake_door_) options.handshake_watcher.emplace(*poller_, kHandshakes);
    return options;
  }
  void run() {
    std::array<io::Ready, 1> room;
    while (!stopping_) {
      for (const io::Ready& ready : poller_->wait(room, engine_.next_deadline())) {
        if (ready.tag == kHandshakes) engine_.handshakes_came();
      }
      engine_.work(io::now());
      if (engine_.take_tun_failed()) engine_.restart_lanes(io::now());  // it is there, after all
    }
  }

  io::MemoryNetwork& network_;
  int number_;
  bool has_handshake_door_;
  NullLog log_;
  crypto::SystemRng rng_;
  PrivateKey key_ = *crypto::generate_private_key(rng_);
  std::unique_ptr<io::Poller> poller_ = memory_poller(events);
  std::atomic<bool> stopping_ = false;
  Engine engine_{tun_doors(),
                 [this](const io::UdpPlace&, std::uint32_t, std::size_t lanes) {
                   return Result<std::vector<UdpDoor>>(open_sockets(lanes));
                 },
                 rng_,
                 log_,
                 [this] { poller_->wake(); },
                 options()};
  std::thread control_;
};

// Two machines and one flow into each lane of the first. Each packet says which it is.
class EngineStress : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kPackets = 3000;   // of each flow
  static constexpr std::uint32_t kUnderWay = 1000;  // fewer than any queue holds
  using Numbers = std::array<std::vector<std::uint32_t>, kLanes>;

  explicit EngineStress(bool has_handshake_door = false)
      : a(network, 1, has_handshake_door), b(network, 2, has_handshake_door) {
    // What a steered port does.
    if (has_handshake_door) network.set_hook([this](auto& datagram) { return steer(datagram); });
    a.add_peer(b, "10.1.0.99/32");
    b.add_peer(a, "10.0.0.0/24");
    a.start();
    b.start();
    send(0);  // makes the session: what waits for one is bounded
    wait_for(1);
  }
  void send_all() {
    for (std::uint32_t number = 1; number < kPackets; ++number) {
      if (HasFatalFailure()) return;
      send(number);
      wait_for(number > kUnderWay ? number - kUnderWay : 0);
    }
    wait_for(kPackets);
  }
  void send(std::uint32_t number) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      Spec spec;
      spec.udp = true;
      spec.source_port = static_cast<std::uint16_t>(kFirstPort + lane);
      spec.id = static_cast<std::uint16_t>(number);
      spec.payload.resize(1200);
      store_le32(spec.payload.data(), number);
      EXPECT_TRUE(a.tuns[lane].memory.host_sends({build(spec), {}}));
    }
  }
  // Until so many of each flow have arrived, a minute at most.
  void wait_for(std::uint32_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    const auto is_short = [&](const auto& numbers) { return numbers.size() < count; };
    while (collect(), std::ranges::any_of(arrived, is_short)) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  void collect() {
    for (PolledTun& tun : b.tuns) {
      for (const Packet& packet : plain(tun.memory.host_receives())) {
        const std::size_t flow = load_be16(packet.data() + 20) - kFirstPort;
        arrived.at(flow).push_back(load_le32(packet.data() + 28));
      }
    }
  }

  static constexpr std::uint16_t kFirstPort = 40000;
  io::MemoryNetwork network;
  Machine a;
  Machine b;
  Numbers arrived;

 private:
  io::MemoryNetwork::Fate steer(io::MemoryDatagram& datagram) const {
    if (datagram.bytes.at(0) < 4) {
      const bool to_a = datagram.to == a.endpoint(0) || datagram.to == a.endpoint(kLanes);
      datagram.to = (to_a ? a : b).endpoint(kLanes);
    }
    return io::MemoryNetwork::Fate::deliver;
  }
};

class EngineStressBesideHandshakes : public EngineStress {
 protected:
  EngineStressBesideHandshakes() : EngineStress(true) {}
};

TEST_F(EngineStress, P77_EachFlowKeepsItsOrderWhileLanesAndWorkersShareAPeer) {
  send_all();
  for (const std::vector<std::uint32_t>& numbers : arrived) {
    ASSERT_EQ(numbers.size(), kPackets);
    for (std::uint32_t i = 0; i < kPackets; ++i) ASSERT_EQ(numbers[i], i);
  }
}

// A handshake is answered from where it came to, and so data goes there, too: all of it is opened and
// delivered by the control thread.
TEST_F(EngineStressBesideHandshakes, P77_DataThatComesWhereHandshakesDoArrivesInOrder) {
  send_all();
  for (const std::vector<std::uint32_t>& numbers : arrived) {
    ASSERT_EQ(numbers.size(), kPackets);
    for (std::uint32_t i = 0; i < kPackets; ++i) ASSERT_EQ(numbers[i], i);
  }
  EXPECT_EQ(std::ranges::count_if(network.sent(),
                                  [&](const io::MemoryDatagram& datagram) {
                                    return datagram.bytes.at(0) == 4 &&
                                           datagram.to == b.endpoint(0);
                                  }),
            0);
}

TEST_F(EngineStress, LanesThatShareAPeerUseNoCounterTwice) {
  send_all();
  std::set<std::pair<std::uint32_t, std::uint64_t>> used;  // receiver index, counter
  for (const io::MemoryDatagram& datagram : network.sent()) {
    if (datagram.bytes.at(0) != 4) continue;
    EXPECT_TRUE(
        used.emplace(load_le32(datagram.bytes.data() + 4), load_le64(datagram.bytes.data() + 8))
            .second);
  }
  EXPECT_GE(used.size(), kLanes * kPackets);
}

// Whatever goes to the first lane of b is sent once more to the second, at the same time.
TEST_F(EngineStress, P43_APacketThatTwoLanesReceiveIsAcceptedByOne) {
  std::mutex mutex;
  std::vector<io::MemoryDatagram> seen;
  network.set_hook([&](io::MemoryDatagram& datagram) {
    const std::lock_guard lock(mutex);
    if (datagram.bytes.at(0) == 4 && datagram.to == b.endpoint(0)) seen.push_back(datagram);
    return io::MemoryNetwork::Fate::deliver;
  });
  std::atomic<bool> done = false;
  std::uint64_t copies = 0;
  std::thread twin([&] {
    for (bool last = false; !last;) {
      last = done;
      std::vector<io::MemoryDatagram> batch;
      {
        const std::lock_guard lock(mutex);
        std::swap(batch, seen);
      }
      for (io::MemoryDatagram& datagram : batch) {
        datagram.to = b.endpoint(1);
        copies += network.deliver(std::move(datagram)) ? 1 : 0;
      }
      std::this_thread::yield();
    }
  });
  send_all();
  done = true;
  twin.join();
  network.set_hook({});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (b.drops(Drop::replayed_counter) < copies && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  collect();
  EXPECT_GT(copies, kPackets);
  EXPECT_EQ(b.drops(Drop::replayed_counter), copies);
  for (const std::vector<std::uint32_t>& numbers : arrived) {
    EXPECT_EQ(numbers.size(), kPackets);
    EXPECT_EQ(std::set(numbers.begin(), numbers.end()).size(), kPackets);
  }
}

// The first failure has it started again at once, the second a second later.
TEST_F(EngineStress, P75b_ALaneWhoseInterfaceFailedIsStartedAgain) {
  for (int round = 0; round < 2; ++round) {
    a.tuns[0].break_read(EIO);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    a.tuns[0].break_read(0);
    send(static_cast<std::uint32_t>(round + 1));
    wait_for(static_cast<std::uint32_t>(round + 2));
  }
}

// --- sockets and threads that fail -------------------------------------------------------------

// A socket that says it is dead whenever it is asked.
class DeadUdp final : public io::Udp {
 public:
  explicit DeadUdp(int& living) : living_(living) { ++living_; }
  ~DeadUdp() override { --living_; }
  Result<std::size_t> receive(std::span<io::ReceivedDatagrams>) override {
    return std::unexpected(make_error(EBADF, "receive"));
  }
  std::size_t send(std::span<io::OutgoingDatagrams> batch) override { return batch.size(); }
  std::uint16_t port() const noexcept override { return kPort; }
  Result<void> set_route_mark(std::uint32_t) override { return {}; }
  std::uint64_t send_failures() const noexcept override { return 0; }

 private:
  int& living_;
};

class CountingLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return true; }
  void write(LogLevel level, std::string_view) noexcept override {
    if (level == LogLevel::error) ++errors;
  }
  int errors = 0;
};

// An engine without a control thread: the test is that, and the clock.
class EngineFailures : public ::testing::Test {
 protected:
  EngineFailures() { event.set(); }
  ~EngineFailures() override { engine.down(); }
  void wait_for_wake() {
    woken.wait(false);
    woken = false;
  }
  static Now at(Duration since_start) {
    return {Instant::from_ns(1'000'000'000'000) + since_start, {1'700'000'000, 0}};
  }

  Result<void> ask_for_port(Duration since_start) {
    protocol::DeviceChange change;
    change.listen_port = kPort;
    return engine.apply(at(since_start), std::move(change));
  }

  FoundPlace find(const LocalPlace& place) const {
    FoundPlace found;
    for (const IpAddress& address : {place.addresses.v4, place.addresses.v6}) {
      if (address.family() == Family::none) continue;
      if (addresses.contains(address)) {
        (address.family() == Family::v4 ? found.at.only.v4 : found.at.only.v6) = address;
      } else {
        found.missing.push_back(address.to_string());
      }
    }
    found.is_there = !found.at.only.is_empty();
    return found;
  }
  Result<void> ask_for_addresses(LocalAddresses wanted, Duration since_start) {
    protocol::DeviceChange change;
    change.bind = wanted;
    return engine.apply(at(since_start), std::move(change));
  }

  int opened = 0;
  int living = 0;
  std::weak_ptr<const int> hold;  // of the port, as it was opened last
  bool port_taken = false;
  io::UdpPlace opened_at;         // the last time
  std::set<IpAddress> addresses;  // of the machine
  std::optional<io::Waitable>
      handshakes;  // what the socket for handshakes waits on; none: there is none
  std::atomic<bool> woken = false;
  bool lanes_can_wait = true;
  io::MemoryEvents events;
  io::MemorySignal event{events};  // as a socket that has something, always
  PolledTun tun{events};
  std::unique_ptr<io::Poller> poller = memory_poller(events);
  CountingLog log;
  crypto::SystemRng rng;
  Engine engine{
      {{tun, tun.waitable()}},
      [this](const io::UdpPlace& at, std::uint32_t, std::size_t) -> Result<std::vector<UdpDoor>> {
        ++opened;
        if (port_taken) return std::unexpected(make_error(EADDRINUSE, "bind a port"));
        opened_at = at;
        std::vector<UdpDoor> doors;
        auto kept = std::make_shared<const int>(0);
        hold = kept;
        doors.push_back({std::make_unique<DeadUdp>(living), {event.waitable()}, std::move(kept)});
        if (handshakes) {
          doors.push_back({std::make_unique<DeadUdp>(living), {*handshakes}});
        }
        return doors;
      },
      rng,
      log,
      [this] {
        woken = true;
        woken.notify_all();
      },
      {.find_place = [this](const LocalPlace& place) { return find(place); },
       .handshake_watcher = HandshakeDoor::Watcher{*poller, 0},
       .open_poller = [this]() -> Result<std::unique_ptr<io::Poller>> {
         if (!lanes_can_wait) return std::unexpected(make_error(EMFILE, "make a poller"));
         return memory_poller(events);
       }}};
};

TEST_F(EngineFailures, P75b_ASocketThatDiesIsBoundAnewAtOnce) {
  engine.up(at(0s));
  wait_for_wake();
  engine.work(at(5s));
  EXPECT_EQ(opened, 2);
}

TEST_F(EngineFailures, P75b_ASocketThatKeepsDyingIsBoundAnewOnceASecond) {
  engine.up(at(0s));
  wait_for_wake();
  engine.work(at(1ms));
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(engine.next_deadline(), at(1s).boot);
  engine.work(at(1s));
  EXPECT_EQ(opened, 2);
}

const IpAddress kOwnV4 = *IpAddress::parse("192.0.2.1");
const IpAddress kOwnV6 = *IpAddress::parse("2001:db8::1");

TEST_F(EngineFailures, P75d_OfAPlaceWhatIsThereIsBoundAloneAndTheRestToldOnce) {
  addresses = {kOwnV4};
  engine.up(at(0s));
  ASSERT_TRUE(ask_for_addresses({kOwnV4, kOwnV6}, 1s));
  EXPECT_EQ(opened_at.only, (LocalAddresses{kOwnV4, {}}));
  EXPECT_EQ(log.errors, 1);
  engine.network_changed(at(2s), {});
  EXPECT_EQ(log.errors, 1);
  addresses.insert(kOwnV6);
  engine.network_changed(at(3s), {});
  EXPECT_EQ(opened_at.only, (LocalAddresses{kOwnV4, kOwnV6}));
  EXPECT_EQ(log.errors, 1);
}

TEST_F(EngineFailures, P75d_APlaceThatIsNotThereIsBoundOnceItIsAndNoOtherMeanwhile) {
  engine.up(at(0s));
  ASSERT_TRUE(ask_for_addresses({kOwnV4, {}}, 1s));
  EXPECT_EQ(living, 0);
  engine.work(at(1s));
  engine.work(at(5s));
  EXPECT_EQ(living, 0);
  EXPECT_EQ(opened, 1) << "only before it was asked for";
  EXPECT_EQ(log.errors, 1);
  addresses = {kOwnV4};
  engine.network_changed(at(6s), {});
  EXPECT_EQ(living, 1);
  EXPECT_EQ(opened_at.only, (LocalAddresses{kOwnV4, {}}));
}

TEST_F(EngineFailures, P75d_AnAddressThatLeavesTheMachineIsNoLongerBound) {
  addresses = {kOwnV4};
  engine.up(at(0s));
  ASSERT_TRUE(ask_for_addresses({kOwnV4, {}}, 1s));
  ASSERT_EQ(living, 1);
  addresses.clear();
  engine.network_changed(at(2s), {});
  EXPECT_EQ(living, 0);
  EXPECT_EQ(engine.missing_of_place(), std::vector<std::string>{"192.0.2.1"});
}

TEST_F(EngineFailures, P75d_APlaceWhosePortIsTakenIsRefusedAndItStaysWhereItWas) {
  addresses = {kOwnV4};
  engine.up(at(0s));
  port_taken = true;
  EXPECT_EQ(ask_for_addresses({kOwnV4, {}}, 1s).error().code, EADDRINUSE);
  EXPECT_TRUE(engine.place().is_anywhere());
  port_taken = false;
  engine.work(at(3s));
  EXPECT_EQ(living, 1);
  EXPECT_TRUE(opened_at.only.is_empty());
}

TEST_F(EngineFailures, P75d_APlaceIsLeftByNamingNone) {
  addresses = {kOwnV4};
  engine.up(at(0s));
  ASSERT_TRUE(ask_for_addresses({kOwnV4, {}}, 1s));
  ASSERT_TRUE(ask_for_addresses({}, 2s));
  EXPECT_TRUE(opened_at.only.is_empty());
  EXPECT_EQ(living, 1);
}

TEST_F(EngineFailures, P75a_AnInterfaceThatGoesDownKeepsItsPort) {
  engine.up(at(0s));
  engine.down();
  EXPECT_EQ(living, 0);
  EXPECT_FALSE(hold.expired());
  protocol::DeviceChange change;
  change.listen_port = 0;
  ASSERT_TRUE(engine.apply(at(1s), std::move(change)));
  EXPECT_TRUE(hold.expired()) << "it is asked for another";
}

TEST_F(EngineFailures, LanesThatDoNotStartAreTriedAgainEverySecond) {
  lanes_can_wait = false;
  engine.up(at(0s));
  EXPECT_EQ(living, 0) << "a port that nobody reads from is not held";
  EXPECT_EQ(engine.next_deadline(), at(1s).boot);
  lanes_can_wait = true;
  engine.work(at(1s));
  EXPECT_EQ(living, 1);
}

TEST_F(EngineFailures, ADoorForHandshakesThatCannotBeWaitedOnIsTriedAgainEverySecond) {
  handshakes = io::Waitable(1'000'000);
  engine.up(at(0s));
  EXPECT_EQ(living, 0);
  EXPECT_EQ(engine.next_deadline(), at(1s).boot);
  handshakes = event.waitable();
  engine.work(at(1s));
  EXPECT_EQ(living, 2);
}

TEST_F(EngineFailures, AnInterfaceThatIsDownDoesNotLookForHandshakes) {
  handshakes = event.waitable();
  const auto wakes = [&] {
    std::array<io::Ready, 1> room;
    return !poller->wait(room, Instant()).empty();
  };
  engine.up(at(0s));
  EXPECT_TRUE(wakes());
  engine.down();
  engine.up(at(1s));
  engine.down();
  EXPECT_FALSE(wakes());
}

TEST_F(EngineFailures, WhereASystemHasNoMarksASetOfOneIsRefused) {
  Engine without{
      {}, [](auto...) { return std::vector<UdpDoor>(); }, rng, log, [] {}, {.route_marks = false}};
  const auto set = [&](std::uint32_t mark) {
    protocol::DeviceChange change;
    change.fwmark = mark;
    return without.apply(at(0s), std::move(change));
  };
  EXPECT_TRUE(set(0));
  const Result<void> refused = set(7);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(std::errc::operation_not_supported));
  EXPECT_EQ(without.fwmark(), 0u);
}

TEST_F(EngineFailures, WhyThereIsNoSocketIsToldOnceAndNotEverySecond) {
  lanes_can_wait = false;
  engine.up(at(0s));
  for (const Duration later : {1s, 2s, 3s}) engine.work(at(later));
  EXPECT_EQ(log.errors, 1);
  lanes_can_wait = true;
  engine.work(at(4s));
  EXPECT_EQ(living, 1);
  engine.down();
  lanes_can_wait = false;
  engine.up(at(5s));
  EXPECT_EQ(log.errors, 2);
}

TEST_F(EngineFailures, P102_APortWhoseLanesDoNotStartIsRefusedAndTheOldOneStays) {
  engine.up(at(0s));
  lanes_can_wait = false;
  protocol::DeviceChange change;
  change.listen_port = kPort + 1;
  EXPECT_FALSE(engine.apply(at(2s), std::move(change)));
  EXPECT_EQ(engine.listen_port(), kPort);
  EXPECT_EQ(living, 1);
  EXPECT_EQ(engine.next_deadline(), at(3s).boot) << "its lanes are to be started again";
}

TEST_F(EngineFailures, P102_ATakenPortIsRefusedWhileTheInterfaceIsDown) {
  port_taken = true;
  EXPECT_EQ(ask_for_port(0s).error().code, EADDRINUSE);
  EXPECT_EQ(engine.listen_port(), 0);
  port_taken = false;
  EXPECT_TRUE(ask_for_port(1s));
  EXPECT_EQ(engine.listen_port(), kPort);
  EXPECT_EQ(living, 0) << "a port that nobody reads from is not held";
}

TEST_F(EngineFailures, P102_APortThatCouldNotBeBoundIsBoundWhenAskedForAgain) {
  ASSERT_TRUE(ask_for_port(0s));
  port_taken = true;
  engine.up(at(0s));
  EXPECT_EQ(ask_for_port(100ms).error().code, EADDRINUSE);
  EXPECT_EQ(engine.next_deadline(), at(1s).boot) << "it is tried again all the same";
  port_taken = false;
  EXPECT_TRUE(ask_for_port(200ms));
  EXPECT_EQ(living, 1);
}

}  // namespace
}  // namespace ferrule::engine::testing
