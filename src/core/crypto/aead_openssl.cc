// The fastest backend on CPUs that none of ours runs on: OpenSSL's EVP, a packet at a time.
#include "crypto/aead_backends.h"

#ifndef FERRULE_WITHOUT_OPENSSL
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "base/check.h"

namespace ferrule::crypto {

namespace {

constexpr std::size_t kNonceSize = 12;

// An EVP context for one batch.
//
// Why not one per thread, kept: it would hold the last key, the last block of key stream and the
// last one-time key until the thread's next packet, which may be never, and P46 wants them gone. To
// wipe it in place takes a message under another key (290 ns a batch; to set a zero key alone, 110,
// leaves the key stream), while to make and free it costs 110: what libcrypto frees here it
// cleanses. That is the price of a tenth of a 1420-byte packet, paid once a batch.
//
// Within the batch the key is set when the pointer changes, and always for the first packet: across
// batches an equal pointer proves nothing, as another key may have been allocated there.
class Context {
 public:
  explicit Context(const EVP_CIPHER* cipher) noexcept : context_(EVP_CIPHER_CTX_new()) {
    ready_ = context_ != nullptr &&
             EVP_CipherInit_ex2(context_, cipher, nullptr, nullptr, 1, nullptr) == 1;
  }
  ~Context() { EVP_CIPHER_CTX_free(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] bool is_ready() const noexcept { return ready_; }

  // A null `key` keeps the one of the packet before.
  [[nodiscard]] bool seal(const AeadPacket& packet, const AeadKey* key) noexcept {
    int written = 0;
    std::uint8_t* tag = packet.data + packet.size;
    return start(packet, key, kSeal) && transform(packet) &&
           EVP_EncryptFinal_ex(context_, tag, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1;
  }

  [[nodiscard]] bool open(const AeadPacket& packet, const AeadKey* key) noexcept {
    int written = 0;
    std::uint8_t* tag = packet.data + packet.size;
    return start(packet, key, kOpen) &&
           EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag) == 1 &&
           transform(packet) && EVP_DecryptFinal_ex(context_, tag, &written) == 1;
  }

 private:
  static constexpr int kSeal = 1;
  static constexpr int kOpen = 0;

  bool start(const AeadPacket& packet, const AeadKey* key, int direction) noexcept {
    std::array<std::uint8_t, kNonceSize> nonce{};
    store_le64(nonce.data() + 4, packet.counter);
    return EVP_CipherInit_ex2(context_, nullptr, key != nullptr ? key->data() : nullptr,
                              nonce.data(), direction, nullptr) == 1;
  }

  bool transform(const AeadPacket& packet) noexcept {
    // EVP gives a length of zero a meaning of its own; Final alone makes the tag of nothing.
    if (packet.size == 0) return true;
    int written = 0;
    return EVP_CipherUpdate(context_, packet.data, &written, packet.data,
                            static_cast<int>(packet.size)) == 1;
  }

  EVP_CIPHER_CTX* context_;
  bool ready_ = false;
};

class OpensslBackend final : public AeadBackend {
 public:
  OpensslBackend() noexcept {
    // Without this the first fetch reads openssl.cnf, or whatever OPENSSL_CONF names.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    cipher_ = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
    FERRULE_CHECK(cipher_ != nullptr);
  }

  std::string_view name() const noexcept override { return "openssl"; }

  // Without memory for a context libsodium does it, which needs none (P35).
  void seal(std::span<const AeadPacket> packets) const noexcept override {
    Context context(cipher_);
    if (!context.is_ready()) return sodium_aead_backend()->seal(packets);
    const AeadKey* current = nullptr;
    for (const AeadPacket& packet : packets) {
      FERRULE_CHECK(context.seal(packet, packet.key == current ? nullptr : packet.key));
      current = packet.key;
    }
  }

  void open(std::span<const AeadPacket> packets, std::span<bool> opened) const noexcept override {
    FERRULE_CHECK(opened.size() == packets.size());
    Context context(cipher_);
    if (!context.is_ready()) return sodium_aead_backend()->open(packets, opened);
    const AeadKey* current = nullptr;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const AeadKey* key = packets[i].key;
      opened[i] = context.open(packets[i], key == current ? nullptr : key);
      // After any failure the next packet sets its key anew: it may have been the key that failed.
      current = opened[i] ? key : nullptr;
    }
  }

 private:
  EVP_CIPHER* cipher_;
};

}  // namespace

const AeadBackend* openssl_aead_backend() noexcept {
  // Never destroyed: threads may still be sealing when main returns.
  static const auto* const backend = new OpensslBackend;
  return backend;
}

}  // namespace ferrule::crypto

#else

namespace ferrule::crypto {
const AeadBackend* openssl_aead_backend() noexcept { return nullptr; }
}  // namespace ferrule::crypto

#endif
