#include "sim/liveness.h"

#include <algorithm>
#include <string>

#include "protocol/constants.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

// A jitter of 333 ms is in both; what messages are under way comes on top.
constexpr Duration kAfterInitiation = 5400ms;
constexpr Duration kAfterSilentRestart = 15'400ms;
constexpr Duration kSlack = 200ms;
// What a silent host had still sent, an initiation, its response, the data that confirms the session, and
// the answer to it.
constexpr int kWays = 5;
constexpr Duration kEvery = 250ms;
// The same from the next packet on, which tells that nobody answers; and then it takes one more to see
// that it arrives.
constexpr Duration kAfterWithheld = kAfterSilentRestart + 2 * kEvery;

}  // namespace

// Time for messages to go there and back, in a world that is healed.
Duration Liveness::under_way() const { return kWays * world_.network().faults.longest_delay; }

// A path is judged only if no NAT closes it while a handshake takes its time.
Duration Liveness::stays_open() const { return kAfterSilentRestart + kSlack + under_way(); }

std::uint64_t Liveness::send(HostId from, HostId to) {
  return world_.send_packet(from, World::inner_address(from, Family::v4, 1),
                            World::inner_address(to, Family::v4, 1), 60);
}

bool Liveness::reaches(HostId from, HostId to, Instant when) const {
  const Endpoint endpoint = world_.host(from).endpoint_of(world_.host(to).public_key());
  return world_.network().reaches(when, from, endpoint, to);
}

// Whether an initiation of `from` would be taken, until `when`. A host that has forgotten the stamps
// that it sent, and whose wall clock has since gone back, must wait for its peer to begin (P27): that
// is WireGuard.
bool Liveness::can_initiate(HostId from, HostId to, Instant when) const {
  const Host& host = world_.host(from);
  WallTime after = host.forgotten_wall;
  after.seconds += 2;  // stamps may run a little ahead of the clock
  return host.now().wall > after && reaches(from, to, when);
}

bool Liveness::judged(const Link& link) {
  const Instant when = world_.now() + stays_open();
  if (!reaches(link.a, link.b, when) && !reaches(link.b, link.a, when)) {
    world_.resolve_endpoint(link.a, link.b);
    world_.resolve_endpoint(link.b, link.a);
  }
  return can_initiate(link.a, link.b, when) || can_initiate(link.b, link.a, when);
}

bool Liveness::arrived(const std::vector<std::uint64_t>& numbers) const {
  return std::ranges::any_of(numbers, [this](std::uint64_t number) {
    return world_.ledger().find(number)->delivered > 0;
  });
}

Instant Liveness::deadline(const Link& link) const {
  Instant latest = began_ + kAfterSilentRestart;
  Instant excused = world_.flooded_until + kAfterInitiation;
  for (const Way& way : {Way(link.a, link.b), Way(link.b, link.a)}) {
    if (const auto found = initiated_.find(way); found != initiated_.end()) {
      latest = std::min(latest, found->second + kAfterInitiation);
    }
    if (const auto found = withheld_.find(way); found != withheld_.end()) {
      excused = std::max(excused, found->second + kAfterWithheld);
    }
  }
  return std::max(latest, excused) + kSlack + under_way();
}

void Liveness::prove() {
  began_ = world_.now();
  initiated_.clear();
  withheld_.clear();
  watching_ = true;
  flows_.clear();
  std::vector<Trial> trials;
  for (const Link& link : world_.links()) {
    if (judged(link)) {
      trials.push_back({&link, {}, {}});
    } else {
      ++not_judged_;
    }
  }
  while (std::ranges::any_of(trials, [](const Trial& trial) { return !trial.done; })) {
    for (Trial& trial : trials) {
      if (trial.done) continue;
      trial.there.push_back(send(trial.link->a, trial.link->b));
      trial.back.push_back(send(trial.link->b, trial.link->a));
    }
    world_.run_for(kEvery);
    for (Trial& trial : trials) {
      if (!trial.done) examine(trial);
    }
  }
  watching_ = false;
}

