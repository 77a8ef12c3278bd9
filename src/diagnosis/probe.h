// Tries a tunnel: packets to peers through it, and what comes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "diagnosis/echo.h"
#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

/// Peers that are tried at once; with more, the first.
constexpr std::size_t kMaxProbedPeers = 64;
/// Peers of those that have answered, whose way is measured.
constexpr std::size_t kMaxMeasuredPeers = 4;

/// The first address that a host of a network can have, but none of this machine's.
[[nodiscard]] IpAddress first_host_of(const Cidr& network, const std::vector<io::LinkAddress>& own);

/// Peers whose calls are waited for.
constexpr std::size_t kMaxAwaitedPeers = 256;

/// More bytes than this can't be handshakes and keepalives alone, which came within so many seconds.
[[nodiscard]] std::uint64_t most_without_data(double seconds) noexcept;

/// Fills in `probe` of peers, and `counted`. All that it is given must outlive it.
///
/// A session proves nothing by its age, nor by handshakes: only data that came back does. Echo requests go
/// to addresses of the peer, and where it may have none that is known, one goes no further than to the
/// peer: who forwards, says then that its hops are used up.
class Prober {
 public:
  /// `name_servers`: of the tunnel's file.
  Prober(client::DeviceClient& devices, DoctorFacts& facts, const control::DeviceStatus& before,
         const std::vector<IpAddress>& name_servers);

  /// Takes up the peers that there is something to learn of: not those of whom it is known already why
  /// nothing can come back, and, unless they were asked for, not those that are to call and have not. Of
  /// these, who had a session once is taken up when a call comes meanwhile.
  void choose(bool is_asked_for);
  /// Takes as long as it takes until all have answered: at most about 6 s for peers without a session, in
  /// which at least one handshake is tried, or calls, and 17 s for those with one, which may be dead; 2 s
  /// where a rule of this machine is in the way, and 2 s more for one that calls last.
  void run();
  /// Round trip, loss, and the largest packet of those who have answered; and whether a peer that is to
  /// forward does. A few seconds.
  void measure();

 private:
  using Clock = std::chrono::steady_clock;
  // Whom an echo request is for, and how far it goes.
  struct Target {
    IpAddress address;
    int hops = kAllHops;
    bool is_guess = false;
  };
  struct Trial {
    PeerFacts* peer = nullptr;
    ProbeFacts* facts = nullptr;
    std::vector<Target> targets;
    std::optional<IpAddress> outside;  // of whom the peer is to pass on packets
    Clock::time_point begun_at;
    std::optional<Clock::time_point> heard_at;
  };
  struct Sent {
    std::size_t trial = 0;
    Target target;
  };

  void begin(PeerFacts& peer);
  [[nodiscard]] std::vector<Target> targets_of(const PeerFacts& peer) const;
  void add_guesses(const Cidr& prefix, std::vector<Target>& targets) const;
  [[nodiscard]] std::optional<IpAddress> own_network_host(Family family) const;
  [[nodiscard]] bool all_done(Clock::duration passed) const;
  void send_round();
  void collect();
  void take(const EchoAnswer& answer);
  void look_again(Clock::time_point now);
  void look_at_trial(Trial& trial, const control::DeviceStatus& device,
                     const control::DeviceStats& told, Clock::time_point now) const;
  void take_up_callers(const control::DeviceStatus& device);
  void measure_way(ProbeFacts& probe);
  void ask_outside(Trial& trial);
  [[nodiscard]] bool is_own(const IpAddress& address) const;
  [[nodiscard]] control::DeviceStats stats() const;
  [[nodiscard]] std::optional<std::uint64_t> messages_of(const PublicKey& key,
                                                         const control::DeviceStats& told) const;
  void count_from(const control::Stats& then);
  [[nodiscard]] EchoSocket* socket_of(Family family);

  client::DeviceClient& devices_;
  DoctorFacts& facts_;
  const control::DeviceStatus& before_;
  const std::vector<IpAddress>& name_servers_;
  std::optional<EchoSocket> v4_;
  std::optional<EchoSocket> v6_;
  control::DeviceStats told_before_;
  std::vector<Trial> trials_;
  std::vector<PeerFacts*> awaited_;
  std::map<std::uint16_t, Sent> sent_;
  std::uint16_t sequence_ = 0;
  Clock::time_point start_;
  bool is_shut_ = false;
};

}  // namespace ferrule::diagnosis
