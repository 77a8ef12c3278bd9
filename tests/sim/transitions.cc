#include "sim/transitions.h"

#include <utility>

#include "crypto/x25519.h"
#include "packet/ip.h"
#include "protocol/constants.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

HostId any_host(World& world) { return world.dice().below(world.hosts().size()); }

// A host and one of its peers.
std::pair<HostId, HostId> any_link(World& world) {
  const Link& link = world.dice().pick(world.links());
  return world.dice().chance(50) ? std::pair(link.a, link.b) : std::pair(link.b, link.a);
}

Family any_family(World& world) { return world.dice().chance(70) ? Family::v4 : Family::v6; }

Endpoint public_endpoint(World& world, HostId host) {
  const Site& site = world.network().site(host);
  if (site.nat) {
    const IpAddress& address = world.network().nats()[*site.nat].address();
    return {address, static_cast<std::uint16_t>(1024 + world.dice().below(30)), 0};
  }
  return world.dice().chance(50) ? site.v4 : site.v6;
}

std::string host_text(HostId host) { return "host " + std::to_string(host); }
std::string seconds(Duration span) { return std::to_string(span.count() / 1'000'000) + " ms"; }

void apply_peer(World& world, HostId host, protocol::PeerChange peer) {
  protocol::DeviceChange change;
  change.peers.push_back(std::move(peer));
  world.host(host).apply(std::move(change));
}

}  // namespace

// --- traffic ---

SendPackets SendPackets::choose(World& world) {
  Dice& dice = world.dice();
  const auto [from, to] = any_link(world);
  const Family family = any_family(world);
  SendPackets send{};
  send.from = from;
  send.source = World::inner_address(from, family, static_cast<std::uint8_t>(dice.between(1, 3)));
  send.destination =
      World::inner_address(to, family, static_cast<std::uint8_t>(dice.between(1, 3)));
  if (dice.chance(5)) send.source = World::inner_address(any_host(world), family, 1);
  if (dice.chance(5)) {
    (dice.chance(50) ? send.source : send.destination) =
        *IpAddress::parse(family == Family::v4 ? "192.0.2.7" : "2001:db8:7::7");
  }
  send.size = dice.chance(90) ? dice.between(28, 1420) : dice.between(1421, 9000);
  send.count = dice.chance(80) ? 1 : dice.chance(90) ? dice.between(2, 20) : dice.between(100, 300);
  send.traffic_class = static_cast<std::uint8_t>(dice.below(256));
  return send;
}
void SendPackets::apply(World& world) const {
  if (count == 1) {
    (void)world.send_packet(from, source, destination, size, traffic_class);
  } else {
    world.send_batch(from, source, destination, size, count);
  }
}
std::string SendPackets::text() const {
  return host_text(from) + " sends " + std::to_string(count) + " of " + std::to_string(size) +
         " bytes from " + source.to_string() + " to " + destination.to_string();
}

SendGarbage SendGarbage::choose(World& world) {
  SendGarbage send{any_host(world), Packet(world.dice().below(100))};
  for (std::uint8_t& byte : send.bytes) byte = static_cast<std::uint8_t>(world.dice().roll());
  return send;
}
void SendGarbage::apply(World& world) const { world.host(from).send({&bytes, 1}); }
std::string SendGarbage::text() const { return host_text(from) + " sends no IP packet"; }

PingTheAbsent PingTheAbsent::choose(World& world) {
  Dice& dice = world.dice();
  Monitor::Plan plan;
  plan.host = any_host(world);
  // Nine peers with 127 packets each that count are beyond the bound at this size.
  const bool hoards = dice.chance(10);
  plan.peers = hoards ? 9 : dice.between(1, 40);
  plan.burst = hoards ? protocol::kMaxStagedPackets : dice.between(1, 3);
  plan.size = hoards ? 60'000 : dice.between(84, 1420);
  plan.every = dice.span(1s, 30s);
  plan.seed = dice.roll();
  return {plan};
}
void PingTheAbsent::apply(World& world) const { world.monitor().begin(plan); }
std::string PingTheAbsent::text() const {
  return host_text(plan.host) + " pings " + std::to_string(plan.peers) + " absent peers with " +
         std::to_string(plan.size) + " bytes, " + std::to_string(plan.burst) +
         " times and then every " + seconds(plan.every);
}

