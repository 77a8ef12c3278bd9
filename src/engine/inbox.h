// What lanes have to say to the control thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "engine/mutex.h"
#include "protocol/device.h"

namespace ferrule::engine {

/// Thread-safe. `wake` is called when there is something after there was nothing; it must not block
/// and must not call back.
class Inbox {
 public:
  Inbox(std::uint64_t salt, std::function<void()> wake) : queue_(salt), wake_(std::move(wake)) {}

  /// Moves the peers of `attention` over and leaves it empty, with its room. Without memory it stays as
  /// it is, for the next call.
  void post(protocol::Attention& attention) noexcept {
    if (attention.empty()) return;
    try {
      MutexLock lock(mutex_);
      attention_.insert(attention_.end(), attention.begin(), attention.end());
    } catch (const std::bad_alloc&) {
      return;
    }
    attention.clear();
    rouse();
  }

  /// Drop::none when the message was queued. It wakes at once, but not while messages gather.
  [[nodiscard]] protocol::Drop post(Instant now,
                                    const protocol::HandshakeMessage& message) noexcept {
    protocol::Drop drop;
    bool enough = false;
    {
      MutexLock lock(mutex_);
      drop = queue_.push(now, message);
      enough = !gathering_ || queue_.size() >= protocol::kHandshakesTogether;
    }
    if (drop == protocol::Drop::none && enough) rouse();
    return drop;
  }

  void socket_died() noexcept {
    socket_died_.store(true);
    rouse();
  }
  void tun_failed() noexcept {
    tun_failed_.store(true);
    rouse();
  }

  // --- control thread ---

  /// Until settle(), which follows, nothing needs to wake.
  void hush() noexcept { roused_.store(true, std::memory_order_seq_cst); }
  /// Call before taking: what comes afterwards wakes again.
  void settle() noexcept { roused_.store(false, std::memory_order_seq_cst); }
  void take(protocol::Attention& out) {
    out.clear();
    MutexLock lock(mutex_);
    std::swap(out, attention_);
  }
  /// Whether as many messages wait as are handled together.
  [[nodiscard]] bool has_full_batch() {
    MutexLock lock(mutex_);
    return queue_.size() >= protocol::kHandshakesTogether;
  }
  /// Whether so many wait that load is known of, and that fetching more is not what is wanted next.
  [[nodiscard]] bool has_enough_handshakes() {
    MutexLock lock(mutex_);
    return queue_.size() >= kEnoughHandshakes;
  }
  /// Moves a batch of messages into `out`, which has room for kHandshakesTogether. If there was one,
  /// further messages gather: they wake only once they make a full batch, and the control thread comes
  /// round by itself.
  void pop(Instant now, std::vector<protocol::ReceivedHandshake>& out) {
    out.clear();
    MutexLock lock(mutex_);
    while (out.size() < protocol::kHandshakesTogether) {
      const std::optional<protocol::HandshakeMessage> message = queue_.pop(now);
      if (!message) break;
      out.push_back({*message, queue_.under_load(now, message->from.address)});
    }
    gathering_ = !out.empty();
  }
  [[nodiscard]] bool take_socket_died() noexcept { return socket_died_.exchange(false); }
  [[nodiscard]] bool take_tun_failed() noexcept { return tun_failed_.exchange(false); }
  /// Has the control thread come round again although nobody posted anything.
  void rouse() noexcept {
    if (!roused_.exchange(true, std::memory_order_seq_cst)) wake_();
  }

 private:
  static constexpr std::size_t kEnoughHandshakes = 2 * protocol::kUnderLoadAt;

  Mutex mutex_;
  protocol::HandshakeQueue queue_ FERRULE_GUARDED_BY(mutex_);
  bool gathering_ FERRULE_GUARDED_BY(mutex_) = false;
  protocol::Attention attention_ FERRULE_GUARDED_BY(mutex_);
  std::atomic<bool> socket_died_{false};
  std::atomic<bool> tun_failed_{false};
  std::atomic<bool> roused_{false};
  std::function<void()> wake_;
};

}  // namespace ferrule::engine
