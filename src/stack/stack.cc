#include "stack/stack.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "packet/checksum.h"
#include "stack/lwip.h"

namespace {

// lwIP's own globals have these for company: what it asks of its surroundings comes without a context.
ferrule::Rng* the_rng = nullptr;
std::uint32_t the_time_ms = 0;
std::size_t the_held_bytes = 0;

// A packet that takes no more than its share may come when much is held: who reads fast goes on.
void* counted(void* memory) noexcept {
  if (memory != nullptr) the_held_bytes += ::malloc_usable_size(memory);
  return memory;
}

}  // namespace

extern "C" {

u32_t sys_now() { return the_time_ms; }

uint32_t ferrule_lwip_random() {
  std::array<std::uint8_t, 4> bytes{};
  // Without randomness nothing can be opened safely.
  FERRULE_CHECK(the_rng != nullptr && the_rng->fill(bytes));
  return ferrule::load_be32(bytes.data());
}

// The sum, in the order in which words lie in memory, not complemented.
uint16_t ferrule_lwip_checksum(const void* data, int size) {
  ferrule::packet::InternetSum sum;
  sum.add({static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
  return lwip_htons(sum.folded());
}

void* ferrule_lwip_malloc(size_t size) {
  if (the_held_bytes + size > ferrule::stack::kMostBytes) return nullptr;
  return counted(std::malloc(size));
}

void* ferrule_lwip_calloc(size_t count, size_t size) {
  if (the_held_bytes + count * size > ferrule::stack::kMostBytes) return nullptr;
  return counted(std::calloc(count, size));
}

void ferrule_lwip_free(void* memory) {
  if (memory == nullptr) return;
  the_held_bytes -= ::malloc_usable_size(memory);
  std::free(memory);
}

void ferrule_lwip_assert(const char*) {
  FERRULE_CHECK(false);
  std::abort();
}

}  // extern "C"

namespace ferrule::stack {

namespace {

constexpr std::size_t kRoomBytes = 65536;
constexpr unsigned kPacketsPerCall = 64;
constexpr std::size_t kMostParts = 64;

// When a network comes back, what waits for it notices soon: TCP's patience ends here, and a connection is given
// up when nothing was heard for long (keepalive), not for having tried often.
constexpr s16_t kLongestRetry_ticks = 8000 / TCP_SLOW_INTERVAL;
constexpr u8_t kMostRetriesCounted = 6;
constexpr u32_t kTimeWait_ticks = 2000 / TCP_SLOW_INTERVAL;

void tell_time(Instant now) noexcept {
  the_time_ms = static_cast<std::uint32_t>(now.ns() / 1'000'000);
}

void bound_patience() noexcept {
  for (tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (pcb->state < ESTABLISHED) continue;
    pcb->rto = std::min(pcb->rto, kLongestRetry_ticks);
    pcb->nrtx = std::min(pcb->nrtx, kMostRetriesCounted);
    pcb->persist_probe = std::min(pcb->persist_probe, kMostRetriesCounted);
  }
}

// Connections come and go by the thousand: two seconds are enough for what was still under way.
void shorten_time_wait() noexcept {
  tcp_pcb* next = nullptr;
  for (tcp_pcb* pcb = tcp_tw_pcbs; pcb != nullptr; pcb = next) {
    next = pcb->next;
    if (tcp_ticks - pcb->tmr > kTimeWait_ticks) tcp_abort(pcb);
  }
}

}  // namespace

ip_addr_t to_lwip(const IpAddress& address) noexcept {
  ip_addr_t result{};
  const Bytes bytes = address.bytes();
  if (address.family() == Family::v4) {
    IP_SET_TYPE_VAL(result, IPADDR_TYPE_V4);
    std::memcpy(&result.u_addr.ip4.addr, bytes.data(), 4);
  } else {
    IP_SET_TYPE_VAL(result, IPADDR_TYPE_V6);
    std::memcpy(result.u_addr.ip6.addr, bytes.data(), 16);
  }
  return result;
}

Endpoint from_lwip(const ip_addr_t& address, std::uint16_t port) noexcept {
  if (IP_IS_V4_VAL(address)) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &address.u_addr.ip4.addr, bytes.size());
    return Endpoint(IpAddress::v4(bytes), port);
  }
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), address.u_addr.ip6.addr, bytes.size());
  return Endpoint(IpAddress::v6(bytes), port);
}

int errno_of(err_t error) noexcept {
  switch (error) {
    case ERR_OK:
      return 0;
    case ERR_MEM:
    case ERR_BUF:
      return ENOBUFS;
    case ERR_RTE:
      return ENETUNREACH;
    case ERR_USE:
      return EADDRINUSE;
    case ERR_RST:
      return ECONNREFUSED;
    case ERR_ABRT:
    case ERR_TIMEOUT:
      return ETIMEDOUT;
    default:
      return EINVAL;
  }
}

