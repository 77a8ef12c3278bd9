// What a device remembers of the one before it (P27, P29).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/keys.h"
#include "base/time.h"
#include "protocol/budget.h"
#include "protocol/configuration.h"
#include "protocol/noise.h"

namespace ferrule::protocol {

/// What the device before knew of peers waits here until they are added, and stamps go on from where it
/// was. For the control side alone.
class RestoredMemory {
 public:
  /// What a device knew that had the same private key, as it will turn out (`recognize`): until then
  /// nobody claims any of it.
  void remember(DeviceMemory memory);
  /// The device has a private key now, and so is this one. The first call tells whether what is remembered
  /// is its own; another's is never claimed.
  void recognize(const DeviceMemory::Identity& own) noexcept;
  [[nodiscard]] bool is_foreign() const noexcept { return is_foreign_; }

  /// What was known of a peer; null for none, and from the second time on. `sent` is the greatest stamp that
  /// may have been sent to it.
  [[nodiscard]] const PeerMemory* claim(const PublicKey& key) noexcept;
  /// Gives back memory that holds nothing any more. True: there is more.
  bool forget_claimed(Budget& budget) noexcept;
  /// Visits those that nobody claimed, looking at up to `count` from `next` on, which moves. False when there
  /// are no more.
  bool visit_unclaimed(std::size_t& next, std::size_t count,
                       const std::function<void(const PeerMemory&)>& visit) const;
  [[nodiscard]] bool empty() const noexcept { return peers_.empty(); }

  /// The next stamp to send a peer: greater than the last one, and than all that were sent before the
  /// device was made (P29, P60).
  [[nodiscard]] Timestamp next_stamp(const WallTime& now,
                                     const std::optional<Timestamp>& last_sent) const noexcept;
  /// Stamps of the wall clock are sent up to this one. Until the first call there is no limit.
  void reserve_stamps(const Timestamp& until) noexcept { stamp_limit_ = until; }
  /// No stamp that was sent before is greater.
  [[nodiscard]] const std::optional<Timestamp>& stamp_floor() const noexcept {
    return stamp_floor_;
  }

 private:
  Segments<PeerMemory> peers_;                      // by public key; claimed ones have lost theirs
  std::size_t unclaimed_ = 0;                       // of these
  std::optional<DeviceMemory::Identity> identity_;  // whose it is, until that is known
  bool is_foreign_ = false;
  std::optional<Timestamp> remembered_floor_, stamp_floor_, stamp_limit_;
};

}  // namespace ferrule::protocol
