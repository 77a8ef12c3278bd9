// A WireGuard device, sans-IO: it decides, and says what is to be sent; others read clocks and sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/keys.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "protocol/batch.h"
#include "protocol/budget.h"
#include "protocol/configuration.h"
#include "protocol/configurator.h"
#include "protocol/data_path.h"
#include "protocol/device_tables.h"
#include "protocol/exclusion.h"
#include "protocol/handshaker.h"
#include "protocol/outbox.h"
#include "protocol/restored_memory.h"

namespace ferrule::protocol {

/// The tables, and three parts that they are shared by. The calls are the parts', and fall into two sides.
/// **Data path** calls may run in any number of threads, each holding the tables shared (exclusion.h).
/// **Control** calls run one at a time; they may run beside the data path, and take the tables exclusively
/// for microseconds where they change them.
class Device {
 public:
  /// Keeps references: all of them outlive the device. `rng` must be thread-safe if the data path has
  /// more than one thread.
  Device(Rng& rng, const crypto::AeadBackend& aead, Exclusion& exclusion, Log& log)
      : tables_(exclusion),
        data_path_(rng, tables_),
        handshaker_(rng, aead, log, tables_, restored_),
        configurator_(tables_, restored_, handshaker_) {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // --- data path: as DataPath says ---

  /// For those who have to do with nothing else.
  [[nodiscard]] DataPath& data_path() noexcept { return data_path_; }
  [[nodiscard]] Drop admit_handshake(HandshakeMessage& message, MessageType type) const noexcept {
    return data_path_.admit_handshake(message, type);
  }
  void plan_send(const Now& now, std::span<OutboundPacket> packets, SendPlan& plan,
                 Attention& attention) {
    data_path_.plan_send(now, packets, plan, attention);
  }
  void stage(const Now& now, const StagingPlace& place, Bytes packet, std::uint16_t lane,
             Attention& attention) noexcept {
    data_path_.stage(now, place, packet, lane, attention);
  }
  void take_staged(const Now& now, PeerId peer, std::uint16_t lane, StagedBatch& out,
                   Attention& attention) noexcept {
    data_path_.take_staged(now, peer, lane, out, attention);
  }
  void plan_receive(const Now& now, std::span<InboundMessage> messages, ReceivePlan& plan) {
    data_path_.plan_receive(now, messages, plan);
  }
  void finish_receive(const Now& now, const ReceivePlan& plan, std::span<InboundMessage> messages,
                      Attention& attention) noexcept {
    data_path_.finish_receive(now, plan, messages, attention);
  }
  void sent(PeerId peer, std::uint64_t bytes, int error, Attention& attention) noexcept {
    data_path_.sent(peer, bytes, error, attention);
  }
  void source_refused(PeerId peer, const Source& refused, SourceUse left) {
    data_path_.source_refused(peer, refused, left);
  }
  [[nodiscard]] DropCounters& drops() noexcept { return tables_.drops; }
  [[nodiscard]] std::size_t mtu() const noexcept { return data_path_.mtu(); }
  /// Follows the interface (P75c). Any thread.
  void set_mtu(std::size_t mtu) noexcept { tables_.mtu.store(mtu, std::memory_order_relaxed); }

  // --- control: as Handshaker says ---

  OpenedHandshakes handle(const Now& now, std::span<const ReceivedHandshake> received,
                          Outbox& outbox) noexcept {
    return handshaker_.handle(now, received, outbox);
  }
  OpenedHandshakes handle(const Now& now, const HandshakeMessage& message, bool under_load,
                          Outbox& outbox) noexcept {
    const ReceivedHandshake received{message, under_load};
    return handle(now, {&received, 1}, outbox);
  }
  [[nodiscard]] std::size_t attend(const Now& now, std::span<const PeerId> peers, Budget& budget,
                                   Outbox& outbox) noexcept {
    return handshaker_.attend(now, peers, budget, outbox);
  }
  void attend(const Now& now, PeerId peer, Outbox& outbox) noexcept {
    Budget one = Budget::unlimited();
    (void)attend(now, {&peer, 1}, one, outbox);
  }
  using Deadline = Handshaker::Deadline;
  [[nodiscard]] std::optional<Deadline> next_deadline() noexcept {
    return handshaker_.next_deadline();
  }
  [[nodiscard]] bool fire_timers(const Now& now, Budget& budget, Outbox& outbox) noexcept {
    return handshaker_.fire_timers(now, budget, outbox);
  }
  void judge_sources(SourceJudge judge) { handshaker_.judge_sources(std::move(judge)); }
  [[nodiscard]] std::uint64_t cookie_replies() const noexcept {
    return handshaker_.cookie_replies();
  }
  [[nodiscard]] std::uint64_t initiations_sent() const noexcept {
    return handshaker_.initiations_sent();
  }
  [[nodiscard]] std::uint64_t initiations_answered() const noexcept {
    return handshaker_.initiations_answered();
  }
  /// The private key's copy for a status answer; all zero when there is none.
  [[nodiscard]] PrivateKey private_key() const {
    return PrivateKey(handshaker_.identity().private_key.clone());
  }

  // --- control: as Configurator says ---

  void yield_to(std::function<void()> others) { configurator_.yield_to(std::move(others)); }
  void abandon() noexcept { configurator_.abandon(); }
  [[nodiscard]] bool is_abandoned() const noexcept { return configurator_.is_abandoned(); }
  [[nodiscard]] Result<void> prepare(const DeviceChange& change) {
    return configurator_.prepare(change);
  }
  void unprepare() noexcept { configurator_.unprepare(); }
  void apply(const Now& now, DeviceChange change, Outbox& outbox) noexcept {
    configurator_.apply(now, std::move(change), outbox);
  }
  void up() noexcept { configurator_.up(); }
  void down() noexcept { configurator_.down(); }
  [[nodiscard]] bool is_up() const noexcept { return tables_.up; }
  void forget_sources() { configurator_.forget_sources(); }
  void check_sources(SourceCheck check) { configurator_.check_sources(std::move(check)); }
  [[nodiscard]] bool checks_sources() const noexcept { return configurator_.checks_sources(); }
  [[nodiscard]] bool catch_up(const Now& now, Budget& budget) noexcept {
    return configurator_.catch_up(now, budget);
  }
  [[nodiscard]] std::size_t peer_count() const noexcept { return tables_.peers.size(); }
  using PeerCursor = Configurator::PeerCursor;
  bool visit_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                   const std::function<void(const PeerStatus&)>& visit) const {
    return configurator_.visit_peers(cursor, count, visit);
  }

