#include "stack/lwip_reach.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "stack/lwip.h"
#include "stack/pair.h"

namespace ferrule::stack {

namespace {

constexpr std::size_t kRoomBytes = kAddressBytes + 65535;
// Of the tunnel's queue each way; the system gives an ordinary user less.
constexpr int kTunnelBytes = 4 << 20;

io::UniqueFd widened(io::UniqueFd tunnel) {
  (void)::setsockopt(tunnel.get(), SOL_SOCKET, SO_SNDBUF, &kTunnelBytes, sizeof kTunnelBytes);
  return tunnel;
}

}  // namespace

LwipReach::LwipReach(io::Loop& loop, io::UniqueFd tunnel, const LwipSettings& settings, Rng& rng)
    : loop_(loop),
      tun_(widened(std::move(tunnel)), true, {.tcp = true, .udp = false}),
      routes_(settings.routes),
      stack_(tun_, {settings.addresses, settings.mtu_bytes}, rng, loop.now()) {
  watched_ = io::Watched(loop_, tun_.poll_fd(), {}, [this](const io::Ready&) { take_packets(); });
  arm();
}

LwipReach::~LwipReach() {
  for (auto& [number, given] : given_) {
    if (given.listening) given.listening->end();
    if (given.datagrams) given.datagrams->end();
  }
  stack_.break_all();
}

void LwipReach::take_packets() {
  const Result<bool> taken = stack_.take_packets(loop_.now());
  if (!taken) watched_.reset();  // ferruled is gone, of which somebody else hears too
  arm();
}

void LwipReach::arm() {
  const Instant next = stack_.run_timers(loop_.now());
  timer_ = io::Timer(loop_, next, [this] { arm(); });
}

LwipReach::Given* LwipReach::find(int socket) {
  const auto found = given_.find(socket);
  if (found == given_.end() || found->second.identity != identity_of(socket)) return nullptr;
  return &found->second;
}

LwipReach::Given& LwipReach::remember(int socket) {
  Given& given = given_[socket] = {};
  given.identity = identity_of(socket);
  return given;
}

Stream::Gone LwipReach::gone_of(int socket) {
  return [this, socket, identity = identity_of(socket)](bool is_broken) {
    const auto found = given_.find(socket);
    if (found != given_.end() && found->second.identity == identity) {
      found->second.is_broken = is_broken;
    }
  };
}

bool LwipReach::leads_to(const IpAddress& address) const {
  return std::ranges::any_of(routes_, [&](const Cidr& route) { return route.contains(address); });
}

Result<io::UniqueFd> LwipReach::dial(const Endpoint& to, const IpAddress& from) {
  if (!leads_to(to.address)) {
    return std::unexpected(system_error(ENETUNREACH, "connect to " + to.to_string()));
  }
  Result<Pair> pair = make_pair(SOCK_STREAM);
  if (!pair) return std::unexpected(pair.error());
  const int socket = pair->theirs.get();
  remember(socket);
  const auto local = Stream::dial(loop_, to, from, std::move(pair->ours), gone_of(socket));
  if (!local) return std::unexpected(local.error());
  given_[socket].local = *local;
  arm();
  return std::move(pair->theirs);
}

Result<void> LwipReach::connected(int socket) {
  char word = 0;
  const ssize_t got = ::recv(socket, &word, 1, 0);
  if (got == 1 && word == 0) return {};
  return std::unexpected(
      system_error(got == 1 ? static_cast<unsigned char>(word) : ECONNABORTED, "connect"));
}

Result<io::UniqueFd> LwipReach::listen(const Endpoint& at) {
  Result<Pair> pair = make_pair(SOCK_SEQPACKET);
  if (!pair) return std::unexpected(pair.error());
  auto listening = Listening::open(loop_, at, std::move(pair->ours),
                                   [this](tcp_pcb* caller) { return admit(caller); });
  if (!listening) return std::unexpected(listening.error());
  Given& given = remember(pair->theirs.get());
  given.local = (*listening)->local_end();
  if (at.address.family() != Family::none) given.local.address = at.address;
  given.listening = std::move(*listening);
  return std::move(pair->theirs);
}

io::UniqueFd LwipReach::admit(tcp_pcb* caller) {
  Result<Pair> pair = make_pair(SOCK_STREAM);
  if (!pair) return {};
  Given& given = remember(pair->theirs.get());
  given.local = from_lwip(caller->local_ip, caller->local_port);
  given.other = from_lwip(caller->remote_ip, caller->remote_port);
  Stream::take(loop_, caller, std::move(pair->ours), gone_of(pair->theirs.get()));
  return std::move(pair->theirs);
}

Result<netstack::Caller> LwipReach::accept(int listener) {
  char word = 0;
  if (::recv(listener, &word, 1, 0) != 1) return std::unexpected(system_error(EAGAIN, "accept"));
  const Given* given = find(listener);
  io::UniqueFd socket = given != nullptr ? given->listening->take() : io::UniqueFd();
  if (!socket) return std::unexpected(system_error(ECONNABORTED, "accept"));
  const Given* caller = find(socket.get());
  const Endpoint from = caller != nullptr ? caller->other : Endpoint();
  return netstack::Caller{std::move(socket), from};
}

Result<io::UniqueFd> LwipReach::open_udp(const Endpoint& at) {
  Result<Pair> pair = make_pair(SOCK_SEQPACKET);
  if (!pair) return std::unexpected(pair.error());
  auto datagrams = Datagrams::open(loop_, at, std::move(pair->ours));
  if (!datagrams) return std::unexpected(datagrams.error());
  Given& given = remember(pair->theirs.get());
  given.local = (*datagrams)->local_end();
  given.datagrams = std::move(*datagrams);
  return std::move(pair->theirs);
}

bool LwipReach::set_other_end(int socket, const Endpoint& to) {
  const Given* given = find(socket);
  return given != nullptr && given->datagrams && leads_to(to.address) &&
         given->datagrams->set_other_end(to);
}

Result<netstack::Datagram> LwipReach::receive(int socket) {
  static thread_local const std::unique_ptr<std::uint8_t[]> room(new std::uint8_t[kRoomBytes]);
  const ssize_t got = ::recv(socket, room.get(), kRoomBytes, 0);
  if (got < 0) return std::unexpected(system_error(errno, "receive"));
  const auto size = static_cast<std::size_t>(got);
  if (size < kAddressBytes) return std::unexpected(system_error(EAGAIN, "receive"));
  return netstack::Datagram{decode(room.get()), {room.get() + kAddressBytes, size - kAddressBytes}};
}

bool LwipReach::send(int socket, const Endpoint& to, std::string_view head, Bytes rest) {
  if (!to.is_none() && !leads_to(to.address)) return false;
  auto address = encode(to);
  iovec parts[] = {{address.data(), address.size()},
                   {const_cast<char*>(head.data()), head.size()},
                   {const_cast<std::uint8_t*>(rest.data()), rest.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 3;
  return ::sendmsg(socket, &header, MSG_NOSIGNAL) >= 0;
}

Endpoint LwipReach::local_end(int socket) {
  const Given* given = find(socket);
  return given != nullptr ? given->local : Endpoint();
}

bool LwipReach::ended_well(int socket) {
  const Given* given = find(socket);
  return given == nullptr || !given->is_broken;
}

}  // namespace ferrule::stack
