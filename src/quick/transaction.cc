#include "quick/transaction.h"

#include <cerrno>
#include <utility>

#include "io/linux/ending_signals.h"

namespace ferrule::quick {

Result<void> perform(files::Listener& listener, const Action& action) {
  listener.step(action.shown);
  return action.act();
}

void Transaction::take_back() {
  while (!undo_.empty()) {
    const Action undo = std::move(undo_.back());
    undo_.pop_back();
    if (const auto undone = quick::perform(listener_, undo); !undone) {
      listener_.say("Unable to take back: " + undone.error().what);
    }
  }
}

Result<void> Transaction::perform(const Action& action, std::optional<Action> undo) {
  if (io::ending_signal_waits()) return std::unexpected(system_error(EINTR, action.shown));
  if (is_dry()) {
    listener_.step(action.shown);
    auto possible = action.check ? action.check() : Result<void>();
    if (possible) done_.push_back(action.shown);
    return possible;
  }
  auto done = quick::perform(listener_, action);
  if (done) done_.push_back(action.shown);
  if (done && undo) undo_.push_back(std::move(*undo));
  return done;
}

}  // namespace ferrule::quick
