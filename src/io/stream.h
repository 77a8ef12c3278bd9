// A connection that carries bytes, and where such come from, whatever the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
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

/// Where programs of this machine connect to. For one thread.
class Listener {
 public:
  virtual ~Listener() = default;
  /// The next connection; null when none waits. Without memory for it, it is turned away (bad_alloc).
  [[nodiscard]] virtual std::unique_ptr<Stream> accept() = 0;
  /// Readable when somebody connects.
  [[nodiscard]] virtual Waitable waitable() const noexcept = 0;
  /// Readable when something has happened where the place is: then ask `is_gone`. None: that is not told.
  [[nodiscard]] virtual Waitable place_waitable() const noexcept { return {}; }
  /// Whether nobody finds it any more: somebody has removed the place, or put another one there.
  [[nodiscard]] virtual bool is_gone() { return false; }
};

/// The system's own: a socket at `path`, and the folder that it lies in, which it makes where it is missing. Only
/// the same user and root may connect. The place of a program that is dead is taken over; that of a live one is an
/// Error of address_in_use, "<path> answers". Of several that start at the same time, one succeeds.
[[nodiscard]] Result<std::unique_ptr<Listener>> listen_at(const std::string& path);

}  // namespace ferrule::io
