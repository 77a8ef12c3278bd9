// Errors at the edges: configuration and system calls. On the data path a refusal is a `Drop`.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace ferrule {

/// What was attempted, on what, and what the system said. Value type.
struct Error {
  int code = 0;      // a positive errno value
  std::string what;  // "open /dev/net/tun: No such device"
};

/// An Error of the form "<attempted>: <text of the errno>". Without memory it has no text.
[[nodiscard]] Error system_error(int errno_value, std::string_view attempted) noexcept;

/// An Error with a text of its own.
[[nodiscard]] inline Error make_error(int code, std::string what) {
  return Error{code, std::move(what)};
}

template <class T>
using Result = std::expected<T, Error>;

}  // namespace ferrule
