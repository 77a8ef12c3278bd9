// Configuration: applied whole, while data goes on (P26, P59a, P90, P101).
#include <algorithm>
#include <new>
#include <utility>

#include "protocol/configurator.h"

namespace ferrule::protocol {

namespace {
// Prefixes changed in one hold of the tables: some ten microseconds.
constexpr std::size_t kPrefixesPerHold = 64;
// In units of a Budget: a peer added, changed or removed; a hold in which most find one prefix to take.
constexpr std::size_t kPeerCost = 4;
constexpr std::size_t kHoldCost = 4;
// A step that takes or gives back memory.
constexpr std::size_t kMemoryCost = 32;
constexpr std::size_t kPagesCost = 128;  // some hundred pages
}  // namespace

void Configurator::worked(std::size_t units) {
  unyielded_ += units;
  if (unyielded_ < kTurnBudget) return;
  unyielded_ = 0;
  if (others_) others_();
}

// How many peers a change adds at most: the same one may come more than once, or go first.
std::size_t Configurator::count_added(const DeviceChange& change) {
  std::size_t added = 0;
  for (const PeerChange& peer : change.peers) {
    const bool exists = !change.replace_peers && tables_.peers.find(peer.public_key) != nullptr;
    if (!peer.remove && !peer.update_only && !exists) ++added;
    worked(1);
  }
  return added;
}

Result<void> Configurator::prepare(const DeviceChange& change) {
  const std::size_t kept = change.replace_peers ? 0 : tables_.peers.size();
  if (count_added(change) > kMaxPeers - kept) {
    return std::unexpected(make_error(std::errc::no_space_on_device,
                                      "too many peers: at most 1048576 fit in one device"));
  }
  try {
    take_memory(change);
    if (!abandoned_) return {};
    return std::unexpected(system_error(std::errc::operation_canceled, "apply a change"));
  } catch (const std::bad_alloc&) {
    unprepare();
    return std::unexpected(system_error(std::errc::not_enough_memory, "apply a change"));
  }
}

// For the worst case; most of it is only reserved, and never touched.
void Configurator::take_memory(const DeviceChange& change) {
  std::size_t more = count_added(change);
  if (change.replace_peers) more -= std::min(more, tables_.peers.size());
  AllowedIps::Room room;
  for (const PeerChange& peer : change.peers) {
    if (!peer.remove && !peer.update_only && tables_.peers.hold_key(peer.public_key))
      worked(kMemoryCost);
    std::size_t counted = 0;
    for (const AllowedIpChange& item : peer.allowed_ips) {
      if (!item.remove) ++(item.cidr.address().family() == Family::v4 ? room.v4 : room.v6);
      if (++counted % kPrefixesPerHold == 0) worked(1);
    }
    worked(1);
  }
  const auto in_steps = [this](std::size_t cost, auto step) {
    while (!abandoned_ && !step()) worked(cost);
  };
  in_steps(kMemoryCost, [&] { return tables_.peers.make_spares(change.peers.size(), more); });
  in_steps(kMemoryCost, [&] {
    TablesGuard guard(tables_.exclusion);
    return tables_.peers.make_slots();
  });
  in_steps(kMemoryCost, [&] { return tables_.allowed_ips.hold_slots(tables_.peers.slot_room()); });
  in_steps(kMemoryCost, [&] { return handshaker_.reserve_some(tables_.peers.slot_room()); });
  in_steps(kMemoryCost, [&] {
    TablesGuard guard(tables_.exclusion);
    return tables_.allowed_ips.hold_some_room(room);
  });
}

void Configurator::unprepare() noexcept {
  while (!abandoned_ && !tables_.peers.drop_spares()) worked(kMemoryCost);
  for (bool done = false; !done && !abandoned_; worked(kPagesCost)) {
    TablesGuard guard(tables_.exclusion);
    done = tables_.allowed_ips.let_go();
  }
}

void Configurator::apply(const Now& now, DeviceChange change, Outbox& outbox) noexcept {
  if (change.private_key) set_private_key(now, std::move(*change.private_key));
  if (change.replace_peers) {
    for (Peer* peer = tables_.peers.first(); peer != nullptr && !abandoned_;
         peer = tables_.peers.first()) {
      remove_peer(*peer);
      worked(kPeerCost);
    }
  }
  for (std::size_t done = 0; done < change.peers.size() && !abandoned_; worked(kPeerCost)) {
    apply_peer(now, change.peers[done], outbox);
    change.peers.forget_before(++done);  // or all would be freed at once, at the end
  }
  unprepare();
  handshaker_.start_queued(now, outbox);
}

void Configurator::set_private_key(const Now& now, PrivateKey key) {
  if (!handshaker_.set_private_key(std::move(key))) return;
  const Identity& own = handshaker_.identity();
  Peer* self = own.private_key.is_zero() ? nullptr : tables_.peers.find(own.public_key);
  if (self != nullptr) remove_peer(*self);  // P26
  for (Peer* peer = tables_.peers.first(); peer != nullptr && !abandoned_;
       peer = tables_.peers.after(*peer)) {
    handshaker_.follow_identity(now, *peer);
    worked(kPeerCost);
  }
}

void Configurator::apply_peer(const Now& now, PeerChange& change, Outbox& outbox) {
  Peer* peer = tables_.peers.find(change.public_key);
  if (change.remove) {
    if (peer != nullptr) remove_peer(*peer);
    return;
  }
  const Identity& own = handshaker_.identity();
  const bool is_self = !own.private_key.is_zero() && change.public_key == own.public_key;
  if (is_self || (peer == nullptr && change.update_only)) return;
  if (peer == nullptr) peer = &add_peer(change.public_key);
  if (change.preshared_key) peer->handshake.psk = std::move(*change.preshared_key);
  set_allowed_ips(peer->id, change);

  bool switched_on = false;
  {
    PeerGuard guard(tables_.exclusion, peer->id);
    PeerTraffic& traffic = peer->traffic;
    if (change.endpoint) {
      traffic.endpoint = *change.endpoint;
      traffic.forget_source();
    }
    if (change.persistent_keepalive_s) {
      switched_on =
          traffic.timers.persistent_keepalive_s() == 0 && *change.persistent_keepalive_s != 0;
      traffic.timers.set_persistent_keepalive(*change.persistent_keepalive_s);
    }
  }
  if (tables_.up) handshaker_.changed(now, *peer, switched_on, outbox);
}

Peer& Configurator::add_peer(const PublicKey& key) {
  Peer* peer = nullptr;
  {
    TablesGuard guard(tables_.exclusion);
    peer = &tables_.peers.add(key);
  }
  handshaker_.welcome(*peer);
  return *peer;
}

void Configurator::set_allowed_ips(PeerId id, PeerChange& change) {
  if (change.replace_allowed_ips) remove_other_allowed_ips(id, change);
  std::size_t held = 0;
  for (std::size_t done = 0; done < change.allowed_ips.size(); worked(held)) {
    TablesGuard guard(tables_.exclusion);
    const std::size_t end = std::min(done + kPrefixesPerHold, change.allowed_ips.size());
    held = end - done;
    for (; done < end; ++done) {
      const AllowedIpChange& item = change.allowed_ips[done];
      // A replaced list takes the order of the new one: out and in again, within one hold, so that
      // no lookup ever misses a prefix that stays.
      if (item.remove || change.replace_allowed_ips)
        (void)tables_.allowed_ips.remove(item.cidr, id);
      if (!item.remove) tables_.allowed_ips.insert(item.cidr, id);
    }
    change.allowed_ips.forget_before(done);
  }
}

void Configurator::remove_other_allowed_ips(PeerId id, const PeerChange& change) {
  for (const AllowedIpChange& item : change.allowed_ips) {
    if (!item.remove) tables_.allowed_ips.keep(item.cidr, id);
    worked(1);
  }
  remove_allowed_ips(id);
}

void Configurator::remove_allowed_ips(PeerId id) {
  AllowedIps::Walk walk;
  for (bool more = true; more; worked(kHoldCost)) {
    TablesGuard guard(tables_.exclusion);
    more = tables_.allowed_ips.remove_some(id, walk, kPrefixesPerHold);
  }
}

void Configurator::remove_peer(Peer& peer) {
  tables_.memory_changed();
  // Without prefixes no packet reaches it any more; what is staged until then goes with it.
  remove_allowed_ips(peer.id);
  handshaker_.forget(peer);
  bool gave_back = false;
  {
    TablesGuard tables(tables_.exclusion);
    {
      PeerGuard guard(tables_.exclusion, peer.id);
      tables_.drop_staged(peer, Drop::peer_removed);
    }
    gave_back = tables_.peers.remove(peer.id);
  }
  if (gave_back) worked(kMemoryCost);
}

void Configurator::up() noexcept {
  if (tables_.up) return;
  {
    TablesGuard guard(tables_.exclusion);
    tables_.up = true;
  }
  waking_.start();
}

bool Configurator::catch_up(const Now& now, Budget& budget) noexcept {
  for (; !waking_.is_over() && !budget.is_spent(); budget.spend(1)) {
    if (Peer* peer = waking_.step(tables_.peers)) handshaker_.wake(now, *peer);
  }
  while (!checking_.is_over() && !budget.is_spent()) {
    Peer* peer = checking_.step(tables_.peers);
    if (peer != nullptr) check_source(*peer);
    budget.spend(peer != nullptr ? kQuestionCost : 1);
  }
  return restored_.forget_claimed(budget) || !waking_.is_over() || !checking_.is_over();
}

void Configurator::down() noexcept {
  if (!tables_.up) return;
  waking_.stop();
  {
    TablesGuard guard(tables_.exclusion);
    tables_.up = false;
  }
  for (Peer* peer = tables_.peers.first(); peer != nullptr; peer = tables_.peers.after(*peer)) {
    handshaker_.stop(*peer);
    worked(kPeerCost);
  }
}

void Configurator::forget_sources() {
  for (Peer* peer = tables_.peers.first(); peer != nullptr; peer = tables_.peers.after(*peer)) {
    worked(1);
    PeerGuard guard(tables_.exclusion, peer->id);
    peer->traffic.forget_source();
  }
}

void Configurator::check_sources(SourceCheck check) {
  source_check_ = std::move(check);
  checking_.start();
}

void Configurator::check_source(Peer& peer) {
  Endpoint to;
  Source at;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    to = peer.traffic.endpoint;
    at = peer.traffic.reached_at();
  }
  if (at.is_none()) return;
  SourceVerdict verdict;
  try {
    verdict = source_check_(to, at);  // a system call, perhaps: not under the peer's lock
  } catch (const std::bad_alloc&) {
    return;  // it stays as it is
  }
  PeerGuard guard(tables_.exclusion, peer.id);
  PeerTraffic& traffic = peer.traffic;
  if (traffic.endpoint.address != to.address || traffic.reached_at() != at) return;
  const bool was_whole =
      traffic.source_use == SourceUse::chosen || traffic.source_use == SourceUse::possible;
  // The way has left the interface that the address is at, and perhaps for a reason: until the peer
  // writes to the address again, the system chooses another.
  const bool moved = verdict.is_the_interfaces && was_whole && verdict.use > traffic.source_use;
  traffic.use_source(verdict.use);
  traffic.by_routes = traffic.by_routes || moved;
}

}  // namespace ferrule::protocol
