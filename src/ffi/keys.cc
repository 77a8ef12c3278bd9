#include <optional>
#include <span>

#include "base/key_text.h"
#include "base/version.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "ferrule.h"
#include "ffi/guard.h"

using namespace ferrule;

static_assert(FERRULE_KEY_BYTES == kKeySize && FERRULE_KEY_TEXT_BYTES == kKeyBase64Size + 1);

std::uint32_t ferrule_abi_version(void) { return FERRULE_ABI_VERSION; }

const char* ferrule_version(void) { return kVersion.data(); }  // a literal, with a zero behind it

const char* ferrule_error_text(std::int32_t error) {
  switch (error) {
    case FERRULE_OK:
      return "no error";
    case FERRULE_INVALID:
      return "an argument is wrong";
    case FERRULE_NO_MEMORY:
      return "out of memory";
    case FERRULE_REFUSED:
      return "the configuration was refused";
    case FERRULE_NO_RANDOM:
      return "the system gave no randomness";
    case FERRULE_INTERNAL:
      return "a mistake of libferrule";
    default:
      return error > 0 ? "no error" : "an error of a newer libferrule";
  }
}

std::int32_t ferrule_private_key(std::uint8_t key[FERRULE_KEY_BYTES]) {
  if (key == nullptr) return FERRULE_INVALID;
  crypto::SystemRng rng;
  const std::optional<PrivateKey> made = crypto::generate_private_key(rng);
  if (!made) return FERRULE_NO_RANDOM;
  copy(made->bytes(), {key, kKeySize});
  return FERRULE_OK;
}

std::int32_t ferrule_public_key(const std::uint8_t private_key[FERRULE_KEY_BYTES],
                                std::uint8_t public_key[FERRULE_KEY_BYTES]) {
  if (private_key == nullptr || public_key == nullptr) return FERRULE_INVALID;
  const PrivateKey key(std::span<const std::uint8_t, kKeySize>(private_key, kKeySize));
  copy(crypto::public_key_of(key).bytes, {public_key, kKeySize});
  return FERRULE_OK;
}

std::int32_t ferrule_key_to_text(const std::uint8_t key[FERRULE_KEY_BYTES],
                                 char text[FERRULE_KEY_TEXT_BYTES]) {
  if (key == nullptr || text == nullptr) return FERRULE_INVALID;
  key_to_base64(std::span<const std::uint8_t, kKeySize>(key, kKeySize),
                std::span<char, kKeyBase64Size>(text, kKeyBase64Size));
  text[kKeyBase64Size] = '\0';
  return FERRULE_OK;
}

std::int32_t ferrule_key_from_text(const char* text, std::size_t length,
                                   std::uint8_t key[FERRULE_KEY_BYTES]) {
  if (text == nullptr || key == nullptr) return FERRULE_INVALID;
  const std::span<std::uint8_t, kKeySize> to(key, kKeySize);
  return key_from_base64({text, length}, to) ? FERRULE_OK : FERRULE_INVALID;
}
