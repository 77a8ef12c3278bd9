#include "io/linux/steering.h"

#include <linux/filter.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>

#include "base/wire.h"

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#endif

namespace ferrule::io {
namespace {

// From the start of the IP header. Behind IP options or extension headers something else stands where the
// ports are looked for: a worse spread, but the same lane for one sender.
struct Offsets {
  std::uint32_t source;  // the last four bytes of the address
  std::uint32_t ports;
};
constexpr Offsets kV4{12, 20};
constexpr Offsets kV6{20, 40};

// A factor of multiply-shift hashing: random, so that nobody can aim at one lane.
std::uint32_t random_factor() noexcept {
  std::uint32_t factor = 0x9E3779B1;
  (void)!::getrandom(&factor, sizeof factor, GRND_NONBLOCK);
  return factor | 1;
}

constexpr std::uint32_t from_ip_header(std::uint32_t offset) {
  return static_cast<std::uint32_t>(SKF_NET_OFF) + offset;
}

}  // namespace

bool steer_handshakes(int fd, Family family, std::size_t lanes) noexcept {
  const Offsets offsets = family == Family::v4 ? kV4 : kV6;
  const auto last = static_cast<std::uint32_t>(lanes);
  // Loads from 0 on are of the datagram's own bytes; what is too short for one comes to the first lane.
  std::array<sock_filter, 14> program = {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kWirePrefix),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kFirstHandshakeType, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kLastHandshakeType, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, last),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, from_ip_header(offsets.ports)),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, random_factor()),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, from_ip_header(offsets.source)),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, random_factor()),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, last),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_RET | BPF_A, 0),
  }};
  const sock_fprog filter{program.size(), program.data()};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0;
}

}  // namespace ferrule::io
