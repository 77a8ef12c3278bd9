#include "diagnosis/echo.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "crypto/random.h"
#include "packet/checksum.h"

namespace ferrule::diagnosis {

namespace {

constexpr std::size_t kEchoHeaderBytes = 8;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kRoomBytes = 65536;

// type, code, checksum, id, sequence.
std::optional<std::uint16_t> sequence_of(Bytes echo, std::uint8_t type, std::uint16_t id) {
  if (echo.size() < kEchoHeaderBytes || echo[0] != type) return std::nullopt;
  if (load_be16(echo.data() + 4) != id) return std::nullopt;
  return load_be16(echo.data() + 6);
}

// The request that an error message quotes: whom it was for, and its ICMP header.
struct Quote {
  IpAddress target;
  Bytes echo;
};

std::optional<Quote> read_quote(Family family, Bytes quoted) {
  if (family == Family::v4) {
    if (quoted.size() < sizeof(iphdr) || quoted[9] != IPPROTO_ICMP) return std::nullopt;
    const std::size_t header_bytes = (quoted[0] & 15u) * 4u;
    if (quoted.size() < header_bytes + kEchoHeaderBytes) return std::nullopt;
    return Quote{IpAddress::v4(quoted.subspan(16).first<4>()), quoted.subspan(header_bytes)};
  }
  if (quoted.size() < kIpv6HeaderBytes + kEchoHeaderBytes || quoted[6] != IPPROTO_ICMPV6) {
    return std::nullopt;
  }
  return Quote{IpAddress::v6(quoted.subspan(24).first<16>()), quoted.subspan(kIpv6HeaderBytes)};
}

bool is_error(Family family, std::uint8_t type) {
  if (family == Family::v4) return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED;
  return type == ICMP6_DST_UNREACH || type == ICMP6_PACKET_TOO_BIG || type == ICMP6_TIME_EXCEEDED;
}

IpAddress address_of(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(from).sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, bytes.size());
  return IpAddress::v6(bytes);
}

}  // namespace

bool read_echo_answer(Family family, Bytes message, std::uint16_t id, const IpAddress& from,
                      EchoAnswer& answer) {
  const bool is_v4 = family == Family::v4;
  const std::uint8_t reply = is_v4 ? std::uint8_t{ICMP_ECHOREPLY} : std::uint8_t{ICMP6_ECHO_REPLY};
  if (const auto sequence = sequence_of(message, reply, id)) {
    answer = {from, from, *sequence, true, false};
    return true;
  }
  if (message.size() < kEchoHeaderBytes || !is_error(family, message[0])) return false;
  const auto quote = read_quote(family, message.subspan(kEchoHeaderBytes));
  // What our own WireGuard has to say of a packet seems to come from where the packet should go.
  if (!quote || quote->target == from) return false;
  const std::uint8_t request = is_v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
  const auto sequence = sequence_of(quote->echo, request, id);
  if (!sequence) return false;
  const int expired = is_v4 ? int{ICMP_TIME_EXCEEDED} : int{ICMP6_TIME_EXCEEDED};
  answer = {from, quote->target, *sequence, false, message[0] == expired};
  return true;
}

Result<EchoSocket> EchoSocket::open(Family family, const std::string& interface) {
  const bool is_v4 = family == Family::v4;
  io::UniqueFd fd(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                           is_v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}));
  if (!fd) return std::unexpected(system_error(errno, "open a raw socket"));
  const int probe = is_v4 ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;
  const bool is_set =
      setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                 static_cast<socklen_t>(interface.size())) == 0 &&
      (is_v4 ? setsockopt(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe)
             : setsockopt(fd.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof probe)) == 0;
  if (!is_set) return std::unexpected(system_error(errno, "bind a raw socket to " + interface));
  std::array<std::uint8_t, 2> id{};
  crypto::SystemRng rng;
  if (!rng.fill(id)) return std::unexpected(system_error(errno, "getrandom"));
  return EchoSocket(std::move(fd), family, load_be16(id.data()));
}

bool EchoSocket::send(const IpAddress& to, std::uint16_t sequence, std::size_t bytes, int hops) {
  if (hops != hops_) {
    const int level = family_ == Family::v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6};
    const int option = family_ == Family::v4 ? IP_TTL : IPV6_UNICAST_HOPS;
    if (setsockopt(fd_.get(), level, option, &hops, sizeof hops) != 0) return false;
    hops_ = hops;
  }
  const std::size_t ip_header_bytes = least_echo_bytes(family_) - kEchoHeaderBytes;
  std::vector<std::uint8_t> echo(std::max(bytes, least_echo_bytes(family_)) - ip_header_bytes);
  echo[0] = family_ == Family::v4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
  store_be16(echo.data() + 4, id_);
  store_be16(echo.data() + 6, sequence);
  sockaddr_storage address{};
  socklen_t size = 0;
  if (family_ == Family::v4) {
    packet::InternetSum sum;  // ICMPv6 is summed by the kernel
    sum.add(echo);
    store_be16(echo.data() + 2, sum.checksum());
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, to.bytes().data(), to.bytes().size());
    size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, to.bytes().data(), to.bytes().size());
    size = sizeof v6;
  }
  return sendto(fd_.get(), echo.data(), echo.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                size) >= 0;
}

std::vector<EchoAnswer> EchoSocket::receive(int timeout_ms) {
  std::vector<EchoAnswer> answers;
  std::vector<std::uint8_t> room(kRoomBytes);
  pollfd readable{fd_.get(), POLLIN, 0};
  // Other programs' replies wake us too: this many are enough for one call.
  for (int left = 256; left > 0 && poll(&readable, 1, timeout_ms) > 0; --left) {
    sockaddr_storage from{};
    socklen_t from_size = sizeof from;
    const ssize_t got = recvfrom(fd_.get(), room.data(), room.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &from_size);
    if (got < 0) continue;
    Bytes message(room.data(), static_cast<std::size_t>(got));
    if (family_ == Family::v4 && !message.empty()) {
      message = message.subspan(std::min<std::size_t>(message.size(), (message[0] & 15u) * 4u));
    }
    EchoAnswer answer;
    if (read_echo_answer(family_, message, id_, address_of(from), answer)) {
      answers.push_back(answer);
      timeout_ms = 0;  // what is there already, and no more
    }
  }
  return answers;
}

}  // namespace ferrule::diagnosis
