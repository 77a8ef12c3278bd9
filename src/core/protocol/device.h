// A WireGuard device, sans-IO: it decides, and says what is to be sent; others read clocks and sockets.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fixed_vector.h"
#include "base/keys.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "protocol/allowed_ips.h"
#include "protocol/batch.h"
#include "protocol/budget.h"
#include "protocol/configuration.h"
#include "protocol/cookie.h"
#include "protocol/deadline_heap.h"
#include "protocol/drop.h"
#include "protocol/exclusion.h"
#include "protocol/handshake_queue.h"
#include "protocol/index_table.h"
#include "protocol/peer_table.h"
#include "protocol/ratelimiter.h"

namespace ferrule::protocol {

/// A message that the control side wants sent: a handshake message, a cookie reply or a keepalive.
struct OutgoingMessage {
  std::array<std::uint8_t, kMaxHandshakeSize> bytes;
  std::uint8_t size = 0;
  std::uint8_t traffic_class = 0;
  Endpoint to;
  Source from;
  PeerId peer;  // none for a cookie reply

  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes.data(), size); }
  [[nodiscard]] MutBytes room() noexcept { return MutBytes(bytes.data(), size); }
};

/// A message of the handshake queue. `under_load` is HandshakeQueue's answer for its source.
struct ReceivedHandshake {
  HandshakeMessage message;
  bool under_load = false;
};

/// What the control side wants done. The caller sends `messages` in order and has every lane call
/// Device::take_staged for each peer in `flush`, then clears both.
struct Outbox {
  std::vector<OutgoingMessage> messages;
  std::vector<PeerId> flush;
};

/// Says how much of `at`, where a peer that is at `to` has reached us, is good for answers: not unknown.
using SourceJudge = std::function<SourceUse(const Endpoint& to, const Source& at)>;
/// The same when the network has changed.
struct SourceVerdict {
  SourceUse use;
  bool is_the_interfaces;  // the address belongs to that very interface
};
using SourceCheck = std::function<SourceVerdict(const Endpoint& to, const Source& at)>;

/// The size of the message that carries an inner packet of `size` bytes: header, the packet padded to
/// a multiple of 16 but never beyond the MTU (P70), tag.
[[nodiscard]] std::size_t padded_size(std::size_t size, std::size_t mtu) noexcept;
[[nodiscard]] inline std::size_t transport_size(std::size_t size, std::size_t mtu) noexcept {
  return padded_size(size, mtu) + TransportLayout::kOverhead;
}

/// The calls fall into two sides. **Data path** calls may run in any number of threads, each holding
/// the tables shared (exclusion.h). **Control** calls run one at a time; they may run beside the data
/// path, and take the tables exclusively for microseconds where they change them.
///
/// Without memory (P35) a message or packet is dropped, and counted as no_resources; timers ask again
/// for what could not be sent. The only std::bad_alloc comes from plan_send, plan_receive and
/// visit_peers, where lists of the caller's can't grow; the device is sound then.
class Device {
 public:
  /// Keeps references: all of them outlive the device. `rng` must be thread-safe if the data path has
  /// more than one thread.
  Device(Rng& rng, const crypto::AeadBackend& aead, Exclusion& exclusion, Log& log);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // --- data path ---

  /// Drop::none when a handshake message (types 1 to 3) is worth queueing: its mac1 is ours (P80), and
  /// that is noted in it. `handle` believes the note, and checks messages without one itself.
  [[nodiscard]] Drop admit_handshake(HandshakeMessage& message, MessageType type) const noexcept;

  /// Routes each packet, takes keypairs and reserves counters; timers and byte counts are told at
  /// once. Appends the runs to `plan`. Packets of one flow keep their order over calls (P73, P77).
  void plan_send(const Now& now, std::span<OutboundPacket> packets, SendPlan& plan,
                 Attention& attention);
  /// Keeps one datagram's inner packet until its peer has a session (P73), and asks for one whatever
  /// becomes of the packet (P73a). `place` is the datagram's by its plan; `lane` will be asked for it.
  void stage(const Now& now, const StagingPlace& place, Bytes packet, std::uint16_t lane,
             Attention& attention) noexcept;
  /// Gives a lane the packets that it staged, if the peer has a session now.
  void take_staged(const Now& now, PeerId peer, std::uint16_t lane, StagedBatch& out,
                   Attention& attention) noexcept;

