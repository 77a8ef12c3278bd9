// Somebody who hears everything, sends from any address, and knows every public key but no secret.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "protocol/noise.h"
#include "sim/datagram.h"
#include "sim/dice.h"

namespace ferrule::sim {

class Host;
class World;

/// What he may send.
enum class Forgery : std::uint8_t {
  noise,           // any bytes, any length
  shaped_noise,    // type and length of a message, any bytes otherwise
  stranger,        // a whole initiation with a key that nobody knows
  impostor,        // one that names a peer's public key, without its private key
  zero_ephemeral,  // one whose ephemeral is a point of low order
  response,        // answers an initiation that went by, mac1 and all
  cookie,          // a cookie reply to a message that went by: anybody can make one
  transport,       // data with an index and a counter that may be right, and a wrong tag
  flipped,         // a message that went by, a bit changed
  count_,
};

class Attacker {
 public:
  explicit Attacker(std::uint64_t seed);

  void hears(const Datagram& datagram);
  /// A message that went by, long ago perhaps. Empty bytes when there was none.
  [[nodiscard]] Datagram recall();
  /// All that he still knows of what was on its way to this address.
  [[nodiscard]] std::vector<Datagram> recall_to(const Endpoint& address) const;
  /// A forged message for `victim`; its addresses are for the caller to choose.
  [[nodiscard]] Datagram forge(Forgery what, Host& victim, World& world);
  /// An address that is nobody's.
  [[nodiscard]] Endpoint own_endpoint();
  /// Initiations with a good mac1 from `count` addresses that are nobody's.
  [[nodiscard]] std::vector<Datagram> flood(const Host& victim, std::size_t count, bool one_source);

 private:
  [[nodiscard]] Packet random_bytes(std::size_t size);
  [[nodiscard]] Packet initiation(const PublicKey& victim, const PublicKey& claimed,
                                  bool zero_ephemeral);
  [[nodiscard]] Packet response(const PublicKey& victim, std::uint32_t receiver);
  [[nodiscard]] Packet cookie_reply(const PublicKey& of, Bytes answered);
  [[nodiscard]] const Datagram* heard(std::uint8_t type, HostId author);

  Dice dice_;
  DiceRng rng_;
  protocol::Identity identity_;
  std::deque<Datagram> recent_;
  std::array<std::vector<Datagram>, 4> old_;  // a sample of everything, by type
};

[[nodiscard]] std::string_view name_of(Forgery forgery) noexcept;

}  // namespace ferrule::sim
