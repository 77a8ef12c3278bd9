#include "protocol/world_testing.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/x25519.h"
#include "protocol/noise.h"

namespace ferrule::protocol::testing {

Packet ipv4(std::string_view source, std::string_view destination, std::size_t payload,
            std::uint8_t tos) {
  Packet packet(20, 0);
  packet.resize(20 + payload, 0x5A);
  packet[0] = 0x45;
  packet[1] = tos;
  store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
  packet[8] = 64;
  packet[9] = 17;
  copy(IpAddress::parse(source)->bytes(), MutBytes(packet).subspan(12));
  copy(IpAddress::parse(destination)->bytes(), MutBytes(packet).subspan(16));
  return packet;
}

Packet ipv6(std::string_view source, std::string_view destination, std::size_t payload) {
  Packet packet(40, 0);
  packet.resize(40 + payload, 0x5A);
  packet[0] = 0x60;
  store_be16(&packet[4], static_cast<std::uint16_t>(payload));
  packet[6] = 17;
  packet[7] = 64;
  copy(IpAddress::parse(source)->bytes(), MutBytes(packet).subspan(8));
  copy(IpAddress::parse(destination)->bytes(), MutBytes(packet).subspan(24));
  return packet;
}

// To the world's network, which takes everything.
class Host::Exit final : public PipelineExit {
 public:
  explicit Exit(Host& host) noexcept : host_(host) {}
  MutBytes room(std::size_t size) override { return room_.emplace_back(size); }
  void send(const OutgoingDatagram& datagram) override {
    const Bytes bytes = datagram.bytes.subspan(kWirePrefix);
    host_.world.post(
        {host_.endpoint, datagram.to, datagram.traffic_class, Packet(bytes.begin(), bytes.end())});
    host_.device->sent(datagram.peer, bytes.size(), 0, host_.pipeline_.attention());
  }
  void planned(std::span<const OutboundPacket> packets) override { plan = packets.front(); }

  OutboundPacket plan;  // of the first packet

