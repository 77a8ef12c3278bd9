#include "sim/siege.h"

#include <array>
#include <string>
#include <utility>

#include "sim/attacker.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

constexpr unsigned kQuietPercent = 15;  // of sieges are none
constexpr std::array kPaces{50ms, 300ms, 1000ms, 3000ms};
// After this, what he sends for a message arrives when the message has, and mostly before its answer.
constexpr Duration kSoonest = 1ms;
constexpr Duration kLatest = 8ms;

}  // namespace

void Siege::begin() {
  ++number_;
  active_ = !world_.dice().chance(kQuietPercent);
  lurks_ = false;
  pace_ = world_.dice().pick(kPaces);
  loot_ = world_.attacker().recall_to(world_.attacker().recall().to);
  if (active_) wait();
}

void Siege::wait() {
  world_.later(world_.dice().span(kSoonest, 2 * pace_), [this, number = number_] {
    if (active_ && number == number_) act();
  });
}

void Siege::act() {
  lurks_ = world_.dice().chance(60);
  if (!lurks_) strike();
  wait();
}

void Siege::hears(const Datagram& datagram) {
  const bool awaits_answer = datagram.type() == 1 || datagram.type() == 2;
  if (!active_ || !lurks_ || !awaits_answer) return;
  lurks_ = false;
  world_.later(world_.dice().span(kSoonest, kLatest), [this, datagram] { ambush(datagram); });
}

void Siege::strike() {
  Dice& dice = world_.dice();
  Attacker& attacker = world_.attacker();
  if (dice.chance(25)) {
    const auto what = static_cast<Forgery>(dice.below(static_cast<std::uint64_t>(Forgery::count_)));
    Datagram forged =
        attacker.forge(what, *world_.hosts()[dice.below(world_.hosts().size())], world_);
    forged.from = dice.chance(50) ? attacker.recall().from : attacker.own_endpoint();
    forged.to = attacker.recall().to;
    send(std::move(forged), name_of(what));
    return;
  }
  send(repeat(), "again");
}

Datagram Siege::repeat() {
  Dice& dice = world_.dice();
  Attacker& attacker = world_.attacker();
  Datagram again = !loot_.empty() && dice.chance(50) ? dice.pick(loot_) : attacker.recall();
  if (dice.chance(30)) again.from = attacker.own_endpoint();
  if (dice.chance(20)) again.from = attacker.recall().from;
  if (dice.chance(20)) again.to = attacker.recall().to;
  return again;
}

// Against the author of a handshake message, who waits for what it leads to.
void Siege::ambush(const Datagram& heard) {
  Dice& dice = world_.dice();
  Attacker& attacker = world_.attacker();
  const std::array from{heard.to, attacker.own_endpoint(), attacker.recall().from};
  std::vector<Datagram> sent_before = attacker.recall_to(heard.from);
  if (!sent_before.empty() && dice.chance(70)) {
    Datagram again = dice.pick(sent_before);
    if (dice.chance(60)) again.from = dice.pick(from);
    send(std::move(again), "again");
    return;
  }
  const auto what = static_cast<Forgery>(dice.below(static_cast<std::uint64_t>(Forgery::count_)));
  Datagram forged = attacker.forge(what, world_.host(heard.author), world_);
  forged.from = dice.pick(from);
  forged.to = heard.from;
  send(std::move(forged), name_of(what));
}

void Siege::send(Datagram datagram, std::string_view what) {
  if (datagram.bytes.empty()) return;
  world_.trace([&] {
    return "the attacker sends type " + std::to_string(datagram.type()) + " (" + std::string(what) +
           ") from " + datagram.from.to_string() + " to " + datagram.to.to_string();
  });
  world_.network().inject(world_.now(), std::move(datagram));
}

}  // namespace ferrule::sim