Overtake Overtake::choose(World& world) {
  const auto [from, to] = any_link(world);
  return {from, to, protocol::kReplayWindow - 1 + world.dice().below(3)};
}
void Overtake::apply(World& world) const {
  Network& network = world.network();
  Datagram held;
  network.holds_back = [&held, this](const Datagram& datagram) {
    if (datagram.author != from || datagram.type() != 4 || !held.bytes.empty()) return false;
    held = datagram;
    return true;
  };
  const IpAddress source = World::inner_address(from, Family::v4, 1);
  const IpAddress destination = World::inner_address(to, Family::v4, 1);
  (void)world.send_packet(from, source, destination, 36);
  network.holds_back = nullptr;
  if (held.bytes.empty()) return;  // there is no session, or no socket that sends
  constexpr std::size_t kBatch = 64;
  for (std::size_t left = by; left > 0; left -= std::min(left, kBatch)) {
    world.send_batch(from, source, destination, 36, std::min(left, kBatch));
  }
  world.later(network.faults.longest_delay,
              [&world, held = std::move(held)] { world.network().inject(world.now(), held); });
}
std::string Overtake::text() const {
  return "a message of " + host_text(from) + " to " + host_text(to) + " is overtaken by " +
         std::to_string(by);
}

// --- the network ---

ChangeFaults ChangeFaults::choose(World& world) {
  Dice& dice = world.dice();
  const auto often = [&dice](unsigned most) {
    return dice.chance(60) ? 0 : static_cast<unsigned>(dice.between(1, most));
  };
  Faults faults;
  faults.loss_percent = often(50);
  faults.duplicate_percent = often(30);
  faults.corrupt_percent = often(20);
  faults.truncate_percent = often(10);
  faults.shortest_delay = dice.span(0ms, dice.chance(80) ? 100ms : 2000ms);
  faults.longest_delay = faults.shortest_delay;
  if (dice.chance(50)) faults.longest_delay += dice.span(0ms, dice.chance(80) ? 300ms : 12s);
  return {faults};
}
void ChangeFaults::apply(World& world) const { world.network().faults = faults; }
std::string ChangeFaults::text() const {
  return "loss " + std::to_string(faults.loss_percent) + " %, duplicates " +
         std::to_string(faults.duplicate_percent) + " %, corruption " +
         std::to_string(faults.corrupt_percent) + " %, truncation " +
         std::to_string(faults.truncate_percent) + " %, delay " + seconds(faults.shortest_delay) +
         " to " + seconds(faults.longest_delay);
}

Partition Partition::choose(World& world) { return {world.dice().roll()}; }
void Partition::apply(World& world) const {
  for (const auto& host : world.hosts()) {
    world.network().set_zone(host->id, static_cast<unsigned>(sides >> (host->id % 64) & 1));
  }
}
std::string Partition::text() const { return "the network falls apart"; }

EndPartition EndPartition::choose(World&) { return {}; }
void EndPartition::apply(World& world) const {
  for (const auto& host : world.hosts()) world.network().set_zone(host->id, 0);
}
std::string EndPartition::text() const { return "the network is one again"; }

RebindNat RebindNat::choose(World& world) {
  return {world.dice().below(world.network().nats().size())};
}
void RebindNat::apply(World& world) const { world.network().nats()[nat].rebind(); }
std::string RebindNat::text() const { return "NAT " + std::to_string(nat) + " forgets"; }

MoveHost MoveHost::choose(World& world) { return {any_host(world)}; }
void MoveHost::apply(World& world) const {
  Site site = world.network().make_site(world.network().site(host).nat);
  site.zone = world.network().site(host).zone;
  world.network().place(host, site);
}
std::string MoveHost::text() const { return host_text(host) + " has another address"; }

ChangePort ChangePort::choose(World& world) {
  return {any_host(world), static_cast<std::uint16_t>(world.dice().between(1, 65535))};
}
void ChangePort::apply(World& world) const {
  Site site = world.network().site(host);
  site.v4.port = port;
  if (!site.v6.is_none()) site.v6.port = port;
  world.network().place(host, site);
  world.host(host).device->forget_sources();
}
std::string ChangePort::text() const {
  return host_text(host) + " has port " + std::to_string(port);
}

