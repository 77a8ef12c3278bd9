// The handshake: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (§5.4, Noise Protocol Framework; P20 to P24).
// Pure functions on values; nothing here knows a peer, an index table or a clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/keys.h"
#include "base/rng.h"
#include "base/secret.h"
#include "base/time.h"
#include "protocol/dh_batch.h"
#include "protocol/keypair.h"
#include "protocol/messages.h"

namespace ferrule::protocol {

/// The stamp of a wall clock time, nanoseconds rounded down to a multiple of 2^24.
[[nodiscard]] Timestamp make_timestamp(const WallTime& wall) noexcept;
/// The smallest stamp of that rounding that is greater than `stamp`.
[[nodiscard]] Timestamp next_timestamp(const Timestamp& stamp) noexcept;
/// Some seconds later, or the same where that can't be written.
[[nodiscard]] Timestamp timestamp_after(const Timestamp& stamp, std::uint32_t seconds) noexcept;

/// The chaining key and hash of a running handshake, and the algebra on them (Noise §5.2). Wiped
/// when it ends (P24).
class SymmetricState {
 public:
  /// Both are HASH(protocol_name), or the name itself when it is at most 32 bytes long.
  explicit SymmetricState(Bytes protocol_name) noexcept;

  [[nodiscard]] SymmetricState clone() const noexcept;

  void mix_hash(Bytes data) noexcept;
  /// ck = KDF1(ck, input): for ephemerals (P21).
  void mix_chaining_key(Bytes input) noexcept;
  /// (ck, key) = KDF2(ck, input).
  void mix_key(Bytes input) noexcept;
  /// (ck, tau, key) = KDF3(ck, psk); hash = HASH(hash || tau) (P22).
  void mix_key_and_hash(Bytes psk) noexcept;
  /// Encrypts under the key, counter 0, hash as associated data, and mixes the ciphertext in (P20).
  /// `out` is plaintext.size() + 16 bytes.
  void encrypt_and_hash(Bytes plaintext, MutBytes out) noexcept;
  /// The reverse. False when the tag is wrong: the state is then as it was before.
  [[nodiscard]] bool decrypt_and_hash(Bytes ciphertext, MutBytes out) noexcept;
  /// (T1, T2) = KDF2(ck, empty) (P23).
  void split(Secret<32>& t1, Secret<32>& t2) const noexcept;
  [[nodiscard]] std::span<const std::uint8_t, 32> hash() const noexcept { return hash_.bytes(); }

 private:
  SymmetricState() noexcept = default;

  Secret<32> chaining_key_;
  Secret<32> hash_;
  Secret<32> key_;
};

/// The device's own long-term keys. Move-only.
struct Identity {
  PrivateKey private_key;
  PublicKey public_key;
};

/// What an initiator keeps until the response comes.
struct SentInitiation {
  SymmetricState state;
  PrivateKey ephemeral;
  LocalIndex index;
  bool crossed = false;  // an initiation of the peer's was answered meanwhile (P34)
};

/// What a responder has after the static key of an initiation was opened.
struct OpenedInitiation {
  SymmetricState state;
  PublicKey ephemeral;
  PublicKey static_key;
  RemoteIndex sender;
};

/// The ephemeral key of a message that is written, private and public. Wiped with the handshake (P24).
struct Ephemeral {
  PrivateKey private_key;
  PublicKey public_key;
};

/// The ephemeral key of an initiation or response that was received.
[[nodiscard]] PublicKey received_ephemeral(Bytes message) noexcept;

// --- Each step with the Diffie-Hellman results that it takes, so that many can be made at once ---

/// First message, initiator: writes all but the macs into `out` (InitiationLayout::kSize bytes). `es`
/// is DH(ephemeral, peer), `static_static` DH(own private, peer), computed once a peer (P25). None when
/// the peer's key is of low order.
[[nodiscard]] std::optional<SentInitiation> write_initiation(
    const PublicKey& own, const PublicKey& peer, Ephemeral ephemeral, const Dh& es,
    const Secret<32>& static_static, const Timestamp& timestamp, LocalIndex index,
    MutBytes out) noexcept;

/// First message, responder, part one: up to the sender's static key. `es` is DH(own private, its
/// ephemeral).
[[nodiscard]] std::optional<OpenedInitiation> open_initiation(const PublicKey& own, const Dh& es,
                                                              Bytes message) noexcept;
/// Part two: the timestamp, which proves that the sender has that key's private half.
[[nodiscard]] std::optional<Timestamp> open_timestamp(OpenedInitiation& initiation,
                                                      const Secret<32>& static_static,
                                                      Bytes message) noexcept;

/// Second message, responder: writes all but the macs into `out` (ResponseLayout::kSize bytes), and
/// gives the responder's transport keys. `ee` and `se` are DH(ephemeral, the initiator's ephemeral and
/// static). Ends `initiation`.
[[nodiscard]] std::optional<TransportKeys> write_response(OpenedInitiation initiation,
                                                          const PublicKey& ephemeral, const Dh& ee,
                                                          const Dh& se, const PresharedKey& psk,
                                                          LocalIndex index, MutBytes out) noexcept;

/// Second message, initiator: the transport keys, or none when the message does not hold. `ee` is
/// DH(the sent ephemeral, its ephemeral), `se` DH(own private, its ephemeral). `sent` is as it was
/// either way (P30).
[[nodiscard]] std::optional<TransportKeys> open_response(const SentInitiation& sent, const Dh& ee,
                                                         const Dh& se, const PresharedKey& psk,
                                                         Bytes message) noexcept;

// --- The same, a handshake at a time ---

[[nodiscard]] std::optional<SentInitiation> write_initiation(
    const Identity& own, const PublicKey& peer, const Secret<32>& static_static,
    const Timestamp& timestamp, LocalIndex index, Rng& rng, MutBytes out) noexcept;
[[nodiscard]] std::optional<OpenedInitiation> open_initiation(const Identity& own,
                                                              Bytes message) noexcept;
[[nodiscard]] std::optional<TransportKeys> write_response(OpenedInitiation initiation,
                                                          const PresharedKey& psk, LocalIndex index,
                                                          Rng& rng, MutBytes out) noexcept;
[[nodiscard]] std::optional<TransportKeys> open_response(const Identity& own,
                                                         const SentInitiation& sent,
                                                         const PresharedKey& psk,
                                                         Bytes message) noexcept;

}  // namespace ferrule::protocol
