#include "crypto/aead_check.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/aead_backends.h"

namespace ferrule::crypto {
namespace {

// libsodium's, with a mistake.
class Mistaken final : public AeadBackend {
 public:
  explicit Mistaken(bool seals_wrong, bool opens_wrong) noexcept
      : seals_wrong_(seals_wrong), opens_wrong_(opens_wrong) {}
  std::string_view name() const noexcept override { return "mistaken"; }
  void seal(std::span<const AeadPacket> packets) const noexcept override {
    sodium_aead_backend()->seal(packets);
    // In one length only: whoever looks at others would not see it.
    for (const AeadPacket& packet : packets) {
      if (seals_wrong_ && packet.size == 64) packet.data[packet.size + 15] ^= 4;
    }
  }
  void open(std::span<const AeadPacket> packets, std::span<bool> opened) const noexcept override {
    sodium_aead_backend()->open(packets, opened);
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (opens_wrong_ && packets[i].size == 1424) opened[i] = false;
    }
  }

 private:
  bool seals_wrong_;
  bool opens_wrong_;
};

TEST(AeadCheck, LibsodiumAgreesWithItself) {
  EXPECT_TRUE(agrees_with_libsodium(*sodium_aead_backend()));
  EXPECT_TRUE(agrees_with_libsodium(Mistaken(false, false)));
}

TEST(AeadCheck, AWrongTagIsSeen) { EXPECT_FALSE(agrees_with_libsodium(Mistaken(true, false))); }

TEST(AeadCheck, AMessageThatIsNotOpenedIsSeen) {
  EXPECT_FALSE(agrees_with_libsodium(Mistaken(false, true)));
}

}  // namespace
}  // namespace ferrule::crypto
