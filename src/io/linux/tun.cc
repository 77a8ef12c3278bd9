#include "io/linux/tun.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <cerrno>

#include "base/check.h"
#include "io/linux/vnet_header.h"

namespace ferrule::io {
namespace {

// A descriptor whose interface was deleted says EBADFD to everything from then on.
// And one whose other end is a program's, to what is written.
bool is_gone(int error) noexcept {
  return error == EBADFD || error == EBADF || error == EPIPE || error == ECONNRESET;
}

bool still_attached(int fd) noexcept {
  ifreq request{};
  return ::ioctl(fd, TUNGETIFF, &request) == 0;
}

// Errors that say something about the moment, not about the packet. EIO: the interface is down.
bool is_circumstance(int error) noexcept {
  return error == EIO || error == ENETDOWN || error == EAGAIN || error == ENOBUFS ||
         error == ENOMEM;
}

}  // namespace

LinuxTun::LinuxTun(UniqueFd fd, bool has_vnet_header, packet::OffloadSupport support) noexcept
    : fd_(std::move(fd)), has_vnet_header_(has_vnet_header), support_(support) {}

std::uint64_t LinuxTun::take_write_failures() noexcept {
  // Nearly always there are none, and a load is cheaper than an exchange.
  if (write_failures_.load(std::memory_order_relaxed) == 0) return 0;
  return write_failures_.exchange(0, std::memory_order_relaxed);
}

packet::OffloadSupport LinuxTun::offload_support() const noexcept {
  const auto taken = [&](Kind kind) {
    return refusals_in_row_[kind].load(std::memory_order_relaxed) < kRefusalsInRow;
  };
  return {.tcp = support_.tcp && taken(kTcp), .udp = support_.udp && taken(kUdp)};
}

// False when nothing is there. A packet whose vnet header contradicts it comes as one of size 0.
Result<bool> LinuxTun::read_one(TunRead& slot) {
  FERRULE_CHECK(slot.headroom < slot.room.size());
  const MutBytes room = slot.room.subspan(slot.headroom);
  slot.size = 0;
  slot.offload = {};
  VnetHeader header{};
  const iovec parts[] = {{&header, sizeof header}, {room.data(), room.size()}};
  const ssize_t got =
      has_vnet_header_ ? ::readv(fd_.get(), parts, 2) : ::read(fd_.get(), room.data(), room.size());
  if (got < 0) {
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return false;
    const bool hopeless = ++read_errors_in_row_ >= kReadErrorsInRow;
    if (!is_gone(error) && !hopeless && still_attached(fd_.get())) return false;
    return std::unexpected(system_error(error, "read from tunnel interface"));
  }
  if (got == 0) return std::unexpected(system_error(EBADFD, "read from tunnel interface"));
  read_errors_in_row_ = 0;
  const std::size_t skipped = has_vnet_header_ ? sizeof header : 0;
  if (static_cast<std::size_t>(got) <= skipped) return true;
  const std::size_t size = got - skipped;
  if (has_vnet_header_ && !from_vnet(header, room.first(size), slot.offload)) return true;
  slot.size = size;
  return true;
}

Result<std::size_t> LinuxTun::read(std::span<TunRead> slots) {
  std::size_t filled = 0;
  for (std::size_t tries = slots.size(); tries > 0; --tries) {
    auto got = read_one(slots[filled]);
    if (!got && filled == 0) return std::unexpected(std::move(got.error()));
    if (!got || !*got) break;
    if (slots[filled].size > 0) ++filled;
  }
  return filled;
}

LinuxTun::Outcome LinuxTun::refusal(const TunWrite& packet, int error) noexcept {
  if (is_gone(error)) return Outcome::gone;
  if (is_circumstance(error) || packet.offload.gso == packet::GsoType::none) return Outcome::lost;
  const Kind kind = packet.offload.gso == packet::GsoType::udp ? kUdp : kTcp;
  refusals_in_row_[kind].fetch_add(1, std::memory_order_relaxed);
  refused_super_packets_.fetch_add(1, std::memory_order_relaxed);
  return Outcome::refused;
}

LinuxTun::Outcome LinuxTun::write_one(const TunWrite& packet) noexcept {
  FERRULE_CHECK(packet.parts.size() <= kMaxTunParts);
  const bool has_work =
      packet.offload.gso != packet::GsoType::none || packet.offload.needs_checksum;
  if (has_work && !has_vnet_header_) return refusal(packet, EINVAL);
  VnetHeader header = to_vnet(packet.offload);
  std::array<iovec, kMaxTunParts + 1> parts;  // on purpose not initialised
  std::size_t count = 0;
  if (has_vnet_header_) parts[count++] = iovec{&header, sizeof header};
  for (Bytes part : packet.parts) {
    parts[count++] = iovec{const_cast<std::uint8_t*>(part.data()), part.size()};
  }
  ssize_t written;
  do {
    written = ::writev(fd_.get(), parts.data(), static_cast<int>(count));
  } while (written < 0 && errno == EINTR);
  if (written < 0) return refusal(packet, errno);
  if (packet.offload.gso != packet::GsoType::none) {
    auto& in_row = refusals_in_row_[packet.offload.gso == packet::GsoType::udp ? kUdp : kTcp];
    if (in_row.load(std::memory_order_relaxed) != 0) in_row.store(0, std::memory_order_relaxed);
  }
  return Outcome::taken;
}

Result<std::size_t> LinuxTun::write(std::span<const TunWrite> batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    switch (write_one(batch[i])) {
      case Outcome::taken:
        break;
      case Outcome::lost:
        write_failures_.fetch_add(1, std::memory_order_relaxed);
        break;
      case Outcome::refused:
        return i;
      case Outcome::gone:
        return std::unexpected(system_error(EBADFD, "write to tunnel interface"));
    }
  }
  return batch.size();
}

}  // namespace ferrule::io
