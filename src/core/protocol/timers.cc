#include "protocol/timers.h"

#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/constants.h"

namespace ferrule::protocol {

namespace {

// That part of kMaxTimerJitter: of the whole, 2^32.
Duration part_of_jitter(std::uint32_t part) noexcept {
  const auto range = static_cast<std::uint64_t>(kMaxTimerJitter / 1ns);
  return Duration(static_cast<std::int64_t>((range * part) >> 32));
}

// Uniform in [0, kMaxTimerJitter), so that two peers do not start over in step for ever.
Duration jitter(Rng& rng) noexcept {
  std::array<std::uint8_t, 4> bytes{};
  return rng.fill(bytes) ? part_of_jitter(load_le32(bytes.data())) : Duration::zero();
}

}  // namespace

void Timers::data_sent(Instant now, Rng& rng) noexcept {
  if (!armed(Timer::new_handshake)) {
    arm(Timer::new_handshake, now + kNewHandshakeAfter + next_jitter(rng));
  }
}

// Of good randomness once, then by Marsaglia's xorshift: this is asked for with every change of
// direction, under the peer's lock, and a system call costs more than to seal a short packet. Jitter is
// no secret, and only has to differ between two peers.
Duration Timers::next_jitter(Rng& rng) noexcept {
  if (dice_ == 0) {
    std::array<std::uint8_t, 2> seed{};
    if (!rng.fill(seed)) return Duration::zero();
    dice_ = load_le16(seed.data());
  }
  dice_ = static_cast<std::uint16_t>(dice_ ^ dice_ << 7);
  dice_ = static_cast<std::uint16_t>(dice_ ^ dice_ >> 9);
  dice_ = static_cast<std::uint16_t>(dice_ ^ dice_ << 8);
  return part_of_jitter(std::uint32_t{dice_} << 16);
}

void Timers::data_received(Instant now) noexcept {
  if (armed(Timer::keepalive)) {
    need_another_keepalive_ = true;
  } else {
    arm(Timer::keepalive, now + kKeepaliveTimeout);
  }
}

void Timers::keepalive_answered(Instant now) noexcept {
  if (std::exchange(need_another_keepalive_, false)) {
    arm(Timer::keepalive, now + kKeepaliveTimeout);
  }
}

void Timers::any_authenticated_packet_sent() noexcept { disarm(Timer::keepalive); }

void Timers::any_authenticated_packet_received() noexcept { disarm(Timer::new_handshake); }

void Timers::any_authenticated_packet_traversal(Instant now) noexcept {
  if (persistent_s_ != 0) persistent_keepalive_due(now);
}

void Timers::session_derived(Instant now) noexcept { arm(Timer::zero_keys, now + kZeroKeysAfter); }

void Timers::move_on(InitiationEvent event) noexcept {
  initiation_ = after(initiation_, event);
  FERRULE_CHECK(waits_for_timer(initiation_) || !armed(Timer::retransmit));
}

void Timers::want_handshake() noexcept {
  attempts_ = 0;
  move_on(InitiationEvent::want);
}

bool Timers::take_wanted() noexcept {
  if (initiation_ != Initiation::wanted) return false;
  move_on(InitiationEvent::start);
  return true;
}

void Timers::handshake_initiated(Instant now, Rng& rng) noexcept {
  move_on(InitiationEvent::send);
  arm(Timer::retransmit, now + kRekeyTimeout + jitter(rng));
}

void Timers::handshake_deferred(Instant at) noexcept {
  move_on(InitiationEvent::defer);
  arm(Timer::retransmit, at);
}

void Timers::handshake_refused() noexcept { move_on(InitiationEvent::refuse); }

Timers::Attempt Timers::next_attempt(Instant now) noexcept {
  if (!waits_for_timer(initiation_)) return Attempt::none;
  const bool retry = initiation_ == Initiation::sent;
  if (retry && attempts_ > kMaxHandshakeAttempts) {
    move_on(InitiationEvent::give_up);
    disarm(Timer::keepalive);
    if (!armed(Timer::zero_keys)) arm(Timer::zero_keys, now + kZeroKeysAfter);
    return Attempt::give_up;
  }
  move_on(InitiationEvent::start);
  if (!retry) return Attempt::first;
  ++attempts_;
  return Attempt::again;
}

void Timers::handshake_complete() noexcept {
  disarm(Timer::retransmit);
  attempts_ = 0;
  move_on(InitiationEvent::complete);
}

void Timers::handshake_outdated(Instant now) noexcept {
  move_on(InitiationEvent::outdate);
  if (!waits_for_timer(initiation_)) return;
  attempts_ = 0;  // a new handshake, and not another try of the old one
  arm(Timer::retransmit, now);
}

void Timers::set_persistent_keepalive(std::uint16_t seconds) noexcept {
  persistent_s_ = seconds;
  if (seconds == 0) disarm(Timer::persistent_keepalive);
}

void Timers::persistent_keepalive_due(Instant now) noexcept {
  arm(Timer::persistent_keepalive, now + std::chrono::seconds(persistent_s_));
}

void Timers::persistent_keepalive_at_once(Instant now) noexcept {
  if (persistent_s_ != 0) arm(Timer::persistent_keepalive, now);
}

void Timers::stop() noexcept {
  deadlines_.fill(Instant::never());
  attempts_ = 0;
  need_another_keepalive_ = false;
  move_on(InitiationEvent::stop);
}

Timers::Earliest Timers::earliest() const noexcept {
  Earliest first{Instant::never(), Timer::retransmit};
  for (std::size_t i = 0; i < kTimerCount; ++i) {
    if (deadlines_[i] < first.at) first = {deadlines_[i], static_cast<Timer>(i)};
  }
  return first;
}

DueTimers Timers::take_due(Instant now) noexcept {
  DueTimers due{};
  for (std::size_t i = 0; i < kTimerCount; ++i) {
    due[i] = deadlines_[i] <= now;
    if (due[i]) deadlines_[i] = Instant::never();
  }
  return due;
}

}  // namespace ferrule::protocol
