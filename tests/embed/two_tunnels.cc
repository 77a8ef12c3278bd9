// Two tunnels in one process: an example of how a program embeds libferrule. It brings a clock, randomness
// and a network, which is two function calls here, and gets WireGuard.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "tunnel/tunnel.h"

namespace {

using namespace ferrule;

class Silence final : public Log {
 public:
  bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

Now now() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wall);
  return {Instant::from_ns(std::chrono::steady_clock::now().time_since_epoch().count()),
          {seconds.count(), static_cast<std::uint32_t>(Duration(wall - seconds).count())}};
}

std::string text_of(const PrivateKey& key) {
  std::string text(kKeyHexSize, ' ');
  key_to_hex(key.bytes(), std::span<char, kKeyHexSize>(text));
  return text;
}

struct Side {
  crypto::SystemRng rng;
  Silence log;
  PrivateKey key = *crypto::generate_private_key(rng);
  Endpoint endpoint;
  tunnel::Tunnel tunnel{rng, log};
  tunnel::Output out;

  bool configure(const Side& peer, const std::string& allowed_ip) {
    const std::string request = "set=1\nprivate_key=" + text_of(key) +
                                "\npublic_key=" + to_hex(crypto::public_key_of(peer.key)) +
                                "\nendpoint=" + peer.endpoint.to_string() +
                                "\nallowed_ip=" + allowed_ip + "\n\n";
    const bool done = tunnel.configure(now(), request, out).view() == "errno=0\n\n";
    tunnel.up(now(), out);
    return done;
  }
};

// The network: what one side has to send is given to the other, and what that leads to, back.
void carry(Side& from, Side& to) {
  std::vector<std::vector<std::uint8_t>> datagrams;
  for (const tunnel::Outgoing& datagram : from.out.datagrams) {
    datagrams.emplace_back(datagram.bytes.begin(), datagram.bytes.end());
    from.tunnel.sent(datagram);
  }
  for (std::vector<std::uint8_t>& datagram : datagrams) {
    const tunnel::Incoming incoming{datagram, from.endpoint, {}, 0};
    to.tunnel.decapsulate(now(), {&incoming, 1}, to.out);
    for (const Bytes packet : to.out.packets) std::printf("%zu bytes arrived\n", packet.size());
    carry(to, from);
  }
}

}  // namespace

int main() {
  Side a;
  Side b;
  a.endpoint = *Endpoint::parse("192.0.2.1:51820");
  b.endpoint = *Endpoint::parse("192.0.2.2:51820");
  if (!a.configure(b, "10.0.0.2/32") || !b.configure(a, "10.0.0.1/32")) return 1;

  std::vector<std::uint8_t> packet(100);  // IPv4, from 10.0.0.1 to 10.0.0.2
  packet[0] = 0x45;
  packet[3] = 100;
  packet[8] = 64;
  for (const auto& [at, last] : {std::pair(12, 1), std::pair(16, 2)}) {
    packet[at] = 10;
    packet[at + 3] = static_cast<std::uint8_t>(last);
  }
  const Bytes batch[] = {packet};
  a.tunnel.encapsulate(now(), batch, a.out);
  carry(a, b);  // handshake and all

  // A program with an event loop would wait until then, and call tick.
  const auto next = b.tunnel.next_deadline();
  if (!next) return 1;
  std::printf("b wants to be called in %.1f s\n",
              std::chrono::duration<double>(*next - now().boot).count());
}
