// What tests of the outer door share.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "io/udp.h"

namespace ferrule::io {

using ByteVector = std::vector<std::uint8_t>;

/// `size` bytes that repeat nowhere soon.
inline ByteVector pattern(std::size_t size, std::uint8_t seed = 1) {
  ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(seed + i * 7 + i / 251);
  }
  return bytes;
}

inline Endpoint endpoint(std::string_view address, std::uint16_t port) {
  return {IpAddress::parse(address).value(), port, 0};
}

/// One datagram as it was received.
struct Datagram {
  ByteVector bytes;
  Endpoint from;
  Source to;
  std::uint8_t ecn = 0;
};

/// Slots with their rooms.
class Slots {
 public:
  explicit Slots(std::size_t count, std::size_t room_size = 65536)
      : rooms_(count, ByteVector(room_size)), slots_(count) {
    for (std::size_t i = 0; i < count; ++i) slots_[i].room = rooms_[i];
  }
  std::span<ReceivedDatagrams> span() { return slots_; }
  ReceivedDatagrams& operator[](std::size_t i) { return slots_[i]; }

 private:
  std::vector<ByteVector> rooms_;
  std::vector<ReceivedDatagrams> slots_;
};

/// Cuts what one receive gave into its datagrams.
inline void cut(const ReceivedDatagrams& slot, std::vector<Datagram>& out) {
  std::size_t at = 0;
  do {
    const std::size_t size = std::min(slot.segment_size, slot.size - at);
    const Bytes bytes = Bytes(slot.room).subspan(at, size);
    out.push_back({{bytes.begin(), bytes.end()}, slot.from, slot.to, slot.ecn});
    at += size;
  } while (at < slot.size);
}

/// Waits until `count` datagrams have come, two seconds at most, and gives all that have.
inline std::vector<Datagram> receive(Udp& udp, std::size_t count, std::size_t room_size = 65536) {
  std::vector<Datagram> datagrams;
  Slots slots(16, room_size);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  for (;;) {
    const auto got = udp.receive(slots.span());
    for (std::size_t i = 0; i < got.value_or(0); ++i) cut(slots[i], datagrams);
    if (!got || datagrams.size() >= count) return datagrams;
    if (std::chrono::steady_clock::now() > deadline) return datagrams;
    if (*got == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// An entry and the bytes that it points to.
struct Entry {
  ByteVector bytes;
  std::vector<Bytes> parts;
  OutgoingDatagrams outgoing;

  Entry(ByteVector all, const Endpoint& to, std::size_t segment_size = 0) : bytes(std::move(all)) {
    parts.push_back(bytes);
    outgoing.parts = parts;
    outgoing.to = to;
    outgoing.segment_size = segment_size;
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
};

inline std::size_t send(Udp& udp, OutgoingDatagrams& entry) { return udp.send({&entry, 1}); }

}  // namespace ferrule::io
