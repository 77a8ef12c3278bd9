// Bytes on the heap that leave nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/secret.h"

namespace ferrule {

/// A fixed number of bytes, wiped wherever they are freed. Move-only: there is never a second copy, and
/// it never grows. Secret<N> is the one for keys.
class WipedBytes {
 public:
  WipedBytes() noexcept = default;
  /// All zero. std::bad_alloc when there is no memory.
  explicit WipedBytes(std::size_t size)
      : data_(std::make_unique<std::uint8_t[]>(size)), size_(size) {}
  WipedBytes(WipedBytes&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  WipedBytes& operator=(WipedBytes other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  WipedBytes(const WipedBytes&) = delete;
  ~WipedBytes() { wipe({data_.get(), size_}); }

  [[nodiscard]] std::uint8_t* data() noexcept { return data_.get(); }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] MutBytes view() noexcept { return {data_.get(), size_}; }
  [[nodiscard]] Bytes view() const noexcept { return {data_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
};

}  // namespace ferrule