  /// Finds each message's keypair and checks age and limits (P72). Messages keep their slot; those
  /// with a drop are done.
  void plan_receive(const Now& now, std::span<InboundMessage> messages, ReceivePlan& plan);
  /// After opening, in the order of receipt, with the plan that the messages were opened by: replay window, endpoint, key confirmation, timers, inner
  /// header, ECN, source (P72).
  void finish_receive(const Now& now, const ReceivePlan& plan, std::span<InboundMessage> messages,
                      Attention& attention) noexcept;

  /// What became of messages to a peer, of every kind, once they were handed to the system: it took
  /// `bytes` of them (P78), and refused others for `error`, an errno; 0: none.
  void sent(PeerId peer, std::uint64_t bytes, int error, Attention& attention) noexcept;
  /// The kernel refused this source for the peer, whole or with its interface: `left` is `nothing` or
  /// `address`. Messages that come to it do not bring it back (P75).
  void source_refused(PeerId peer, const Source& refused, SourceUse left);

  [[nodiscard]] DropCounters& drops() noexcept { return drops_; }
  [[nodiscard]] std::size_t mtu() const noexcept { return mtu_.load(std::memory_order_relaxed); }
  /// Follows the interface (P75c). Any thread.
  void set_mtu(std::size_t mtu) noexcept { mtu_.store(mtu, std::memory_order_relaxed); }

  // --- control ---

  /// Messages of the handshake queue, in order. Many at once cost a fraction of one after the other.
  void handle(const Now& now, std::span<const ReceivedHandshake> received, Outbox& outbox) noexcept;
  void handle(const Now& now, const HandshakeMessage& message, bool under_load,
              Outbox& outbox) noexcept {
    const ReceivedHandshake received{message, under_load};
    handle(now, {&received, 1}, outbox);
  }
  /// Peers of an Attention list; the same holds. How many of them were attended to: the others are
  /// for a next call.
  [[nodiscard]] std::size_t attend(const Now& now, std::span<const PeerId> peers, Budget& budget,
                                   Outbox& outbox) noexcept;
  void attend(const Now& now, PeerId peer, Outbox& outbox) noexcept {
    Budget one = Budget::unlimited();
    (void)attend(now, {&peer, 1}, one, outbox);
  }

  struct Deadline {
    Instant at;
    PeerId peer;
    Timer reason;
  };
  /// When fire_timers is wanted next, and why; none when nothing is waited for.
  [[nodiscard]] std::optional<Deadline> next_deadline() noexcept;
  /// The timers that are due, earliest first. True: there are more.
  [[nodiscard]] bool fire_timers(const Now& now, Budget& budget, Outbox& outbox) noexcept;
  /// Goes on with what all peers are to follow (up, check_sources). True: there is more.
  [[nodiscard]] bool catch_up(const Now& now, Budget& budget) noexcept;

  /// What takes long with very many peers (prepare, apply, down, forget_sources) calls `others` now and
  /// then, between two steps. It may call what has to do with handshakes, lanes and timers (handle, attend,
  /// fire_timers, catch_up), and nothing that configures. To be set before anything else is called.
  void yield_to(std::function<void()> others) { others_ = std::move(others); }
  /// For `others`: what takes long may end half done, since the device is to be taken apart. A change that
  /// is being prepared is refused.
  void abandon() noexcept { abandoned_ = true; }
  [[nodiscard]] bool is_abandoned() const noexcept { return abandoned_; }

  /// Whether `change` can be applied whole; if so, takes all the memory for that. no_space_on_device
  /// or not_enough_memory otherwise, and nothing has changed.
  [[nodiscard]] Result<void> prepare(const DeviceChange& change);
  /// Gives back what was prepared and will not be applied.
  void unprepare() noexcept;
  /// Applies a prepared change, which can't fail. listen_port and fwmark are the sockets' and not
  /// looked at.
  void apply(const Now& now, DeviceChange change, Outbox& outbox) noexcept;