 private:
  Host& host_;
  std::deque<Packet> room_;
};

Host::Host(World& in, std::string_view at, std::uint64_t seed)
    : world(in),
      endpoint(*Endpoint::parse(at)),
      rng(seed),
      device(std::make_unique<Device>(rng, crypto::best_aead_backend(), exclusion, log)),
      pipeline_(device, crypto::best_aead_backend()) {
  set_key(seed);
}

void Host::set_key(std::uint64_t seed) {
  SeededRng key_rng(seed ^ 0xFEED);
  key = crypto::generate_private_key(key_rng);
  DeviceChange change;
  change.private_key = PrivateKey(key->clone());
  apply(std::move(change));
}

PublicKey Host::public_key() const { return crypto::public_key_of(*key); }

void Host::apply(DeviceChange change) {
  FERRULE_CHECK(device->prepare(change).has_value());
  device->apply(world.now(), std::move(change), pipeline_.outbox());
  work();
}

void Host::add_peer(const Host& peer, std::string_view allowed_ips, bool knows_endpoint,
                    std::uint16_t persistent_keepalive_s) {
  PeerChange change;
  change.public_key = peer.public_key();
  if (knows_endpoint) change.endpoint = peer.endpoint;
  change.persistent_keepalive_s = persistent_keepalive_s;
  while (!allowed_ips.empty()) {
    const std::size_t comma = std::min(allowed_ips.find(','), allowed_ips.size());
    change.allowed_ips.push_back({*Cidr::parse(allowed_ips.substr(0, comma)), false});
    allowed_ips.remove_prefix(std::min(comma + 1, allowed_ips.size()));
  }
  DeviceChange device_change;
  device_change.peers.push_back(std::move(change));
  apply(std::move(device_change));
}

void Host::up() {
  device->up();
  work();
}

void Host::down() { device->down(); }

OutboundPacket Host::send(const Packet& inner) {
  Exit exit(*this);
  const Bytes packet = inner;
  pipeline_.encapsulate(world.now(), {&packet, 1}, exit);
  work();
  return exit.plan;
}

void Host::receive(const Datagram& datagram) {
  Packet bytes = datagram.bytes;
  const std::optional<MessageType> type = classify(bytes);
  if (!type) {
    device->drops().count(Drop::malformed);
  } else if (*type == MessageType::transport_data) {
    receive_data(datagram);
  } else {
    HandshakeMessage message;
    message.size = static_cast<std::uint8_t>(bytes.size());
    copy(bytes, message.bytes);
    message.from = datagram.from;
    message.to = {datagram.to.address, 1};
    device->handle(world.now(), message, under_load, pipeline_.outbox());
  }
  work();
}

void Host::receive_data(const Datagram& datagram) {
  Packet bytes = datagram.bytes;
  InboundMessage message;
  message.message = bytes;
  message.from = datagram.from;
  message.to = {datagram.to.address, 1};
  message.outer_ecn = datagram.traffic_class & 3;
  pipeline_.decapsulate(world.now(), {&message, 1});
  if (message.is_planned() && message.drop == Drop::none && !message.inner.empty()) {
    delivered.emplace_back(message.inner.begin(), message.inner.end());
  }
}

void Host::work() {
  Exit exit(*this);
  while (pipeline_.work(world.now(), Budget::unlimited(), exit)) {
  }
}

PeerStatus Host::status(const Host& peer) {
  std::optional<PeerStatus> found;
  std::optional<Device::PeerCursor> cursor;
  (void)device->visit_peers(cursor, SIZE_MAX, [&](const PeerStatus& status) {
    if (status.public_key != peer.public_key()) return;
    found.emplace();
    found->public_key = status.public_key;
    found->preshared_key = PresharedKey(status.preshared_key.clone());
    found->endpoint = status.endpoint;
    found->last_handshake = status.last_handshake;
    found->tx_bytes = status.tx_bytes;
    found->rx_bytes = status.rx_bytes;
    found->messages = status.messages;
    found->persistent_keepalive_s = status.persistent_keepalive_s;
    found->allowed_ips = status.allowed_ips;
  });
  FERRULE_CHECK(found.has_value());
  return std::move(*found);
}

Host& World::host(std::string_view endpoint) {
  hosts_.push_back(std::make_unique<Host>(*this, endpoint, seed_ + hosts_.size()));
  return *hosts_.back();
}

void World::pair(Host& a, Host& b) {
  a.add_peer(b, "10.0.0.2/32,fd00::2/128");
  b.add_peer(a, "10.0.0.1/32,fd00::1/128");
  a.up();
  b.up();
}

void World::post(Datagram datagram) {
  sent.push_back(datagram);
  if (passes && !passes(datagram)) return;
  if (delay > Duration::zero()) {
    under_way_.emplace(now_.boot + delay, std::move(datagram));
  } else {
    network.push_back(std::move(datagram));
  }
}

void World::deliver(const Datagram& datagram) {
  if (arrives && !arrives(datagram)) return;
  for (const auto& host : hosts_) {
    if (host->endpoint == datagram.to) host->receive(datagram);
  }
}

void World::deliver_what_is_due() {
  while (!under_way_.empty() && under_way_.begin()->first <= now_.boot) {
    deliver(under_way_.extract(under_way_.begin()).mapped());
  }
}

void World::settle() {
  while (!network.empty()) {
    const Datagram datagram = std::move(network.front());
    network.pop_front();
    deliver(datagram);
  }
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
  for (;;) {
    Instant next = under_way_.empty() ? end : std::min(end, under_way_.begin()->first);
    for (const auto& host : hosts_) {
      const auto deadline = host->device->next_deadline();
      if (deadline) next = std::min(next, std::max(deadline->at, now_.boot));
    }
    advance(next - now_.boot);
    deliver_what_is_due();
    for (const auto& host : hosts_) host->work();
    settle();
    if (next >= end) return;
  }
}

std::size_t World::count_sent(std::uint8_t type, const Host& from) const {
  return static_cast<std::size_t>(std::ranges::count_if(sent, [&](const Datagram& datagram) {
    return datagram.type() == type && datagram.from == from.endpoint;
  }));
}

}  // namespace ferrule::protocol::testing
