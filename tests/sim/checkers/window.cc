// The replay window against a set of counters: taken once, at most 8128 behind the greatest, and
// refused only for one of these reasons (P43). A tag is wrong only if somebody changed the message.
#include "protocol/constants.h"
#include "sim/checkers/all.h"
#include "sim/host.h"

namespace ferrule::sim {

namespace {

class Window final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "window"; }

  void received(const Received& received) override {
    using protocol::Drop;
    if (received.drop == Drop::bad_tag && received.in.genuine()) {
      fail("a message as its author made it does not open");
    }
    if (received.session == nullptr || received.plaintext.empty()) return;
    const bool fresh = is_fresh(*received.session, received.counter);
    if (received.drop == Drop::replayed_counter && fresh) {
      fail("counter " + std::to_string(received.counter) + " was refused and is no replay");
    }
    if (received.drop == Drop::none && !fresh) {
      fail("counter " + std::to_string(received.counter) + " was taken and is a replay");
    }
  }

 private:
  static bool is_fresh(const Session& session, std::uint64_t counter) {
    const bool behind =
        counter < session.greatest && session.greatest - counter > protocol::kReplayWindow;
    return !behind && !session.accepted.contains(counter);
  }
};

}  // namespace

std::unique_ptr<Checker> make_window_checker() { return std::make_unique<Window>(); }

}  // namespace ferrule::sim
