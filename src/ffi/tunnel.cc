#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "ferrule.h"
#include "ffi/address.h"
#include "ffi/guard.h"
#include "ffi/handles.h"
#include "protocol/drop.h"

using namespace ferrule;
using ffi::CallersArray;

static_assert(FERRULE_SILENT == static_cast<int>(LogLevel::silent) &&
              FERRULE_ERRORS == static_cast<int>(LogLevel::error) &&
              FERRULE_VERBOSE == static_cast<int>(LogLevel::verbose));

namespace {

constexpr std::size_t kPeersAtOnce = 64;

bool read_time(const ferrule_time* time, Now& now) noexcept {
  ferrule_time known;
  if (!ffi::read_struct(time, known) || known.wall_nanoseconds > 999'999'999) return false;
  now = {Instant::from_ns(known.boot_ns), {known.wall_seconds, known.wall_nanoseconds}};
  return true;
}

// What a call that takes a time has in common with the others.
template <class Work>
std::int32_t at_time(ferrule_tunnel* tunnel, const ferrule_time* time, const Work& work) noexcept {
  Now now;
  if (tunnel == nullptr || !read_time(time, now)) return FERRULE_INVALID;
  tunnel->out.clear();
  tunnel->datagrams_taken = tunnel->packets_taken = 0;
  return ffi::guarded([&]() -> std::int32_t { return work(now); });
}

std::uint64_t number_of(PeerId peer) noexcept {
  return std::uint64_t{peer.generation} << 32 | peer.slot;
}
PeerId peer_of(std::uint64_t number) noexcept {
  return {static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32)};
}

bool read_packets(const CallersArray<const ferrule_packet>& from, std::vector<Bytes>& to) {
  to.clear();
  for (std::size_t i = 0; i < from.size(); ++i) {
    ferrule_packet packet;
    if (!ffi::read_struct(from[i], from.stride(), packet) || packet.data == nullptr) return false;
    to.emplace_back(packet.data, packet.length);
  }
  return true;
}

bool read_datagrams(const CallersArray<const ferrule_incoming>& from,
                    std::vector<tunnel::Incoming>& to) {
  to.clear();
  for (std::size_t i = 0; i < from.size(); ++i) {
    ferrule_incoming datagram;
    if (!ffi::read_struct(from[i], from.stride(), datagram) || datagram.data == nullptr) {
      return false;
    }
    to.push_back({MutBytes(datagram.data, datagram.length), ffi::endpoint_of(datagram.from),
                  ffi::source_of(datagram.to), static_cast<std::uint8_t>(datagram.ecn & 3)});
  }
  return true;
}

ferrule_outgoing told(const tunnel::Outgoing& datagram) noexcept {
  ferrule_outgoing outgoing{};
  outgoing.data = datagram.bytes.data();
  outgoing.length = datagram.bytes.size();
  outgoing.to = ffi::address_of(datagram.to);
  outgoing.from = ffi::address_of(datagram.from);
  outgoing.peer = number_of(datagram.peer);
  outgoing.traffic_class = datagram.traffic_class;
  return outgoing;
}

// Some of a list, from where the last call ended.
template <class Struct, class List, class Told>
std::int32_t take(const List& list, std::size_t& taken, Struct* to, std::size_t count,
                  const Told& told_of) noexcept {
  const CallersArray<Struct> room(to, count);
  if (!room.is_valid()) return FERRULE_INVALID;
  const std::size_t some = std::min({count, list.size() - taken, std::size_t{INT32_MAX}});
  const std::size_t stride = some != 0 ? room.stride() : 0;  // the first is written too
  for (std::size_t i = 0; i < some; ++i) {
    ffi::write_struct(told_of(list[taken + i]), stride,
                      reinterpret_cast<std::uint8_t*>(to) + i * stride);
  }
  taken += some;
  return static_cast<std::int32_t>(some);
}

}  // namespace

std::int32_t ferrule_tunnel_new(const ferrule_options* options, ferrule_tunnel** tunnel) {
  ferrule_options known{};
  if (tunnel == nullptr) return FERRULE_INVALID;
  *tunnel = nullptr;
  if (options != nullptr && !ffi::read_struct(options, known)) return FERRULE_INVALID;
  return ffi::guarded([&]() -> std::int32_t {
    *tunnel = new ferrule_tunnel(known);
    return FERRULE_OK;
  });
}

void ferrule_tunnel_free(ferrule_tunnel* tunnel) { delete tunnel; }

std::int32_t ferrule_up(ferrule_tunnel* tunnel, const ferrule_time* now) {
  return at_time(tunnel, now, [&](const Now& time) {
    tunnel->tunnel.up(time, tunnel->out);
    return FERRULE_OK;
  });
}

std::int32_t ferrule_down(ferrule_tunnel* tunnel) {
  if (tunnel == nullptr) return FERRULE_INVALID;
  return ffi::guarded([&]() -> std::int32_t {
    tunnel->tunnel.down();
    return FERRULE_OK;
  });
}

std::int32_t ferrule_encapsulate(ferrule_tunnel* tunnel, const ferrule_time* now,
                                 const ferrule_packet* packets, std::size_t count) {
  const CallersArray<const ferrule_packet> all(packets, count);
  if (!all.is_valid()) return FERRULE_INVALID;
  return at_time(tunnel, now, [&](const Now& time) {
    if (!read_packets(all, tunnel->packets)) return FERRULE_INVALID;
    tunnel->tunnel.encapsulate(time, tunnel->packets, tunnel->out);
    return FERRULE_OK;
  });
}