// --- time ---

JumpWallClock JumpWallClock::choose(World& world) {
  return {any_host(world), world.dice().span(-1h, 1h)};
}
void JumpWallClock::apply(World& world) const { world.host(host).wall_offset += by; }
std::string JumpWallClock::text() const {
  return "the wall clock of " + host_text(host) + " jumps by " + seconds(by);
}

Suspend Suspend::choose(World& world) {
  return {any_host(world), world.dice().span(1s, world.dice().chance(70) ? 30s : 700s)};
}
void Suspend::apply(World& world) const { world.host(host).asleep_until = world.now() + span; }
std::string Suspend::text() const { return host_text(host) + " sleeps for " + seconds(span); }

LoseTime LoseTime::choose(World& world) {
  return {any_host(world), world.dice().span(1s, world.dice().chance(50) ? 600s : 24h)};
}
void LoseTime::apply(World& world) const { world.host(host).boot_offset += span; }
std::string LoseTime::text() const {
  return host_text(host) + " has slept for " + seconds(span) + ", all at once";
}

Pause Pause::choose(World& world) {
  return {world.dice().span(1s, world.dice().chance(70) ? 30s : 600s)};
}
void Pause::apply(World& world) const { world.run_for(span); }
std::string Pause::text() const { return "nothing for " + seconds(span); }

// --- what administrators do ---

Restart Restart::choose(World& world) {
  return {any_host(world), static_cast<Host::State>(world.dice().below(3))};
}
void Restart::apply(World& world) const { world.host(host).restart(from); }
std::string Restart::text() const {
  constexpr std::array<std::string_view, 3> kFrom{"no state", "its state", "an old state"};
  return host_text(host) + " restarts with " + std::string(kFrom[static_cast<std::size_t>(from)]);
}

KeepState KeepState::choose(World& world) { return {any_host(world)}; }
void KeepState::apply(World& world) const { world.host(host).keep_state(); }
std::string KeepState::text() const { return host_text(host) + " writes its state"; }

DownAndUp DownAndUp::choose(World& world) { return {any_host(world), world.dice().span(0ms, 20s)}; }
void DownAndUp::apply(World& world) const {
  world.host(host).down();
  world.later(span, [&world, host = host] { world.host(host).up(); });
}
std::string DownAndUp::text() const { return host_text(host) + " is down for " + seconds(span); }

ChangePrivateKey ChangePrivateKey::choose(World& world) {
  return {any_host(world), world.dice().roll(), world.dice().span(0ms, 60s)};
}
void ChangePrivateKey::apply(World& world) const {
  DiceRng rng(seed);
  protocol::DeviceChange change;
  change.private_key = crypto::generate_private_key(rng);
  world.host(host).apply(std::move(change));
  world.later(peers_hear_after, [&world] {
    for (const auto& each : world.hosts()) world.reconcile(each->id);
  });
}
std::string ChangePrivateKey::text() const { return host_text(host) + " has a new private key"; }

ChangePresharedKey ChangePresharedKey::choose(World& world) {
  return {world.dice().below(world.links().size()), world.dice().roll(),
          world.dice().span(0ms, 60s)};
}
void ChangePresharedKey::apply(World& world) const {
  Link& changed = world.links()[link];
  DiceRng rng(seed);
  (void)rng.fill(changed.psk);
  const HostId first = seed % 2 == 0 ? changed.a : changed.b;
  world.reconcile(first);
  world.later(between, [&world, second = changed.other(first)] { world.reconcile(second); });
}
std::string ChangePresharedKey::text() const {
  return "link " + std::to_string(link) + " has a new preshared key";
}

RemovePeer RemovePeer::choose(World& world) {
  const auto [host, peer] = any_link(world);
  return {host, peer, world.dice().span(0ms, 60s)};
}
void RemovePeer::apply(World& world) const {
  protocol::PeerChange change;
  change.public_key = world.host(peer).public_key();
  change.remove = true;
  apply_peer(world, host, std::move(change));
  world.later(back_after, [&world, host = host] { world.reconcile(host); });
}
std::string RemovePeer::text() const {
  return host_text(host) + " loses its peer " + std::to_string(peer);
}

