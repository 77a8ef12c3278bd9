// mac1, mac2 and cookies: both the side that asks for them and the side that holds them
// (§5.3, §5.4.4, §5.4.7; P80 to P84).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/keys.h"
#include "base/net.h"
#include "base/rng.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/blake2s.h"
#include "crypto/handshake_aead.h"
#include "protocol/messages.h"

namespace ferrule::protocol {

using CookieReply = std::array<std::uint8_t, CookieReplyLayout::kSize>;

/// That a message's mac1 was found right, and by which checker: goes with the message, so that nobody
/// checks again, nor forgets to. Value type; as it is made, it proves nothing.
class Mac1Proof {
 public:
  Mac1Proof() noexcept = default;

 private:
  friend class Mac1Checker;
  explicit Mac1Proof(std::uint64_t checker) noexcept : checker_(checker) {}
  std::uint64_t checker_ = 0;
};

/// Checks mac1, alone: the gate that every handshake message passes first. A value that lanes may
/// copy; immutable, so that `check` may run in any number of threads.
class Mac1Checker {
 public:
  Mac1Checker() noexcept = default;  // refuses everything
  /// `number`, which is not 0, is another one for each identity that a device has had.
  Mac1Checker(const PublicKey& own, std::uint64_t number) noexcept;
  [[nodiscard]] bool has_identity() const noexcept { return key_.has_value(); }
  /// `message` is an initiation or a response of the right length. Constant time (P80).
  [[nodiscard]] bool check(Bytes message) const noexcept;
  /// The same, for who is to know it later.
  [[nodiscard]] std::optional<Mac1Proof> prove(Bytes message) const noexcept;
  /// Whether it was this one that gave the proof.
  [[nodiscard]] bool gave(const Mac1Proof& proof) const noexcept {
    return key_.has_value() && proof.checker_ == number_;
  }

 private:
  std::optional<crypto::MacKey> key_;  // HASH("mac1----" || own public key); none: no identity
  std::uint64_t number_ = 0;
};

/// The side that is asked for handshakes: verifies mac2 and makes cookie replies. Not thread-safe.
class CookieChecker {
 public:
  CookieChecker() noexcept = default;
  /// Forgets the cookie secret too.
  void set_identity(const PublicKey& own) noexcept;

  /// Whether the message's mac2 was made with the cookie that we gave to `from` (address and port).
  [[nodiscard]] bool check_mac2(Instant now, Bytes message, const Endpoint& from) noexcept;
  /// The reply that gives `from` its cookie; answers `message` (types 1 and 2). None when the RNG
  /// fails. Renews the secret when it is kCookieSecretLifetime old (P83).
  [[nodiscard]] std::optional<CookieReply> make_reply(Instant now, Bytes message,
                                                      const Endpoint& from, Rng& rng) noexcept;

 private:
  static constexpr std::size_t kNoncesTogether = 32;

  [[nodiscard]] bool has_secret(Instant now) const noexcept;
  [[nodiscard]] bool take_nonce(MutBytes out, Rng& rng) noexcept;
  [[nodiscard]] Secret<CookieReplyLayout::kCookieSize> cookie_for(
      const Endpoint& from) const noexcept;

  crypto::Hash cookie_key_{};  // HASH("cookie--" || own public key)
  Secret<32> secret_;
  std::optional<Instant> secret_made_;
  // Nonces to come: no secrets, and in a flood a call to the RNG for each would be a system call each.
  std::array<std::uint8_t, kNoncesTogether * crypto::kXNonceSize> nonces_;
  std::size_t nonces_left_ = 0;
};

/// The side that sends handshakes to one peer: fills in mac1 and mac2, takes cookie replies.
/// Not thread-safe.
class CookieHolder {
 public:
  explicit CookieHolder(const PublicKey& peer) noexcept;

  /// Writes both macs of a whole initiation or response and remembers mac1 (P80, P81).
  void add_macs(Instant now, MutBytes message) noexcept;
  /// Takes the cookie of a reply to the message whose mac1 was written last; a reply is taken once
  /// for each message. False when it is not for it or its tag is wrong (P84).
  [[nodiscard]] bool consume_reply(Instant now, Bytes reply) noexcept;

 private:
  crypto::Hash mac1_key_;
  crypto::Hash cookie_key_;
  crypto::Mac last_mac1_{};
  bool awaits_reply_ = false;
  Secret<CookieReplyLayout::kCookieSize> cookie_;
  std::optional<Instant> cookie_taken_;
};

}  // namespace ferrule::protocol
