// The backends that are our own code, for tests to go through.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "crypto/aead_backends.h"

namespace ferrule::crypto::test {

struct VectorBackend {
  const char* name;
  const AeadBackend* (*get)() noexcept;  // gives null where this CPU or this build can't run it
  const char* reason_to_skip;
};

inline constexpr VectorBackend kVectorBackends[] = {
    {"avx512", &avx512_aead_backend, "no AVX-512 with IFMA in this CPU or this build"},
    {"interleaved", &interleaved_aead_backend,
     "neither AVX2 with BMI2 nor NEON in this CPU or this build"},
};

/// A backend of others' making, the fastest that this build has.
inline const AeadBackend& library_backend() {
  const AeadBackend* openssl = openssl_aead_backend();
  return openssl != nullptr ? *openssl : *sodium_aead_backend();
}

inline std::string name_of_backend(const testing::TestParamInfo<VectorBackend>& info) {
  return info.param.name;
}

}  // namespace ferrule::crypto::test
