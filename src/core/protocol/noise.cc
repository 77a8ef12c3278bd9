#include "protocol/noise.h"

#include <algorithm>
#include <string_view>

#include "crypto/blake2s.h"
#include "crypto/handshake_aead.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"

namespace ferrule::protocol {

namespace {

using I = InitiationLayout;
using R = ResponseLayout;

// P6: no terminating zero bytes.
constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";
constexpr std::uint32_t kStampStep = std::uint32_t{1} << 24;
constexpr std::uint64_t kTai64Base = (std::uint64_t{1} << 62) + 10;

Bytes bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Both sides start from the responder's public key (P7).
SymmetricState start(const PublicKey& responder) noexcept {
  static const SymmetricState all_have_in_common = [] {
    SymmetricState state(bytes_of(kConstruction));
    state.mix_hash(bytes_of(kIdentifier));
    return state;
  }();
  SymmetricState state = all_have_in_common.clone();
  state.mix_hash(responder.bytes);
  return state;
}

void mix_ephemeral(SymmetricState& state, Bytes ephemeral) noexcept {
  state.mix_hash(ephemeral);
  state.mix_chaining_key(ephemeral);
}

bool mix_dh(SymmetricState& state, const Dh& dh) noexcept {
  if (!dh.accepted) return false;
  state.mix_key(dh.shared.bytes());
  return true;
}

Dh dh(const PrivateKey& own, const PublicKey& other) noexcept {
  Dh result;
  result.accepted = crypto::x25519(own, other, result.shared);
  return result;
}

std::optional<Ephemeral> new_ephemeral(Rng& rng) noexcept {
  std::optional<PrivateKey> key = crypto::generate_private_key(rng);
  if (!key) return std::nullopt;
  const PublicKey public_key = crypto::public_key_of(*key);
  return Ephemeral{std::move(*key), public_key};
}

}  // namespace

Timestamp make_timestamp(const WallTime& wall) noexcept {
  Timestamp stamp;
  store_be64(stamp.data(), kTai64Base + static_cast<std::uint64_t>(wall.seconds));
  store_be32(stamp.data() + 8, wall.nanoseconds & ~(kStampStep - 1));
  return stamp;
}

Timestamp timestamp_after(const Timestamp& stamp, std::uint32_t seconds) noexcept {
  const std::uint64_t at = load_be64(stamp.data());
  if (at > UINT64_MAX - seconds) return stamp;
  Timestamp later = stamp;
  store_be64(later.data(), at + seconds);
  return later;
}

Timestamp next_timestamp(const Timestamp& stamp) noexcept {
  std::uint64_t seconds = load_be64(stamp.data());
  std::uint32_t nanoseconds = load_be32(stamp.data() + 8) + kStampStep;
  if (nanoseconds >= 1'000'000'000) {
    ++seconds;
    nanoseconds = 0;
  }
  Timestamp next;
  store_be64(next.data(), seconds);
  store_be32(next.data() + 8, nanoseconds);
  return next;
}

SymmetricState::SymmetricState(Bytes protocol_name) noexcept {
  if (protocol_name.size() <= crypto::kHashSize) {
    copy(protocol_name, hash_.mut_bytes());
  } else {
    copy(crypto::hash({protocol_name}), hash_.mut_bytes());
  }
  chaining_key_ = hash_.clone();
}

SymmetricState SymmetricState::clone() const noexcept {
  SymmetricState state;
  state.chaining_key_ = chaining_key_.clone();
  state.hash_ = hash_.clone();
  state.key_ = key_.clone();
  return state;
}

void SymmetricState::mix_hash(Bytes data) noexcept {
  copy(crypto::hash({hash_.bytes(), data}), hash_.mut_bytes());
}

void SymmetricState::mix_chaining_key(Bytes input) noexcept {
  crypto::kdf1(chaining_key_.bytes(), input, chaining_key_);
}

void SymmetricState::mix_key(Bytes input) noexcept {
  crypto::kdf2(chaining_key_.bytes(), input, chaining_key_, key_);
}

void SymmetricState::mix_key_and_hash(Bytes psk) noexcept {
  Secret<32> tau;
  crypto::kdf3(chaining_key_.bytes(), psk, chaining_key_, tau, key_);
  mix_hash(tau.bytes());
}

void SymmetricState::encrypt_and_hash(Bytes plaintext, MutBytes out) noexcept {
  crypto::aead_seal(key_, 0, plaintext, hash_.bytes(), out);
  mix_hash(out);
}

bool SymmetricState::decrypt_and_hash(Bytes ciphertext, MutBytes out) noexcept {
  if (!crypto::aead_open(key_, 0, ciphertext, hash_.bytes(), out)) return false;
  mix_hash(ciphertext);
  return true;
}

void SymmetricState::split(Secret<32>& t1, Secret<32>& t2) const noexcept {
  crypto::kdf2(chaining_key_.bytes(), {}, t1, t2);
}

PublicKey received_ephemeral(Bytes message) noexcept {
  const bool initiation = message.size() == I::kSize;
  PublicKey key;
  copy(message.subspan(initiation ? I::kEphemeral : R::kEphemeral, kKeySize), key.bytes);
  return key;
}

std::optional<SentInitiation> write_initiation(const PublicKey& own, const PublicKey& peer,
                                               Ephemeral ephemeral, const Dh& es,
                                               const Secret<32>& static_static,
                                               const Timestamp& timestamp, LocalIndex index,
                                               MutBytes out) noexcept {
  SentInitiation sent{start(peer), std::move(ephemeral.private_key), index};
  SymmetricState& state = sent.state;

  store_le32(out.data(), static_cast<std::uint32_t>(MessageType::handshake_initiation));
  store_le32(out.data() + I::kSender, index.value);

  // e
  copy(ephemeral.public_key.bytes, out.subspan(I::kEphemeral));
  mix_ephemeral(state, ephemeral.public_key.bytes);
  // es
  if (!mix_dh(state, es)) return std::nullopt;
  // s
  state.encrypt_and_hash(own.bytes, out.subspan(I::kStatic, I::kStaticSize));
  // ss
  state.mix_key(static_static.bytes());
  // {t}
  state.encrypt_and_hash(timestamp, out.subspan(I::kTimestamp, I::kEncryptedTimestampSize));
  return sent;
}

std::optional<OpenedInitiation> open_initiation(const PublicKey& own, const Dh& es,
                                                Bytes message) noexcept {
  OpenedInitiation initiation{start(own),
                              received_ephemeral(message),
                              {},
                              RemoteIndex{load_le32(message.data() + I::kSender)}};
  SymmetricState& state = initiation.state;
  // e
  mix_ephemeral(state, initiation.ephemeral.bytes);
  // es
  if (!mix_dh(state, es)) return std::nullopt;
  // s
  if (!state.decrypt_and_hash(message.subspan(I::kStatic, I::kStaticSize),
                              initiation.static_key.bytes)) {
    return std::nullopt;
  }
  return initiation;
}

std::optional<Timestamp> open_timestamp(OpenedInitiation& initiation,
                                        const Secret<32>& static_static, Bytes message) noexcept {
  // ss
  initiation.state.mix_key(static_static.bytes());
  // {t}
  Timestamp timestamp;
  if (!initiation.state.decrypt_and_hash(message.subspan(I::kTimestamp, I::kEncryptedTimestampSize),
                                         timestamp)) {
    return std::nullopt;
  }
  return timestamp;
}

std::optional<TransportKeys> write_response(OpenedInitiation initiation, const PublicKey& ephemeral,
                                            const Dh& ee, const Dh& se, const PresharedKey& psk,
                                            LocalIndex index, MutBytes out) noexcept {
  SymmetricState& state = initiation.state;

  store_le32(out.data(), static_cast<std::uint32_t>(MessageType::handshake_response));
  store_le32(out.data() + R::kSender, index.value);
  store_le32(out.data() + R::kReceiver, initiation.sender.value);

  // e
  copy(ephemeral.bytes, out.subspan(R::kEphemeral));
  mix_ephemeral(state, ephemeral.bytes);
  // ee
  if (!mix_dh(state, ee)) return std::nullopt;
  // se
  if (!mix_dh(state, se)) return std::nullopt;
  // psk
  state.mix_key_and_hash(psk.bytes());
  // {}
  state.encrypt_and_hash({}, out.subspan(R::kNothing, kHandshakeTagSize));

  TransportKeys keys;
  state.split(keys.receiving, keys.sending);
  return keys;
}

std::optional<TransportKeys> open_response(const SentInitiation& sent, const Dh& ee, const Dh& se,
                                           const PresharedKey& psk, Bytes message) noexcept {
  SymmetricState state = sent.state.clone();
  // e
  mix_ephemeral(state, received_ephemeral(message).bytes);
  // ee
  if (!mix_dh(state, ee)) return std::nullopt;
  // se
  if (!mix_dh(state, se)) return std::nullopt;
  // psk
  state.mix_key_and_hash(psk.bytes());
  // {}
  if (!state.decrypt_and_hash(message.subspan(R::kNothing, kHandshakeTagSize), {})) {
    return std::nullopt;
  }
  TransportKeys keys;
  state.split(keys.sending, keys.receiving);
  return keys;
}

std::optional<SentInitiation> write_initiation(const Identity& own, const PublicKey& peer,
                                               const Secret<32>& static_static,
                                               const Timestamp& timestamp, LocalIndex index,
                                               Rng& rng, MutBytes out) noexcept {
  std::optional<Ephemeral> ephemeral = new_ephemeral(rng);
  if (!ephemeral) return std::nullopt;
  const Dh es = dh(ephemeral->private_key, peer);
  return write_initiation(own.public_key, peer, std::move(*ephemeral), es, static_static, timestamp,
                          index, out);
}

std::optional<OpenedInitiation> open_initiation(const Identity& own, Bytes message) noexcept {
  return open_initiation(own.public_key, dh(own.private_key, received_ephemeral(message)), message);
}

std::optional<TransportKeys> write_response(OpenedInitiation initiation, const PresharedKey& psk,
                                            LocalIndex index, Rng& rng, MutBytes out) noexcept {
  const std::optional<Ephemeral> ephemeral = new_ephemeral(rng);
  if (!ephemeral) return std::nullopt;
  const Dh ee = dh(ephemeral->private_key, initiation.ephemeral);
  const Dh se = dh(ephemeral->private_key, initiation.static_key);
  return write_response(std::move(initiation), ephemeral->public_key, ee, se, psk, index, out);
}

std::optional<TransportKeys> open_response(const Identity& own, const SentInitiation& sent,
                                           const PresharedKey& psk, Bytes message) noexcept {
  const PublicKey ephemeral = received_ephemeral(message);
  return open_response(sent, dh(sent.ephemeral, ephemeral), dh(own.private_key, ephemeral), psk,
                       message);
}

}  // namespace ferrule::protocol
