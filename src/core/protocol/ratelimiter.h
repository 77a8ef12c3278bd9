// How many handshakes a source may cost us a second while we are under load (§5.3; P82).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/net.h"
#include "base/rng.h"
#include "base/time.h"
#include "protocol/source_key.h"

namespace ferrule::protocol {

/// A token bucket for each IPv4 address and IPv6 /64: kRateLimitPerSecond tokens a second,
/// kRateLimitBurst at most. Remembers at most kRateLimiterBound sources and refuses new ones past
/// that; sources whose bucket is full again are forgotten. Memory is taken at first use and given
/// back when it is idle. Not thread-safe.
class RateLimiter {
 public:
  /// `rng` salts the table's hash, so that nobody can choose colliding sources. Not kept.
  explicit RateLimiter(Rng& rng);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  /// Takes a token of the source's bucket; false when it has none, or there is no memory for one.
  [[nodiscard]] bool allow(Instant now, const IpAddress& source) noexcept;
  /// Gives the memory back if every source can be forgotten. Cheap: for a device that is no longer
  /// under load, and so would not call `allow`.
  void forget_idle(Instant now) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // Sources hang in two lists: that of their hash, and one by time of last use.
  struct Bucket {
    SourceKey source;
    Instant full_at;  // when it will have all its tokens, if it is left alone
    Instant last_used;
    std::uint32_t next_of_hash = kNone;  // of a free one: the next free one
    std::uint32_t older = kNone;
    std::uint32_t newer = kNone;
  };

  [[nodiscard]] std::uint32_t& chain_of(const SourceKey& source) noexcept;
  [[nodiscard]] std::uint32_t find(const SourceKey& source) noexcept;
  [[nodiscard]] std::uint32_t add(const SourceKey& source);
  void forget(std::uint32_t place) noexcept;
  void forget_some(Instant now) noexcept;
  void link_newest(std::uint32_t place) noexcept;
  void unlink(std::uint32_t place) noexcept;

  SourceHash hash_;
  std::vector<std::uint32_t> chains_;  // by hash: the first of its buckets
  std::vector<Bucket> buckets_;
  std::uint32_t free_ = kNone;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace ferrule::protocol
