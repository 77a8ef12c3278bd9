#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "io/linux/control_message.h"
#include "io/linux/limits.h"
#include "io/linux/socket_address.h"
#include "io/linux/udp.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace ferrule::io {
namespace {

constexpr std::size_t kControlRoom = 128;  // packet information, traffic class, segment size
static_assert(kControlRoom >= CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)));

// Where the kernel writes one receive. On the stack, and not initialised: 64 of them are much.
struct ReceiveTarget {
  SocketAddress from;
  iovec room;
  alignas(cmsghdr) std::byte control[kControlRoom];

  void aim(mmsghdr& message, const ReceivedDatagrams& slot) noexcept {
    room = iovec{slot.room.data(), slot.room.size()};
    message.msg_hdr = msghdr{};
    message.msg_hdr.msg_name = &from.v6;
    message.msg_hdr.msg_namelen = sizeof from.v6;
    message.msg_hdr.msg_iov = &room;
    message.msg_hdr.msg_iovlen = 1;
    message.msg_hdr.msg_control = control;
    message.msg_hdr.msg_controllen = sizeof control;
    message.msg_len = 0;
  }
};

void read_v4_control(ReceivedDatagrams& slot, const cmsghdr& control) noexcept {
  if (control.cmsg_type == IP_PKTINFO) {
    // ipi_spec_dst is an address of ours, also when the datagram came to a broadcast address.
    if (const auto info = control_value<in_pktinfo>(control)) {
      slot.to = Source{to_ip(info->ipi_spec_dst), static_cast<std::uint32_t>(info->ipi_ifindex)};
    }
  } else if (control.cmsg_type == IP_TOS) {
    if (const auto tos = control_value<std::uint8_t>(control)) slot.ecn = *tos & 3;
  }
}

void read_v6_control(ReceivedDatagrams& slot, const cmsghdr& control) noexcept {
  if (control.cmsg_type == IPV6_PKTINFO) {
    if (const auto info = control_value<in6_pktinfo>(control)) {
      slot.to = Source{to_ip(info->ipi6_addr), info->ipi6_ifindex};
    }
  } else if (control.cmsg_type == IPV6_TCLASS) {
    if (const auto tclass = control_value<int>(control)) {
      slot.ecn = static_cast<std::uint8_t>(*tclass & 3);
    }
  }
}

void read_control(ReceivedDatagrams& slot, const msghdr& header) noexcept {
  auto* head = const_cast<msghdr*>(&header);  // CMSG_NXTHDR's signature only
  for (cmsghdr* control = CMSG_FIRSTHDR(head); control; control = CMSG_NXTHDR(head, control)) {
    if (control->cmsg_level == IPPROTO_IP) read_v4_control(slot, *control);
    if (control->cmsg_level == IPPROTO_IPV6) read_v6_control(slot, *control);
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
      const auto size = control_value<int>(*control);
      if (size && *size > 0) slot.segment_size = static_cast<std::size_t>(*size);
    }
  }
}

bool is_fatal(int error) noexcept { return error == EBADF || error == ENOTSOCK; }

}  // namespace

void LinuxUdp::finish(ReceivedDatagrams& slot, const msghdr& header, std::size_t size) noexcept {
  SocketAddress from{};
  from.size = header.msg_namelen;
  if (header.msg_namelen <= sizeof from.v6) {
    std::memcpy(&from.v6, header.msg_name, header.msg_namelen);
  }
  slot.size = std::min(size, slot.room.size());
  slot.segment_size = 0;
  slot.from = to_endpoint(from);
  slot.to = Source{};
  slot.ecn = 0;
  read_control(slot, header);
  if (slot.segment_size == 0 || slot.segment_size > slot.size) slot.segment_size = slot.size;
  if ((header.msg_flags & MSG_TRUNC) == 0) return;
  truncated_.fetch_add(1, std::memory_order_relaxed);
  // The last datagram is the one that was cut: what stands before it came whole.
  const bool several = slot.segment_size < slot.size;
  slot.size = several ? slot.size - slot.size % slot.segment_size : 0;
  if (!several) slot.segment_size = 0;
}

int LinuxUdp::receive_some(int fd, mmsghdr* messages, unsigned count) noexcept {
  if (has_recvmmsg_.load(std::memory_order_relaxed)) {
    const int got = calls_.recvmmsg(fd, messages, count, MSG_DONTWAIT);
    if (got >= 0 || errno != ENOSYS) return got;
    has_recvmmsg_.store(false, std::memory_order_relaxed);
  }
  const ssize_t size = calls_.recvmsg(fd, &messages[0].msg_hdr, MSG_DONTWAIT);
  if (size < 0) return -1;
  messages[0].msg_len = static_cast<unsigned>(size);
  return 1;
}

// Fills slots until nothing is there. What goes wrong costs a packet at most (P75b); only a socket
// that never says anything else is given up, so that nothing spins on it.
Result<std::size_t> LinuxUdp::receive_from(Socket& from, std::span<ReceivedDatagrams> slots) {
  std::array<mmsghdr, kMessagesPerCall> headers;
  std::array<ReceiveTarget, kMessagesPerCall> targets;
  std::size_t filled = 0;
  unsigned errors = 0;
  while (filled < slots.size() && errors < kReceiveErrorsPerCall) {
    const std::size_t count = std::min(slots.size() - filled, kMessagesPerCall);
    for (std::size_t i = 0; i < count; ++i) targets[i].aim(headers[i], slots[filled + i]);
    const int got = receive_some(from.fd.get(), headers.data(), static_cast<unsigned>(count));
    if (got >= 0) {
      for (int i = 0; i < got; ++i) {
        finish(slots[filled + i], headers[i].msg_hdr, headers[i].msg_len);
      }
      filled += got;
      from.errors_in_row = 0;
      const bool drained =
          has_recvmmsg_.load(std::memory_order_relaxed) && static_cast<std::size_t>(got) < count;
      if (got == 0 || drained) break;
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) break;
    ++errors;
    if (error == EINTR) continue;
    if (is_fatal(error) || ++from.errors_in_row >= kReceiveErrorsInRow) {
      if (filled > 0) break;  // first give what has come; the next call says it again
      return std::unexpected(system_error(error, "receive from UDP port " + std::to_string(port_)));
    }
  }
  return filled;
}

// The families take turns in going first, and the first leaves half of the slots to the other, so
// that a flood over one does not silence the other.
Result<std::size_t> LinuxUdp::receive(std::span<ReceivedDatagrams> slots) {
  if (!v6_.fd) return receive_from(v4_, slots);
  if (!v4_.fd) return receive_from(v6_, slots);
  v6_first_ = !v6_first_;
  Socket& first = v6_first_ ? v6_ : v4_;
  Socket& second = v6_first_ ? v4_ : v6_;
  const std::size_t half = (slots.size() + 1) / 2;
  auto of_first = receive_from(first, slots.first(half));
  if (!of_first) return of_first;
  std::size_t filled = *of_first;
  auto of_second = receive_from(second, slots.subspan(filled));
  if (!of_second) return filled > 0 ? Result<std::size_t>(filled) : of_second;
  const bool first_has_more = *of_first == half;
  filled += *of_second;
  if (!first_has_more) return filled;
  auto rest = receive_from(first, slots.subspan(filled));
  return rest ? filled + *rest : filled;
}

}  // namespace ferrule::io
