// The timers of one peer (§6.1 to §6.5; P50 to P59a): one function an event, one deadline a timer.
// Callers report what happened; what follows from it is decided here and in device_timers.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/rng.h"
#include "base/time.h"

namespace ferrule::protocol {

enum class Timer : std::uint8_t {
  retransmit,            // send the initiation again, or give up (P50)
  keepalive,             // answer data with an empty packet (P52)
  new_handshake,         // sent data, heard nothing (P53)
  zero_keys,             // forget all key material (P54)
  persistent_keepalive,  // P55
};
constexpr std::size_t kTimerCount = 5;

/// Which timers a moment has made due.
using DueTimers = std::array<bool, kTimerCount>;

/// Deadlines and the little state that belongs to them. Guarded by the peer's lock.
class Timers {
 public:
  Timers() noexcept { stop(); }

  // --- events ---
  /// Data (not a keepalive) was sent. `rng` gives the jitter; if it fails there is none.
  void data_sent(Instant now, Rng& rng) noexcept;
  /// Data (not a keepalive) was received.
  void data_received(Instant now) noexcept;
  /// The keepalive timer fired and was answered. Data that came while it waited is owed another one.
  void keepalive_answered(Instant now) noexcept;
  /// A keepalive, data or handshake message was sent.
  void any_authenticated_packet_sent() noexcept;
  /// A keepalive, data or handshake message was received.
  void any_authenticated_packet_received() noexcept;
  /// Either of the two: what persistent keepalives count from.
  void any_authenticated_packet_traversal(Instant now) noexcept;
  /// An initiation was sent.
  void handshake_initiated(Instant now, Rng& rng) noexcept;
  /// A response was accepted, or the responder got its first data packet (P58).
  void handshake_complete() noexcept;
  /// A keypair was derived.
  void session_derived(Instant now) noexcept;
  /// The last initiation was given up: keys go in time if nothing else happens.
  void handshake_given_up(Instant now) noexcept;
  /// An initiation is wanted, but not before `at` (P51).
  void handshake_deferred(Instant at) noexcept;
  /// What a handshake under way was made with is gone: it starts over now.
  void handshake_outdated(Instant now) noexcept;
  /// The interval changed; 0 is off.
  void set_persistent_keepalive(std::uint16_t seconds) noexcept;
  /// The persistent keepalive is due again an interval from now, whatever became of this one.
  void persistent_keepalive_due(Instant now) noexcept;
  /// The device came up, or the interval was just set: one is due now, if there is an interval.
  void persistent_keepalive_at_once(Instant now) noexcept;
  /// The device went down or the peer goes (P59a).
  void stop() noexcept;

  // --- attempts ---
  /// Something wants to be sent: the next handshake has all its attempts again (P50).
  void reset_attempts() noexcept { attempts_ = 0; }
  /// Whether what fired now is an initiation that only waited for its turn, and no retry. Told once.
  [[nodiscard]] bool take_deferred() noexcept { return std::exchange(deferred_, false); }
  /// Counts a retry. False when all have been used up.
  [[nodiscard]] bool next_attempt() noexcept;

  // --- state ---
  /// A handshake is under way, or waits for its turn.
  [[nodiscard]] bool handshake_pending() const noexcept { return armed(Timer::retransmit); }
  [[nodiscard]] std::uint16_t persistent_keepalive_s() const noexcept { return persistent_s_; }
  [[nodiscard]] Instant deadline(Timer timer) const noexcept {
    return deadlines_[static_cast<std::size_t>(timer)];
  }
  [[nodiscard]] bool armed(Timer timer) const noexcept { return !deadline(timer).is_never(); }
  /// The earliest deadline and its reason; never when no timer is armed.
  struct Earliest {
    Instant at;
    Timer reason;
  };
  [[nodiscard]] Earliest earliest() const noexcept;
  /// Disarms and names every timer whose deadline has come.
  [[nodiscard]] DueTimers take_due(Instant now) noexcept;

 private:
  void arm(Timer timer, Instant at) noexcept { deadlines_[static_cast<std::size_t>(timer)] = at; }
  void disarm(Timer timer) noexcept { arm(timer, Instant::never()); }

  std::array<Instant, kTimerCount> deadlines_;
  std::uint16_t persistent_s_ = 0;
  std::uint8_t attempts_ = 0;
  bool need_another_keepalive_ = false;
  bool deferred_ = false;  // what `retransmit` waits with has not been sent yet
};

}  // namespace ferrule::protocol