  // --- control: what is kept across restarts, as RestoredMemory says ---

  /// What a device knew that had the same private key, as it will turn out: peers take it up as they
  /// are added. Of another key's nothing is taken. Call before anything is applied.
  void remember(DeviceMemory memory) { restored_.remember(std::move(memory)); }
  /// Whether what was remembered turned out to be another key's.
  [[nodiscard]] bool remembers_another() const noexcept { return restored_.is_foreign(); }
  void reserve_stamps(const Timestamp& until) noexcept { restored_.reserve_stamps(until); }
  [[nodiscard]] const std::optional<Timestamp>& stamp_floor() const noexcept {
    return restored_.stamp_floor();
  }
  /// Rises with everything that is worth remembering. Any thread.
  [[nodiscard]] std::uint64_t memory_changes() const noexcept {
    return tables_.memory_changes.load(std::memory_order_relaxed);
  }
  /// Whom the memory is of; none without a private key.
  [[nodiscard]] std::optional<DeviceMemory::Identity> memory_identity() const noexcept {
    return handshaker_.memory_identity();
  }
  using MemoryCursor = Configurator::MemoryCursor;
  bool visit_memory(const Now& now, MemoryCursor& cursor, std::size_t count,
                    const std::function<void(const PeerMemory&)>& visit) const {
    return configurator_.visit_memory(now, cursor, count, visit);
  }

 private:
  DeviceTables tables_;
  RestoredMemory restored_;
  DataPath data_path_;
  Handshaker handshaker_;
  Configurator configurator_;
};

}  // namespace ferrule::protocol
