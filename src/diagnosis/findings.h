// Rules of the diagnosis, by what they look at, and where they put what they find.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/key_text.h"
#include "diagnosis/diagnose.h"

namespace ferrule::diagnosis {

/// Collects what rules find about a tunnel.
class Findings {
 public:
  explicit Findings(const DoctorFacts& facts) : facts_(facts) {}

  [[nodiscard]] const DoctorFacts& facts() const noexcept { return facts_; }
  /// How far a counter of drops rose meanwhile.
  [[nodiscard]] std::uint64_t drops(std::string_view name) const {
    const auto count = facts_.counted.find("drop_" + std::string(name));
    return count == facts_.counted.end() ? 0 : count->second;
  }
  /// Whether a peer that was tried stays silent.
  [[nodiscard]] bool is_cut_off() const {
    for (const PeerFacts& peer : facts_.peers) {
      if (peer.probe && !peer.probe->is_answered) return true;
    }
    return false;
  }
  /// A command that changes a peer.
  [[nodiscard]] std::string set_peer(const PeerFacts& peer, std::string_view words) const {
    return "ferrule set " + facts_.interface + " peer " + to_base64(peer.key) + ' ' +
           std::string(words);
  }

  void at(Step step) noexcept { step_ = step; }
  void add(Severity severity, std::string_view name, std::string what, std::string how,
           std::string mend) {
    found_.push_back({severity, step_, name, "", std::move(what), std::move(how), std::move(mend)});
  }
  void add(Severity severity, std::string_view name, const std::string& peer, std::string what,
           std::string how, std::string mend) {
    found_.push_back(
        {severity, step_, name, peer, std::move(what), std::move(how), std::move(mend)});
  }
  [[nodiscard]] std::vector<Diagnosis> take() && { return std::move(found_); }

 private:
  const DoctorFacts& facts_;
  Step step_ = Step::interface;
  std::vector<Diagnosis> found_;
};

// diagnose_peer.cc
void look_at_routes(const PeerFacts& peer, Findings& findings);
void look_at_endpoint(const PeerFacts& peer, Findings& findings);
void look_at_data(const PeerFacts& peer, Findings& findings);
void look_at_size(const PeerFacts& peer, Findings& findings);
// diagnose_machine.cc
void look_at_own_handshakes(Findings& findings);
void look_at_counters(Findings& findings);
void look_at_firewall(Findings& findings);
void look_at_resolvers(Findings& findings);

}  // namespace ferrule::diagnosis
