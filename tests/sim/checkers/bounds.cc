// What waits is bounded, memory is, and who is done with everything waits for nothing (P33, P73).
#include <algorithm>

#include "protocol/constants.h"
#include "sim/checkers/all.h"
#include "sim/host.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

// Tables, and room to grow in; a peer with keys in all slots; a peer that has none; what a staged packet
// takes beside itself.
constexpr std::size_t kDeviceBytes = 128 << 10;
constexpr std::size_t kBusyPeerBytes = 12 << 10;
constexpr std::size_t kIdlePeerBytes = 3 << 10;
constexpr std::size_t kStagedExtraBytes = 512;

class Bounds final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "bounds"; }

  void stepped(World& world) override {
    for (const auto& host : world.hosts()) {
      if (host->staged > protocol::kMaxStagedPackets * host->device->peer_count()) {
        fail("host " + std::to_string(host->id) + " keeps " + std::to_string(host->staged) +
             " packets, or has lost count of them");
      }
      const std::size_t peers = host->model.peers().size();
      if (host->heap.bytes > kDeviceBytes + peers * kBusyPeerBytes + staged_bytes(*host)) {
        fail_for_memory(*host);
      }
      if (host->device->peer_count() != host->model.peers().size()) {
        fail("host " + std::to_string(host->id) + " does not have the peers that it should");
      }
    }
  }

  void rested(World& world) override {
    for (const auto& host : world.hosts()) {
      for (const auto& [key, peer] : host->model.peers()) {
        if (peer.persistent_keepalive_s != 0) return;  // then there is no rest
      }
    }
    for (const auto& host : world.hosts()) {
      if (host->staged != 0) fail("packets are still staged after a long rest");
      if (host->device->next_deadline()) fail("an idle device waits for something");
      if (host->heap.bytes > kDeviceBytes + host->model.peers().size() * kIdlePeerBytes) {
        fail_for_memory(*host);
      }
    }
  }

 private:
  // By their number, and by the device's bound (P73a).
  static std::size_t staged_bytes(const Host& host) {
    const std::size_t most = host.largest_staged + kStagedExtraBytes;
    return std::min(host.staged * most, protocol::kMaxStagedBytes +
                                            host.model.peers().size() * most +
                                            host.staged * kStagedExtraBytes);
  }
  void fail_for_memory(const Host& host) const {
    fail("host " + std::to_string(host.id) + " holds " + std::to_string(host.heap.bytes) +
         " bytes for " + std::to_string(host.model.peers().size()) + " peers and " +
         std::to_string(host.staged) + " staged packets");
  }
};

}  // namespace

std::unique_ptr<Checker> make_bounds_checker() { return std::make_unique<Bounds>(); }

}  // namespace ferrule::sim
