// The timers of one peer (§6.1 to §6.5; P50 to P59a): one function an event, one deadline a timer.
// Callers report what happened; what follows from it is decided here and in handshaker_timers.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/rng.h"
#include "base/time.h"
#include "protocol/initiation.h"

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
  Timers() noexcept { deadlines_.fill(Instant::never()); }

  // --- events ---
  /// Data (not a keepalive) was sent. `rng` is where jitter comes from; if it fails there is none.
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
  /// A keypair was derived.
  void session_derived(Instant now) noexcept;
  /// The interval changed; 0 is off.
  void set_persistent_keepalive(std::uint16_t seconds) noexcept;
  /// The persistent keepalive is due again an interval from now, whatever became of this one.
  void persistent_keepalive_due(Instant now) noexcept;
  /// The device came up, or the interval was just set: one is due now, if there is an interval.
  void persistent_keepalive_at_once(Instant now) noexcept;
  /// The device went down or the peer goes (P59a).
  void stop() noexcept;

  // --- initiations of ours (initiation.h) ---
  [[nodiscard]] Initiation initiation() const noexcept { return initiation_; }
  /// Something wants to be sent: there is an initiation, with all its attempts (P50). One under way is
  /// sent again by its timer; there is nothing to ask for.
  void want_handshake() noexcept;
  /// True when one is wanted, which is now about to be sent.
  [[nodiscard]] bool take_wanted() noexcept;
  /// It was sent, or could not be made: it will be tried again.
  void handshake_initiated(Instant now, Rng& rng) noexcept;
  /// It is not to be sent before `at` (P51).
  void handshake_deferred(Instant at) noexcept;
  /// It can't be sent, and the next wish is waited for.
  void handshake_refused() noexcept;
  /// What fired was its timer. If it is the last one's, keys go in time if nothing else happens (P50).
  enum class Attempt : std::uint8_t {
    none,     // a session came just before
    first,    // to be sent: it waited for its turn
    again,    // to be sent
    give_up,  // all have been used up
  };
  [[nodiscard]] Attempt next_attempt(Instant now) noexcept;
  /// A response was accepted, or the responder got its first data packet (P58).
  void handshake_complete() noexcept;
  /// What a handshake under way was made with is gone: it starts over now.
  void handshake_outdated(Instant now) noexcept;

  // --- state ---
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
  /// The deadline heap knows the earliest deadline now, and need not be told of later ones.
  void scheduled() noexcept { scheduled_ = earliest().at; }
  /// Whether it must be told of an earlier one.
  [[nodiscard]] bool is_to_schedule() const noexcept { return earliest().at < scheduled_; }

 private:
  void arm(Timer timer, Instant at) noexcept { deadlines_[static_cast<std::size_t>(timer)] = at; }
  void disarm(Timer timer) noexcept { arm(timer, Instant::never()); }
  void move_on(InitiationEvent event) noexcept;
  [[nodiscard]] Duration next_jitter(Rng& rng) noexcept;

  std::array<Instant, kTimerCount> deadlines_;
  Instant scheduled_ = Instant::never();
  std::uint16_t persistent_s_ = 0;
  std::uint16_t dice_ = 0;  // what data's jitter was last made of; zero before the first
  std::uint8_t attempts_ = 0;
  bool need_another_keepalive_ = false;
  Initiation initiation_ = Initiation::idle;
};

}  // namespace ferrule::protocol
