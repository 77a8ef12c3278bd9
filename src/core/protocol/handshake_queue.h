// The bounded queue between the sockets and the handshake worker, and when a device is under load
// (§5.3; P82, P85a, P86).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/net.h"
#include "base/time.h"
#include "protocol/constants.h"
#include "protocol/cookie.h"
#include "protocol/drop.h"
#include "protocol/messages.h"
#include "protocol/source_key.h"

namespace ferrule::protocol {

/// A handshake message (types 1 to 3) as it came. Value type.
struct HandshakeMessage {
  std::array<std::uint8_t, kMaxHandshakeSize> bytes;
  std::uint8_t size = 0;
  Endpoint from;
  Source to;
  Mac1Proof mac1 = {};  // of DataPath::admit_handshake

  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes.data(), size); }
};

/// A message that was taken out of the queue. `under_load` is HandshakeQueue's answer for its source.
struct ReceivedHandshake {
  HandshakeMessage message;
  bool under_load = false;
};

/// What became of messages that were opened though nothing proved where they are from. It costs as much to
/// find out that one is of no use, since it is forged, or old, or a stranger's, as to answer a genuine one.
struct OpenedHandshakes {
  std::size_t genuine = 0;
  std::size_t useless = 0;
};

/// First in, first out, at most kHandshakeQueueBound messages, of which one source (IPv4 address or
/// IPv6 /64, counted in hashed buckets) may hold kHandshakeQueueShare, or more while few others wait. The last
/// kHandshakeQueueReserve places are for messages that carry a mac2. Not thread-safe. Its memory is taken as it
/// fills and given back when it runs empty after a flood.
class HandshakeQueue {
 public:
  /// `salt` is random: it keys the hash of sources.
  explicit HandshakeQueue(std::uint64_t salt);
  ~HandshakeQueue();
  HandshakeQueue(const HandshakeQueue&) = delete;
  HandshakeQueue& operator=(const HandshakeQueue&) = delete;

  /// Drop::none when it was queued, else queue_full, source_queue_full or, without memory,
  /// no_resources (P35).
  [[nodiscard]] Drop push(Instant now, const HandshakeMessage& message) noexcept;
  [[nodiscard]] std::optional<HandshakeMessage> pop(Instant now) noexcept;

  /// What came of messages that were not under load.
  void learn(const OpenedHandshakes& opened) noexcept;
  /// Whether a message of this source, just popped, must prove its address first (P82): messages are opened in
  /// vain lately, and the queue holds, or held within the last kUnderLoadFor, kUnderLoadAt of them, or the
  /// source filled its share within that time. A crowd of known peers that come back at once puts nobody
  /// under load: to have them ask twice would only double the work. One flooding source does not put others
  /// under load (P85a).
  [[nodiscard]] bool under_load(Instant now, const IpAddress& source) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  // More, and flooding sources would seldom share one with an innocent; fewer would save memory.
  static constexpr std::size_t kBuckets = 4096;
  static constexpr std::size_t kChunkMessages = 16;
  static_assert(kHandshakeQueueQuiet <= UINT16_MAX, "so many a source may have");

  // A list of chunks: `first_` at `popped_` to the last one at `pushed_`.
  struct Chunk {
    std::array<HandshakeMessage, kChunkMessages> messages;
    std::unique_ptr<Chunk> next;
  };

  [[nodiscard]] std::size_t bucket_of(const IpAddress& source) const noexcept;
  void make_room(Instant now, std::size_t bucket);
  void append(const HandshakeMessage& message) noexcept;
  void note_load(Instant now, std::size_t bucket) noexcept;
  void give_back(Instant now) noexcept;

  SourceHash hash_;
  std::unique_ptr<Chunk> first_;
  Chunk* last_ = nullptr;
  std::size_t popped_ = 0;
  std::size_t pushed_ = 0;
  std::size_t size_ = 0;
  std::size_t useless_ = 0;                       // kMostUseless at most
  std::array<std::uint16_t, kBuckets> queued_{};  // by bucket: messages in the queue
  std::optional<Instant> loaded_at_;              // when the queue held kUnderLoadAt messages last
  std::vector<Instant> share_full_at_;            // by bucket, the same; empty until one has
  std::optional<Instant> any_share_full_at_;
};

}  // namespace ferrule::protocol