MoveAllowedIp MoveAllowedIp::choose(World& world) {
  Dice& dice = world.dice();
  const auto [host, from] = any_link(world);
  HostId to = from;
  for (const Link& link : world.links()) {
    if (link.joins(host) && dice.chance(50)) to = link.other(host);
  }
  const Family family = any_family(world);
  const unsigned whole = family == Family::v4 ? 24 : 112;
  const unsigned one = family == Family::v4 ? 32 : 128;
  const Cidr cidr(World::inner_address(from, family, 1), dice.chance(50) ? whole : one);
  return {host, from, to, cidr, dice.span(0ms, 60s)};
}
void MoveAllowedIp::apply(World& world) const {
  protocol::PeerChange change;
  change.public_key = world.host(to).public_key();
  change.update_only = true;
  change.allowed_ips.push_back({cidr, from == to});  // from itself to itself: taken away
  apply_peer(world, host, std::move(change));
  world.later(back_after, [&world, host = host] { world.reconcile(host); });
}
std::string MoveAllowedIp::text() const {
  return "for " + host_text(host) + ", " + cidr.to_string() + " goes from " + std::to_string(from) +
         " to " + std::to_string(to);
}

ChangeKeepalive ChangeKeepalive::choose(World& world) {
  const auto [host, peer] = any_link(world);
  const auto s =
      static_cast<std::uint16_t>(world.dice().chance(50) ? 0 : world.dice().between(1, 120));
  return {host, peer, s};
}
void ChangeKeepalive::apply(World& world) const {
  protocol::PeerChange change;
  change.public_key = world.host(peer).public_key();
  change.update_only = true;
  change.persistent_keepalive_s = seconds;
  apply_peer(world, host, std::move(change));
}
std::string ChangeKeepalive::text() const {
  return host_text(host) + " keeps peer " + std::to_string(peer) + " alive every " +
         std::to_string(seconds) + " s";
}

ChangeMtu ChangeMtu::choose(World& world) {
  constexpr std::array<std::size_t, 6> kMtus{0, 576, 1280, 1420, 9000, 65535};
  return {any_host(world), world.dice().pick(kMtus)};
}
void ChangeMtu::apply(World& world) const { world.host(host).device->set_mtu(mtu); }
std::string ChangeMtu::text() const {
  return host_text(host) + " has an MTU of " + std::to_string(mtu);
}

// --- what the system refuses ---

FailCalls FailCalls::choose(World& world) {
  Dice& dice = world.dice();
  return {any_host(world), static_cast<What>(dice.below(4)),
          static_cast<unsigned>(dice.between(1, 100)), dice.span(0ms, 30s)};
}
void FailCalls::apply(World& world) const {
  const auto set = [&world, host = host, what = what](unsigned to) {
    Host& failing = world.host(host);
    switch (what) {
      case What::rng:
        failing.rng.fails = to != 0;
        break;
      case What::send:
        failing.send_fails_percent = to;
        break;
      case What::source:
        failing.source_refused_percent = to;
        break;
      case What::tun:
        failing.tun_fails_percent = to;
        break;
    }
  };
  set(percent);
  world.later(span, [set] { set(0); });
}
std::string FailCalls::text() const {
  constexpr std::array<std::string_view, 4> kWhat{"randomness", "sending", "the source address",
                                                  "TUN"};
  return host_text(host) + ": " + std::string(kWhat[static_cast<std::size_t>(what)]) +
         " fails at " + std::to_string(percent) + " % for " + seconds(span);
}

// --- the attacker ---

Replay Replay::choose(World& world) {
  Dice& dice = world.dice();
  Datagram datagram = world.attacker().recall();
  if (dice.chance(30)) datagram.from = world.attacker().own_endpoint();
  if (dice.chance(10)) datagram.from = public_endpoint(world, any_host(world));
  if (dice.chance(10)) datagram.to = public_endpoint(world, any_host(world));
  return {std::move(datagram)};
}
void Replay::apply(World& world) const {
  if (!datagram.bytes.empty()) world.network().inject(world.now(), datagram);
}
std::string Replay::text() const {
  return "type " + std::to_string(datagram.type()) + " is replayed from " +
         datagram.from.to_string() + " to " + datagram.to.to_string();
}

