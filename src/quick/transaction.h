// Changes to the machine that are made whole or not at all.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "files/listener.h"

namespace ferrule::quick {

/// One change: what a person would type for it, what makes it, and what says without making it whether
/// it can be made, where that can be known.
struct Action {
  std::string shown;
  std::function<Result<void>()> act;
  std::function<Result<void>()> check = {};
};

/// Whether changes are made, or only told of.
enum class Run { real, dry };

/// Makes changes one after the other and tells of each. Unless they are kept, they are
/// taken back, at the latest at the end of its life. Used by one thread.
class Transaction {
 public:
  explicit Transaction(files::Listener& listener, Run run = Run::real) noexcept
      : listener_(listener), run_(run) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() { take_back(); }

  /// Makes a change. `undo` takes it back, where nothing else does so anyway. A dry run checks it, and has
  /// nothing to take back.
  [[nodiscard]] Result<void> perform(const Action& action, std::optional<Action> undo = {});
  /// Says what is not as it should be, and goes on.
  void warn(const std::string& what) { listener_.warn(what); }
  /// Adds what is to be taken back of something that happened elsewhere.
  void remember(Action undo) {
    if (!is_dry()) undo_.push_back(std::move(undo));
  }
  /// Takes back what was done, the last change first.
  void take_back();
  /// Nothing of this will be taken back.
  void keep() noexcept { undo_.clear(); }
  [[nodiscard]] bool is_dry() const noexcept { return run_ == Run::dry; }
  /// What has been done, as it was shown, whatever was taken back of it.
  [[nodiscard]] const std::vector<std::string>& done() const noexcept { return done_; }

 private:
  files::Listener& listener_;
  Run run_;
  std::vector<Action> undo_;
  std::vector<std::string> done_;
};

/// Tells of an action, and acts.
[[nodiscard]] Result<void> perform(files::Listener& listener, const Action& action);

}  // namespace ferrule::quick
