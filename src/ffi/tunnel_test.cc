#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/hex_testing.h"
#include "ferrule.h"

namespace ferrule::ffi {
namespace {

using Key = std::array<std::uint8_t, FERRULE_KEY_BYTES>;
using Packet = std::vector<std::uint8_t>;

Packet ipv4(std::uint8_t from, std::uint8_t to, std::size_t size = 100) {
  Packet packet(size);
  const std::uint8_t header[] = {
      0x45, 0, 0, static_cast<std::uint8_t>(size), 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, from, 10,
      0,    0, to};
  std::copy(std::begin(header), std::end(header), packet.begin());
  return packet;
}

// A tunnel with a clock that its tests move.
class Side {
 public:
  explicit Side(std::uint8_t number) : number_(number) {
    EXPECT_EQ(ferrule_private_key(private_key_.data()), FERRULE_OK);
    EXPECT_EQ(ferrule_public_key(private_key_.data(), public_key_.data()), FERRULE_OK);
    EXPECT_EQ(ferrule_tunnel_new(nullptr, &tunnel_), FERRULE_OK);
    address_.family = 4;
    address_.port = 51820;
    address_.address[3] = number;
  }
  ~Side() { ferrule_tunnel_free(tunnel_); }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  operator ferrule_tunnel*() const { return tunnel_; }
  [[nodiscard]] const Key& public_key() const { return public_key_; }
  [[nodiscard]] std::int32_t configure(const std::string& request) {
    const ferrule_time time = now();
    return ferrule_configure(tunnel_, &time, request.data(), request.size());
  }
  void configure(const Side& peer) {
    const std::string number = std::to_string(peer.number_);
    ASSERT_EQ(configure("set=1\nprivate_key=" + test::hex(private_key_) + "\nlisten_port=77\n" +
                        "public_key=" + test::hex(peer.public_key_) + "\nendpoint=0.0.0." + number +
                        ":51820\nallowed_ip=10.0.0." + number + "/32\n\n"),
              FERRULE_OK);
    const ferrule_time time = now();
    ASSERT_EQ(ferrule_up(tunnel_, &time), FERRULE_OK);
  }
  std::int32_t send(const Packet& packet) {
    const ferrule_time time = now();
    const ferrule_packet one{sizeof one, packet.data(), packet.size()};
    return ferrule_encapsulate(tunnel_, &time, &one, 1);
  }
  std::vector<Packet> datagrams() {
    std::vector<Packet> all;
    std::array<ferrule_outgoing, 4> some;
    some[0].size = sizeof some[0];
    for (std::int32_t count; (count = ferrule_take_datagrams(tunnel_, some.data(), 4)) > 0;) {
      for (std::int32_t i = 0; i < count; ++i) {
        all.emplace_back(some[i].data, some[i].data + some[i].length);
        EXPECT_EQ(some[i].size, sizeof some[i]);
        EXPECT_EQ(some[i].to.family, 4);
        EXPECT_EQ(ferrule_sent(tunnel_, &some[i], 0), FERRULE_OK);
      }
    }
    return all;
  }
  // What came of the datagrams of the other, back and forth.
  std::vector<Packet> exchange(Side& other) {
    std::vector<Packet> arrived;
    for (Packet& datagram : datagrams()) {
      const ferrule_time time = now();
      ferrule_incoming one{};
      one.size = sizeof one;
      one.data = datagram.data();
      one.length = datagram.size();
      one.from = address_;
      EXPECT_EQ(ferrule_decapsulate(other, &time, &one, 1), FERRULE_OK);
      ferrule_packet packet;
      packet.size = sizeof packet;
      while (ferrule_take_packets(other, &packet, 1) == 1) {
        arrived.emplace_back(packet.data, packet.data + packet.length);
      }
      for (Packet& more : other.exchange(*this)) arrived.push_back(std::move(more));
    }
    return arrived;
  }
  [[nodiscard]] std::string answer() const {
    std::string text(static_cast<std::size_t>(ferrule_answer(tunnel_, nullptr, 0)), ' ');
    EXPECT_EQ(ferrule_answer(tunnel_, text.data(), text.size()),
              static_cast<std::int64_t>(text.size()));
    return text;
  }
  static ferrule_time now() {
    static std::int64_t ns = 1'000'000'000;
    ferrule_time time{};
    time.size = sizeof time;
    time.boot_ns = ns += 1'000'000;
    time.wall_seconds = 1'800'000'000;
    time.wall_nanoseconds = static_cast<std::uint32_t>(ns % 1'000'000'000);
    return time;
  }

 private:
  std::uint8_t number_;
  Key private_key_{};
  Key public_key_{};
  ferrule_tunnel* tunnel_ = nullptr;
  ferrule_address address_{};
};

class FfiTunnel : public testing::Test {
 protected:
  void SetUp() override {
    a.configure(b);
    b.configure(a);
  }
  Side a{1};
  Side b{2};
};

TEST_F(FfiTunnel, APacketGoesFromOneEndToTheOther) {
  const Packet packet = ipv4(1, 2);
  EXPECT_EQ(a.send(packet), FERRULE_OK);
  EXPECT_EQ(a.exchange(b), std::vector<Packet>(1, packet));
}

TEST_F(FfiTunnel, WhatWasNotTakenIsForgottenWithTheNextCall) {
  EXPECT_EQ(a.send(ipv4(1, 2)), FERRULE_OK);
  const ferrule_time time = Side::now();
  EXPECT_EQ(ferrule_tick(a, &time), FERRULE_OK);
  EXPECT_TRUE(a.datagrams().empty());
}

TEST_F(FfiTunnel, AnOlderProgramsStructsAreShorter) {
  EXPECT_EQ(a.send(ipv4(1, 2)), FERRULE_OK);
  // One that knows neither peers nor traffic classes.
  constexpr std::size_t kOld = offsetof(ferrule_outgoing, peer);
  alignas(ferrule_outgoing) std::uint8_t room[2 * kOld + 8];
  std::memset(room, 0xee, sizeof room);
  std::memcpy(room, &kOld, sizeof kOld);
  auto* const first = reinterpret_cast<ferrule_outgoing*>(room);
  EXPECT_EQ(ferrule_take_datagrams(a, first, 2), 1);
  EXPECT_EQ(first->length, 148u);
  EXPECT_EQ(room[kOld], 0xee);
}

TEST_F(FfiTunnel, ANewerProgramsStructsAreLongerAndTheRestIsZero) {
  EXPECT_EQ(a.send(ipv4(1, 2)), FERRULE_OK);
  struct Newer {
    ferrule_outgoing known;
    std::uint64_t more;
  } newer{};
  newer.known.size = sizeof newer;
  newer.more = 7;
  EXPECT_EQ(ferrule_take_datagrams(a, &newer.known, 1), 1);
  EXPECT_EQ(newer.known.size, sizeof newer);
  EXPECT_EQ(newer.more, 0u);
}

TEST_F(FfiTunnel, WrongArgumentsAreRefusedAndChangeNothing) {
  ferrule_time time = Side::now();
  const Packet packet = ipv4(1, 2);
  ferrule_packet one{sizeof one, packet.data(), packet.size()};
  EXPECT_EQ(ferrule_encapsulate(nullptr, &time, &one, 1), FERRULE_INVALID);
  EXPECT_EQ(ferrule_encapsulate(a, nullptr, &one, 1), FERRULE_INVALID);
  EXPECT_EQ(ferrule_encapsulate(a, &time, nullptr, 1), FERRULE_INVALID);
  EXPECT_EQ(ferrule_encapsulate(a, &time, nullptr, 0), FERRULE_OK);
  one.size = 0;
  EXPECT_EQ(ferrule_encapsulate(a, &time, &one, 1), FERRULE_INVALID);
  one = {sizeof one, nullptr, 100};
  EXPECT_EQ(ferrule_encapsulate(a, &time, &one, 1), FERRULE_INVALID);
  time.wall_nanoseconds = 1'000'000'000;
  EXPECT_EQ(ferrule_tick(a, &time), FERRULE_INVALID);
  time.size = 3;
  EXPECT_EQ(ferrule_tick(a, &time), FERRULE_INVALID);
  EXPECT_EQ(ferrule_take_packets(a, nullptr, 1), FERRULE_INVALID);
  EXPECT_EQ(ferrule_set_mtu(a, 70'000), FERRULE_INVALID);
  EXPECT_EQ(ferrule_tunnel_new(nullptr, nullptr), FERRULE_INVALID);
}

TEST_F(FfiTunnel, TellsWhenItWantsToBeCalled) {
  EXPECT_EQ(a.send(ipv4(1, 2)), FERRULE_OK);
  (void)a.exchange(b);
  EXPECT_LE(ferrule_deadline(a), Side::now().boot_ns);  // to see to what was sent
  const ferrule_time time = Side::now();
  EXPECT_EQ(ferrule_tick(a, &time), FERRULE_OK);
  EXPECT_GT(ferrule_deadline(a), Side::now().boot_ns);
  EXPECT_LT(ferrule_deadline(a), INT64_MAX);
  EXPECT_EQ(ferrule_down(a), FERRULE_OK);
}

TEST_F(FfiTunnel, AGetAnswersWithTheConfiguration) {
  EXPECT_EQ(a.configure("get=1\n\n"), FERRULE_OK);
  const std::string answer = a.answer();
  EXPECT_NE(answer.find("public_key=" + test::hex(b.public_key()) + "\n"), answer.npos);
  EXPECT_NE(answer.find("listen_port=77\n"), answer.npos);
  EXPECT_EQ(answer.substr(answer.size() - 9), "errno=0\n\n");
}

TEST_F(FfiTunnel, ARefusedSetSaysWhyByLinuxsNumber) {
  EXPECT_EQ(a.configure("set=1\nlisten_port=xyz\n\n"), FERRULE_REFUSED);
  EXPECT_EQ(a.answer(), "errno=-22\n\n");
  EXPECT_EQ(a.configure(""), FERRULE_REFUSED);
  EXPECT_EQ(a.answer(), "");
}

TEST_F(FfiTunnel, StatisticsCountBytesAndRefusals) {
  EXPECT_EQ(a.send(ipv4(1, 2)), FERRULE_OK);
  EXPECT_EQ(a.exchange(b).size(), 1u);
  EXPECT_EQ(a.send(ipv4(1, 9)), FERRULE_OK);  // there is no such peer
  ferrule_statistics statistics{};
  EXPECT_EQ(ferrule_get_statistics(a, &statistics), FERRULE_INVALID);
  statistics.size = sizeof statistics;
  EXPECT_EQ(ferrule_get_statistics(a, &statistics), FERRULE_OK);
  EXPECT_EQ(statistics.peers, 1u);
  EXPECT_GT(statistics.tx_bytes, 148u);
  EXPECT_GT(statistics.rx_bytes, 0u);
  EXPECT_EQ(statistics.dropped, 1u);
  EXPECT_EQ(statistics.listen_port, 77);

  std::uint64_t all = 0;
  std::uint64_t count = 0;
  std::string reasons;
  for (std::uint32_t i = 0; const char* name = ferrule_drop_reason(a, i, &count); ++i) {
    all += count;
    if (count != 0) reasons += name;
  }
  EXPECT_EQ(all, 1u);
  EXPECT_EQ(reasons, "no_route");
}

std::int32_t no_randomness(void*, std::uint8_t*, std::size_t) { return -1; }
void note(void* lines, std::int32_t, const char* line, std::size_t length) {
  static_cast<std::vector<std::string>*>(lines)->emplace_back(line, length);
}

// Up, with a peer for whom there is a packet. The caller frees it.
ferrule_tunnel* tunnel_with_a_packet_to_send(const ferrule_options& options) {
  ferrule_tunnel* tunnel = nullptr;
  EXPECT_EQ(ferrule_tunnel_new(&options, &tunnel), FERRULE_OK);
  const ferrule_time time = Side::now();
  const std::string request = "set=1\nprivate_key=" + std::string(63, '0') +
                              "8\npublic_key=" + std::string(63, '1') +
                              "2\nendpoint=192.0.2.1:1\nallowed_ip=10.0.0.2/32\n\n";
  EXPECT_EQ(ferrule_configure(tunnel, &time, request.data(), request.size()), FERRULE_OK);
  EXPECT_EQ(ferrule_up(tunnel, &time), FERRULE_OK);
  const Packet packet = ipv4(1, 2);
  const ferrule_packet one{sizeof one, packet.data(), packet.size()};
  EXPECT_EQ(ferrule_encapsulate(tunnel, &time, &one, 1), FERRULE_OK);
  return tunnel;
}

TEST(FfiOptions, ACallerWithoutRandomnessGetsNoHandshakes) {
  ferrule_options options{};
  options.size = sizeof options;
  options.random = no_randomness;
  ferrule_tunnel* const tunnel = tunnel_with_a_packet_to_send(options);
  ferrule_outgoing outgoing;
  outgoing.size = sizeof outgoing;
  EXPECT_EQ(ferrule_take_datagrams(tunnel, &outgoing, 1), 0);
  ferrule_tunnel_free(tunnel);
}

TEST(FfiOptions, LinesForPeopleComeToTheCaller) {
  std::vector<std::string> lines;
  ferrule_options options{};
  options.size = sizeof options;
  options.user = &lines;
  options.log = note;
  options.log_level = FERRULE_VERBOSE;
  ferrule_tunnel* const tunnel = tunnel_with_a_packet_to_send(options);
  EXPECT_FALSE(lines.empty());
  ferrule_tunnel_free(tunnel);
}

TEST(FfiKeys, AreReadAsTheyAreWritten) {
  Key key;
  ASSERT_EQ(ferrule_private_key(key.data()), FERRULE_OK);
  char text[FERRULE_KEY_TEXT_BYTES];
  ASSERT_EQ(ferrule_key_to_text(key.data(), text), FERRULE_OK);
  EXPECT_EQ(std::strlen(text), FERRULE_KEY_TEXT_BYTES - 1u);
  Key read;
  EXPECT_EQ(ferrule_key_from_text(text, std::strlen(text), read.data()), FERRULE_OK);
  EXPECT_EQ(read, key);
  EXPECT_EQ(ferrule_key_from_text(text, 10, read.data()), FERRULE_INVALID);
}

TEST(FfiErrors, EachHasAText) {
  for (std::int32_t error = FERRULE_INTERNAL; error <= FERRULE_OK; ++error) {
    EXPECT_GT(std::strlen(ferrule_error_text(error)), 0u);
  }
  EXPECT_GT(std::strlen(ferrule_error_text(-99)), 0u);
  EXPECT_EQ(ferrule_abi_version(), std::uint32_t{FERRULE_ABI_VERSION});
}

}  // namespace
}  // namespace ferrule::ffi
