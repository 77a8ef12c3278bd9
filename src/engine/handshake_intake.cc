#include "engine/handshake_intake.h"

#include "base/check.h"
#include "engine/handshake_door.h"

namespace ferrule::engine {

namespace {

bool is_full(const protocol::HandshakeQueue& queue) noexcept {
  return queue.size() >= protocol::kHandshakesTogether;
}

}  // namespace

protocol::Drop HandshakeIntake::post(Instant now,
                                     const protocol::HandshakeMessage& message) noexcept {
  protocol::Drop drop;
  bool rouses = false;
  {
    MutexLock lock(mutex_);
    drop = queue_.push(now, message);
    rouses = state_ == State::open || (state_ == State::gathering && is_full(queue_));
  }
  if (drop == protocol::Drop::none && rouses) rouse_();
  return drop;
}

// Not while messages gather.
bool HandshakeIntake::begin(Instant now) noexcept {
  MutexLock lock(mutex_);
  FERRULE_CHECK(state_ != State::fetching);
  if (state_ == State::gathering && now < gather_until_ && !is_full(queue_)) return false;
  state_ = State::fetching;
  return true;
}

void HandshakeIntake::fetch(const Now& now,
                            std::vector<protocol::ReceivedHandshake>& out) noexcept {
  out.clear();
  if (!begin(now.boot)) return;
  if (door_ != nullptr) door_->read(now);
  bool more = false;
  {
    MutexLock lock(mutex_);
    while (out.size() < protocol::kHandshakesTogether) {
      const std::optional<protocol::HandshakeMessage> message = queue_.pop(now.boot);
      if (!message) break;
      out.push_back({*message, queue_.under_load(now.boot, message->from.address)});
    }
    state_ = out.empty() ? State::open : State::gathering;
    gather_until_ = now.boot + kGather;
    more = is_full(queue_);
  }
  if (more) rouse_();
}

void HandshakeIntake::rest() noexcept {
  if (door_ != nullptr && !next_deadline()) door_->listen();
}

std::optional<Instant> HandshakeIntake::next_deadline() noexcept {
  MutexLock lock(mutex_);
  if (state_ != State::gathering) return std::nullopt;
  return gather_until_;
}

bool HandshakeIntake::has_enough() noexcept {
  MutexLock lock(mutex_);
  return queue_.size() >= kEnough;
}

}  // namespace ferrule::engine
