#include "protocol/ratelimiter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <utility>

#include "protocol/constants.h"

namespace ferrule::protocol {

namespace {

constexpr Duration kToken = Duration(1s) / kRateLimitPerSecond;
constexpr Duration kWholeBucket = kToken * kRateLimitBurst;

// Four sources a chain where the table is full: it need not be rehashed, ever.
constexpr std::size_t kChains = kRateLimiterBound / 4;
static_assert(std::has_single_bit(kChains));
static_assert(kRateLimiterBound < UINT32_MAX);

// More than the one source that a call may add, so that what is due to be forgotten runs out.
constexpr int kForgottenPerCall = 4;

SourceHash salted_hash(Rng& rng) {
  std::array<std::uint8_t, 16> salt{};
  // Without randomness (P35) nothing is handshaken either, and the table needs no secret.
  if (!rng.fill(salt)) salt = {};
  return SourceHash(load_le64(salt.data()), load_le64(salt.data() + 8));
}

}  // namespace

RateLimiter::RateLimiter(Rng& rng) : hash_(salted_hash(rng)) {}
RateLimiter::~RateLimiter() = default;

// A bucket is kept as the moment at which it will be full: it lacks a token for each kToken until then.
bool RateLimiter::allow(Instant now, const IpAddress& source) noexcept try {
  forget_idle(now);
  forget_some(now);
  const SourceKey key = SourceKey::of(source);
  std::uint32_t place = find(key);
  if (place == kNone) {
    if (size_ == kRateLimiterBound) return false;
    place = add(key);
    buckets_[place].full_at = now;
  }
  Bucket& bucket = buckets_[place];
  const Instant full_at = std::max(bucket.full_at, now) + kToken;
  if (full_at - now > kWholeBucket) return false;
  bucket.full_at = full_at;
  bucket.last_used = now;
  unlink(place);
  link_newest(place);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

// A bucket is full again at most kWholeBucket after its last use: if that is so of the one used last,
// it is so of all of them.
void RateLimiter::forget_idle(Instant now) noexcept {
  if (newest_ == kNone || now - buckets_[newest_].last_used < kWholeBucket) return;
  std::vector<std::uint32_t>().swap(chains_);
  std::vector<Bucket>().swap(buckets_);
  free_ = oldest_ = newest_ = kNone;
  size_ = 0;
}

void RateLimiter::forget_some(Instant now) noexcept {
  for (int i = 0; i < kForgottenPerCall && oldest_ != kNone; ++i) {
    if (now - buckets_[oldest_].last_used < kWholeBucket) return;
    forget(oldest_);
  }
}

std::uint32_t& RateLimiter::chain_of(const SourceKey& source) noexcept {
  return chains_[hash_(source) % kChains];
}

std::uint32_t RateLimiter::find(const SourceKey& source) noexcept {
  if (chains_.empty()) return kNone;
  std::uint32_t place = chain_of(source);
  while (place != kNone && buckets_[place].source != source) place = buckets_[place].next_of_hash;
  return place;
}

std::uint32_t RateLimiter::add(const SourceKey& source) {
  if (chains_.empty()) chains_.assign(kChains, kNone);
  std::uint32_t place = free_;
  if (place == kNone) {
    place = static_cast<std::uint32_t>(buckets_.size());
    buckets_.emplace_back();
  } else {
    free_ = buckets_[place].next_of_hash;
  }
  Bucket& bucket = buckets_[place];
  bucket.source = source;
  bucket.next_of_hash = std::exchange(chain_of(source), place);
  link_newest(place);
  ++size_;
  return place;
}

void RateLimiter::forget(std::uint32_t place) noexcept {
  std::uint32_t* link = &chain_of(buckets_[place].source);
  while (*link != place) link = &buckets_[*link].next_of_hash;
  *link = buckets_[place].next_of_hash;
  unlink(place);
  buckets_[place].next_of_hash = free_;
  free_ = place;
  --size_;
}

void RateLimiter::link_newest(std::uint32_t place) noexcept {
  buckets_[place].older = newest_;
  buckets_[place].newer = kNone;
  (newest_ == kNone ? oldest_ : buckets_[newest_].newer) = place;
  newest_ = place;
}

void RateLimiter::unlink(std::uint32_t place) noexcept {
  const Bucket& bucket = buckets_[place];
  (bucket.older == kNone ? oldest_ : buckets_[bucket.older].newer) = bucket.newer;
  (bucket.newer == kNone ? newest_ : buckets_[bucket.newer].older) = bucket.older;
}

}  // namespace ferrule::protocol
