// Ancillary data of sendmsg and recvmsg, without its macros' casts.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include "base/check.h"

namespace ferrule::io {

/// Writes control messages one behind the other into `room`, which is aligned for cmsghdr and large
/// enough for what is added.
class ControlWriter {
 public:
  explicit ControlWriter(std::span<std::byte> room) noexcept : room_(room) {}

  template <class T>
  void add(int level, int type, const T& value) noexcept {
    FERRULE_CHECK(used_ + CMSG_SPACE(sizeof(T)) <= room_.size());
    cmsghdr header{};
    header.cmsg_len = CMSG_LEN(sizeof(T));
    header.cmsg_level = level;
    header.cmsg_type = type;
    std::byte* at = room_.data() + used_;
    std::memset(at, 0, CMSG_SPACE(sizeof(T)));  // the padding too
    std::memcpy(at, &header, sizeof header);
    std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
    used_ += CMSG_SPACE(sizeof(T));
  }

  [[nodiscard]] std::size_t size() const noexcept { return used_; }

 private:
  std::span<std::byte> room_;
  std::size_t used_ = 0;
};

/// The value of a control message; none when it is shorter than a T.
template <class T>
[[nodiscard]] std::optional<T> control_value(const cmsghdr& header) noexcept {
  if (header.cmsg_len < CMSG_LEN(sizeof(T))) return std::nullopt;
  T value;
  std::memcpy(&value, CMSG_DATA(&header), sizeof value);
  return value;
}

}  // namespace ferrule::io
