// The backend of builds without OpenSSL, and where OpenSSL's can't be trusted: libsodium's, a packet at a
// time. It allocates nothing.
#include "base/check.h"
#include "crypto/aead_backends.h"
#include "crypto/handshake_aead.h"

namespace ferrule::crypto {

namespace {

class SodiumBackend final : public AeadBackend {
 public:
  std::string_view name() const noexcept override { return "sodium"; }

  void seal(std::span<const AeadPacket> packets) const noexcept override {
    for (const AeadPacket& packet : packets) {
      aead_seal(*packet.key, packet.counter, {packet.data, packet.size}, {},
                {packet.data, packet.size + kTagSize});
    }
  }

  void open(std::span<const AeadPacket> packets, std::span<bool> opened) const noexcept override {
    FERRULE_CHECK(opened.size() == packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const AeadPacket& packet = packets[i];
      opened[i] = aead_open(*packet.key, packet.counter, {packet.data, packet.size + kTagSize}, {},
                            {packet.data, packet.size});
    }
  }
};

}  // namespace

const AeadBackend* sodium_aead_backend() noexcept {
  static const SodiumBackend backend;
  return &backend;
}

}  // namespace ferrule::crypto
