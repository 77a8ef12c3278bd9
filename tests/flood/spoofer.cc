#include "spoofer.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace ferrule::flood {

namespace {

constexpr std::uint32_t kAnywhere = 100u << 24 | 64u << 16;  // 100.64.0.0
constexpr std::uint32_t kAnywhereMask = (1u << 22) - 1;      // /10

in_addr_t network_order(const IpAddress& address) noexcept {
  in_addr_t value;
  std::memcpy(&value, address.bytes().data(), sizeof value);
  return value;
}

}  // namespace

Result<Spoofer> Spoofer::open(const Endpoint& to, const Endpoint& from) {
  // IPPROTO_RAW: our headers go out as they are, but for the IP checksum, which the kernel fills in.
  io::UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!fd) return std::unexpected(system_error(errno, "open raw socket"));
  return Spoofer(std::move(fd), to, from);
}

Spoofer::Spoofer(io::UniqueFd fd, const Endpoint& to, const Endpoint& from) : fd_(std::move(fd)) {
  to_.sin_family = AF_INET;
  to_.sin_port = htons(to.port);
  to_.sin_addr.s_addr = network_order(to.address);
  if (from.is_none()) return;
  from_address_ = network_order(from.address);
  from_port_ = htons(from.port);
}

Result<std::size_t> Spoofer::send(std::span<const Message> messages, std::size_t count) {
  std::array<std::array<iovec, 2>, kMaxBatch> parts;
  std::array<mmsghdr, kMaxBatch> batch{};
  for (std::size_t i = 0; i < count; ++i) {
    const Message& message = messages[next_];
    next_ = next_ + 1 == messages.size() ? 0 : next_ + 1;
    fill(headers_[i], message.size());
    parts[i] = {{{&headers_[i], sizeof headers_[i]},
                 {const_cast<std::uint8_t*>(message.data()), message.size()}}};
    batch[i].msg_hdr.msg_name = &to_;
    batch[i].msg_hdr.msg_namelen = sizeof to_;
    batch[i].msg_hdr.msg_iov = parts[i].data();
    batch[i].msg_hdr.msg_iovlen = parts[i].size();
  }
  const int sent = ::sendmmsg(fd_.get(), batch.data(), static_cast<unsigned>(count), 0);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == ENOBUFS || errno == EAGAIN) return 0;
  return std::unexpected(system_error(errno, "send spoofed datagrams"));
}

void Spoofer::fill(Headers& headers, std::size_t payload) {
  const std::size_t udp_size = sizeof headers.udp + payload;
  headers.ip = {};
  headers.ip.version = 4;
  headers.ip.ihl = sizeof headers.ip / 4;
  headers.ip.tot_len = htons(static_cast<std::uint16_t>(sizeof headers.ip + udp_size));
  headers.ip.id = htons(1);  // with none, the kernel looks for one, at a third of the cost of all
  headers.ip.ttl = 64;
  headers.ip.protocol = IPPROTO_UDP;
  headers.ip.daddr = to_.sin_addr.s_addr;
  headers.udp.uh_dport = to_.sin_port;
  headers.udp.uh_ulen = htons(static_cast<std::uint16_t>(udp_size));
  headers.udp.uh_sum = 0;  // none, which IPv4 allows
  if (from_address_ != 0) {
    headers.ip.saddr = from_address_;
    headers.udp.uh_sport = from_port_;
    return;
  }
  headers.ip.saddr = htonl(kAnywhere | (rng_() & kAnywhereMask));
  headers.udp.uh_sport = htons(static_cast<std::uint16_t>(1024 + rng_() % 60000));
}

}  // namespace ferrule::flood
