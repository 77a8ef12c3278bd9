// Transport keys, and the three slots that a peer keeps them in (§6.1 to §6.3; P40 to P46).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "protocol/constants.h"
#include "protocol/replay.h"

namespace ferrule::protocol {

/// The two keys that a handshake ends with.
struct TransportKeys {
  crypto::AeadKey sending;
  crypto::AeadKey receiving;
};

class Keypair;

/// A counted reference to a keypair. Copying costs one atomic increment: take one a batch, not one a
/// packet.
class KeypairRef {
 public:
  KeypairRef() noexcept = default;
  /// Takes part in owning `keypair`; null is fine.
  explicit KeypairRef(Keypair* keypair) noexcept : keypair_(keypair) { acquire(); }
  KeypairRef(const KeypairRef& other) noexcept : keypair_(other.keypair_) { acquire(); }
  KeypairRef(KeypairRef&& other) noexcept : keypair_(std::exchange(other.keypair_, nullptr)) {}
  KeypairRef& operator=(KeypairRef other) noexcept {
    std::swap(keypair_, other.keypair_);
    return *this;
  }
  ~KeypairRef() { release(); }

  [[nodiscard]] Keypair* get() const noexcept { return keypair_; }
  Keypair* operator->() const noexcept { return keypair_; }
  Keypair& operator*() const noexcept { return *keypair_; }
  explicit operator bool() const noexcept { return keypair_ != nullptr; }
  bool operator==(const KeypairRef&) const noexcept = default;

 private:
  inline void acquire() noexcept;
  void release() noexcept;

  Keypair* keypair_ = nullptr;
};

/// A session's keys and what counts with them. Reference-counted by KeypairRef, so that it lives
/// until the last packet in flight is done and is then wiped (P46). What identifies it is immutable;
/// counters and the window are guarded by the peer's lock.
class Keypair {
 public:
  struct Names {
    PeerId peer;
    LocalIndex local;
    RemoteIndex remote;
    bool initiator = false;  // we sent the initiation that it comes from
  };

  Keypair(TransportKeys keys, const Names& names, Instant birth) noexcept
      : keys_(std::move(keys)), names_(names), birth_(birth) {}

  [[nodiscard]] const crypto::AeadKey& sending_key() const noexcept { return keys_.sending; }
  [[nodiscard]] const crypto::AeadKey& receiving_key() const noexcept { return keys_.receiving; }
  [[nodiscard]] PeerId peer() const noexcept { return names_.peer; }
  [[nodiscard]] LocalIndex local_index() const noexcept { return names_.local; }
  [[nodiscard]] RemoteIndex remote_index() const noexcept { return names_.remote; }
  [[nodiscard]] bool initiator() const noexcept { return names_.initiator; }

  [[nodiscard]] Duration age(Instant now) const noexcept { return now - birth_; }
  /// Too old to encrypt or decrypt with (P45).
  [[nodiscard]] bool expired(Instant now) const noexcept { return age(now) >= kRejectAfterTime; }

  // --- guarded by the peer's lock ---
  [[nodiscard]] bool may_send(Instant now) const noexcept {
    return sending_valid_ && !expired(now) && next_counter_ < kRejectAfterMessages;
  }
  /// Takes `count` consecutive counters and returns the first. None when that would pass
  /// kRejectAfterMessages: the keypair then sends no more (P44a).
  [[nodiscard]] std::optional<std::uint64_t> reserve(std::uint64_t count) noexcept;
  [[nodiscard]] std::uint64_t next_counter() const noexcept { return next_counter_; }
  void stop_sending() noexcept { sending_valid_ = false; }
  [[nodiscard]] ReplayWindow& replay() noexcept { return replay_; }
  [[nodiscard]] const ReplayWindow& replay() const noexcept { return replay_; }
  /// False once no slot holds it any more: what is in flight with it is not delivered.
  [[nodiscard]] bool attached() const noexcept { return attached_; }
  void detach() noexcept { attached_ = false; }
  /// True the first time: P57 asks for a rekey once a keypair.
  [[nodiscard]] bool ask_rekey_once() noexcept { return !std::exchange(rekey_asked_, true); }

