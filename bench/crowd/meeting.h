// The members of a crowd shake hands with a daemon, and then live: they renew their sessions, send
// keepalives, and count what the daemon sends them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/net.h"
#include "base/rng.h"
#include "base/time.h"
#include "io/linux/udp.h"
#include "member.h"

namespace ferrule::bench {

/// How members begin. A member without an answer tries again as WireGuard does, after Rekey-Timeout
/// and some jitter, up to `attempts` times in all.
struct Pace {
  std::size_t window = 0;   // so many may be waiting for an answer at once; 0: any number
  double per_second = 0.0;  // so many begin in a second; 0: as soon as the window allows
  unsigned attempts = 18;
};

/// What they do once they have met. Spread evenly over the members and over time.
struct Life {
  double rekey_s = 0.0;      // each renews its session so often; 0: never
  double keepalive_s = 0.0;  // and sends an empty packet so often; 0: never
};

struct MeetingResult {
  std::size_t met = 0;          // members with a session
  std::size_t initiations = 0;  // sent for it
  std::size_t cookies = 0;      // replies of a daemon under load
  double seconds = 0.0;         // from the first initiation to the last session
  double median_ms = 0.0;       // of a handshake, from a member's first initiation
  double longest_ms = 0.0;
};

/// For one thread.
class Meeting {
 public:
  /// `members` have consecutive numbers.
  Meeting(std::vector<Member>& members, io::LinuxUdp& udp, const Endpoint& daemon,
          const PublicKey& key, Rng& rng);

  /// Makes every member's first initiation, so that the daemon need not wait for us.
  void prepare();
  /// Returns when every member has a session or has given up, or `stop` says so.
  [[nodiscard]] MeetingResult run(const Pace& pace, const std::atomic<bool>& stop);

  struct Counted {
    std::uint64_t packets = 0;  // transport data messages, keepalives not
    std::uint64_t bytes = 0;
    std::uint64_t keepalives = 0;  // of the daemon's
    std::uint64_t renewals = 0;    // begun
    std::uint64_t renewed = 0;     // answered
    double median_ms = 0.0;        // of their handshakes
    double longest_ms = 0.0;
  };
  /// Until `stop`. What the daemon sends is not decrypted: the daemon is what is measured.
  [[nodiscard]] Counted live(const Pace& pace, const Life& life, const std::atomic<bool>& stop);

 private:
  struct Try {
    Instant begun;
    unsigned attempts = 0;
    bool given_up = false;
  };
  struct Retry {
    Instant at;
    std::size_t place;
  };

  void begin_some(const Now& now, const Pace& pace);
  void try_again(const Now& now, const Pace& pace);
  void renew_some(const Now& now, const Life& life);
  void keep_some(const Now& now, const Life& life);
  void initiate(const Now& now, std::span<Member* const> members);
  void send(const Member& member, Bytes message);
  [[nodiscard]] std::size_t receive(const Now& now);
  void take(const Now& now, const io::ReceivedDatagrams& slot, Bytes message);
  void finish_some();
  void met(std::size_t place);
  [[nodiscard]] std::size_t place_of(const Member& member) const noexcept {
    return member.number() - members_.front().number();
  }
  [[nodiscard]] Duration jitter() noexcept;

  std::vector<Member>& members_;
  io::LinuxUdp& udp_;
  Endpoint daemon_;
  PublicKey key_;
  Rng& rng_;
  std::vector<std::uint8_t> rooms_;
  std::vector<io::ReceivedDatagrams> slots_;
  std::vector<InitiationBytes> prepared_;
  std::vector<Response> responses_;  // received, and not yet opened
  std::vector<Try> tries_;
  std::vector<float> milliseconds_;  // of each handshake
  std::deque<Retry> retries_;        // by time, nearly: jitter may swap neighbours
  std::size_t begun_ = 0;
  std::size_t open_ = 0;  // begun, without session, not given up
  std::uint64_t kept_ = 0;
  Instant started_;
  Instant last_met_;
  MeetingResult result_;
  Counted counted_;
};

}  // namespace ferrule::bench