Forge Forge::choose(World& world) {
  Dice& dice = world.dice();
  const auto what = static_cast<Forgery>(dice.below(static_cast<std::uint64_t>(Forgery::count_)));
  const Endpoint from =
      dice.chance(50) ? public_endpoint(world, any_host(world)) : world.attacker().own_endpoint();
  return {what, any_host(world), from};
}
void Forge::apply(World& world) const {
  Datagram datagram = world.attacker().forge(what, world.host(victim), world);
  datagram.from = from;
  datagram.to = public_endpoint(world, victim);
  world.network().inject(world.now(), std::move(datagram));
}
std::string Forge::text() const {
  return "forged (" + std::string(name_of(what)) + ") from " + from.to_string() + " to " +
         host_text(victim);
}

Flood Flood::choose(World& world) {
  Dice& dice = world.dice();
  return {any_host(world), dice.between(20, 1500), dice.chance(50)};
}
void Flood::apply(World& world) const {
  const Endpoint to = public_endpoint(world, victim);
  for (Datagram& datagram : world.attacker().flood(world.host(victim), count, one_source)) {
    datagram.to = to;
    world.network().inject(world.now(), std::move(datagram));
  }
  world.flooded_until = world.now() + 2s;
}
std::string Flood::text() const {
  return std::to_string(count) + " initiations from " +
         (one_source ? "one address" : "everywhere") + " flood " + host_text(victim);
}

Divert Divert::choose(World& world) { return {any_host(world), world.attacker().own_endpoint()}; }
void Divert::apply(World& world) const {
  // The hook replaces itself by none once it has had its message.
  world.network().holds_back = [&world, *this](const Datagram& datagram) {
    if (datagram.author != from) return false;
    Datagram diverted = datagram;
    diverted.from = by;
    world.later(1ms, [&world, diverted] { world.network().inject(world.now(), diverted); });
    world.later(0ms, [&world] { world.network().holds_back = nullptr; });
    return true;
  };
}
std::string Divert::text() const {
  return "the next message of " + host_text(from) + " comes from " + by.to_string();
}

// --- choice ---

namespace {

template <std::size_t... Kind>
constexpr auto weights_of(std::index_sequence<Kind...>) {
  return std::array{std::variant_alternative_t<Kind, Transition>::kWeight...};
}

template <std::size_t... Kind>
constexpr auto choosers_of(std::index_sequence<Kind...>) {
  using Chooser = Transition (*)(World&);
  return std::array{static_cast<Chooser>([](World& world) -> Transition {
    return std::variant_alternative_t<Kind, Transition>::choose(world);
  })...};
}

constexpr auto kWeights = weights_of(std::make_index_sequence<kTransitionKinds>());
constexpr auto kChoosers = choosers_of(std::make_index_sequence<kTransitionKinds>());

}  // namespace

Mood::Mood(Dice& dice) {
  for (std::size_t kind = 0; kind < kTransitionKinds; ++kind) {
    const std::uint64_t lean = dice.below(10);
    weights_[kind] = lean < 4 ? 0 : lean < 9 ? 2 * kWeights[kind] : 10 * kWeights[kind];
  }
  weights_[0] = std::max(weights_[0], 1u);  // something can always be chosen
}

unsigned Mood::total() const noexcept {
  unsigned sum = 0;
  for (const unsigned weight : weights_) sum += weight;
  return sum;
}

Transition choose_transition(World& world, const Mood& mood) {
  std::uint64_t left = world.dice().below(mood.total());
  std::size_t kind = 0;
  for (; left >= mood.weight(kind); ++kind) left -= mood.weight(kind);
  return kChoosers[kind](world);
}

void apply_transition(const Transition& transition, World& world) {
  std::visit([&world](const auto& each) { each.apply(world); }, transition);
}

std::string describe(const Transition& transition) {
  return std::visit([](const auto& each) { return each.text(); }, transition);
}

}  // namespace ferrule::sim