 private:
  friend class KeypairRef;
  friend class RetiredKeypairs;

  std::atomic<std::uint32_t> references_{0};
  TransportKeys keys_;
  Names names_;
  Instant birth_;
  bool sending_valid_ = true;
  bool attached_ = true;
  bool rekey_asked_ = false;
  std::uint64_t next_counter_ = 0;
  ReplayWindow replay_;
  KeypairRef next_retired_;
};

inline void KeypairRef::acquire() noexcept {
  if (keypair_ != nullptr) keypair_->references_.fetch_add(1, std::memory_order_relaxed);
}

/// Null without memory (P35).
[[nodiscard]] KeypairRef make_keypair(TransportKeys keys, const Keypair::Names& names,
                                      Instant birth) noexcept;

/// Keypairs that no slot holds any more. A list made of the keypairs themselves, each of which retires
/// once: there is always memory to retire one.
class RetiredKeypairs {
 public:
  RetiredKeypairs() noexcept = default;
  RetiredKeypairs(RetiredKeypairs&&) noexcept = default;
  RetiredKeypairs& operator=(RetiredKeypairs&& other) noexcept {
    clear();
    newest_ = std::move(other.newest_);
    return *this;
  }
  ~RetiredKeypairs() { clear(); }

  void add(KeypairRef keypair) noexcept {
    keypair->next_retired_ = std::exchange(newest_, {});
    newest_ = std::move(keypair);
  }
  /// Lets go of them, one by one: packets in flight may hold any of them.
  void clear() noexcept {
    while (newest_) newest_ = std::exchange(newest_->next_retired_, {});
  }
  [[nodiscard]] bool empty() const noexcept { return !newest_; }
  /// The newest; null when there is none.
  [[nodiscard]] const Keypair* first() const noexcept { return newest_.get(); }
  /// The one that retired before it, or null.
  [[nodiscard]] static const Keypair* after(const Keypair& keypair) noexcept {
    return keypair.next_retired_.get();
  }

 private:
  KeypairRef newest_;
};

/// Whether the peer's initiation crossed the one that a keypair of ours comes from, and if so, which of
/// the two keypairs stays once it is seen that the peer has it (P34a).
enum class Crossing : std::uint8_t { none, stays, yields };

/// previous, current, next (P40). Guarded by the peer's lock. Keypairs that fall out are detached and
/// handed to `retired`: their index must leave the index table before the last reference goes.
class KeypairSlots {
 public:
  using Retired = RetiredKeypairs;

  [[nodiscard]] const KeypairRef& current() const noexcept { return current_; }
  [[nodiscard]] const KeypairRef& previous() const noexcept { return previous_; }
  [[nodiscard]] const KeypairRef& next() const noexcept { return next_; }

  /// P41 and P42; P34a when `fresh` is ours as initiator and crossed the one in `next`.
  void install(KeypairRef fresh, Retired& retired, Crossing crossing = Crossing::none) noexcept;
  /// An authenticated data packet came on `used`. True when that confirmed `next`, which is now
  /// `current` (P42). One that stays (P34a) is `current` again when it was `previous`.
  [[nodiscard]] bool confirm(const Keypair* used, Retired& retired) noexcept;
  /// Empties all slots.
  void clear(Retired& retired) noexcept;
  /// No slot sends any more; receiving goes on (a changed private key, P101).
  void stop_sending() noexcept;
  /// Of all keypairs that ever were in a slot.
  [[nodiscard]] MessageCounts counts() const noexcept;

 private:
  void retire(KeypairRef& slot, Retired& retired) noexcept;

  KeypairRef previous_;
  KeypairRef current_;
  KeypairRef next_;
  MessageCounts retired_counts_;  // final: nothing is accepted with a detached keypair
  // Of ours with the peer's: `current` with `next` or, once that is confirmed, `previous` with `current`.
  Crossing crossing_ = Crossing::none;
};

}  // namespace ferrule::protocol
