// Lanes, control side, crews and the UAPI without memory: batches and messages are lost, one by one,
// and nothing ends or hangs.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <new>
#include <string>
#include <vector>

#include "engine/world_testing.h"
#include "io/clock.h"
#include "io/linux/event_loop.h"
#include "io/linux/fd.h"
#include "io/linux/stream.h"
#include "memory/failing_memory.h"
#include "protocol/rng_testing.h"
#include "service/uapi_server.h"

namespace ferrule::memory {
namespace {

using engine::testing::Host;
using engine::testing::there;
using engine::testing::World;
using protocol::Drop;

// Packets of `a` reach `b` within 30 s of the first one.
bool carries(World& world, Host& a, Host& b) {
  for (int tries = 0; tries < 30; ++tries) {
    (void)b.receives();
    EXPECT_TRUE(a.sends(there(64)));
    world.run(1s);
    for (const engine::testing::Packet& packet : engine::testing::plain(b.receives())) {
      if (packet == there(64)) return true;
    }
  }
  return false;
}

// The doors of a test world allocate too: their failures come out of the control side.
void work(Host& host) {
  try {
    (void)host.work();
  } catch (const std::bad_alloc&) {
  }
}

// From the first packet on, hosts take turns to work; memory fails once, in one of them.
bool attempt(std::size_t number, bool established) {
  SCOPED_TRACE("allocation " + std::to_string(number));
  World world;
  Host& a = world.host();
  Host& b = world.host();
  world.pair(a, b);
  EXPECT_TRUE(!established || carries(world, a, b));
  for (std::uint8_t i = 0; i < 20; ++i) EXPECT_TRUE(a.sends(there(64, i % 2 == 1, i)));
  bool felt = false;
  {
    const Shortage shortage(number, Failing::one);
    for (int turn = 0; turn < 4; ++turn) {
      work(a);
      work(b);
    }
    felt = shortage.was_felt();
  }
  // What came out of the tunnel is what went in.
  world.settle();
  std::uint8_t last[2] = {0, 0};
  for (const engine::testing::Packet& packet : engine::testing::plain(b.receives())) {
    const std::uint8_t fill = packet.back();
    EXPECT_EQ(packet, there(64, fill % 2 == 1, fill));
    EXPECT_GE(fill, last[fill % 2]);
    last[fill % 2] = fill;
  }
  EXPECT_TRUE(carries(world, a, b));
  return felt && !testing::Test::HasFailure();
}

TEST(EngineMemory, P35_AHandshakeAndStagedPackets) {
  for (std::size_t number = 0; attempt(number, false); ++number) {
  }
}

TEST(EngineMemory, P35_TrafficOfASession) {
  for (std::size_t number = 0; attempt(number, true); ++number) {
  }
}

// --- an engine with threads, and its UAPI ---

constexpr std::uint64_t kListenerTag = 1;
constexpr std::uint64_t kFirstClient = 100;

class NoLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return true; }
  void write(LogLevel, std::string_view) noexcept override {}
};

class SilentTun final : public io::Tun {
 public:
  Result<std::size_t> read(std::span<io::TunRead>) override { return 0; }
  Result<std::size_t> write(std::span<const io::TunWrite> batch) override { return batch.size(); }
  std::uint64_t take_write_failures() noexcept override { return 0; }
  packet::OffloadSupport offload_support() const noexcept override { return {}; }
};

class SilentUdp final : public io::Udp {
 public:
  explicit SilentUdp(std::uint16_t port) : port_(port) {}
  Result<std::size_t> receive(std::span<io::ReceivedDatagrams>) override { return 0; }
  std::size_t send(std::span<io::OutgoingDatagrams> batch) override { return batch.size(); }
  std::uint16_t port() const noexcept override { return port_; }
  Result<void> set_route_mark(std::uint32_t) override { return {}; }
  std::uint64_t send_failures() const noexcept override { return 0; }

 private:
  std::uint16_t port_;
};

class SocketListener final : public io::Listener {
 public:
  explicit SocketListener(io::UniqueFd fd) : fd_(std::move(fd)) {}
  std::unique_ptr<io::Stream> accept() override { return io::accept_stream(fd_.get()); }
  io::Waitable waitable() const noexcept override { return io::Waitable(fd_.get()); }

 private:
  io::UniqueFd fd_;
};

class UapiMemory : public testing::Test {
 protected:
  UapiMemory() {
    EXPECT_TRUE(poller->add(listener.waitable(), {}, kListenerTag));
    engine.up(io::now());
  }

