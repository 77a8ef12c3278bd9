// Configuration: applied whole, while data goes on (P26, P59a, P90, P101).
#include <algorithm>
#include <new>
#include <utility>

#include "crypto/x25519.h"
#include "protocol/device.h"

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
// A walk that goes past a peer costs a fraction of one that tells of it.
constexpr std::size_t kLooksAVisit = 16;
}  // namespace

Device::Device(Rng& rng, const crypto::AeadBackend& aead, Exclusion& exclusion, Log& log)
    : rng_(rng),
      aead_(aead),
      exclusion_(exclusion),
      log_(log),
      staging_(exclusion),
      ratelimiter_(rng) {}

Device::~Device() = default;

void Device::worked(std::size_t units) {
  unyielded_ += units;
  if (unyielded_ < kTurnBudget) return;
  unyielded_ = 0;
  if (others_) others_();
}

// How many peers a change adds at most: the same one may come more than once, or go first.
std::size_t Device::count_added(const DeviceChange& change) {
  std::size_t added = 0;
  for (const PeerChange& peer : change.peers) {
    const bool exists = !change.replace_peers && peers_.find(peer.public_key) != nullptr;
    if (!peer.remove && !peer.update_only && !exists) ++added;
    worked(1);
  }
  return added;
}

Result<void> Device::prepare(const DeviceChange& change) {
  const std::size_t kept = change.replace_peers ? 0 : peers_.size();
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
void Device::take_memory(const DeviceChange& change) {
  std::size_t more = count_added(change);
  if (change.replace_peers) more -= std::min(more, peers_.size());
  AllowedIps::Room room;
  for (const PeerChange& peer : change.peers) {
    if (!peer.remove && !peer.update_only && peers_.hold_key(peer.public_key)) worked(kMemoryCost);
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
  in_steps(kMemoryCost, [&] { return peers_.make_spares(change.peers.size(), more); });
  in_steps(kMemoryCost, [&] {
    TablesGuard guard(exclusion_);
    return peers_.make_slots();
  });
  in_steps(kMemoryCost, [&] { return allowed_ips_.hold_slots(peers_.slot_room()); });
  in_steps(kMemoryCost, [&] { return deadlines_.reserve_some(peers_.slot_room()); });
  in_steps(kMemoryCost, [&] {
    TablesGuard guard(exclusion_);
    return allowed_ips_.hold_some_room(room);
  });
}

void Device::unprepare() noexcept {
  while (!abandoned_ && !peers_.drop_spares()) worked(kMemoryCost);
  for (bool done = false; !done && !abandoned_; worked(kPagesCost)) {
    TablesGuard guard(exclusion_);
    done = allowed_ips_.let_go();
  }
}

void Device::apply(const Now& now, DeviceChange change, Outbox& outbox) noexcept {
  if (change.private_key) set_private_key(now, std::move(*change.private_key));
  if (change.replace_peers) {
    for (Peer* peer = peers_.first(); peer != nullptr && !abandoned_; peer = peers_.first()) {
      remove_peer(*peer);
      worked(kPeerCost);
    }
  }
  for (std::size_t done = 0; done < change.peers.size() && !abandoned_; worked(kPeerCost)) {
    apply_peer(now, change.peers[done], outbox);
    change.peers.forget_before(++done);  // or all would be freed at once, at the end
  }
  unprepare();
  start_queued(now, outbox);
}

void Device::set_private_key(const Now& now, PrivateKey key) {
  const bool zero = key.is_zero();
  if (!zero) crypto::clamp(key);
  if (constant_time_equal(key.bytes(), identity_.private_key.bytes())) return;
  ++identities_;
  identity_.private_key = std::move(key);
  identity_.public_key = zero ? PublicKey{} : crypto::public_key_of(identity_.private_key);
  cookies_.set_identity(identity_.public_key);
  if (!zero) know_whose_memory();
  {
    TablesGuard guard(exclusion_);
    mac1_ = zero ? Mac1Checker() : Mac1Checker(identity_.public_key, identities_);
  }
  if (Peer* self = zero ? nullptr : peers_.find(identity_.public_key)) remove_peer(*self);  // P26
  for (Peer* peer = peers_.first(); peer != nullptr && !abandoned_; peer = peers_.after(*peer)) {
    follow_identity(now, *peer);
    worked(kPeerCost);
  }
}

// All peers do, one after the other; one that has to do with a handshake meanwhile, before that.
void Device::follow_identity(const Now& now, Peer& peer) {
  if (std::exchange(peer.handshake.identity, identities_) == identities_) return;
  claim_memory(peer);
  peer.handshake.static_static.reset();            // P25
  peer.handshake.last_sent_at = Instant::never();  // so that the next packet rekeys at once (P101)
  clear_handshake(peer);
  {
    PeerGuard guard(exclusion_, peer.id);
    peer.traffic.keypairs.stop_sending();
    // Without a key there is nothing to start over with: what was armed waits for the next one, and
    // what was staged would wait in vain.
    if (identity_.private_key.is_zero()) {
      drop_staged(peer, Drop::no_identity);
    } else {
      peer.traffic.timers.handshake_outdated(now.boot);
    }
  }
  reschedule(peer);
  if (up_ && peer.handshake.revive) revive(now, peer);
}

void Device::apply_peer(const Now& now, PeerChange& change, Outbox& outbox) {
  Peer* peer = peers_.find(change.public_key);
  if (change.remove) {
    if (peer != nullptr) remove_peer(*peer);
    return;
  }
  const bool is_self =
      !identity_.private_key.is_zero() && change.public_key == identity_.public_key;
  if (is_self || (peer == nullptr && change.update_only)) return;
  if (peer == nullptr) {
    {
      TablesGuard guard(exclusion_);
      peer = &peers_.add(change.public_key);
    }
    peer->handshake.identity = identities_;
    claim_memory(*peer);
  }
  if (change.preshared_key) peer->handshake.psk = std::move(*change.preshared_key);
  set_allowed_ips(peer->id, change);

  bool switched_on = false;
  bool staged = false;
  {
    PeerGuard guard(exclusion_, peer->id);
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
    expire_staged(now, *peer);
    staged = !traffic.staged.empty();
  }
  if (!up_) return;
  if (switched_on) {
    wake(now, *peer);  // P55
  } else if (staged) {
    send_staged_or_keepalive(now, *peer, outbox);
  }
  if (peer->handshake.revive) revive(now, *peer);
}

void Device::set_allowed_ips(PeerId id, PeerChange& change) {
  if (change.replace_allowed_ips) remove_other_allowed_ips(id, change);
  std::size_t held = 0;
  for (std::size_t done = 0; done < change.allowed_ips.size(); worked(held)) {
    TablesGuard guard(exclusion_);
    const std::size_t end = std::min(done + kPrefixesPerHold, change.allowed_ips.size());
    held = end - done;
    for (; done < end; ++done) {
      const AllowedIpChange& item = change.allowed_ips[done];
      // A replaced list takes the order of the new one: out and in again, within one hold, so that
      // no lookup ever misses a prefix that stays.
      if (item.remove || change.replace_allowed_ips) (void)allowed_ips_.remove(item.cidr, id);
      if (!item.remove) allowed_ips_.insert(item.cidr, id);
    }
    change.allowed_ips.forget_before(done);
  }
}

void Device::remove_other_allowed_ips(PeerId id, const PeerChange& change) {
  for (const AllowedIpChange& item : change.allowed_ips) {
    if (!item.remove) allowed_ips_.keep(item.cidr, id);
    worked(1);
  }
  remove_allowed_ips(id);
}

void Device::remove_allowed_ips(PeerId id) {
  AllowedIps::Walk walk;
  for (bool more = true; more; worked(kHoldCost)) {
    TablesGuard guard(exclusion_);
    more = allowed_ips_.remove_some(id, walk, kPrefixesPerHold);
  }
}

void Device::remove_peer(Peer& peer) {
  memory_changed();
  // Without prefixes no packet reaches it any more; what is staged until then goes with it.
  remove_allowed_ips(peer.id);
  clear_sessions(peer);
  deadlines_.remove(peer.id);
  bool gave_back = false;
  {
    TablesGuard tables(exclusion_);
    {
      PeerGuard guard(exclusion_, peer.id);
      drop_staged(peer, Drop::peer_removed);
    }
    gave_back = peers_.remove(peer.id);
  }
  if (gave_back) worked(kMemoryCost);
}

void Device::clear_sessions(Peer& peer) {
  clear_handshake(peer);
  KeypairSlots::Retired retired;
  {
    PeerGuard guard(exclusion_, peer.id);
    retired = std::exchange(peer.traffic.retired, {});
    peer.traffic.keypairs.clear(retired);
  }
  if (retired.empty()) return;
  TablesGuard guard(exclusion_);
  remove_indices(retired);
}

// Data waits while the tables are held: many at once, and let go of afterwards.
void Device::reap(RetiredTogether& retired) noexcept {
  if (retired.size() == 0) return;
  {
    TablesGuard guard(exclusion_);
    for (const KeypairSlots::Retired& of_a_peer : retired) remove_indices(of_a_peer);
  }
  retired.clear();
}

// With the tables held. Whoever lets go of the keypairs does so later.
void Device::remove_indices(const KeypairSlots::Retired& retired) noexcept {
  for (const Keypair* keypair = retired.first(); keypair != nullptr;
       keypair = KeypairSlots::Retired::after(*keypair)) {
    indices_.remove(keypair->local_index());
  }
}

void Device::up() noexcept {
  if (up_) return;
  {
    TablesGuard guard(exclusion_);
    up_ = true;
  }
  waking_.start();
}

bool Device::catch_up(const Now& now, Budget& budget) noexcept {
  for (; !waking_.is_over() && !budget.is_spent(); budget.spend(1)) {
    if (Peer* peer = waking_.step(peers_)) wake(now, *peer);
  }
  while (!checking_.is_over() && !budget.is_spent()) {
    Peer* peer = checking_.step(peers_);
    if (peer != nullptr) check_source(*peer);
    budget.spend(peer != nullptr ? kQuestionCost : 1);
  }
  return forget_claimed(budget) || !waking_.is_over() || !checking_.is_over();
}

// Its keepalive is due: the timer sends it in its turn (P59a).
void Device::wake(const Now& now, Peer& peer) noexcept {
  follow_identity(now, peer);
  {
    PeerGuard guard(exclusion_, peer.id);
    peer.traffic.timers.persistent_keepalive_at_once(now.boot);
  }
  reschedule(peer);
  if (peer.handshake.revive) revive(now, peer);
}

void Device::down() noexcept {
  if (!up_) return;
  waking_.stop();
  {
    TablesGuard guard(exclusion_);
    up_ = false;
  }
  for (Peer* peer = peers_.first(); peer != nullptr; peer = peers_.after(*peer)) {
    clear_sessions(*peer);
    peer->handshake.last_sent_at = Instant::never();
    {
      PeerGuard guard(exclusion_, peer->id);
      peer->traffic.timers.stop();
      drop_staged(*peer, Drop::device_down);
    }
    reschedule(*peer);
    worked(kPeerCost);
  }
}

void Device::forget_sources() {
  for (Peer* peer = peers_.first(); peer != nullptr; peer = peers_.after(*peer)) {
    worked(1);
    PeerGuard guard(exclusion_, peer->id);
    peer->traffic.forget_source();
  }
}

void Device::check_sources(SourceCheck check) {
  source_check_ = std::move(check);
  checking_.start();
}

void Device::check_source(Peer& peer) {
  Endpoint to;
  Source at;
  {
    PeerGuard guard(exclusion_, peer.id);
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
  PeerGuard guard(exclusion_, peer.id);
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

// What the data path has learned is asked about here, where a system call holds nobody up.
void Device::judge_source(Peer& peer) {
  Endpoint to;
  Source at;
  {
    PeerGuard guard(exclusion_, peer.id);
    if (peer.traffic.source_use != SourceUse::unknown) return;
    to = peer.traffic.endpoint;
    at = peer.traffic.reached_at();
  }
  SourceUse use;
  try {
    use = source_judge_(to, at);
  } catch (const std::bad_alloc&) {
    return;  // it stays unknown
  }
  PeerGuard guard(exclusion_, peer.id);
  PeerTraffic& traffic = peer.traffic;
  if (traffic.endpoint.address != to.address || traffic.reached_at() != at) return;
  if (traffic.source_use != SourceUse::unknown) return;
  traffic.use_source(use);
}

Source Device::source_of(const Peer& peer) const {
  PeerGuard guard(exclusion_, peer.id);
  return peer.traffic.source();
}

PeerStatus Device::status_of(const Peer& peer) const {
  PeerStatus status;
  status.public_key = peer.public_key;
  status.preshared_key = PresharedKey(peer.handshake.psk.clone());
  allowed_ips_.for_each(peer.id, [&](const Cidr& cidr) { status.allowed_ips.push_back(cidr); });
  PeerGuard guard(exclusion_, peer.id);
  const PeerTraffic& traffic = peer.traffic;
  status.endpoint = traffic.endpoint;
  status.last_handshake = traffic.last_handshake.unpacked();
  status.tx_bytes = traffic.tx_bytes;
  status.rx_bytes = traffic.rx_bytes;
  status.messages = traffic.keypairs.counts();
  status.persistent_keepalive_s = traffic.timers.persistent_keepalive_s();
  return status;
}

// Where nobody has gone, behind the one that the walk rested at. Else from the start, past all that are
// older than that one, of which there may be very many: `count` is what may be looked at.
const Peer* Device::resume(PeerCursor& cursor, std::size_t& count) const noexcept {
  const Peer* at = peers_.find(cursor.peer);
  const Peer* peer = at == nullptr ? peers_.first() : peers_.after(*at);
  for (; peer != nullptr && peer->sequence <= cursor.sequence && count > 0; --count) {
    cursor.peer = peer->id;
    peer = peers_.after(*peer);
  }
  return peer;
}

bool Device::walk_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                        const std::function<void(const Peer&)>& visit) const {
  std::size_t looks = std::min(count, SIZE_MAX / kLooksAVisit) * kLooksAVisit;
  const Peer* peer = cursor ? resume(*cursor, looks) : peers_.first();
  if (looks == 0) return peer != nullptr;
  for (; peer != nullptr && count > 0; peer = peers_.after(*peer), --count) {
    visit(*peer);
    cursor = {peer->id, peer->sequence};
  }
  return peer != nullptr;
}

bool Device::visit_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                         const std::function<void(const PeerStatus&)>& visit) const {
  return walk_peers(cursor, count, [&](const Peer& peer) { visit(status_of(peer)); });
}

}  // namespace ferrule::protocol
