#include "engine/world_testing.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/check.h"
#include "base/wire.h"
#include "crypto/x25519.h"

namespace ferrule::engine::testing {

namespace {

constexpr std::uint16_t kPort = 51820;

Endpoint endpoint_of(std::string_view prefix, std::uint8_t number) {
  return {*IpAddress::parse(std::string(prefix) + std::to_string(number)), kPort, 0};
}

PrivateKey make_key(std::uint8_t number) {
  test::RepeatableRng rng(0xFE00u + number);
  return *crypto::generate_private_key(rng);
}

}  // namespace

std::size_t Train::bytes() const { return std::accumulate(parts.begin(), parts.end(), 0u); }

std::size_t RecordingUdp::send(std::span<io::OutgoingDatagrams> batch) {
  for (const io::OutgoingDatagrams& entry : batch) {
    Train& train = trains.emplace_back();
    for (const Bytes part : entry.parts) train.parts.push_back(part.size());
    train.segment_size = entry.segment_size;
    train.traffic_class = entry.traffic_class;
    train.to = entry.to;
  }
  return inner_.send(batch);
}

Host::Host(World& in, std::uint8_t number, const HostOptions& options)
    : world(in),
      v4(endpoint_of("192.0.2.", number)),
      v6(endpoint_of("2001:db8::", number)),
      key(make_key(number)),
      rng_(number),
      locks_(1),
      inbox_([this] { woken_ = true; }),
      intake_(number, [this] { inbox_.rouse(); }),
      device(rng_, crypto::best_aead_backend(), locks_, log_),
      control_(device, inbox_, intake_,
               [this](std::span<const PeerId> peers) {
                 for (const auto& lane : lanes_)
                   lane->outbound.flush(world.now(), peers, {*scratch_, 0});
               }),
      scratch_(std::make_unique<Scratch>()) {
  io::MemoryUdpOptions udp_options;
  udp_options.addresses = {{v4.address, 1}, {v6.address, 1}};
  udp_options.port = kPort;
  udp_options.offload = options.coalesces;
  udp = std::move(*io::MemoryUdp::open(world.network, udp_options));
  recorder = std::make_unique<RecordingUdp>(*udp);
  for (std::size_t i = 0; i < options.lanes; ++i) {
    tuns.push_back(std::make_unique<io::MemoryTun>(options.tun));
    const LaneParts parts{
        device.data_path(), locks_, crypto::best_aead_backend(), inbox_, intake_, *tuns[i]};
    lanes_.push_back(std::make_unique<Lane>(static_cast<std::uint16_t>(i), parts));
    lanes_[i]->set_udp(recorder.get());
  }
  protocol::DeviceChange change;
  change.private_key = PrivateKey(key.clone());
  apply(std::move(change));
}

PublicKey Host::public_key() const { return crypto::public_key_of(key); }

void Host::apply(protocol::DeviceChange change) {
  FERRULE_CHECK(device.prepare(change).has_value());
  device.apply(world.now(), std::move(change), control_.outbox());
  control_.send(udp.get());
}

void Host::add_peer(const Host& peer, std::string_view allowed_ips, bool knows_endpoint,
                    std::uint16_t persistent_keepalive_s) {
  protocol::PeerChange change;
  change.public_key = peer.public_key();
  if (knows_endpoint) change.endpoint = peer.v4;
  change.persistent_keepalive_s = persistent_keepalive_s;
  while (!allowed_ips.empty()) {
    const std::size_t comma = std::min(allowed_ips.find(','), allowed_ips.size());
    change.allowed_ips.push_back({*Cidr::parse(allowed_ips.substr(0, comma)), false});
    allowed_ips.remove_prefix(std::min(comma + 1, allowed_ips.size()));
  }
  protocol::DeviceChange device_change;
  device_change.peers.push_back(std::move(change));
  apply(std::move(device_change));
}

void Host::up() {
  device.up();
  inbox_.rouse();
}

void Host::down() { device.down(); }

bool Host::sends(Packet packet, packet::Offload offload, std::size_t lane) {
  return tuns.at(lane)->host_sends({std::move(packet), offload});
}

std::vector<io::MemoryPacket> Host::receives() {
  std::vector<io::MemoryPacket> packets;
  for (const auto& tun : tuns) {
    for (io::MemoryPacket& packet : tun->host_receives()) packets.push_back(std::move(packet));
  }
  return packets;
}

bool Host::work() {
  bool any = false;
  NoLead lead;
  const Worker worker{*scratch_, 0};
  const Now& now = world.now();
  for (const auto& lane : lanes_) {
    while (lane->inbound.pump(now, worker, lead) == Pumped::some) any = true;
    while (lane->outbound.pump(now, worker, lead) == Pumped::some) any = true;
  }
  const auto deadline = next_deadline();
  while (std::exchange(woken_, false) || (deadline && *deadline <= now.boot && !any)) {
    control_.work(now, udp.get());
    any = true;
  }
  return any;
}

std::optional<Instant> Host::next_deadline() {
  std::optional<Instant> next = intake_.next_deadline();
  if (const auto timer = device.next_deadline(); timer && (!next || timer->at < *next)) {
    next = timer->at;
  }
  return next;
}

protocol::PeerStatus Host::status(const Host& peer) {
  std::optional<protocol::PeerStatus> found;
  std::optional<protocol::Device::PeerCursor> cursor;
  (void)device.visit_peers(cursor, SIZE_MAX, [&](const protocol::PeerStatus& status) {
    if (status.public_key != peer.public_key()) return;
    found.emplace();
    found->endpoint = status.endpoint;
    found->last_handshake = status.last_handshake;
    found->tx_bytes = status.tx_bytes;
    found->rx_bytes = status.rx_bytes;
  });
  FERRULE_CHECK(found.has_value());
  return std::move(*found);
}

World::World() {
  lose([](const io::MemoryDatagram&) { return false; });
}

Host& World::host(const HostOptions& options) {
  const auto number = static_cast<std::uint8_t>(hosts_.size() + 1);
  hosts_.push_back(std::make_unique<Host>(*this, number, options));
  return *hosts_.back();
}

void World::pair(Host& a, Host& b) {
  a.add_peer(b, "10.1.0.99/32,fd00:1::63/128");
  b.add_peer(a, "10.0.0.0/24,fd00::/64");
  a.up();
  b.up();
}

void World::lose(std::function<bool(const io::MemoryDatagram&)> lost) {
  network.set_hook([lost = std::move(lost)](io::MemoryDatagram& datagram) {
    return lost(datagram) ? io::MemoryNetwork::Fate::drop : io::MemoryNetwork::Fate::deliver;
  });
}

void World::settle() {
  bool any;
  do {
    any = false;
    for (const auto& host : hosts_) any |= host->work();
  } while (any);
}

void World::advance(Duration span) {
  now_.boot = now_.boot + span;
  const std::int64_t wall_ns = std::int64_t{now_.wall.nanoseconds} + span.count();
  now_.wall.seconds += wall_ns / 1'000'000'000;
  now_.wall.nanoseconds = static_cast<std::uint32_t>(wall_ns % 1'000'000'000);
}

void World::run(Duration span) {
  settle();
  const Instant end = now_.boot + span;
  do {
    Instant next = end;
    for (const auto& host : hosts_) {
      if (const auto deadline = host->next_deadline()) next = std::min(next, *deadline);
    }
    advance(std::max(next, now_.boot) - now_.boot);
    settle();
  } while (now_.boot < end);
}

std::size_t World::count_sent(std::uint8_t type, const Host& from) const {
  const std::vector<io::MemoryDatagram> sent = network.sent();
  return static_cast<std::size_t>(std::ranges::count_if(sent, [&](const auto& datagram) {
    return datagram.bytes.at(kWirePrefix) == type &&
           (datagram.from == from.v4 || datagram.from == from.v6);
  }));
}

namespace {

Packet udp_packet(std::size_t payload, bool v6, std::uint8_t fill) {
  Spec spec;
  spec.v6 = v6;
  spec.udp = true;
  spec.payload.assign(payload, fill);
  return build(spec);
}

}  // namespace

Packet there(std::size_t payload, bool v6, std::uint8_t fill) {
  return udp_packet(payload, v6, fill);
}

Packet back(std::size_t payload, bool v6, std::uint8_t fill) {
  Packet packet = udp_packet(payload, v6, fill);
  const std::ptrdiff_t address = v6 ? 16 : 4;
  const auto source = packet.begin() + (v6 ? 8 : 12);
  std::swap_ranges(source, source + address, source + address);
  packet::testing::repair(packet);
  return packet;
}

std::vector<Packet> plain(const std::vector<io::MemoryPacket>& packets) {
  std::vector<Packet> all;
  for (const io::MemoryPacket& packet : packets) {
    if (packet.offload.gso == packet::GsoType::none) {
      all.push_back(packet.bytes);
      continue;
    }
    for (Packet& segment : packet::testing::naive_split(packet.bytes, packet.offload)) {
      all.push_back(std::move(segment));
    }
  }
  return all;
}

}  // namespace ferrule::engine::testing