  Result<std::vector<engine::UdpDoor>> open(std::uint16_t port) {
    std::vector<engine::UdpDoor> doors;
    doors.push_back({std::make_unique<SilentUdp>(port), {io::Waitable(udp_event.poll_fd())}});
    return doors;
  }
  io::UniqueFd listen() {
    io::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    address.sun_family = AF_UNIX;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &address_size), 0);
    EXPECT_EQ(::listen(fd.get(), 128), 0);
    return fd;
  }
  io::UniqueFd connect() {
    io::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), address_size), 0);
    return fd;
  }
  // Serves until there is nothing to do; allocates nothing itself.
  void settle() {
    std::array<io::Ready, 16> room;
    for (;;) {
      const std::span<io::Ready> came = poller->wait(room, Instant());
      if (came.empty()) return;
      for (const io::Ready& ready : came) {
        if (ready.tag == kListenerTag) {
          server.accept();
        } else {
          server.serve(ready);
        }
      }
    }
  }
  static void send(const io::UniqueFd& client, std::string_view text) {
    EXPECT_EQ(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  static std::string receive(const io::UniqueFd& client) {
    std::array<char, 65536> room;
    const ssize_t got = ::recv(client.get(), room.data(), room.size(), 0);
    return {room.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
  std::string get() {
    const io::UniqueFd client = connect();
    send(client, "get=1\n\n");
    settle();
    return receive(client);
  }

  std::unique_ptr<io::Poller> poller = std::move(*io::open_poller());
  io::EventFd tun_event = std::move(*io::EventFd::open());
  io::EventFd udp_event = std::move(*io::EventFd::open());
  sockaddr_un address{};
  socklen_t address_size = sizeof address;
  SocketListener listener{listen()};
  NoLog log;
  test::RepeatableRng rng{1};
  SilentTun tun;
  engine::Engine engine{
      {engine::TunDoor{tun, io::Waitable(tun_event.poll_fd())}},
      [this](const io::UdpPlace& at, std::uint32_t, std::size_t) { return open(at.port); },
      rng,
      log,
      [] {},
      {}};
  service::UapiServer server{listener, ::if_nametoindex, engine, log, *poller, kFirstClient};
};

std::string a_set(int peers) {
  std::string text = "set=1\nlisten_port=4711\nfwmark=7\n";
  for (int i = 0; i < peers; ++i) {
    const std::string digit(1, static_cast<char>('1' + i));
    text += "public_key=" + std::string(62, 'c') + "0" + digit + "\nendpoint=192.0.2.1:5\n" +
            "persistent_keepalive_interval=25\nallowed_ip=10." + digit + ".0.0/16\n";
  }
  return text + "\n";
}

TEST_F(UapiMemory, P35_P102_ASetIsAppliedWholeOrAnsweredWithEnomem) {
  const std::string reset = "set=1\nreplace_peers=true\nlisten_port=51820\nfwmark=0\n\n";
  const std::string request = a_set(5);
  int refused = 0;
  for_each_shortage([&](std::size_t number, Failing failing) {
    SCOPED_TRACE("allocation " + std::to_string(number));
    const io::UniqueFd client = connect();
    send(client, reset);
    settle();
    EXPECT_EQ(receive(client), "errno=0\n\n");
    const std::string before = get();
    send(client, request);
    bool felt = false;
    {
      const Shortage shortage(number, failing);
      settle();
      felt = shortage.was_felt();
    }
    const std::string answer = receive(client);
    if (answer == "errno=-12\n\n") {
      ++refused;
      EXPECT_EQ(get(), before);
      send(client, request);
      settle();
      EXPECT_EQ(receive(client), "errno=0\n\n") << "the connection goes on";
    } else if (answer.empty()) {
      // Not even an answer could be made. The request was applied whole or not at all.
      const std::string after = get();
      EXPECT_TRUE(after == before || after.find("allowed_ip=10.5.0.0/16") != after.npos);
    } else {
      EXPECT_EQ(answer, "errno=0\n\n");
      EXPECT_NE(get().find("allowed_ip=10.5.0.0/16"), std::string::npos);
    }
    return felt && !HasFailure();
  });
  EXPECT_GT(refused, 10);
}

TEST_F(UapiMemory, P35_P103_AClientThatThereIsNoMemoryForLosesItsConnectionAlone) {
  const io::UniqueFd other = connect();
  settle();
  for_each_shortage([&](std::size_t number, Failing failing) {
    const io::UniqueFd client = connect();
    send(client, "get=1\n\nstats=1\n\n");
    bool felt = false;
    {
      const Shortage shortage(number, failing);
      settle();
      felt = shortage.was_felt();
    }
    send(other, "get=1\n\n");
    settle();
    EXPECT_TRUE(receive(other).ends_with("errno=0\n\n"));
    return felt && !HasFailure();
  });
}

TEST_F(UapiMemory, P35_LanesStartWithAllWorkersOrAreTriedAgain) {
  for_each_shortage([&](std::size_t number, Failing failing) {
    engine.down();
    bool felt = false;
    {
      const Shortage shortage(number, failing);
      engine.up(io::now());
      felt = shortage.was_felt();
    }
    const std::optional<Instant> again = engine.next_deadline();
    if (felt) {
      EXPECT_TRUE(again.has_value());
      Now later = io::now();
      later.boot = later.boot + 2s;
      engine.work(later);
    }
    EXPECT_FALSE(engine.next_deadline().has_value()) << "the lanes run";
    return felt && !HasFailure();
  });
}

TEST_F(UapiMemory, P35_P102_APortThatThereIsNoMemoryForIsRefusedAndTheOldOneStays) {
  std::uint16_t port = 1000;
  for_each_shortage([&](std::size_t number, Failing failing) {
    const std::uint16_t before = engine.listen_port();
    protocol::DeviceChange change;
    change.listen_port = ++port;
    bool felt = false;
    Result<void> applied;
    {
      const Shortage shortage(number, failing);
      applied = engine.apply(io::now(), std::move(change));
      felt = shortage.was_felt();
    }
    EXPECT_EQ(engine.listen_port(), applied ? port : before);
    EXPECT_TRUE(applied || applied.error().code == ENOMEM);
    return felt && !HasFailure();
  });
}

}  // namespace
}  // namespace ferrule::memory
