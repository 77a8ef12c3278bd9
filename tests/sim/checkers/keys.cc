// No key is used 180 s after its handshake, in either direction (P45); none is left when no session was
// derived for 540 s, and a peer never has more than three (P40, P54).
#include "protocol/constants.h"
#include "sim/checkers/all.h"
#include "sim/host.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

constexpr Duration kLookEvery = 30s;
// Far beyond the age at which a session can still be alive in any slot.
constexpr Duration kHistory = 2 * protocol::kZeroKeysAfter;

class Keys final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "keys"; }

  void emitted(const Host& host, const Datagram& datagram, PeerId) override {
    if (datagram.type() != 4) return;
    const Session* session = host.session_to(datagram.first_index());
    if (session == nullptr) fail("data was sent without a session");
    if (host.now().boot - session->birth >= protocol::kRejectAfterTime) {
      fail("host " + std::to_string(host.id) + " sealed with a key of 180 s or more");
    }
  }

  void received(const Received& received) override {
    const Session* session = received.session;
    const bool old = session != nullptr &&
                     received.host.now().boot - session->birth >= protocol::kRejectAfterTime;
    const bool taken = received.drop == protocol::Drop::none || !received.plaintext.empty();
    if (taken && session == nullptr) fail("data was taken without a session");
    if (taken && old) fail("data was taken with a key of 180 s or more");
    if (received.drop == protocol::Drop::expired_keypair && received.was_alone && !old) {
      fail("a key under 180 s was called expired");
    }
  }

  void stepped(World& world) override {
    if (world.now() < next_look_) return;
    next_look_ = world.now() + kLookEvery;
    for (const auto& host : world.hosts()) look(*host);
  }

  void rested(World& world) override {
    for (const auto& host : world.hosts()) look(*host);
  }

 private:
  void look(Host& host) const {
    std::size_t alive = 0;
    Instant youngest;
    for (auto entry = host.sessions.begin(); entry != host.sessions.end();) {
      const bool lives = host.probe(entry->first) != protocol::Drop::unknown_index;
      alive += lives;
      youngest = std::max(youngest, entry->second.birth);
      const bool history = !lives && host.now().boot - entry->second.birth > kHistory;
      entry = history ? host.sessions.erase(entry) : std::next(entry);
    }
    // A sleeping host's timers fire when it wakes.
    if (alive > 0 && host.asleep_until < host.world.now() &&
        host.now().boot - youngest > protocol::kZeroKeysAfter) {
      fail("host " + std::to_string(host.id) + " has keys, and derived none for 540 s");
    }
    if (alive > 3 * host.model.peers().size()) {
      fail("host " + std::to_string(host.id) + " has more than three keys a peer");
    }
  }

  Instant next_look_;
};

}  // namespace

std::unique_ptr<Checker> make_keys_checker() { return std::make_unique<Keys>(); }

}  // namespace ferrule::sim
