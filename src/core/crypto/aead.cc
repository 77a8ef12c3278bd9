#include "crypto/aead.h"

#include <array>

#include "crypto/aead_backends.h"
#include "crypto/aead_check.h"

namespace ferrule::crypto {

namespace {

// Every backend there is, the fastest first. To add one: a file aead_<name>.cc, its function in
// aead_backends.h, a line here; the tests and benchmarks then find it by themselves.
constexpr std::array kBackends{
    &avx512_aead_backend,
    &interleaved_aead_backend,
    &openssl_aead_backend,
    &sodium_aead_backend,
};

// Null, too, where the library has mistakes.
const AeadBackend* trusted(const AeadBackend* backend) noexcept {
  return backend != nullptr && agrees_with_libsodium(*backend) ? backend : nullptr;
}

// What kBackends gives on this CPU. It depends on nothing else: not on the environment, and not on
// a configuration file.
class RunnableBackends {
 public:
  RunnableBackends() noexcept {
    for (const auto backend_if_runnable : kBackends) {
      if (const AeadBackend* backend = trusted(backend_if_runnable()))
        backends_[count_++] = backend;
    }
  }
  [[nodiscard]] std::span<const AeadBackend* const> all() const noexcept {
    return std::span(backends_).first(count_);
  }

 private:
  std::array<const AeadBackend*, kBackends.size()> backends_{};
  std::size_t count_ = 0;
};

}  // namespace

std::span<const AeadBackend* const> aead_backends() noexcept {
  static const RunnableBackends runnable;
  return runnable.all();
}

// Does not ask the others: OpenSSL takes half a megabyte when it is first used.
const AeadBackend& best_aead_backend() noexcept {
  static const AeadBackend* const best = [] {
    const AeadBackend* found = nullptr;
    for (const auto backend_if_runnable : kBackends) {
      if ((found = trusted(backend_if_runnable())) != nullptr) break;
    }
    return found;
  }();
  return *best;
}

const AeadBackend* find_aead_backend(std::string_view name) noexcept {
  for (const AeadBackend* backend : aead_backends()) {
    if (backend->name() == name) return backend;
  }
  return nullptr;
}

}  // namespace ferrule::crypto
