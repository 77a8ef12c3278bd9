// What a thread waits on, whatever the system.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/time.h"

namespace ferrule::io {

/// Something of the system's that can be waited for: a descriptor on Linux. Who owns it makes it; all
/// others hand it on. Value type, owns nothing; the default is nothing, which nobody can wait for.
class Waitable {
 public:
  constexpr Waitable() noexcept = default;
  /// For the folders of systems, who know what the number means.
  constexpr explicit Waitable(std::intptr_t number) noexcept : number_(number) {}
  [[nodiscard]] constexpr std::intptr_t number() const noexcept { return number_; }

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return number_ >= 0; }
  bool operator==(const Waitable&) const noexcept = default;

 private:
  std::intptr_t number_ = -1;
};

/// What is waited for.
struct Watch {
  bool reading = true;
  bool writing = false;
  bool once = false;  // it comes to one waiter, once, until it is armed again
  bool changes =
      false;  // it comes when something happens, and not because something lies there still
};

/// What has come.
struct Ready {
  std::uint64_t tag = 0;
  bool readable = false;  // reading would not wait; it may say that the other side is gone
  bool writable = false;
  bool broken = false;  // the system has an error to tell of it
};

/// Waits for many things at once. All may be called by any number of threads at once, but for `wait`
/// with a deadline, which is for one.
class Poller {
 public:
  /// The tag of what wake() leads to. Tags of one's own are smaller than kTagsEnd.
  static constexpr std::uint64_t kWoken = UINT64_MAX;
  static constexpr std::uint64_t kTagsEnd = UINT64_MAX - 7;

  virtual ~Poller() = default;

  /// What is added stays its owner's, who removes it before it goes. `tag` comes back with what comes.
  [[nodiscard]] virtual Result<void> add(Waitable what, Watch watch, std::uint64_t tag) = 0;
  /// Replaces how it is watched, and arms again what came once. What is there already comes at once.
  virtual void rearm(Waitable what, Watch watch, std::uint64_t tag) noexcept = 0;
  virtual void remove(Waitable what) noexcept = 0;

  /// The first of what has come, waiting for it until `deadline` (none: for ever; one that has passed:
  /// not at all) on the boot clock. Empty at the deadline; now and then before it, without a reason.
  [[nodiscard]] virtual std::span<Ready> wait(std::span<Ready> room,
                                              std::optional<Instant> deadline) = 0;
  /// One thread that waits, or the next that will, gets kWoken. Several calls may become one.
  virtual void wake() noexcept = 0;
};

/// The system's own.
[[nodiscard]] Result<std::unique_ptr<Poller>> open_poller();
using PollerOpener = std::function<Result<std::unique_ptr<Poller>>()>;

}  // namespace ferrule::io
