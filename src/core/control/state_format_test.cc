#include "control/state_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ferrule::control {
namespace {

using protocol::PeerMemory;
using File = std::vector<std::uint8_t>;

void append(File& file, Bytes bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); }

void sign(File& file) { append(file, crypto::hash({file})); }

PeerMemory full() {
  PeerMemory peer;
  peer.public_key.bytes.fill(7);
  peer.endpoint = *Endpoint::parse("[fe80::1%3]:51820");
  peer.received = protocol::Timestamp{0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  peer.sent = protocol::Timestamp{0x40, 9};
  peer.tx_bytes = UINT64_MAX;
  peer.rx_bytes = 1;
  peer.seen_s = 1'700'000'000;
  peer.had_session = true;
  return peer;
}

File file_of(std::span<const PeerMemory> peers) {
  State state;
  state.written_s = 1'700'000'001;
  state.memory.identity.fill(3);
  state.memory.reserved = protocol::Timestamp{0x40, 0, 1};
  File file;
  append(file, state_header(state));
  for (const PeerMemory& peer : peers) append(file, state_record(peer));
  sign(file);
  return file;
}

std::string fault_of(const File& file) {
  const auto state = read_state(file);
  return state ? "" : std::string(state.error());
}

TEST(StateFormat, WhatIsWrittenIsReadAgain) {
  PeerMemory v4 = full();
  v4.endpoint = *Endpoint::parse("192.0.2.1:9");
  PeerMemory bare;
  bare.public_key.bytes.fill(1);
  const std::vector<PeerMemory> peers{full(), v4, bare};
  const auto state = read_state(file_of(peers));
  ASSERT_TRUE(state);
  EXPECT_TRUE(std::ranges::equal(state->memory.peers, peers));
  EXPECT_EQ(state->written_s, 1'700'000'001);
  EXPECT_EQ(state->memory.identity[31], 3);
  EXPECT_EQ(state->memory.reserved, (protocol::Timestamp{0x40, 0, 1}));
}

TEST(StateFormat, APrefixIsNeverBelieved) {
  const std::vector<PeerMemory> peers(3, full());
  const File file = file_of(peers);
  for (std::size_t size = 0; size < file.size(); ++size) {
    ASSERT_NE(fault_of(File(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), "")
        << size;
  }
}

TEST(StateFormat, NoChangedBitIsBelieved) {
  const std::vector<PeerMemory> peers(2, full());
  const File file = file_of(peers);
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    File changed = file;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1u << bit % 8));
    ASSERT_NE(fault_of(changed), "") << bit;
  }
}

TEST(StateFormat, ItSaysWhatIsWrong) {
  File file = file_of({});
  EXPECT_EQ(fault_of({}), "it is too short");
  File other = file;
  other[8] = 2;
  EXPECT_EQ(fault_of(other), "it is of another version");
  other = File(file.size(), 'x');
  EXPECT_EQ(fault_of(other), "it is no state file");
  other = file;
  other.push_back(0);
  EXPECT_EQ(fault_of(other), "it is torn: its size can't be");
  other = file;
  other.back() ^= 1;
  EXPECT_EQ(fault_of(other), "it is torn: its checksum is wrong");
}

TEST(StateFormat, ARecordThatCantBeIsRefused) {
  File file = file_of({});
  file.resize(kStateHeaderSize);
  StateRecord record = state_record(full());
  record[54] = 5;  // no family
  append(file, record);
  sign(file);
  EXPECT_EQ(fault_of(file), "it has a record that can't be");
}

}  // namespace
}  // namespace ferrule::control
