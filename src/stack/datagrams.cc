#include "stack/datagrams.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/bytes.h"
#include "stack/lwip.h"
#include "stack/stack.h"

namespace ferrule::stack {

namespace {

constexpr unsigned kDatagramsPerTurn = 64;
constexpr std::size_t kRoomBytes = kAddressBytes + 65535;
constexpr std::size_t kMostPayloadBytes = 65507;

void give(int socket, const ip_addr_t& from, std::uint16_t port, const pbuf* packet) {
  std::array<std::uint8_t, kAddressBytes> head = encode(from_lwip(from, port));
  std::array<iovec, 64> parts;
  std::size_t count = 0;
  parts[count++] = {head.data(), head.size()};
  for (const pbuf* part = packet; part != nullptr && count < parts.size(); part = part->next) {
    parts[count++] = {part->payload, part->len};
  }
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = count;
  (void)::sendmsg(socket, &header, MSG_NOSIGNAL);
}

}  // namespace

std::array<std::uint8_t, kAddressBytes> encode(const Endpoint& end) noexcept {
  std::array<std::uint8_t, kAddressBytes> bytes{};
  if (end.is_none()) return bytes;
  bytes[0] = end.address.family() == Family::v4 ? 4 : 6;
  store_be16(&bytes[2], end.port);
  std::ranges::copy(end.address.bytes(), &bytes[4]);
  return bytes;
}

Endpoint decode(const std::uint8_t* bytes) noexcept {
  const std::span<const std::uint8_t, 16> address(bytes + 4, 16);
  const std::uint16_t port = load_be16(bytes + 2);
  if (bytes[0] == 4) return Endpoint(IpAddress::v4(address.first<4>()), port);
  if (bytes[0] == 6) return Endpoint(IpAddress::v6(address), port);
  return {};
}

Result<std::shared_ptr<Datagrams>> Datagrams::open(io::Loop& loop, const Endpoint& at,
                                                   io::UniqueFd socket) {
  const ip_addr_t here = to_lwip(at.address);
  udp_pcb* pcb = udp_new_ip_type(IP_GET_TYPE(&here));
  const std::string what = "open UDP " + at.to_string();
  if (pcb == nullptr) return std::unexpected(system_error(ENOBUFS, what));
  std::uint16_t port = at.port;
  err_t error = ERR_USE;
  // Where any will do, nobody else is to know which.
  for (unsigned tries = 0; tries < 16 && error == ERR_USE; ++tries) {
    if (at.port == 0) port = static_cast<std::uint16_t>(0x8000 | ferrule_lwip_random());
    error = udp_bind(pcb, &here, port);
    if (at.port != 0) break;
  }
  if (error != ERR_OK) {
    udp_remove(pcb);
    return std::unexpected(system_error(errno_of(error), what));
  }
  std::shared_ptr<Datagrams> made(new Datagrams(loop, pcb, std::move(socket)));
  made->self_ = made;
  const auto hear = [](void* context, udp_pcb*, pbuf* packet, const ip_addr_t* from, u16_t of) {
    give(static_cast<Datagrams*>(context)->socket_.get(), *from, of, packet);
    pbuf_free(packet);
  };
  udp_recv(pcb, hear, made.get());
  made->watched_ = io::Watched(loop, made->socket_.get(), {}, [raw = made.get()](const io::Ready&) {
    const auto alive = raw->shared_from_this();
    raw->ready();
  });
  return made;
}

Datagrams::~Datagrams() { end(); }

Endpoint Datagrams::local_end() const noexcept {
  return pcb_ == nullptr ? Endpoint() : from_lwip(pcb_->local_ip, pcb_->local_port);
}

bool Datagrams::set_other_end(const Endpoint& to) noexcept {
  const ip_addr_t there = to_lwip(to.address);
  other_ = to;
  return pcb_ != nullptr && udp_connect(pcb_, &there, to.port) == ERR_OK;
}

void Datagrams::ready() {
  static thread_local const std::unique_ptr<std::uint8_t[]> room(new std::uint8_t[kRoomBytes]);
  for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
    const ssize_t got = ::recv(socket_.get(), room.get(), kRoomBytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return end();
    const auto size = static_cast<std::size_t>(got);
    if (size < kAddressBytes || size - kAddressBytes > kMostPayloadBytes) continue;
    Endpoint to = decode(room.get());
    if (to.is_none()) to = other_;
    if (to.is_none()) continue;
    const auto length = static_cast<u16_t>(size - kAddressBytes);
    pbuf* packet = pbuf_alloc(PBUF_TRANSPORT, length, PBUF_RAM);
    if (packet == nullptr) continue;
    (void)pbuf_take(packet, room.get() + kAddressBytes, length);
    const ip_addr_t there = to_lwip(to.address);
    (void)udp_sendto(pcb_, packet, &there, to.port);
    pbuf_free(packet);
  }
}

void Datagrams::end() {
  if (udp_pcb* pcb = std::exchange(pcb_, nullptr)) udp_remove(pcb);
  watched_.reset();
  socket_.reset();
  const auto last = std::exchange(self_, nullptr);
}

}  // namespace ferrule::stack
