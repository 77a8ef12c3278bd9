// Everything that can happen in the simulated world. One thing is one struct:
//   kWeight          how often it is chosen, beside the others
//   choose(world)    its details, by the world's dice
//   apply(world)     makes it happen
//   text()           says it in a trace
// To add one, write such a struct and name it in `Transition`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "sim/attacker.h"
#include "sim/host.h"
#include "sim/monitor.h"
#include "sim/network.h"

namespace ferrule::sim {

class World;

// --- traffic ---

/// A host sends inner packets to a peer: any size, both families, perhaps many at once, perhaps with a
/// source that is not its own, perhaps to an address that is nobody's.
struct SendPackets {
  static constexpr unsigned kWeight = 120;
  HostId from;
  IpAddress source;
  IpAddress destination;
  std::size_t size;
  std::size_t count;
  std::uint8_t traffic_class;
  static SendPackets choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// What the interface gives is no IP packet.
struct SendGarbage {
  static constexpr unsigned kWeight = 2;
  HostId from;
  Packet bytes;
  static SendGarbage choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A program on a host pings peers that are not there, for the rest of the round: many of them, or so
/// much that the device's bound of what may wait is reached.
struct PingTheAbsent {
  static constexpr unsigned kWeight = 1;
  Monitor::Plan plan;
  static PingTheAbsent choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// One message is overtaken by as many as the replay window is long, give or take one.
struct Overtake {
  static constexpr unsigned kWeight = 1;
  HostId from;
  HostId to;
  std::size_t by;
  static Overtake choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};

// --- the network ---

struct ChangeFaults {
  static constexpr unsigned kWeight = 12;
  Faults faults;
  static ChangeFaults choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// The network falls into two parts.
struct Partition {
  static constexpr unsigned kWeight = 3;
  std::uint64_t sides;
  static Partition choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct EndPartition {
  static constexpr unsigned kWeight = 5;
  static EndPartition choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct RebindNat {
  static constexpr unsigned kWeight = 4;
  std::size_t nat;
  static RebindNat choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A host has another address; behind a NAT or in public as before.
struct MoveHost {
  static constexpr unsigned kWeight = 3;
  HostId host;
  static MoveHost choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A host's socket has another port.
struct ChangePort {
  static constexpr unsigned kWeight = 2;
  HostId host;
  std::uint16_t port;
  static ChangePort choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};

// --- time ---

/// The wall clock is set, up to an hour in either direction.
struct JumpWallClock {
  static constexpr unsigned kWeight = 3;
  HostId host;
  Duration by;
  static JumpWallClock choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A host sleeps while the others go on.
struct Suspend {
  static constexpr unsigned kWeight = 2;
  HostId host;
  Duration span;
  static Suspend choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A host's clock says that it slept, up to a day; nobody else saw it.
struct LoseTime {
  static constexpr unsigned kWeight = 2;
  HostId host;
  Duration span;
  static LoseTime choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct Pause {
  static constexpr unsigned kWeight = 3;
  Duration span;
  static Pause choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};

// --- what administrators do ---

/// With what it has in its state file, or an older one, or none.
struct Restart {
  static constexpr unsigned kWeight = 3;
  HostId host;
  Host::State from;
  static Restart choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct KeepState {
  static constexpr unsigned kWeight = 10;
  HostId host;
  static KeepState choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct DownAndUp {
  static constexpr unsigned kWeight = 2;
  HostId host;
  Duration span;
  static DownAndUp choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A new private key; the peers hear of it later.
struct ChangePrivateKey {
  static constexpr unsigned kWeight = 1;
  HostId host;
  std::uint64_t seed;
  Duration peers_hear_after;
  static ChangePrivateKey choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A new preshared key, on one side first.
struct ChangePresharedKey {
  static constexpr unsigned kWeight = 2;
  std::size_t link;
  std::uint64_t seed;
  Duration between;
  static ChangePresharedKey choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct RemovePeer {
  static constexpr unsigned kWeight = 2;
  HostId host;
  HostId peer;
  Duration back_after;
  static RemovePeer choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// A prefix of one peer, or a part of it, is another's for a while.
struct MoveAllowedIp {
  static constexpr unsigned kWeight = 3;
  HostId host;
  HostId from;
  HostId to;
  Cidr cidr;
  Duration back_after;
  static MoveAllowedIp choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct ChangeKeepalive {
  static constexpr unsigned kWeight = 3;
  HostId host;
  HostId peer;
  std::uint16_t seconds;
  static ChangeKeepalive choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct ChangeMtu {
  static constexpr unsigned kWeight = 1;
  HostId host;
  std::size_t mtu;
  static ChangeMtu choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};

// --- what the system refuses ---

/// For a while the RNG fails, sockets lose what is sent or refuse the source, or TUN takes no packet.
struct FailCalls {
  static constexpr unsigned kWeight = 4;
  enum class What : std::uint8_t { rng, send, source, tun };
  HostId host;
  What what;
  unsigned percent;
  Duration span;
  static FailCalls choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};

// --- the attacker ---

/// What went by is sent again: to the same host or another, from the same address or another.
struct Replay {
  static constexpr unsigned kWeight = 10;
  Datagram datagram;
  static Replay choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct Forge {
  static constexpr unsigned kWeight = 15;
  Forgery what;
  HostId victim;
  Endpoint from;
  static Forge choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
struct Flood {
  static constexpr unsigned kWeight = 1;
  HostId victim;
  std::size_t count;
  bool one_source;
  static Flood choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};
/// The next message of a host comes from the attacker's address, and only from there.
struct Divert {
  static constexpr unsigned kWeight = 3;
  HostId from;
  Endpoint by;
  static Divert choose(World& world);
  void apply(World& world) const;
  [[nodiscard]] std::string text() const;
};

using Transition =
    std::variant<SendPackets, SendGarbage, PingTheAbsent, Overtake, ChangeFaults, Partition,
                 EndPartition, RebindNat, MoveHost, ChangePort, JumpWallClock, Suspend, LoseTime,
                 Pause, Restart, KeepState, DownAndUp, ChangePrivateKey, ChangePresharedKey,
                 RemovePeer, MoveAllowedIp, ChangeKeepalive, ChangeMtu, FailCalls, Replay, Forge,
                 Flood, Divert>;
constexpr std::size_t kTransitionKinds = std::variant_size_v<Transition>;

/// How a round leans: some kinds do not happen in it, some happen often. Without that, every round
/// would have a bit of everything, and no two things would ever happen undisturbed.
class Mood {
 public:
  explicit Mood(Dice& dice);
  [[nodiscard]] unsigned weight(std::size_t kind) const noexcept { return weights_[kind]; }
  [[nodiscard]] unsigned total() const noexcept;

 private:
  std::array<unsigned, kTransitionKinds> weights_{};
};

[[nodiscard]] Transition choose_transition(World& world, const Mood& mood);
void apply_transition(const Transition& transition, World& world);
[[nodiscard]] std::string describe(const Transition& transition);

}  // namespace ferrule::sim
