#include "crypto/handshake_aead.h"

#include <sodium.h>

#include <array>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/sodium.h"

namespace ferrule::crypto {

static_assert(kTagSize == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(kTagSize == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(kXNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);

namespace {

// P2: 32 zero bits, then the counter.
std::array<std::uint8_t, 12> nonce_of(std::uint64_t counter) noexcept {
  std::array<std::uint8_t, 12> nonce{};
  store_le64(nonce.data() + 4, counter);
  return nonce;
}

}  // namespace

void aead_seal(const Secret<32>& key, std::uint64_t counter, Bytes plaintext, Bytes aad,
               MutBytes out) noexcept {
  FERRULE_CHECK(out.size() == plaintext.size() + kTagSize);
  ensure_sodium();
  const auto nonce = nonce_of(counter);
  FERRULE_CHECK(crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(),
                                                          plaintext.size(), aad.data(), aad.size(),
                                                          nullptr, nonce.data(), key.data()) == 0);
}

bool aead_open(const Secret<32>& key, std::uint64_t counter, Bytes ciphertext, Bytes aad,
               MutBytes out) noexcept {
  if (ciphertext.size() < kTagSize) return false;
  FERRULE_CHECK(out.size() == ciphertext.size() - kTagSize);
  ensure_sodium();
  const auto nonce = nonce_of(counter);
  return crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, ciphertext.data(),
                                                   ciphertext.size(), aad.data(), aad.size(),
                                                   nonce.data(), key.data()) == 0;
}

void xaead_seal(std::span<const std::uint8_t, 32> key,
                std::span<const std::uint8_t, kXNonceSize> nonce, Bytes plaintext, Bytes aad,
                MutBytes out) noexcept {
  FERRULE_CHECK(out.size() == plaintext.size() + kTagSize);
  ensure_sodium();
  FERRULE_CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, plaintext.data(),
                                                           plaintext.size(), aad.data(), aad.size(),
                                                           nullptr, nonce.data(), key.data()) == 0);
}

bool xaead_open(std::span<const std::uint8_t, 32> key,
                std::span<const std::uint8_t, kXNonceSize> nonce, Bytes ciphertext, Bytes aad,
                MutBytes out) noexcept {
  if (ciphertext.size() < kTagSize) return false;
  FERRULE_CHECK(out.size() == ciphertext.size() - kTagSize);
  ensure_sodium();
  return crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, ciphertext.data(),
                                                    ciphertext.size(), aad.data(), aad.size(),
                                                    nonce.data(), key.data()) == 0;
}

}  // namespace ferrule::crypto