struct Stack::Interface {
  struct netif link{};
  io::Tun* tun = nullptr;

  err_t send(const pbuf* packet) noexcept;
};

// What the tunnel can't take now stays with TCP, and is lost for others.
err_t Stack::Interface::send(const pbuf* packet) noexcept {
  std::array<Bytes, kMostParts> parts;
  std::size_t count = 0;
  for (const pbuf* part = packet; part != nullptr; part = part->next) {
    if (count == parts.size()) return ERR_BUF;
    parts[count++] = {static_cast<const std::uint8_t*>(part->payload), part->len};
  }
  const io::TunWrite write{std::span(parts).first(count), {}};
  if (!tun->write({&write, 1})) return ERR_IF;
  return tun->take_write_failures() == 0 ? ERR_OK : ERR_MEM;
}

Stack::Stack(io::Tun& tun, const StackSettings& settings, Rng& rng, Instant now)
    : tun_(tun), interface_(std::make_unique<Interface>()), room_(kRoomBytes) {
  FERRULE_CHECK(the_rng == nullptr);
  the_rng = &rng;
  tell_time(now);
  static const bool is_first = (lwip_init(), true);
  (void)is_first;
  netif& own = interface_->link;
  interface_->tun = &tun_;
  const auto init = [](netif* made) -> err_t {
    made->name[0] = 'w';
    made->name[1] = 'g';
    made->output = [](netif* to, pbuf* packet, const ip4_addr_t*) {
      return static_cast<Interface*>(to->state)->send(packet);
    };
    made->output_ip6 = [](netif* to, pbuf* packet, const ip6_addr_t*) {
      return static_cast<Interface*>(to->state)->send(packet);
    };
    return ERR_OK;
  };
  ip4_addr_t none{};
  netif_add(&own, &none, &none, &none, interface_.get(), init, ip_input);
  own.mtu = static_cast<u16_t>(std::min<std::uint32_t>(settings.mtu_bytes, 65535));
  bool has_v4 = false;
  for (const IpAddress& address : settings.addresses) {
    const ip_addr_t ours = to_lwip(address);
    if (address.family() == Family::v4) {
      if (std::exchange(has_v4, true)) continue;
      ip4_addr_t all{};
      IP4_ADDR(&all, 255, 255, 255, 255);
      netif_set_addr(&own, ip_2_ip4(&ours), &all, &none);
      continue;
    }
    s8_t place = -1;
    if (netif_add_ip6_address(&own, ip_2_ip6(&ours), &place) == ERR_OK && place >= 0) {
      netif_ip6_addr_set_state(&own, place, IP6_ADDR_PREFERRED);
    }
  }
  netif_set_default(&own);
  netif_set_up(&own);
  netif_set_link_up(&own);
}

void Stack::break_all() {
  while (tcp_active_pcbs != nullptr) tcp_abort(tcp_active_pcbs);
  while (tcp_tw_pcbs != nullptr) tcp_abort(tcp_tw_pcbs);
}

Stack::~Stack() {
  break_all();
  netif_remove(&interface_->link);
  the_rng = nullptr;
}

std::size_t Stack::held_bytes() noexcept { return the_held_bytes; }

Result<bool> Stack::take_packets(Instant now) {
  tell_time(now);
  for (unsigned i = 0; i < kPacketsPerCall; ++i) {
    io::TunRead packet;
    packet.room = room_;
    const Result<std::size_t> got = tun_.read({&packet, 1});
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return false;
    take(packet);
  }
  return true;
}

// A packet whose checksum is still to be made has not left our side yet: there is nothing to check.
void Stack::take(const io::TunRead& packet) {
  const auto size = static_cast<u16_t>(packet.size);
  pbuf* buffer = pbuf_alloc(PBUF_RAW, size, PBUF_RAM);
  if (buffer == nullptr) return;
  std::memcpy(buffer->payload, packet.room.data() + packet.headroom, size);
  netif& own = interface_->link;
  const u16_t unchecked = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
  const bool is_partial = packet.offload.needs_checksum;
  NETIF_SET_CHECKSUM_CTRL(&own,
                          static_cast<u16_t>(is_partial ? NETIF_CHECKSUM_ENABLE_ALL & ~unchecked
                                                        : NETIF_CHECKSUM_ENABLE_ALL));
  if (own.input(buffer, &own) != ERR_OK) pbuf_free(buffer);
}

Instant Stack::run_timers(Instant now) {
  tell_time(now);
  const u32_t before = tcp_ticks;
  sys_check_timeouts();
  if (tcp_ticks != before) {
    bound_patience();
    shorten_time_wait();
  }
  const u32_t next_ms = sys_timeouts_sleeptime();
  if (next_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE) return Instant::never();
  return now + std::chrono::milliseconds(std::max<u32_t>(next_ms, 1));
}

}  // namespace ferrule::stack
