#include "io/linux/netlink_message.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <string>
#include <vector>

namespace ferrule::io {
namespace {

std::span<const std::byte> whole(const NetlinkRequest& request) {
  return {request.room, request.header->nlmsg_len};
}

// Each attribute as "type:size", those of a nest in brackets.
std::string shape(Bytes list) {
  std::string text;
  for_each_attribute_in(list, [&](const nlattr& attribute) {
    text += std::to_string(type_of(attribute));
    text += (attribute.nla_type & NLA_F_NESTED) != 0
                ? "[" + shape(bytes_of(attribute)) + "]"
                : ":" + std::to_string(bytes_of(attribute).size());
    text += ' ';
  });
  return text;
}

TEST(NetlinkMessage, IsReadAsItWasBuilt) {
  NetlinkRequest request(RTM_NEWLINK, NLM_F_CREATE);
  request.extra<ifinfomsg>().ifi_index = 7;
  request.put_text(IFLA_IFNAME, "wg0");
  nlattr& nest = request.begin_nest(IFLA_LINKINFO);
  request.put_text(IFLA_INFO_KIND, "wireguard");
  request.end_nest(nest);
  request.put_u32(IFLA_MTU, 1420);
  request.extra_again<ifinfomsg>().ifi_flags = 1;

  std::span<const std::byte> left = whole(request);
  const nlmsghdr* message = take_message(left);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->nlmsg_type, RTM_NEWLINK);
  EXPECT_EQ(message->nlmsg_flags, NLM_F_CREATE);
  const auto* link = extra_of<ifinfomsg>(*message);
  ASSERT_NE(link, nullptr);
  EXPECT_EQ(link->ifi_index, 7);
  EXPECT_EQ(link->ifi_flags, 1u);
  EXPECT_EQ(shape(payload_of(*message).subspan(sizeof *link)), "3:4 18[1:10 ] 4:4 ");
  for_each_attribute(*message, sizeof *link, [](const nlattr& attribute) {
    if (type_of(attribute) == IFLA_IFNAME) {
      EXPECT_EQ(text_of(attribute), "wg0");
      EXPECT_EQ(number_of(attribute), 0x00306777u);  // four bytes are a number too
    }
    if (type_of(attribute) == IFLA_MTU) {
      EXPECT_EQ(number_of(attribute), 1420u);
      EXPECT_EQ(text_of(attribute), "\x8c\x05");
    }
    if (type_of(attribute) == IFLA_LINKINFO) {
      EXPECT_EQ(number_of(attribute), std::nullopt);
    }
  });
  EXPECT_EQ(take_message(left), nullptr);
}

TEST(NetlinkMessage, SeveralStandBehindEachOther) {
  NetlinkRequest request(1, 0);
  request.put(9, std::vector<std::uint8_t>{1, 2, 3, 4, 5});
  std::vector<std::byte> both(whole(request).begin(), whole(request).end());
  both.insert(both.end(), whole(request).begin(), whole(request).end());
  std::span<const std::byte> left(both);
  EXPECT_NE(take_message(left), nullptr);
  EXPECT_NE(take_message(left), nullptr);
  EXPECT_EQ(take_message(left), nullptr);
}

// Whatever the lengths in it say, nothing is read beyond its end: a sanitizer watches.
TEST(NetlinkMessage, WhatIsNotWholeIsNotRead) {
  NetlinkRequest request(1, 0);
  request.put_u32(1, 7);
  request.put_u32(2, 8);
  const std::size_t whole = request.header->nlmsg_len;
  for (std::size_t size = 0; size <= whole; ++size) {
    const std::vector<std::byte> cut(request.room, request.room + size);
    std::span<const std::byte> left(cut);
    EXPECT_EQ(take_message(left) != nullptr, size == whole) << size;
  }
  const Bytes list = payload_of(*request.header);
  for (std::size_t size = 0; size < list.size(); ++size) {
    const std::vector<std::uint8_t> cut(list.begin(),
                                        list.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(shape(cut), size < 8 ? "" : "1:4 ") << size;
  }
  for (const int length : {0, 1, 3, 200}) {
    std::vector<std::uint8_t> lies(list.begin(), list.end());
    lies[8] = static_cast<std::uint8_t>(length);
    EXPECT_EQ(shape(lies), "1:4 ") << length;
  }
}

TEST(NetlinkMessage, TextEndsWithAZero) {
  NetlinkRequest request(1, 0);
  request.put(1, {});
  request.put(2, std::vector<std::uint8_t>{'a'});
  request.put(3, std::vector<std::uint8_t>{'a', 0, 'b', 0});
  std::vector<std::optional<std::string_view>> texts;
  for_each_attribute(*request.header, 0,
                     [&](const nlattr& attribute) { texts.push_back(text_of(attribute)); });
  EXPECT_EQ(texts, (std::vector<std::optional<std::string_view>>{std::nullopt, std::nullopt, "a"}));
}

TEST(NetlinkMessage, AHeaderThatIsNotThereIsNone) {
  const NetlinkRequest request(1, 0);
  EXPECT_EQ(extra_of<rtmsg>(*request.header), nullptr);
}

}  // namespace
}  // namespace ferrule::io