std::int32_t ferrule_decapsulate(ferrule_tunnel* tunnel, const ferrule_time* now,
                                 const ferrule_incoming* datagrams, std::size_t count) {
  const CallersArray<const ferrule_incoming> all(datagrams, count);
  if (!all.is_valid()) return FERRULE_INVALID;
  return at_time(tunnel, now, [&](const Now& time) {
    if (!read_datagrams(all, tunnel->incoming)) return FERRULE_INVALID;
    tunnel->tunnel.decapsulate(time, tunnel->incoming, tunnel->out);
    return FERRULE_OK;
  });
}

std::int32_t ferrule_tick(ferrule_tunnel* tunnel, const ferrule_time* now) {
  return at_time(tunnel, now, [&](const Now& time) {
    tunnel->tunnel.tick(time, tunnel->out);
    return FERRULE_OK;
  });
}

std::int32_t ferrule_take_datagrams(ferrule_tunnel* tunnel, ferrule_outgoing* datagrams,
                                    std::size_t count) {
  if (tunnel == nullptr) return FERRULE_INVALID;
  return take(tunnel->out.datagrams, tunnel->datagrams_taken, datagrams, count, told);
}

std::int32_t ferrule_take_packets(ferrule_tunnel* tunnel, ferrule_packet* packets,
                                  std::size_t count) {
  if (tunnel == nullptr) return FERRULE_INVALID;
  const auto told_of = [](Bytes packet) { return ferrule_packet{0, packet.data(), packet.size()}; };
  return take(tunnel->out.packets, tunnel->packets_taken, packets, count, told_of);
}

std::int32_t ferrule_sent(ferrule_tunnel* tunnel, const ferrule_outgoing* datagram,
                          std::int32_t error) {
  ferrule_outgoing known;
  if (tunnel == nullptr || !ffi::read_struct(datagram, known)) return FERRULE_INVALID;
  tunnel::Outgoing outgoing{};
  outgoing.bytes = Bytes(known.data, known.length);
  outgoing.peer = peer_of(known.peer);
  tunnel->tunnel.sent(outgoing, error);
  return FERRULE_OK;
}

std::int64_t ferrule_deadline(ferrule_tunnel* tunnel) {
  if (tunnel == nullptr) return FERRULE_INVALID;
  return tunnel->tunnel.next_deadline().value_or(Instant::never()).ns();
}

std::int32_t ferrule_set_mtu(ferrule_tunnel* tunnel, std::uint32_t mtu_bytes) {
  if (tunnel == nullptr || mtu_bytes > UINT16_MAX) return FERRULE_INVALID;
  tunnel->tunnel.device().set_mtu(mtu_bytes);
  return FERRULE_OK;
}

std::int32_t ferrule_configure(ferrule_tunnel* tunnel, const ferrule_time* now, const char* request,
                               std::size_t length) {
  if (request == nullptr) return FERRULE_INVALID;
  return at_time(tunnel, now, [&](const Now& time) {
    tunnel->answer.clear();
    tunnel->answer = tunnel->tunnel.configure(time, {request, length}, tunnel->out);
    const std::string_view answer = tunnel->answer.view();
    const bool is_refused = answer.empty() || answer.find("errno=-") != answer.npos;
    return is_refused ? FERRULE_REFUSED : FERRULE_OK;
  });
}

std::int64_t ferrule_answer(ferrule_tunnel* tunnel, char* text, std::size_t room) {
  if (tunnel == nullptr) return FERRULE_INVALID;
  return ffi::give_text(tunnel->answer.view(), text, room);
}

std::int32_t ferrule_get_statistics(ferrule_tunnel* tunnel, ferrule_statistics* statistics) {
  ferrule_statistics asked;
  if (tunnel == nullptr || !ffi::read_struct(statistics, asked)) return FERRULE_INVALID;
  return ffi::guarded([&]() -> std::int32_t {
    protocol::Device& device = tunnel->tunnel.device();
    ferrule_statistics all{};
    all.peers = device.peer_count();
    all.listen_port = tunnel->tunnel.listen_port();
    all.fwmark = tunnel->tunnel.fwmark();
    for (std::size_t i = 1; i < protocol::kDropCount; ++i) {
      all.dropped += device.drops()[static_cast<protocol::Drop>(i)];
    }
    std::optional<protocol::Device::PeerCursor> cursor;
    const auto add = [&](const protocol::PeerStatus& peer) {
      all.rx_bytes += peer.rx_bytes;
      all.tx_bytes += peer.tx_bytes;
    };
    while (device.visit_peers(cursor, kPeersAtOnce, add)) {
    }
    ffi::write_struct(all, statistics->size, statistics);
    return FERRULE_OK;
  });
}

const char* ferrule_drop_reason(ferrule_tunnel* tunnel, std::uint32_t reason,
                                std::uint64_t* count) {
  const std::size_t number = std::size_t{reason} + 1;  // the first is none at all
  if (tunnel == nullptr || count == nullptr || number >= protocol::kDropCount) return nullptr;
  const auto drop = static_cast<protocol::Drop>(number);
  *count = tunnel->tunnel.device().drops()[drop];
  return protocol::name_of(drop).data();  // a literal, with a zero behind it
}
