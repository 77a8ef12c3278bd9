#include "quick/transaction.h"

#include <cerrno>
#include <utility>

#include "quick/signals.h"

namespace ferrule::quick {

Result<void> perform(files::Output& log, const Action& action) {
  log.print("[#] {}\n", action.shown);
  log.flush();  // before what a program says that is started now
  return action.act();
}

void Transaction::take_back() {
  while (!undo_.empty()) {
    const Action undo = std::move(undo_.back());
    undo_.pop_back();
    if (const auto undone = quick::perform(log_, undo); !undone) {
      log_.print("Unable to take back: {}\n", undone.error().what);
    }
  }
}

Result<void> Transaction::perform(const Action& action, std::optional<Action> undo) {
  if (ending_signal_waits()) return std::unexpected(system_error(EINTR, action.shown));
  auto done = quick::perform(log_, action);
  if (done) done_.push_back(action.shown);
  if (done && undo) undo_.push_back(std::move(*undo));
  return done;
}

}  // namespace ferrule::quick