  /// The interface went up or down (P59a). A device starts down. Keepalives of peers that want them
  /// come with `catch_up` and `fire_timers`, as fast as those are given budgets.
  void up() noexcept;
  void down() noexcept;
  [[nodiscard]] bool is_up() const noexcept { return up_; }
  /// Every sticky source is forgotten: the port or the mark changed (P75).
  void forget_sources();
  /// Calls `check` for each peer that has reached us (P75), as `catch_up` comes to it. From the start again
  /// when that is under way.
  void check_sources(SourceCheck check);
  [[nodiscard]] bool checks_sources() const noexcept { return !checking_.is_over(); }
  /// Asked once for each place that a peer reaches us at, in a control call: of a handshake message
  /// before it is answered, of data soon after; until then answers leave from the address alone.
  /// Without a judge, from what was written to. To be set before anything else is called.
  void judge_sources(SourceJudge judge) { source_judge_ = std::move(judge); }

  /// The private key's copy for a status answer; all zero when there is none.
  [[nodiscard]] PrivateKey private_key() const { return PrivateKey(identity_.private_key.clone()); }
  /// Good cookie replies that have come: from peers under load, who want to see it in mac2 (P81).
  [[nodiscard]] std::uint64_t cookie_replies() const noexcept { return cookie_replies_; }
  /// Handshakes that this side began, each try, and those of them that led to a session.
  [[nodiscard]] std::uint64_t initiations_sent() const noexcept { return initiations_sent_; }
  [[nodiscard]] std::uint64_t initiations_answered() const noexcept {
    return initiations_answered_;
  }
  [[nodiscard]] std::size_t peer_count() const noexcept { return peers_.size(); }
  // What is kept across restarts (restored_memory.cc).

  /// What a device knew that had the same private key, as it will turn out: peers take it up as they
  /// are added. Of another key's nothing is taken. Call before anything is applied.
  void remember(DeviceMemory memory);
  /// Whether what was remembered turned out to be another key's.
  [[nodiscard]] bool remembers_another() const noexcept { return memory_is_foreign_; }
  /// Stamps of the wall clock are sent up to this one; when it is later than that, they go on in the
  /// smallest steps (P29). Until the first call there is no limit.
  void reserve_stamps(const Timestamp& until) noexcept { stamp_limit_ = until; }
  /// Rises with everything that is worth remembering. Any thread.
  [[nodiscard]] std::uint64_t memory_changes() const noexcept {
    return memory_changes_.load(std::memory_order_relaxed);
  }
  /// Whom the memory is of; none without a private key.
  [[nodiscard]] std::optional<DeviceMemory::Identity> memory_identity() const noexcept;
  /// No stamp that was sent before this device was made is greater.
  [[nodiscard]] const std::optional<Timestamp>& stamp_floor() const noexcept {
    return stamp_floor_;
  }
  struct MemoryCursor;
  /// Visits what is to be remembered of up to `count` peers, and moves the cursor on; at the end, of
  /// those that are not here yet. False when there are no more.
  bool visit_memory(const Now& now, MemoryCursor& cursor, std::size_t count,
                    const std::function<void(const PeerMemory&)>& visit) const;

