// Nothing is delivered that was not sent, nothing twice, nothing to anybody else, and nothing from a
// source that its sender does not own (P72, P90).
#include <map>
#include <unordered_set>

#include "sim/checkers/all.h"
#include "sim/host.h"
#include "sim/packets.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

class Delivery final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "delivery"; }

  void emitted(const Host& host, const Datagram&, PeerId) override {
    hosts_[host.public_key()] = host.id;
  }

  void received(const Received& received) override {
    const std::optional<std::uint64_t> number = number_of(received.plaintext);
    const PacketRecord* record = received.host.world.ledger().find(number);
    if (received.delivered) {
      if (record == nullptr || digest_of(received.plaintext) != record->digest) {
        fail("something was delivered that nobody sent");
      }
      check(*record, *number, received.host);
    } else if (received.drop == protocol::Drop::inner_source && record != nullptr &&
               owns_source(*record, received.host)) {
      fail("packet " + std::to_string(*number) + " was refused, though its source is its sender's");
    }
  }

 private:
  static bool owns_source(const PacketRecord& record, const Host& receiver) {
    return receiver.model.owner(record.source) == record.sealed_as;
  }

  void check(const PacketRecord& record, std::uint64_t number, const Host& receiver) {
    const std::string packet = "packet " + std::to_string(number);
    if (!delivered_.insert(number).second) fail(packet + " was delivered twice");
    if (!record.left) fail(packet + " arrived before it left");
    if (!owns_source(record, receiver)) {
      fail(packet + " was delivered with a source that its sender does not own");
    }
    const auto meant = record.routed_to ? hosts_.find(*record.routed_to) : hosts_.end();
    if (meant == hosts_.end() || meant->second != receiver.id) {
      fail(packet + " was delivered to a host that it was not meant for");
    }
  }

  std::map<PublicKey, HostId> hosts_;  // whose each key is, or was
  std::unordered_set<std::uint64_t> delivered_;
};

}  // namespace

std::unique_ptr<Checker> make_delivery_checker() { return std::make_unique<Delivery>(); }

}  // namespace ferrule::sim