void Liveness::examine(Trial& trial) {
  const Link& link = *trial.link;
  const bool there = arrived(trial.there);
  const bool back = arrived(trial.back);
  trial.done = there && back;
  if (trial.done) {
    ++proven_;
    flows_.push_back(&link);
  } else if (world_.now() > deadline(link)) {
    if (!cut_off(link)) {
      fail("between host " + std::to_string(link.a) + " and " + std::to_string(link.b) +
           " nothing arrives " +
           (there  ? "on the way back"
            : back ? "on the way there"
                   : "either way") +
           " since " + std::to_string((world_.now() - began_).count() / 1'000'000) + " ms");
    }
    trial.done = true;
    ++not_judged_;
  }
}

// Whether a withheld message has led the only side that knew its way elsewhere.
bool Liveness::cut_off(const Link& link) const {
  const bool misled =
      withheld_.contains(Way(link.a, link.b)) || withheld_.contains(Way(link.b, link.a));
  const Instant now = world_.now();
  return misled && !can_initiate(link.a, link.b, now) && !can_initiate(link.b, link.a, now);
}

void Liveness::note_withheld(const Host& receiver, const Datagram& datagram) {
  if (datagram.injected) withheld_[Way(datagram.author, receiver.id)] = world_.now();
}

void Liveness::lose_nothing(Duration span) {
  std::vector<std::pair<std::uint64_t, Way>> sent;
  const Instant end = world_.now() + span;
  const Duration gap = world_.dice().span(20ms, 20s);
  expired_ = 0;
  while (world_.now() < end && !flows_.empty()) {
    const Link& link = *world_.dice().pick(flows_);
    const HostId from = world_.dice().chance(50) ? link.a : link.b;
    const HostId to = link.other(from);
    const Instant when = world_.now() + stays_open();
    if (can_initiate(from, to, when) && can_initiate(to, from, when)) {
      sent.emplace_back(send(from, to), Way(from, to));
    }
    world_.run_for(world_.dice().span(0ms, gap));
  }
  world_.run_for(stays_open());
  std::uint64_t lost = 0;
  for (const auto& [number, way] : sent) {
    if (world_.ledger().find(number)->delivered > 0) continue;
    if (withheld_.contains(way) || withheld_.contains(Way(way.second, way.first))) continue;
    if (lost++ < expired_) continue;
    fail("host " + std::to_string(way.second) + " did not get packet " + std::to_string(number) +
         " of host " + std::to_string(way.first) + ", though nothing was wrong");
  }
}

// Where one host was, another may be now: what is sent there for the one, the other does not look at.
bool Liveness::is_for(const Datagram& initiation, const Host& host) {
  protocol::HandshakeMessage message;
  message.size = static_cast<std::uint8_t>(initiation.bytes.size());
  copy(initiation.bytes, message.bytes);
  return host.device->admit_handshake(message, protocol::MessageType::handshake_initiation) ==
         protocol::Drop::none;
}

void Liveness::emitted(const Host& host, const Datagram& datagram, PeerId) {
  if (!watching_ || datagram.type() != 1) return;
  for (const Link& link : world_.links()) {
    if (!link.joins(host.id)) continue;
    const HostId to = link.other(host.id);
    if (!world_.network().reaches(world_.now(), host.id, datagram.to, to)) continue;
    if (!is_for(datagram, world_.host(to))) continue;
    if (can_initiate(host.id, to, world_.now()))
      initiated_.try_emplace(Way(host.id, to), world_.now());
  }
}

void Liveness::handled(const Handled& handled) {
  if (handled.drops != 0) return;
  if (handled.in.type() != 3) note_withheld(handled.host, handled.in);
}

void Liveness::received(const Received& received) {
  if (received.taken) note_withheld(received.host, received.in);
  if (received.in.injected) return;
  if (received.drop == protocol::Drop::expired_keypair) ++expired_;
}

}  // namespace ferrule::sim
