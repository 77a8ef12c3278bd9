// The simulated world: hosts, the network between them, an attacker, and a clock that jumps from one
// thing that happens to the next.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/attacker.h"
#include "sim/checker.h"
#include "sim/dice.h"
#include "sim/host.h"
#include "sim/ledger.h"
#include "sim/liveness.h"
#include "sim/monitor.h"
#include "sim/network.h"
#include "sim/siege.h"

namespace ferrule::sim {

/// Two hosts that are meant to know each other, and what is configured for both.
struct Link {
  HostId a;
  HostId b;
  std::array<std::uint8_t, kKeySize> psk{};

  [[nodiscard]] HostId other(HostId host) const noexcept { return host == a ? b : a; }
  [[nodiscard]] bool joins(HostId host) const noexcept { return host == a || host == b; }
};

struct WorldOptions {
  std::uint64_t seed = 1;
  Bytes script = {};  // makes the first choices in place of the seed (a fuzzer's input)
  std::size_t hosts = 4;
  Duration length = 4h;
  std::uint64_t first_traced_step = UINT64_MAX;  // from there on every event is printed
};

class World {
 public:
  explicit World(const WorldOptions& options);

  /// Goes on until `length` is over. Throws a Violation.
  void run();

  // --- for hosts, transitions and checkers ---
  [[nodiscard]] Instant now() const noexcept { return now_; }
  [[nodiscard]] Network& network() noexcept { return network_; }
  [[nodiscard]] Ledger& ledger() noexcept { return ledger_; }
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] Attacker& attacker() noexcept { return attacker_; }
  [[nodiscard]] const Checkers& checkers() const noexcept { return checkers_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Host>>& hosts() const noexcept { return hosts_; }
  [[nodiscard]] Host& host(HostId id) noexcept { return *hosts_[id]; }
  [[nodiscard]] std::vector<Link>& links() noexcept { return links_; }
  [[nodiscard]] Dice& dice() noexcept { return dice_; }
  [[nodiscard]] Monitor& monitor() noexcept { return monitor_; }

  /// An inner address of a host: the n-th of its own network.
  [[nodiscard]] static IpAddress inner_address(HostId host, Family family, std::uint8_t n);
  /// The networks that are a host's own, as its peers have them.
  [[nodiscard]] std::vector<Cidr> networks_of(HostId host) const;

  /// Has the host send one packet and writes it into the ledger. Returns its number.
  std::uint64_t send_packet(HostId from, const IpAddress& source, const IpAddress& destination,
                            std::size_t size, std::uint8_t traffic_class = 0);
  /// The same, `count` of them in one batch.
  void send_batch(HostId from, const IpAddress& source, const IpAddress& destination,
                  std::size_t size, std::size_t count);
  /// Brings the host's peers to what is meant: keys, preshared keys, allowed IPs.
  void reconcile(HostId host);
  /// Gives the host the true endpoint of a peer, if that is in public.
  void resolve_endpoint(HostId host, HostId peer);
  /// Ends all faults, and has everybody configured as is meant. Nothing is under way any more.
  void heal();
  void later(Duration delay, std::function<void()> action);
  /// Lets time pass, and everything happen that is due.
  void run_for(Duration span);

  /// For a device. Lives as long as the world, and so longer than anything that is charged to it.
  [[nodiscard]] Heap& new_heap() { return heaps_.emplace_back(); }
  /// For checkers that are called where nothing may be thrown: the step ends with this violation.
  void object(const std::string& what) { objection_ = what; }

  /// Says what happens, if anybody listens. `text` is called only then.
  void trace(const std::function<std::string()>& text);
  [[nodiscard]] std::uint64_t step() const noexcept { return step_; }
  [[nodiscard]] std::string clock() const;
  /// Of all that was ever sent: two runs with the same digest were the same.
  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }

  [[nodiscard]] const Liveness& liveness() const noexcept { return *liveness_; }

  Instant flooded_until;  // queues of hosts may be under load until then

 private:
  void make_hosts(std::size_t count);
  void make_links();
  void round();
  void rest();
  void take_step(Instant until);
  void deliver_arrivals();
  void wake_hosts();
  [[nodiscard]] PacketRecord record_of(HostId from, const IpAddress& source,
                                       const IpAddress& destination, Bytes packet) const;

  std::deque<Heap> heaps_;
  WorldOptions options_;
  Dice dice_;
  Instant now_ = Instant::from_ns(1'000'000'000'000);
  Network network_;
  Ledger ledger_;
  Attacker attacker_;
  Siege siege_{*this};
  Monitor monitor_{*this};
  Checkers checkers_;
  Liveness* liveness_;  // one of the checkers
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<Link> links_;
  bool has_gateway_ = false;  // the first host's networks are those of everybody else, too
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> actions_;
  std::uint64_t action_sequence_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t digest_ = 0;
  Instant last_moved_;
  std::optional<std::string> objection_;
  std::uint64_t steps_at_once_ = 0;
};

}  // namespace ferrule::sim