  /// Where a walk over the peers stands. The peer may go while the walk rests.
  struct PeerCursor {
    PeerId peer;
    std::uint64_t sequence = 0;
  };
  /// Visits up to `count` peers, oldest first, from the start or from where `cursor` says, and moves
  /// it on: perhaps none, where the one that it rested at has gone. False when there are no more.
  bool visit_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                   const std::function<void(const PeerStatus&)>& visit) const;
  struct MemoryCursor {
    std::optional<PeerCursor> peer;
    bool peers_done = false;
    std::size_t unclaimed = 0;
  };

 private:
  using RunOf = std::span<OutboundPacket>;

  // data path (data_path_send.cc, data_path_receive.cc)
  void route(std::span<OutboundPacket> packets) const noexcept;
  void plan_run(const Now& now, RunOf run, RunOf before, SendPlan& plan, Attention& attention);
  void plan_run_locked(const Now& now, Peer& peer, RunOf run, bool must_wait, SendPlan& plan);
  void plan_to_stage(PeerTraffic& traffic, RunOf run) noexcept;
  void refuse(RunOf run, Drop why) noexcept;
  [[nodiscard]] static bool may_be_ours(Bytes packet, const packet::IpView& ip) noexcept;
  [[nodiscard]] bool is_of_locked(const Peer& peer, std::uint32_t index,
                                  bool is_data) const noexcept;
  [[nodiscard]] Peer* returned_to(const Now& now, const ReturnedMessage& message,
                                  Peer& through) noexcept;
  void drop_loop(const Now& now, OutboundPacket& packet, Attention& attention) noexcept;
  void keep_key_fresh_sending(const Now& now, PeerTraffic& traffic) noexcept;
  void keep_key_fresh_receiving(const Now& now, PeerTraffic& traffic) noexcept;
  void raise_attention(Peer& peer, Attention& attention) noexcept;
  Drop accept_locked(const Now& now, Peer& peer, Keypair& keypair, InboundMessage& message);
  Drop inspect_inner(const Peer& peer, InboundMessage& message) const noexcept;

  // staged packets (data_path_staging.cc)
  [[nodiscard]] bool may_stage() const noexcept { return up_ && mac1_.has_identity(); }
  void ask_to_send(const Now& now, PeerTraffic& traffic) noexcept;
  void make_room(Peer& own) noexcept;
  void expire_staged(const Now& now, Peer& peer) noexcept;
  void drop_staged(Peer& peer, Drop why) noexcept;

  // handshake messages that came (handshaker.cc)
  struct Incoming;
  void handle_together(const Now& now, std::span<const ReceivedHandshake> received, Outbox& outbox);
  std::optional<MessageType> admit(const Now& now, const ReceivedHandshake& received,
                                   Outbox& outbox);
  bool proves_address(const Now& now, const HandshakeMessage& message, Outbox& outbox);
  void open_together(const Now& now, std::span<Incoming> batch) noexcept;
  void process(const Now& now, Incoming& incoming);
  Drop accept(const Now& now, Incoming& incoming);
  void respond_together(const Now& now, std::span<Incoming> batch);
  void respond(const Now& now, Incoming& incoming, IndexCandidates& indices);
  void install_together(const Now& now, std::span<Incoming> batch) noexcept;
  void install(const Now& now, Incoming& incoming) noexcept;
  void conclude(const Now& now, Incoming& incoming, Outbox& outbox);
  void conclude_response(const Now& now, Peer& peer, Outbox& outbox);
  Peer* awaiting_response(const Now& now, Bytes message);
  Drop accept_response(const Now& now, Incoming& incoming);
  void handle_cookie_reply(const Now& now, const HandshakeMessage& message);
  void received_handshake_message(const Now& now, Peer& peer, const HandshakeMessage& message);
  [[nodiscard]] Crossing crossing_of(const Peer& peer) const noexcept;
  void keep_static_static(Peer& peer, Dh& ss);
  void log_peer(const Peer& peer, std::string_view what,
                LogLevel level = LogLevel::verbose) const noexcept;

  // handshake messages of ours, and keepalives (handshaker_initiation.cc)
  struct Starting;
  void start_wanted_handshake(const Now& now, Peer& peer, Outbox& outbox);
  void start_handshake(const Now& now, const Peer& peer, Outbox& outbox);
  void start_queued(const Now& now, Outbox& outbox);
  std::optional<OutgoingMessage> begin_initiation(const Now& now, Peer& peer);
  void finish_initiation(const Now& now, Starting& starting, Outbox& outbox);
  void make_initiation(const Now& now, Starting& starting, IndexCandidates& indices);
  void insert_together(std::span<Starting> batch) noexcept;
  void clear_handshake(Peer& peer);
  void post(const OutgoingMessage& message, Outbox& outbox) noexcept;
  [[nodiscard]] static bool ask_flush(PeerId peer, Outbox& outbox) noexcept;
  void send_keepalive(const Now& now, Peer& peer, Outbox& outbox);
  void send_staged_or_keepalive(const Now& now, Peer& peer, Outbox& outbox);

  // what became of messages (data_path_outcome.cc)
  void tell_outcome(const Now& now, Peer& peer) noexcept;
  void tell(const Now& now, const Peer& peer, std::string_view what) noexcept;

  // timers (handshaker_timers.cc)
  using RetiredTogether = FixedVector<KeypairSlots::Retired, kHandshakesTogether>;
  void attend_one(const Now& now, PeerId peer, RetiredTogether& retired, Outbox& outbox);
  void fire_next(const Now& now, Peer& peer, Outbox& outbox);
  void wake(const Now& now, Peer& peer) noexcept;
  [[nodiscard]] std::size_t messages_made(const Outbox& outbox) const noexcept;
  void fire(const Now& now, Peer& peer, const DueTimers& due, Outbox& outbox);
  void fire_retransmit(const Now& now, Peer& peer, Outbox& outbox);
  void fire_keepalive(const Now& now, Peer& peer, Outbox& outbox);
  void fire_new_handshake(const Now& now, Peer& peer, Outbox& outbox);
  void fire_persistent_keepalive(const Now& now, Peer& peer, Outbox& outbox);
  void reschedule(Peer& peer) noexcept;

  // memory (restored_memory.cc)
  void know_whose_memory();
  void claim_memory(Peer& peer) noexcept;
  bool forget_claimed(Budget& budget) noexcept;
  void revive(const Now& now, Peer& peer) noexcept;
  [[nodiscard]] Timestamp next_stamp(const Now& now, const Peer& peer) const noexcept;
  [[nodiscard]] std::optional<PeerMemory> memory_of(const Now& now, const Peer& peer) const;
  void memory_changed() noexcept { memory_changes_.fetch_add(1, std::memory_order_relaxed); }

  // configuration (configurator.cc)
  void worked(std::size_t units);
  std::size_t count_added(const DeviceChange& change);
  [[nodiscard]] const Peer* resume(PeerCursor& cursor, std::size_t& count) const noexcept;
  bool walk_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                  const std::function<void(const Peer&)>& visit) const;
  void take_memory(const DeviceChange& change);
  void set_private_key(const Now& now, PrivateKey key);
  void follow_identity(const Now& now, Peer& peer);
  void apply_peer(const Now& now, PeerChange& change, Outbox& outbox);
  void set_allowed_ips(PeerId peer, PeerChange& change);
  void remove_other_allowed_ips(PeerId peer, const PeerChange& change);
  void remove_allowed_ips(PeerId peer);
  void remove_peer(Peer& peer);
  [[nodiscard]] PeerStatus status_of(const Peer& peer) const;
  void clear_sessions(Peer& peer);
  [[nodiscard]] SourceUse first_use() const noexcept {
    return source_judge_ ? SourceUse::unknown : SourceUse::chosen;
  }
  void check_source(Peer& peer);
  void judge_source(Peer& peer);
  [[nodiscard]] Source source_of(const Peer& peer) const;
  void reap(RetiredTogether& retired) noexcept;
  void remove_indices(const KeypairSlots::Retired& retired) noexcept;

  Rng& rng_;
  const crypto::AeadBackend& aead_;
  Exclusion& exclusion_;
  Log& log_;
  DropCounters drops_;
  std::atomic<std::size_t> mtu_{1420};
  Staging staging_;
  std::atomic<std::uint64_t> memory_changes_{0};

  // Tables: read by the data path, changed by control under Exclusion::lock_tables.
  PeerTable peers_;
  AllowedIps allowed_ips_;
  IndexTable indices_;
  Mac1Checker mac1_;  // without an identity it refuses everything
  bool up_ = false;

  // Control alone.
  Identity identity_;
  std::uint32_t identities_ = 0;  // that there have been, none between two of them, too
  CookieChecker cookies_;
  RateLimiter ratelimiter_;
  SourceJudge source_judge_;
  std::optional<Instant> told_since_;  // the interval that `told_` lines of the log belong to
  unsigned told_ = 0;
  std::uint64_t cookie_replies_ = 0;
  std::uint64_t initiations_sent_ = 0;
  std::uint64_t initiations_answered_ = 0;
  DeadlineHeap deadlines_;
  // Peers that want an initiation sent: all at once, before a control call returns (start_queued).
  FixedVector<PeerId, kHandshakesTogether> starting_;
  PeerSweep waking_;    // the interface came up
  PeerSweep checking_;  // by `source_check_`
  SourceCheck source_check_;
  bool abandoned_ = false;
  std::function<void()> others_;
  std::size_t unyielded_ = 0;        // units of work since they were called last
  Segments<PeerMemory> remembered_;  // by public key; claimed ones have lost theirs
  std::size_t unclaimed_ = 0;        // of these
  std::optional<DeviceMemory::Identity> memory_identity_;  // whose it is, until that is known
  bool memory_is_foreign_ = false;
  std::optional<Timestamp> remembered_floor_, stamp_floor_, stamp_limit_;
  Instant next_revival_;
};

/// A handshake message of ours, still without its bytes.
[[nodiscard]] OutgoingMessage outgoing_handshake(PeerId peer, std::size_t size, const Endpoint& to,
                                                 const Source& from);

}  // namespace ferrule::protocol
