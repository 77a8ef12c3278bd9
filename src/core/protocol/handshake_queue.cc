#include "protocol/handshake_queue.h"

#include <algorithm>
#include <new>
#include <utility>

namespace ferrule::protocol {

namespace {

bool within(Instant now, std::optional<Instant> then) noexcept {
  return then && now - *then < kUnderLoadFor;
}

// Whether the mac2 is right is seen later: checking it is work that the queue is there to put off.
std::size_t room_for(const HandshakeMessage& message) noexcept {
  const std::optional<MessageType> type = classify(message.view());
  const bool has_mac =
      type == MessageType::handshake_initiation || type == MessageType::handshake_response;
  const bool claims_cookie = has_mac && has_mac2(message.view());
  return claims_cookie ? kHandshakeQueueBound : kHandshakeQueueBound - kHandshakeQueueReserve;
}

}  // namespace

HandshakeQueue::HandshakeQueue(std::uint64_t salt) : hash_(salt, ~salt) {}

HandshakeQueue::~HandshakeQueue() {
  // One by one: chunks that own each other would be destroyed in a recursion as deep as the queue.
  while (first_ != nullptr) first_ = std::move(first_->next);
}

std::size_t HandshakeQueue::bucket_of(const IpAddress& source) const noexcept {
  return hash_(SourceKey::of(source)) % kBuckets;
}

Drop HandshakeQueue::push(Instant now, const HandshakeMessage& message) noexcept try {
  if (size_ >= room_for(message)) return Drop::queue_full;
  const std::size_t bucket = bucket_of(message.from.address);
  if (queued_[bucket] >= kHandshakeQueueShare && size_ >= kHandshakeQueueQuiet) {
    return Drop::source_queue_full;
  }
  make_room(now, bucket);
  append(message);
  ++size_;
  ++queued_[bucket];
  note_load(now, bucket);
  return Drop::none;
} catch (const std::bad_alloc&) {
  return Drop::no_resources;
}

std::optional<HandshakeMessage> HandshakeQueue::pop(Instant now) noexcept {
  give_back(now);
  if (size_ == 0) return std::nullopt;
  if (popped_ == kChunkMessages) {
    first_ = std::move(first_->next);
    popped_ = 0;
  }
  const HandshakeMessage& message = first_->messages[popped_++];
  const std::size_t bucket = bucket_of(message.from.address);
  note_load(now, bucket);  // until now the queue was as full as this
  --size_;
  --queued_[bucket];
  return message;
}

// All the memory that one more message takes, before anything changes.
void HandshakeQueue::make_room(Instant now, std::size_t bucket) {
  if (queued_[bucket] + 1u >= kHandshakeQueueShare && share_full_at_.empty()) {
    share_full_at_.assign(kBuckets, now - kUnderLoadFor);
  }
  if (first_ != nullptr && pushed_ < kChunkMessages) return;
  auto chunk = std::make_unique<Chunk>();
  Chunk* const added = chunk.get();
  (first_ == nullptr ? first_ : last_->next) = std::move(chunk);
  last_ = added;
  pushed_ = 0;
}

void HandshakeQueue::append(const HandshakeMessage& message) noexcept {
  last_->messages[pushed_++] = message;
}

void HandshakeQueue::note_load(Instant now, std::size_t bucket) noexcept {
  if (size_ >= kUnderLoadAt) loaded_at_ = now;
  if (queued_[bucket] < kHandshakeQueueShare) return;
  share_full_at_[bucket] = now;
  any_share_full_at_ = now;
}

// Chunks go as they are emptied, all but the last: a device without a flood needs it now and again.
void HandshakeQueue::give_back(Instant now) noexcept {
  if (size_ != 0 || share_full_at_.empty() || within(now, any_share_full_at_)) return;
  std::vector<Instant>().swap(share_full_at_);
}

void HandshakeQueue::learn(const OpenedHandshakes& opened) noexcept {
  useless_ = std::min(useless_ + kUselessWeight * opened.useless, kMostUseless);
  useless_ -= std::min(useless_, opened.genuine);
}

bool HandshakeQueue::under_load(Instant now, const IpAddress& source) const noexcept {
  if (useless_ < kFloodAt) return false;
  if (size_ >= kUnderLoadAt || within(now, loaded_at_)) return true;
  const std::size_t bucket = bucket_of(source);
  if (queued_[bucket] >= kHandshakeQueueShare) return true;
  return !share_full_at_.empty() && within(now, share_full_at_[bucket]);
}

}  // namespace ferrule::protocol
