#include "sender.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "io/clock.h"
#include "io/linux/fd.h"
#include "member.h"

namespace ferrule::bench {

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kPayload = 64;
constexpr std::uint16_t kPort = 9;  // discard

// A batch's messages: all the same but for their destination.
class Batch {
 public:
  Batch() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      to_[i].sin_family = AF_INET;
      to_[i].sin_port = htons(kPort);
      messages_[i].msg_hdr.msg_name = &to_[i];
      messages_[i].msg_hdr.msg_namelen = sizeof to_[i];
      messages_[i].msg_hdr.msg_iov = &payload_;
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void address(std::size_t i, std::uint32_t member) noexcept {
    std::memcpy(&to_[i].sin_addr, inner_address(member).bytes().data(), sizeof to_[i].sin_addr);
  }
  int send(int fd) noexcept { return ::sendmmsg(fd, messages_.data(), kBatch, 0); }

 private:
  std::array<std::uint8_t, kPayload> bytes_{};
  iovec payload_{bytes_.data(), bytes_.size()};
  std::array<sockaddr_in, kBatch> to_{};
  std::array<mmsghdr, kBatch> messages_{};
};

}  // namespace

Result<Sent> send_round_robin(std::uint32_t members, double seconds,
                              const std::atomic<bool>& stop) {
  const io::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(system_error(errno, "open UDP socket"));
  Batch batch;
  Sent sent;
  const Instant start = io::now().boot;
  std::uint32_t next = 0;
  while (!stop && sent.seconds < seconds) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch.address(i, next);
      next = next + 1 == members ? 0 : next + 1;
    }
    const int taken = batch.send(fd.get());
    if (taken < 0 && errno != ENOBUFS) return std::unexpected(system_error(errno, "send"));
    if (taken > 0) sent.packets += static_cast<std::uint64_t>(taken);
    sent.seconds = std::chrono::duration<double>(io::now().boot - start).count();
  }
  return sent;
}

}  // namespace ferrule::bench
