// What follows when a timer fires, one function a timer (§6; P50 to P59a), and the control side's look
// at peers that the data path pointed out.
#include <utility>

#include "protocol/handshaker.h"

namespace ferrule::protocol {

// Sent, or to be sent before the call returns.
std::size_t Handshaker::messages_made(const Outbox& outbox) const noexcept {
  return outbox.messages.size() + starting_.size();
}

std::size_t Handshaker::attend(const Now& now, std::span<const PeerId> peers, Budget& budget,
                               Outbox& outbox) noexcept {
  std::size_t done = 0;
  RetiredTogether retired;
  for (; done < peers.size() && !budget.is_spent(); ++done) {
    const std::size_t before = messages_made(outbox);
    attend_one(now, peers[done], retired, outbox);
    budget.spend(1 + kMessageCost * (messages_made(outbox) - before));
  }
  reap(retired);
  start_queued(now, outbox);
  return done;
}

void Handshaker::attend_one(const Now& now, PeerId id, RetiredTogether& together, Outbox& outbox) {
  Peer* peer = tables_.peers.find(id);
  if (peer == nullptr) return;
  follow_identity(now, *peer);
  KeypairSlots::Retired retired;
  bool handshake_over = false;
  {
    PeerGuard guard(tables_.exclusion, id);
    PeerTraffic& traffic = peer->traffic;
    traffic.attention_raised = false;
    handshake_over = std::exchange(traffic.handshake_over, false);
    retired = std::exchange(traffic.retired, {});
    const KeypairRef& current = traffic.keypairs.current();
    if (std::exchange(traffic.flush_wanted, false) && current && current->may_send(now.boot)) {
      tables_.expire_staged(now, *peer);
      traffic.flush_wanted = !ask_flush(id, outbox);
    }
  }
  if (!retired.empty()) together.push_back(std::move(retired));
  if (together.full()) reap(together);
  if (handshake_over) clear_handshake(*peer);  // P34
  judge_source(*peer);
  tell_outcome(now, *peer);
  if (tables_.up) start_wanted_handshake(now, *peer, outbox);
  reschedule(*peer);
}

std::optional<Handshaker::Deadline> Handshaker::next_deadline() noexcept {
  const std::optional<DeadlineHeap::Entry> top = deadlines_.top();
  if (!top) return std::nullopt;
  const Peer& peer = *tables_.peers.find(top->peer);
  PeerGuard guard(tables_.exclusion, peer.id);
  return Deadline{top->at, top->peer, peer.traffic.timers.earliest().reason};
}

void Handshaker::reschedule(Peer& peer) noexcept {
  Instant at;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    at = peer.traffic.timers.earliest().at;
    peer.traffic.timers.scheduled();
  }
  deadlines_.set(peer.id, at);
}

bool Handshaker::fire_timers(const Now& now, Budget& budget, Outbox& outbox) noexcept {
  auto top = deadlines_.top();
  for (; top && top->at <= now.boot && !budget.is_spent(); top = deadlines_.top()) {
    const std::size_t before = messages_made(outbox);
    fire_next(now, *tables_.peers.find(top->peer), outbox);
    budget.spend(1 + kMessageCost * (messages_made(outbox) - before));
  }
  start_queued(now, outbox);
  top = deadlines_.top();
  return top && top->at <= now.boot;
}

void Handshaker::fire_next(const Now& now, Peer& peer, Outbox& outbox) {
  follow_identity(now, peer);
  DueTimers due;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    due = peer.traffic.timers.take_due(now.boot);
  }
  // The heap may know an earlier deadline than there is by now: then nothing is due.
  if (tables_.up) fire(now, peer, due, outbox);
  reschedule(peer);
}

void Handshaker::fire(const Now& now, Peer& peer, const DueTimers& due, Outbox& outbox) {
  const auto is_due = [&due](Timer timer) { return due[static_cast<std::size_t>(timer)]; };
  if (is_due(Timer::retransmit)) fire_retransmit(now, peer, outbox);
  if (is_due(Timer::keepalive)) fire_keepalive(now, peer, outbox);
  if (is_due(Timer::new_handshake)) fire_new_handshake(now, peer, outbox);
  if (is_due(Timer::zero_keys)) clear_sessions(peer);
  if (is_due(Timer::persistent_keepalive)) fire_persistent_keepalive(now, peer, outbox);
}

void Handshaker::fire_retransmit(const Now& now, Peer& peer, Outbox& outbox) {
  Timers::Attempt attempt{};
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    PeerTraffic& traffic = peer.traffic;
    tables_.expire_staged(now, peer);
    attempt = traffic.timers.next_attempt(now.boot);
    if (attempt == Timers::Attempt::again)
      traffic.by_routes = true;  // perhaps nothing comes back by it
    if (attempt == Timers::Attempt::give_up) tables_.drop_staged(peer, Drop::staged_expired);
  }
  switch (attempt) {
    case Timers::Attempt::none:
      break;
    case Timers::Attempt::first:
    case Timers::Attempt::again:
      start_handshake(now, peer, outbox);
      break;
    case Timers::Attempt::give_up:
      log_peer(peer, "the handshake was not answered: giving up until there is a packet to send");
  }
}

void Handshaker::fire_keepalive(const Now& now, Peer& peer, Outbox& outbox) {
  send_keepalive(now, peer, outbox);
  PeerGuard guard(tables_.exclusion, peer.id);
  peer.traffic.timers.keepalive_answered(now.boot);
}

void Handshaker::fire_new_handshake(const Now& now, Peer& peer, Outbox& outbox) {
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.by_routes = true;
    peer.traffic.timers.want_handshake();
  }
  start_wanted_handshake(now, peer, outbox);
}

void Handshaker::fire_persistent_keepalive(const Now& now, Peer& peer, Outbox& outbox) {
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    Timers& timers = peer.traffic.timers;
    if (timers.persistent_keepalive_s() == 0) return;
    // Whatever becomes of this one, there will be a next: it alone revives a dead session (P59a).
    timers.persistent_keepalive_due(now.boot);
  }
  send_keepalive(now, peer, outbox);
}

}  // namespace ferrule::protocol
