// When faults have healed, traffic flows: within 5.4 s of the next initiation that can arrive, and
// within 15.4 s even if one side does not know that the other has lost its keys, plus what messages are
// under way; whatever an attacker repeats and forges meanwhile, and whether or not initiations cross.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "sim/checker.h"
#include "sim/datagram.h"

namespace ferrule::sim {

struct Link;

class Liveness final : public Checker {
 public:
  explicit Liveness(World& world) noexcept : world_(world) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "liveness"; }

  /// In a world that has just healed: both hosts of every link send, until something has arrived both
  /// ways.
  void prove();
  /// Right after that: for this long, every packet of these hosts arrives.
  void lose_nothing(Duration span);

  void emitted(const Host& host, const Datagram& datagram, PeerId peer) override;
  void handled(const Handled& handled) override;
  void received(const Received& received) override;

  [[nodiscard]] std::uint64_t links_proven() const noexcept { return proven_; }
  [[nodiscard]] std::uint64_t links_not_judged() const noexcept { return not_judged_; }

 private:
  using Way = std::pair<HostId, HostId>;  // from, to

  struct Trial {
    const Link* link;
    std::vector<std::uint64_t> there;
    std::vector<std::uint64_t> back;
    bool done = false;
  };

  [[nodiscard]] bool reaches(HostId from, HostId to, Instant when) const;
  [[nodiscard]] bool can_initiate(HostId from, HostId to, Instant when) const;
  [[nodiscard]] static bool is_for(const Datagram& initiation, const Host& host);
  [[nodiscard]] bool judged(const Link& link);
  [[nodiscard]] bool arrived(const std::vector<std::uint64_t>& numbers) const;
  [[nodiscard]] Instant deadline(const Link& link) const;
  void examine(Trial& trial);
  [[nodiscard]] Duration under_way() const;
  [[nodiscard]] Duration stays_open() const;
  [[nodiscard]] bool cut_off(const Link& link) const;
  void note_withheld(const Host& receiver, const Datagram& datagram);
  std::uint64_t send(HostId from, HostId to);

  World& world_;
  std::vector<const Link*> flows_;  // where traffic was last shown to flow
  bool watching_ = false;
  Instant began_;
  std::map<Way, Instant> initiated_;  // the first that can arrive, since it began
  // The last withheld message that the attacker delivered. A receiver can't but believe what its peer
  // made and it does not know yet, be it a lost message or, after a restart, one that it has forgotten:
  // the sender seems to live at the attacker's address (P74), and an initiation ends the receiver's own
  // and puts the next one off (P34, P51). Nothing else that he does may delay anything.
  std::map<Way, Instant> withheld_;
  std::uint64_t expired_ = 0;  // messages that came as their key died
  std::uint64_t proven_ = 0;
  std::uint64_t not_judged_ = 0;
};

}  // namespace ferrule::sim
