// Memory with nothing beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/aead.h"

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace ferrule::crypto::test {

#if __has_include(<sys/mman.h>)

/// Room for the longest packet, between two pages that fault when they are touched.
class GuardedPages {
 public:
  GuardedPages() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    size_ = (65535 + kTagSize + page_ - 1) / page_ * page_;
    void* all = mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) std::abort();
    begin_ = static_cast<std::uint8_t*>(all) + page_;
    if (mprotect(begin_, size_, PROT_READ | PROT_WRITE) != 0) std::abort();
  }
  ~GuardedPages() { munmap(begin_ - page_, size_ + 2 * page_); }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  // The first `size` bytes, or the last.
  [[nodiscard]] std::uint8_t* first(std::size_t) const { return begin_; }
  [[nodiscard]] std::uint8_t* last(std::size_t size) const { return begin_ + size_ - size; }

 private:
  std::size_t page_;
  std::size_t size_;
  std::uint8_t* begin_;
};

#else

/// The room alone: what is touched beside it does not show here.
class GuardedPages {
 public:
  GuardedPages() : begin_(static_cast<std::uint8_t*>(std::malloc(kSize))) {}
  ~GuardedPages() { std::free(begin_); }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  [[nodiscard]] std::uint8_t* first(std::size_t) const { return begin_; }
  [[nodiscard]] std::uint8_t* last(std::size_t size) const { return begin_ + kSize - size; }

 private:
  static constexpr std::size_t kSize = 65536 + 4096;
  std::uint8_t* begin_;
};

#endif

}  // namespace ferrule::crypto::test
