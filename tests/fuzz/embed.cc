// The C ABI as a program calls it: two tunnels, of which the input chooses calls, texts and datagrams. Nothing
// crashes, and what the library gives is in its own memory.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "ferrule.h"
#include "tests/fuzz/choices.h"

namespace ferrule::fuzz {
namespace {

constexpr std::size_t kMaxCalls = 64;
constexpr std::size_t kBatch = 4;

std::int32_t zeros(void*, std::uint8_t* out, std::size_t length) {
  std::fill_n(out, length, std::uint8_t{7});
  return 0;
}

class Program {
 public:
  explicit Program(Choices choices) : choices_(choices) {
    ferrule_options options{};
    options.size = sizeof options;
    options.random = zeros;
    for (ferrule_tunnel*& tunnel : tunnels_) {
      FERRULE_CHECK(ferrule_tunnel_new(&options, &tunnel) == FERRULE_OK);
    }
    configure();
  }
  ~Program() {
    for (ferrule_tunnel* tunnel : tunnels_) ferrule_tunnel_free(tunnel);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void run() {
    for (std::size_t calls = 0; calls < kMaxCalls && !choices_.empty(); ++calls) step();
  }

 private:
  // Each the other's peer, whose keys are 8, 0.. and 16, 0..
  void configure() {
    for (std::size_t i = 0; i < 2; ++i) {
      std::array<std::uint8_t, 32> other{};
      std::array<std::uint8_t, 32> key{};
      other[0] = i == 0 ? 16 : 8;
      other[31] = 64;
      FERRULE_CHECK(ferrule_public_key(other.data(), key.data()) == FERRULE_OK);
      const std::string number = i == 0 ? "2" : "1";
      const std::string request = "set=1\nprivate_key=" + std::string(i == 0 ? "08" : "10") +
                                  std::string(60, '0') + "40\npublic_key=" + hex(key) +
                                  "\nendpoint=192.0.2." + number + ":1\nallowed_ip=10.0.0." +
                                  number + "/32\n\n";
      const ferrule_time time = now();
      FERRULE_CHECK(ferrule_configure(tunnels_[i], &time, request.data(), request.size()) ==
                    FERRULE_OK);
      FERRULE_CHECK(ferrule_up(tunnels_[i], &time) == FERRULE_OK);
    }
  }
  static std::string hex(const std::array<std::uint8_t, 32>& key) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : key) text += {kDigits[byte >> 4], kDigits[byte & 15]};
    return text;
  }
  ferrule_time now() const {
    ferrule_time time{};
    time.size = sizeof time;
    time.boot_ns = boot_ns_;
    time.wall_seconds = 1'800'000'000 + boot_ns_ / 1'000'000'000;
    return time;
  }
  std::vector<std::uint8_t> some_bytes() {
    std::vector<std::uint8_t> bytes(choices_.byte());
    for (std::uint8_t& byte : bytes) byte = choices_.byte();
    return bytes;
  }

  void step() {
    ferrule_tunnel* const tunnel = tunnels_[choices_.byte() & 1];
    const ferrule_time time = now();
    switch (choices_.byte() % 7) {
      case 0:
        (void)ferrule_tick(tunnel, &time);
        break;
      case 1:
        boot_ns_ += std::int64_t{choices_.word()} * 10'000'000;
        break;
      case 2: {
        std::vector<std::uint8_t> bytes = some_bytes();
        const ferrule_packet packet{sizeof packet, bytes.data(), bytes.size()};
        (void)ferrule_encapsulate(tunnel, &time, &packet, bytes.empty() ? 0 : 1);
        break;
      }
      case 3: {
        // One that was on its way, with a byte changed, or anything.
        std::vector<std::uint8_t> bytes = on_the_way_.empty() ? some_bytes() : on_the_way_;
        if (!bytes.empty() && choices_.byte() % 2 != 0) bytes[choices_.byte() % bytes.size()] ^= 1;
        receive(tunnel, bytes);
        return;
      }
      case 4: {
        const std::vector<std::uint8_t> text = some_bytes();
        (void)ferrule_configure(tunnel, &time, reinterpret_cast<const char*>(text.data()),
                                text.size());
        (void)ferrule_answer(tunnel, nullptr, 0);
        break;
      }
      case 5: {
        const std::vector<std::uint8_t> text = some_bytes();
        ferrule_conf* conf = nullptr;
        (void)ferrule_conf_read("x", reinterpret_cast<const char*>(text.data()), text.size(),
                                &conf);
        ferrule_conf_free(conf);
        return;
      }
      default:
        (void)ferrule_down(tunnel);
        (void)ferrule_up(tunnel, &time);
    }
    take(tunnel);
  }

  void receive(ferrule_tunnel* tunnel, std::vector<std::uint8_t>& bytes) {
    if (bytes.empty()) return;
    ferrule_incoming incoming{};
    incoming.size = sizeof incoming;
    incoming.data = bytes.data();
    incoming.length = bytes.size();
    incoming.from.family = static_cast<std::uint8_t>(choices_.byte() % 8);
    const ferrule_time time = now();
    FERRULE_CHECK(ferrule_decapsulate(tunnel, &time, &incoming, 1) == FERRULE_OK);
    ferrule_packet packet{};
    packet.size = sizeof packet;
    while (ferrule_take_packets(tunnel, &packet, 1) == 1) {
      FERRULE_CHECK(packet.data >= bytes.data() &&
                    packet.data + packet.length <= bytes.data() + bytes.size());
    }
    take(tunnel);
  }

  void take(ferrule_tunnel* tunnel) {
    std::array<ferrule_outgoing, kBatch> some{};
    some[0].size = sizeof some[0];
    for (std::int32_t count; (count = ferrule_take_datagrams(tunnel, some.data(), kBatch)) > 0;) {
      for (std::int32_t i = 0; i < count; ++i) {
        on_the_way_.assign(some[i].data, some[i].data + some[i].length);
        FERRULE_CHECK(ferrule_sent(tunnel, &some[i], choices_.byte() % 16 == 1 ? 1 : 0) ==
                      FERRULE_OK);
      }
    }
    (void)ferrule_deadline(tunnel);
  }

  Choices choices_;
  std::array<ferrule_tunnel*, 2> tunnels_{};
  std::int64_t boot_ns_ = 1'000'000'000;
  std::vector<std::uint8_t> on_the_way_;
};

}  // namespace
}  // namespace ferrule::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ferrule::fuzz::Program(ferrule::fuzz::Choices(data, size)).run();
  return 0;
}
