// Text that may hold keys.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace ferrule::control {

/// A growing text whose every byte is wiped before its memory is given back: when it grows, is
/// cleared, moved from or destroyed. Holds no memory while empty. Move-only.
class WipedText {
 public:
  WipedText() noexcept = default;
  explicit WipedText(std::string_view text) { append(text); }
  WipedText(WipedText&& other) noexcept;
  WipedText& operator=(WipedText&& other) noexcept;
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
  ~WipedText() { clear(); }

  void append(std::string_view text);
  /// Makes room for `bytes` in all, so that appending up to there moves nothing.
  void reserve(std::size_t bytes);
  /// Forgets the text; keeps its memory for the next one.
  void rewind() noexcept;
  /// Forgets the text and frees its memory.
  void clear() noexcept;

  [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace ferrule::control
