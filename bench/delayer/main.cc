// A long path for the bench: hands datagrams on from one side to the other after a while, and some of them
// later than those behind them.
//
//   delayer LEFT_HERE LEFT_THERE RIGHT_HERE RIGHT_THERE DELAY_MS REORDERED_IN_1000
//
// Each end is ADDRESS:PORT. Nothing is lost but what doesn't fit its queue.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <utility>
#include <vector>

#include "base/net.h"
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/fd.h"
#include "io/linux/socket_address.h"

namespace {

using ferrule::Duration;
using ferrule::Endpoint;
using ferrule::Instant;
using namespace std::chrono_literals;

constexpr std::size_t kMaxDatagramBytes = 2048;
constexpr std::size_t kQueueLength = 32768;  // a way's; 60 MB
constexpr int kSocketBytes = 8 << 20;
constexpr unsigned kBatch = 64;
constexpr Duration kLateness = 4ms;  // of one that is overtaken

struct Datagram {
  Instant due;
  std::vector<std::uint8_t> bytes;
};

// From one socket to the other.
class Path {
 public:
  Path(int from, int to, Duration delay, unsigned reordered) noexcept
      : from_(from), to_(to), delay_(delay), reordered_(reordered) {}

  void take(Instant now) {
    for (unsigned i = 0; i < kBatch; ++i) {
      const ssize_t got = ::recv(from_, room_.data(), room_.size(), MSG_DONTWAIT);
      if (got < 0) return;
      std::deque<Datagram>& queue = random_() % 1000 < reordered_ ? late_ : on_time_;
      if (queue.size() >= kQueueLength) continue;
      const Duration delay = &queue == &late_ ? delay_ + kLateness : delay_;
      queue.push_back({now + delay, {room_.begin(), room_.begin() + got}});
    }
  }
  void give(Instant now) {
    for (std::deque<Datagram>* queue : {&on_time_, &late_}) {
      while (!queue->empty() && queue->front().due <= now) {
        const std::vector<std::uint8_t>& bytes = queue->front().bytes;
        (void)::send(to_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        queue->pop_front();
      }
    }
  }
  [[nodiscard]] bool is_empty() const noexcept { return on_time_.empty() && late_.empty(); }
  [[nodiscard]] int from() const noexcept { return from_; }

 private:
  int from_;
  int to_;
  Duration delay_;
  unsigned reordered_;
  std::minstd_rand random_{1};
  std::array<std::uint8_t, kMaxDatagramBytes> room_{};
  std::deque<Datagram> on_time_;
  std::deque<Datagram> late_;
};

ferrule::io::UniqueFd open(const char* here, const char* there) {
  const auto from = Endpoint::parse(here);
  const auto to = Endpoint::parse(there);
  ferrule::io::UniqueFd fd;
  if (!from || !to) return fd;
  const ferrule::io::SocketAddress at(*from);
  const ferrule::io::SocketAddress other(*to);
  fd.reset(::socket(at.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    (void)::setsockopt(fd.get(), SOL_SOCKET, option, &kSocketBytes, sizeof kSocketBytes);
  }
  if (::bind(fd.get(), &at.any, at.size) != 0 || ::connect(fd.get(), &other.any, other.size) != 0) {
    fd.reset();
  }
  return fd;
}

[[noreturn]] void run(std::array<Path, 2>& paths) {
  constexpr timespec kTick{0, 200'000};
  for (;;) {
    std::array<pollfd, 2> news{pollfd{paths[0].from(), POLLIN, 0},
                               pollfd{paths[1].from(), POLLIN, 0}};
    const bool is_idle = paths[0].is_empty() && paths[1].is_empty();
    (void)::ppoll(news.data(), news.size(), is_idle ? nullptr : &kTick, nullptr);
    const Instant now = ferrule::io::now().boot;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (news[i].revents != 0) paths[i].take(now);
      paths[i].give(now);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: delayer LEFT_HERE LEFT_THERE RIGHT_HERE RIGHT_THERE MS IN_1000\n", stderr);
    return 2;
  }
  const ferrule::io::UniqueFd left = open(argv[1], argv[2]);
  const ferrule::io::UniqueFd right = open(argv[3], argv[4]);
  if (!left || !right) {
    std::perror("delayer");
    return 1;
  }
  const Duration delay = std::chrono::milliseconds(std::atoi(argv[5]));
  const auto reordered = static_cast<unsigned>(std::atoi(argv[6]));
  std::array<Path, 2> paths{Path(left.get(), right.get(), delay, reordered),
                            Path(right.get(), left.get(), delay, reordered)};
  run(paths);
}
