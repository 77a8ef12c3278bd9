// What every inner packet was when it was sent, and what has become of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/keys.h"
#include "base/net.h"
#include "base/time.h"
#include "sim/datagram.h"

namespace ferrule::sim {

struct PacketRecord {
  HostId sender = kNobody;
  IpAddress source;
  std::uint64_t digest = 0;
  std::optional<PublicKey> routed_to;  // as the sender's configuration had it then
  PublicKey sealed_as;                 // the sender's key when it left
  Instant sent_at;                     // by the world's clock
  bool left = false;                   // sealed, and given to the socket
  unsigned delivered = 0;
};

/// Packets by their number. A value of the world.
class Ledger {
 public:
  [[nodiscard]] std::uint64_t next_number() const noexcept { return records_.size(); }
  void add(PacketRecord record) { records_.push_back(std::move(record)); }
  [[nodiscard]] PacketRecord* find(std::optional<std::uint64_t> number) noexcept {
    return number && *number < records_.size() ? &records_[*number] : nullptr;
  }
  [[nodiscard]] const PacketRecord* find(std::optional<std::uint64_t> number) const noexcept {
    return number && *number < records_.size() ? &records_[*number] : nullptr;
  }

 private:
  std::vector<PacketRecord> records_;
};

}  // namespace ferrule::sim
