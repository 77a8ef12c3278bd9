// Internal to this folder: libsodium, made ready at its first use.
#pragma once

namespace ferrule::crypto {

/// Before any other call to libsodium: without it the library is correct, but picks its slowest
/// code, and it is not thread-safe while it picks. Thread-safe; costs a load after the first time.
void ensure_sodium() noexcept;

}  // namespace ferrule::crypto
