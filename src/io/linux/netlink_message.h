// What netlink's messages are made of: a header, a header of the family, and attributes. Of what comes from the
// kernel nothing is read beyond its end.
#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"

namespace ferrule::io {

/// The next of several messages, which is taken from the front of `left`; null at the end, and where what is
/// left is no whole message.
inline const nlmsghdr* take_message(std::span<const std::byte>& left) noexcept {
  const auto* message = reinterpret_cast<const nlmsghdr*>(left.data());
  if (left.size() < sizeof *message || message->nlmsg_len < sizeof *message ||
      message->nlmsg_len > left.size()) {
    return nullptr;
  }
  left = left.subspan(std::min<std::size_t>(NLMSG_ALIGN(message->nlmsg_len), left.size()));
  return message;
}

/// What stands behind a message's header.
inline Bytes payload_of(const nlmsghdr& message) noexcept {
  const auto* start = reinterpret_cast<const std::uint8_t*>(&message);
  return Bytes(start, message.nlmsg_len).subspan(NLMSG_HDRLEN);
}
/// The family's own header. Null when the message is too short to have one.
template <class T>
const T* extra_of(const nlmsghdr& message) noexcept {
  const Bytes payload = payload_of(message);
  return payload.size() < sizeof(T) ? nullptr : reinterpret_cast<const T*>(payload.data());
}

inline std::uint16_t type_of(const nlattr& attribute) noexcept {
  return attribute.nla_type & NLA_TYPE_MASK;
}
inline Bytes bytes_of(const nlattr& attribute) noexcept {
  const auto* start = reinterpret_cast<const std::uint8_t*>(&attribute);
  return Bytes(start, attribute.nla_len).subspan(NLA_HDRLEN);
}
/// None when it is no number of four bytes.
inline std::optional<std::uint32_t> number_of(const nlattr& attribute) noexcept {
  const Bytes bytes = bytes_of(attribute);
  std::uint32_t number = 0;
  if (bytes.size() != sizeof number) return std::nullopt;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}
/// Up to its first zero. None when it does not end with one.
inline std::optional<std::string_view> text_of(const nlattr& attribute) noexcept {
  const Bytes bytes = bytes_of(attribute);
  if (bytes.empty() || bytes.back() != 0) return std::nullopt;
  return reinterpret_cast<const char*>(bytes.data());
}

/// Calls `visit(const nlattr&)` for each attribute in `list`, up to one that is not whole.
template <class Visit>
void for_each_attribute_in(Bytes list, Visit&& visit) {
  while (list.size() >= sizeof(nlattr)) {
    const auto& attribute = *reinterpret_cast<const nlattr*>(list.data());
    if (attribute.nla_len < sizeof(nlattr) || attribute.nla_len > list.size()) return;
    visit(attribute);
    list = list.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), list.size()));
  }
}
/// The same behind an extra header of `offset` bytes.
template <class Visit>
void for_each_attribute(const nlmsghdr& message, std::size_t offset, Visit&& visit) {
  const Bytes payload = payload_of(message);
  const std::size_t start = NLA_ALIGN(offset);
  if (start < payload.size()) for_each_attribute_in(payload.subspan(start), visit);
}
/// The same for the attributes within one.
template <class Visit>
void for_each_nested(const nlattr& nest, Visit&& visit) {
  for_each_attribute_in(bytes_of(nest), visit);
}

/// A message being built. Value type; as large as any request of ours.
struct NetlinkRequest {
  alignas(nlmsghdr) std::byte room[512];
  nlmsghdr* header;

  NetlinkRequest(std::uint16_t type, std::uint16_t flags) noexcept
      : room{}, header(reinterpret_cast<nlmsghdr*>(room)) {
    header->nlmsg_len = NLMSG_HDRLEN;
    header->nlmsg_type = type;
    header->nlmsg_flags = flags;
  }
  NetlinkRequest(const NetlinkRequest&) = delete;
  NetlinkRequest& operator=(const NetlinkRequest&) = delete;

  /// The family's own header, zeroed, to be filled in before attributes are put.
  template <class T>
  T& extra() noexcept {
    return *reinterpret_cast<T*>(grow(sizeof(T)));
  }
  /// The same, once it is there.
  template <class T>
  T& extra_again() noexcept {
    return *reinterpret_cast<T*>(room + NLMSG_HDRLEN);
  }

  nlattr& put(std::uint16_t type, Bytes bytes) noexcept {
    auto& attribute = *reinterpret_cast<nlattr*>(grow(NLA_HDRLEN + bytes.size()));
    attribute.nla_type = type;
    attribute.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + bytes.size());
    if (!bytes.empty()) {
      std::memcpy(reinterpret_cast<std::byte*>(&attribute) + NLA_HDRLEN, bytes.data(),
                  bytes.size());
    }
    return attribute;
  }
  void put_u32(std::uint16_t type, std::uint32_t value) noexcept {
    put(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  /// With a zero behind it.
  void put_text(std::uint16_t type, const char* text) noexcept {
    put(type, {reinterpret_cast<const std::uint8_t*>(text), std::strlen(text) + 1});
  }
  /// What is put until end_nest is within this one.
  nlattr& begin_nest(std::uint16_t type) noexcept { return put(type | NLA_F_NESTED, {}); }
  void end_nest(nlattr& nest) noexcept {
    const auto* start = reinterpret_cast<const std::byte*>(&nest);
    nest.nla_len = static_cast<std::uint16_t>(room + header->nlmsg_len - start);
  }

 private:
  // Aligned, and all zero.
  std::byte* grow(std::size_t size) noexcept {
    std::byte* const place = room + header->nlmsg_len;
    const std::size_t aligned = NLMSG_ALIGN(size);
    FERRULE_CHECK(header->nlmsg_len + aligned <= sizeof room);
    header->nlmsg_len += static_cast<std::uint32_t>(aligned);
    return place;
  }
};

}  // namespace ferrule::io
