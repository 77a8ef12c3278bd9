// Only who has proven himself is believed to be where his message came from; a cookie reply proves
// nothing, and neither does a message that was there before (P74).
#include "sim/checkers/all.h"
#include "sim/host.h"

namespace ferrule::sim {

namespace {

class Endpoints final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "endpoints"; }

  void handled(const Handled& handled) override {
    // Without randomness an initiation is taken, and its response can't be made.
    const bool refused = handled.drops != 0 && !handled.host.rng.fails;
    const bool proves_nothing = !handled.in.genuine() || handled.in.type() == 3 || refused;
    if (proves_nothing && handled.moved_endpoints) {
      fail("a message of type " + std::to_string(handled.in.type()) +
           " that proves nothing moved an endpoint of host " + std::to_string(handled.host.id));
    }
  }

  void received_batch(const Batch& batch) override {
    if ((batch.only_strangers || batch.taken == 0) && batch.moved_endpoints) {
      fail("messages that prove nothing moved an endpoint of host " +
           std::to_string(batch.host.id));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> make_endpoints_checker() { return std::make_unique<Endpoints>(); }

}  // namespace ferrule::sim
