// Nothing is dropped without a name: what goes in comes out, is kept, or is counted, and once.
#include <algorithm>

#include "sim/checkers/all.h"
#include "sim/host.h"

namespace ferrule::sim {

namespace {

class Names final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "names"; }

  void planned(const Host& host, std::span<const protocol::OutboundPacket> packets,
               std::uint64_t drops) override {
    const auto refused = std::ranges::count_if(
        packets, [](const auto& packet) { return packet.verdict == protocol::Verdict::drop; });
    check(host, static_cast<std::uint64_t>(refused), drops, "outward packets");
  }

  void received_batch(const Batch& batch) override {
    check(batch.host, batch.refused, batch.drops, "transport messages");
  }

  void handled(const Handled& handled) override {
    if (handled.drops != 0) return;
    const bool initiation = handled.in.type() == 1;
    const bool answered = std::ranges::any_of(handled.out, [initiation](const Datagram& out) {
      return initiation ? out.type() == 2 : out.type() == 4;
    });
    if (handled.in.type() != 3 && !answered && !handled.flushed) {
      fail("host " + std::to_string(handled.host.id) + " took a message of type " +
           std::to_string(handled.in.type()) + ", and nothing came of it");
    }
  }

 private:
  void check(const Host& host, std::uint64_t refused, std::uint64_t counted,
             const std::string& what) const {
    if (refused == counted) return;
    fail("host " + std::to_string(host.id) + " refused " + std::to_string(refused) + " " + what +
         " and counted " + std::to_string(counted));
  }
};

}  // namespace

std::unique_ptr<Checker> make_names_checker() { return std::make_unique<Names>(); }

}  // namespace ferrule::sim
