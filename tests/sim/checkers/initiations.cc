// A device sends a peer no initiation within 5 s of the handshake message before (P51), and takes none
// twice (P27).
#include <map>
#include <utility>

#include "protocol/constants.h"
#include "sim/checkers/all.h"
#include "sim/host.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

class Initiations final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "initiations"; }

  void emitted(const Host& host, const Datagram& datagram, PeerId peer) override {
    if (datagram.type() != 1 && datagram.type() != 2) return;
    const Instant now = host.now().boot;
    const auto [last, first] = last_sent_[host.id].try_emplace(peer, now);
    if (!first && datagram.type() == 1 && now - last->second < protocol::kRekeyTimeout) {
      fail("host " + std::to_string(host.id) + " sent an initiation within 5 s of the last one");
    }
    last->second = now;
  }

  void handled(const Handled& handled) override {
    if (handled.in.type() != 1 || handled.drops != 0) return;
    // Without mac2, which is not part of what is proven.
    const Packet& bytes = handled.in.bytes;
    const Packet proven(bytes.begin(), bytes.end() - protocol::kMac2Size);
    if (!taken_[handled.host.id].emplace(proven, handled.host.world.now()).second) {
      fail("host " + std::to_string(handled.host.id) + " took an initiation twice");
    }
  }

  void began_anew(const Host& host) override {
    last_sent_.erase(host.id);
    if (!host.remembers_until) {
      taken_.erase(host.id);
    } else {
      std::erase_if(taken_[host.id],
                    [&](const auto& taken) { return taken.second > *host.remembers_until; });
    }
  }
  void forgot_peers(const Host& host) override { taken_.erase(host.id); }

 private:
  std::map<HostId, std::map<PeerId, Instant>> last_sent_;
  std::map<HostId, std::map<Packet, Instant>> taken_;
};

}  // namespace

std::unique_ptr<Checker> make_initiations_checker() { return std::make_unique<Initiations>(); }

}  // namespace ferrule::sim
