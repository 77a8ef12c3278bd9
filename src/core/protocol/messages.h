// The four messages on the wire, byte for byte (§5.4). All integers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"

namespace ferrule::protocol {

enum class MessageType : std::uint8_t {
  handshake_initiation = 1,
  handshake_response = 2,
  cookie_reply = 3,
  transport_data = 4,
};

/// The first four bytes, type and reserved, are one little-endian word (P10).
constexpr std::size_t kTypeOffset = 0;
constexpr std::size_t kMac1Size = 16;
constexpr std::size_t kMac2Size = 16;
constexpr std::size_t kTimestampSize = 12;
/// A TAI64N stamp as it is sent (P29). Compares as big-endian bytes, which is by time.
using Timestamp = std::array<std::uint8_t, kTimestampSize>;
constexpr std::size_t kHandshakeTagSize = 16;

/// §5.4.2: type 4, sender 4, ephemeral 32, encrypted static 48, encrypted timestamp 28, mac1, mac2.
struct InitiationLayout {
  static constexpr std::size_t kSender = 4;
  static constexpr std::size_t kEphemeral = 8;
  static constexpr std::size_t kStatic = 40;
  static constexpr std::size_t kStaticSize = 32 + kHandshakeTagSize;
  static constexpr std::size_t kTimestamp = kStatic + kStaticSize;
  static constexpr std::size_t kEncryptedTimestampSize = kTimestampSize + kHandshakeTagSize;
  static constexpr std::size_t kMac1 = kTimestamp + kEncryptedTimestampSize;
  static constexpr std::size_t kMac2 = kMac1 + kMac1Size;
  static constexpr std::size_t kSize = kMac2 + kMac2Size;
};

/// §5.4.3: type 4, sender 4, receiver 4, ephemeral 32, encrypted nothing 16, mac1, mac2.
struct ResponseLayout {
  static constexpr std::size_t kSender = 4;
  static constexpr std::size_t kReceiver = 8;
  static constexpr std::size_t kEphemeral = 12;
  static constexpr std::size_t kNothing = 44;
  static constexpr std::size_t kMac1 = kNothing + kHandshakeTagSize;
  static constexpr std::size_t kMac2 = kMac1 + kMac1Size;
  static constexpr std::size_t kSize = kMac2 + kMac2Size;
};

/// §5.4.7: type 4, receiver 4, nonce 24, encrypted cookie 32.
struct CookieReplyLayout {
  static constexpr std::size_t kReceiver = 4;
  static constexpr std::size_t kNonce = 8;
  static constexpr std::size_t kNonceSize = 24;
  static constexpr std::size_t kCookie = kNonce + kNonceSize;
  static constexpr std::size_t kCookieSize = 16;
  static constexpr std::size_t kSize = kCookie + kCookieSize + kHandshakeTagSize;
};

/// §5.4.6: type 4, receiver 4, counter 8, then the encrypted packet and its tag.
struct TransportLayout {
  static constexpr std::size_t kReceiver = 4;
  static constexpr std::size_t kCounter = 8;
  static constexpr std::size_t kHeaderSize = 16;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kOverhead = kHeaderSize + kTagSize;
};

static_assert(InitiationLayout::kSize == 148);
static_assert(ResponseLayout::kSize == 92);
static_assert(CookieReplyLayout::kSize == 64);
static_assert(TransportLayout::kOverhead == 32);

constexpr std::size_t kMaxHandshakeSize = InitiationLayout::kSize;

/// The type of a whole message whose reserved bytes are zero and whose length fits its type (P10,
/// P11); none for everything else.
[[nodiscard]] inline std::optional<MessageType> classify(Bytes message) noexcept {
  if (message.size() < TransportLayout::kOverhead) return std::nullopt;
  switch (load_le32(message.data() + kTypeOffset)) {
    case 1:
      if (message.size() != InitiationLayout::kSize) return std::nullopt;
      return MessageType::handshake_initiation;
    case 2:
      if (message.size() != ResponseLayout::kSize) return std::nullopt;
      return MessageType::handshake_response;
    case 3:
      if (message.size() != CookieReplyLayout::kSize) return std::nullopt;
      return MessageType::cookie_reply;
    case 4:
      return MessageType::transport_data;
    default:
      return std::nullopt;
  }
}

/// Whether an initiation or a response claims to have a cookie: without one its mac2 is all zero (P81).
[[nodiscard]] inline bool has_mac2(Bytes message) noexcept {
  for (const std::uint8_t byte : message.last(kMac2Size)) {
    if (byte != 0) return true;
  }
  return false;
}

/// Writes the 16-byte header of a transport data message.
inline void write_transport_header(std::uint8_t* message, RemoteIndex receiver,
                                   std::uint64_t counter) noexcept {
  store_le32(message + kTypeOffset, static_cast<std::uint32_t>(MessageType::transport_data));
  store_le32(message + TransportLayout::kReceiver, receiver.value);
  store_le64(message + TransportLayout::kCounter, counter);
}

}  // namespace ferrule::protocol
