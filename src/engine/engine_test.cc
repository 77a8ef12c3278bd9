// A whole engine, when its sockets and threads fail it.
#include "engine/engine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <utility>

#include "crypto/random.h"
#include "engine/world_testing.h"
#include "io/linux/event_loop.h"

namespace ferrule::engine::testing {
namespace {

using protocol::Drop;

constexpr std::uint16_t kPort = 51820;

// --- doors that a crew can wait on -------------------------------------------------------------

// What epoll sees of a memory door. It is drained before a look inside, so that nothing is missed.
template <class Slots, class Look>
auto look_inside(io::EventFd& event, Slots slots, Look look) {
  event.drain();
  auto got = look(slots);
  if (got && *got == slots.size()) event.signal();  // there may be more
  return got;
}

class PolledTun final : public io::Tun {
 public:
  PolledTun() {
    memory.on_readable([this] { event_.signal(); });
  }
  Result<std::size_t> read(std::span<io::TunRead> slots) override {
    return look_inside(event_, slots, [this](auto room) { return memory.read(room); });
  }
  Result<std::size_t> write(std::span<const io::TunWrite> batch) override {
    return memory.write(batch);
  }
  std::uint64_t take_write_failures() noexcept override { return memory.take_write_failures(); }
  packet::OffloadSupport offload_support() const noexcept override {
    return memory.offload_support();
  }
  int poll_fd() const { return event_.poll_fd(); }

  io::MemoryTun memory{{.tcp = true, .udp = true}};

 private:
  io::EventFd event_ = std::move(*io::EventFd::open());
};

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
  Result<void> set_mark(std::uint32_t) override { return {}; }
  std::uint64_t send_failures() const noexcept override { return 0; }

 private:
  int& living_;
};

// An engine without a control thread: the test is that, and the clock.
class EngineFailures : public ::testing::Test {
 protected:
  EngineFailures() { event.signal(); }
  ~EngineFailures() override { engine.down(); }
  // What epoll can't wait on, in place of `fd`.
  static void break_fd(int fd) {
    const io::UniqueFd plain(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    ASSERT_GE(::dup2(plain.get(), fd), 0);
  }
  void mend_fd(int fd) const { ASSERT_GE(::dup2(tun.poll_fd(), fd), 0); }
  void wait_for_wake() {
    woken.wait(false);
    woken = false;
  }
  static Now at(Duration since_start) {
    return {Instant::from_ns(1'000'000'000'000) + since_start, {1'700'000'000, 0}};
  }

  int opened = 0;
  int living = 0;
  std::atomic<bool> woken = false;
  io::EventFd event = std::move(*io::EventFd::open());  // as a socket that has something, always
  PolledTun tun;
  io::UniqueFd tun_fd{::dup(tun.poll_fd())};
  NullLog log;
  crypto::SystemRng rng;
  Engine engine{{{tun, tun_fd.get()}},
                [this](std::uint16_t, std::uint32_t, std::size_t) {
                  ++opened;
                  std::vector<UdpDoor> doors;
                  doors.push_back({std::make_unique<DeadUdp>(living), event.poll_fd(), -1});
                  return Result<std::vector<UdpDoor>>(std::move(doors));
                },
                rng,
                log,
                [this] {
                  woken = true;
                  woken.notify_all();
                },
                {}};
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

TEST_F(EngineFailures, LanesThatDoNotStartAreTriedAgainEverySecond) {
  break_fd(tun_fd.get());
  engine.up(at(0s));
  EXPECT_EQ(living, 0) << "a port that nobody reads from is not held";
  EXPECT_EQ(engine.next_deadline(), at(1s).boot);
  mend_fd(tun_fd.get());
  engine.work(at(1s));
  EXPECT_EQ(living, 1);
}

TEST_F(EngineFailures, P102_APortWhoseLanesDoNotStartIsRefusedAndTheOldOneStays) {
  engine.up(at(0s));
  break_fd(tun_fd.get());
  protocol::DeviceChange change;
  change.listen_port = kPort + 1;
  EXPECT_FALSE(engine.apply(at(2s), std::move(change)));
  EXPECT_EQ(engine.listen_port(), kPort);
  EXPECT_EQ(living, 1);
  EXPECT_EQ(engine.next_deadline(), at(3s).boot) << "its lanes are to be started again";
}

}  // namespace
}  // namespace ferrule::engine::testing
