#include "control/wiped_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/secret.h"

namespace ferrule::control {

WipedText::WipedText(WipedText&& other) noexcept
    : data_(std::move(other.data_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

WipedText& WipedText::operator=(WipedText&& other) noexcept {
  if (this != &other) {
    clear();
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void WipedText::append(std::string_view text) {
  if (text.empty()) return;
  if (capacity_ - size_ < text.size()) reserve(std::max(size_ + text.size(), 2 * capacity_));
  std::memcpy(data_.get() + size_, text.data(), text.size());
  size_ += text.size();
}

void WipedText::reserve(std::size_t bytes) {
  if (bytes <= capacity_) return;
  auto larger = std::make_unique<char[]>(bytes);
  const std::size_t size = size_;
  if (size != 0) std::memcpy(larger.get(), data_.get(), size);
  clear();
  data_ = std::move(larger);
  size_ = size;
  capacity_ = bytes;
}

void WipedText::rewind() noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(data_.get()), size_});
  size_ = 0;
}

void WipedText::clear() noexcept {
  rewind();
  data_.reset();
  capacity_ = 0;
}

}  // namespace ferrule::control
