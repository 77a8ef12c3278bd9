// The libraries' first use, at a time of the caller's choice.
#pragma once

namespace ferrule::crypto {

/// Does at once what libsodium and the library of the best AEAD backend would do when first used:
/// measuring the CPU, seeding, fetching algorithms. For programs that will not be able to open files
/// later.
void prepare_libraries() noexcept;

}  // namespace ferrule::crypto
