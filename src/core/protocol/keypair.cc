#include "protocol/keypair.h"

#include <memory>
#include <new>

namespace ferrule::protocol {

std::optional<std::uint64_t> Keypair::reserve(std::uint64_t count) noexcept {
  if (next_counter_ > kRejectAfterMessages || count > kRejectAfterMessages - next_counter_) {
    stop_sending();
    return std::nullopt;
  }
  const std::uint64_t first = next_counter_;
  next_counter_ += count;
  return first;
}

KeypairRef make_keypair(TransportKeys keys, const Keypair::Names& names, Instant birth) noexcept {
  return KeypairRef(new (std::nothrow) Keypair(std::move(keys), names, birth));
}

void KeypairRef::release() noexcept {
  if (keypair_ == nullptr) return;
  // Release, then acquire: whoever frees sees everything that other holders did with it.
  if (keypair_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    std::unique_ptr<Keypair>(keypair_).reset();
  }
  keypair_ = nullptr;
}

void KeypairSlots::retire(KeypairRef& slot, Retired& retired) noexcept {
  if (!slot) return;
  slot->detach();
  slot->stop_sending();
  retired_counts_ += slot->replay().counts();
  retired.add(std::move(slot));
}

void KeypairSlots::install(KeypairRef fresh, Retired& retired, Crossing crossing) noexcept {
  const bool was_crossed = std::exchange(crossing_, Crossing::none) != Crossing::none;
  if (fresh->initiator()) {
    retire(previous_, retired);
    if (crossing != Crossing::none && next_) {
      crossing_ = crossing;
    } else if (was_crossed) {
      retire(next_, retired);  // older than `current`: the peer, it seems, forgot it
    }
    if (next_ && crossing_ == Crossing::none) {
      previous_ = std::move(next_);
      retire(current_, retired);
    } else {
      previous_ = std::move(current_);
    }
    current_ = std::move(fresh);
  } else {
    retire(next_, retired);
    retire(previous_, retired);
    next_ = std::move(fresh);
  }
}

bool KeypairSlots::confirm(const Keypair* used, Retired& retired) noexcept {
  if (used == nullptr) return false;
  if (used == previous_.get() && !next_ && crossing_ == Crossing::stays) {
    std::swap(previous_, current_);
    crossing_ = Crossing::none;
  }
  if (used != next_.get()) return false;
  retire(previous_, retired);
  previous_ = std::move(current_);
  current_ = std::move(next_);
  if (crossing_ == Crossing::yields) crossing_ = Crossing::none;
  return true;
}

void KeypairSlots::clear(Retired& retired) noexcept {
  crossing_ = Crossing::none;
  retire(previous_, retired);
  retire(current_, retired);
  retire(next_, retired);
}

void KeypairSlots::stop_sending() noexcept {
  for (KeypairRef* slot : {&previous_, &current_, &next_}) {
    if (*slot) (*slot)->stop_sending();
  }
}

MessageCounts KeypairSlots::counts() const noexcept {
  MessageCounts counts = retired_counts_;
  for (const KeypairRef* slot : {&previous_, &current_, &next_}) {
    if (*slot) counts += (*slot)->replay().counts();
  }
  return counts;
}

}  // namespace ferrule::protocol
