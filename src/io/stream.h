// A connection that carries bytes, and where such come from, whatever the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "io/poller.h"

namespace ferrule::io {

/// What became of bytes.
struct Carried {
  enum class Outcome : std::uint8_t {
    some,   // `bytes` of them went
    later,  // none, now: that would have to wait
    never,  // none, and none will: the other side has ended, or the connection is broken
  };
  Outcome outcome = Outcome::never;
  std::size_t bytes = 0;
};

/// Never waits. For one thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  /// As many bytes as have come and find room.
  [[nodiscard]] virtual Carried receive(MutBytes room) noexcept = 0;
  /// As many of the bytes as find room on their way.
  [[nodiscard]] virtual Carried send(Bytes bytes) noexcept = 0;
  [[nodiscard]] virtual Waitable waitable() const noexcept = 0;
};

/// Where programs connect to.
class Listener {
 public:
  virtual ~Listener() = default;
  /// The next connection; null when none waits. Without memory for it, it is turned away (bad_alloc).
  [[nodiscard]] virtual std::unique_ptr<Stream> accept() = 0;
};

}  // namespace ferrule::io
