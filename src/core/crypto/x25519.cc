#include "crypto/x25519.h"

#include <sodium.h>

#include "crypto/sodium.h"
#include "crypto/x25519_backends.h"

namespace ferrule::crypto {

static_assert(kKeySize == crypto_scalarmult_curve25519_BYTES);
static_assert(kKeySize == crypto_scalarmult_curve25519_SCALARBYTES);

void clamp(PrivateKey& key) noexcept {
  const auto bytes = key.mut_bytes();
  bytes[0] &= 0xf8;
  bytes[31] = static_cast<std::uint8_t>((bytes[31] & 0x7f) | 0x40);
}

PublicKey public_key_of(const PrivateKey& key) noexcept {
  ensure_sodium();
  PublicKey result;
  crypto_scalarmult_curve25519_base(result.bytes.data(), key.data());
  return result;
}

bool x25519(const PrivateKey& key, const PublicKey& peer, SharedSecret& out) noexcept {
  ensure_sodium();
  // libsodium refuses exactly the all-zero result (a clamped scalar gives it for points of low order
  // and no others), but may do so by looking at the point before it has written anything. Ours is
  // the check that P1 asks for; theirs is a second one. Whether to refuse is for the caller to
  // branch on: nothing here does.
  out.clear();
  const int refused =
      crypto_scalarmult_curve25519(out.mut_bytes().data(), key.data(), peer.bytes.data());
  return (refused | static_cast<int>(out.is_zero())) == 0;
}

void sodium_x25519(std::span<X25519Job> jobs) noexcept {
  for (X25519Job& job : jobs) {
    if (job.peer == nullptr) {
      const PublicKey key = public_key_of(*job.key);
      copy(key.bytes, job.out);
      job.accepted = true;
    } else {
      SharedSecret shared;
      job.accepted = x25519(*job.key, *job.peer, shared);
      copy(shared.bytes(), job.out);
    }
  }
}

void x25519_batch(std::span<X25519Job> jobs) noexcept {
  static const X25519Batch side_by_side = avx512_x25519();
  // A lone one is faster without lanes that idle; two are not.
  const std::size_t alone = side_by_side == nullptr
                                ? jobs.size()
                                : static_cast<std::size_t>(jobs.size() % kX25519Lanes == 1);
  if (jobs.size() > alone) side_by_side(jobs.first(jobs.size() - alone));
  sodium_x25519(jobs.last(alone));
}

std::optional<PrivateKey> generate_private_key(Rng& rng) noexcept {
  PrivateKey key;
  if (!rng.fill(key.mut_bytes())) return std::nullopt;
  clamp(key);
  return key;
}

}  // namespace ferrule::crypto
