// Where the fields of IP, TCP, UDP and ICMP headers stand, and the numbers in them. Offsets are in
// bytes from the start of the header that the namespace is named after.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ferrule::packet {

constexpr std::size_t kMaxIpLength = 65535;  // what an IPv4 length field can say

namespace ipv4 {
constexpr std::size_t kHeaderSize = 20;  // without options
constexpr std::size_t kTrafficClass = 1;
constexpr std::size_t kLength = 2;
constexpr std::size_t kId = 4;
constexpr std::size_t kFragment = 6;  // flags and fragment offset
constexpr std::size_t kTtl = 8;
constexpr std::size_t kProtocol = 9;
constexpr std::size_t kChecksum = 10;
constexpr std::size_t kSource = 12;
constexpr std::size_t kDestination = 16;
constexpr std::size_t kAddressSize = 4;

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kFragmentOffsetMask = 0x1fff;
}  // namespace ipv4

namespace ipv6 {
constexpr std::size_t kHeaderSize = 40;  // without extension headers
constexpr std::size_t kPayloadLength = 4;
constexpr std::size_t kNextHeader = 6;
constexpr std::size_t kHopLimit = 7;
constexpr std::size_t kSource = 8;
constexpr std::size_t kDestination = 24;
constexpr std::size_t kAddressSize = 16;
}  // namespace ipv6

namespace tcp {
constexpr std::size_t kHeaderSize = 20;  // without options
constexpr std::size_t kSequence = 4;
constexpr std::size_t kAcknowledgement = 8;
constexpr std::size_t kDataOffset = 12;  // upper four bits, in words of four bytes
constexpr std::size_t kFlags = 13;
constexpr std::size_t kWindow = 14;
constexpr std::size_t kChecksum = 16;
constexpr std::size_t kUrgentPointer = 18;

constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kUrg = 0x20;
constexpr std::uint8_t kEce = 0x40;
constexpr std::uint8_t kCwr = 0x80;
}  // namespace tcp

namespace udp {
constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kLength = 4;
constexpr std::size_t kChecksum = 6;
}  // namespace udp

namespace icmp {
constexpr std::size_t kHeaderSize = 8;  // of an error message, and of ICMPv6's
constexpr std::size_t kType = 0;
constexpr std::size_t kCode = 1;
constexpr std::size_t kChecksum = 2;
}  // namespace icmp

namespace protocol {
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kDestinationOptions = 60;
}  // namespace protocol

}  // namespace ferrule::packet
