// The sessions of a device's peers: handshakes, what timers do, keepalives. Sans-IO.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "base/fixed_vector.h"
#include "base/keys.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "protocol/batch.h"
#include "protocol/budget.h"
#include "protocol/configuration.h"
#include "protocol/cookie.h"
#include "protocol/deadline_heap.h"
#include "protocol/device_tables.h"
#include "protocol/handshake_queue.h"
#include "protocol/outbox.h"
#include "protocol/ratelimiter.h"
#include "protocol/restored_memory.h"

namespace ferrule::protocol {

/// Says how much of `at`, where a peer that is at `to` has reached us, is good for answers: not unknown.
using SourceJudge = std::function<SourceUse(const Endpoint& to, const Source& at)>;

/// What the control side of a Device does by itself. One call at a time, beside the data path.
///
/// Without memory (P35) a message is dropped, and counted as no_resources; timers ask again for what could
/// not be sent.
class Handshaker {
 public:
  /// Keeps references.
  Handshaker(Rng& rng, const crypto::AeadBackend& aead, Log& log, DeviceTables& tables,
             RestoredMemory& restored);

  /// Messages of the handshake queue, in order. Many at once cost a fraction of one after the other. What came
  /// of them is for the queue to learn.
  OpenedHandshakes handle(const Now& now, std::span<const ReceivedHandshake> received,
                          Outbox& outbox) noexcept;
  /// Peers of an Attention list; the same holds. How many of them were attended to: the others are
  /// for a next call.
  [[nodiscard]] std::size_t attend(const Now& now, std::span<const PeerId> peers, Budget& budget,
                                   Outbox& outbox) noexcept;

  struct Deadline {
    Instant at;
    PeerId peer;
    Timer reason;
  };
  /// When fire_timers is wanted next, and why; none when nothing is waited for.
  [[nodiscard]] std::optional<Deadline> next_deadline() noexcept;
  /// The timers that are due, earliest first. True: there are more.
  [[nodiscard]] bool fire_timers(const Now& now, Budget& budget, Outbox& outbox) noexcept;

  /// Asked once for each place that a peer reaches us at, in a control call: of a handshake message
  /// before it is answered, of data soon after; until then answers leave from the address alone.
  /// Without a judge, from what was written to. To be set before anything else is called.
  void judge_sources(SourceJudge judge);

  /// Good cookie replies that have come: from peers under load, who want to see it in mac2 (P81).
  [[nodiscard]] std::uint64_t cookie_replies() const noexcept { return cookie_replies_; }
  /// Handshakes that this side began, each try, and those of them that led to a session.
  [[nodiscard]] std::uint64_t initiations_sent() const noexcept { return initiations_sent_; }
  [[nodiscard]] std::uint64_t initiations_answered() const noexcept {
    return initiations_answered_;
  }

  // --- for who configures (handshaker_configuration.cc) ---

  [[nodiscard]] const Identity& identity() const noexcept { return identity_; }
  /// Whom what is remembered of this device is of; none without a private key.
  [[nodiscard]] std::optional<DeviceMemory::Identity> memory_identity() const noexcept;
  /// From now on this is the device's; all zero: it has none. Each peer is to follow it. False: it is that
  /// one already.
  [[nodiscard]] bool set_private_key(PrivateKey key);
  /// What belongs to an older identity goes, and what a new one makes possible begins. All peers are asked
  /// to after a change; one that has to do with a handshake meanwhile does so before its turn.
  void follow_identity(const Now& now, Peer& peer);
  /// One step of taking the memory for peers in the first `slots` slots. True: it is all there.
  [[nodiscard]] bool reserve_some(std::size_t slots) { return deadlines_.reserve_some(slots); }
  /// It was just added.
  void welcome(Peer& peer) noexcept;
  /// Its configuration has changed, and the device is up. `switched_on`: its persistent keepalive was.
  void changed(const Now& now, Peer& peer, bool switched_on, Outbox& outbox);
  /// Begins what `changed` and others before it left to be begun together.
  void start_queued(const Now& now, Outbox& outbox);
  /// The device came up: the peer's keepalive is due, and the timer sends it in its turn (P59a).
  void wake(const Now& now, Peer& peer) noexcept;
  /// The device went down.
  void stop(Peer& peer);
  /// It goes, and everything of it.
  void forget(Peer& peer);

 private:
  // handshake messages that came (handshaker.cc)
  struct Incoming;
  void handle_together(const Now& now, std::span<const ReceivedHandshake> received, Outbox& outbox,
                       OpenedHandshakes& opened);
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
  void judge_source(Peer& peer);
  [[nodiscard]] Source source_of(const Peer& peer) const;

  // handshake messages of ours, and keepalives (handshaker_initiation.cc)
  struct Starting;
  void start_wanted_handshake(const Now& now, Peer& peer, Outbox& outbox);
  void start_handshake(const Now& now, const Peer& peer, Outbox& outbox);
  std::optional<OutgoingMessage> begin_initiation(const Now& now, Peer& peer);
  void finish_initiation(const Now& now, Starting& starting, Outbox& outbox);
  void make_initiation(const Now& now, Starting& starting, IndexCandidates& indices);
  void insert_together(std::span<Starting> batch) noexcept;
  void post(const OutgoingMessage& message, Outbox& outbox) noexcept;
  [[nodiscard]] static bool ask_flush(PeerId peer, Outbox& outbox) noexcept;
  void send_keepalive(const Now& now, Peer& peer, Outbox& outbox);
  void send_staged_or_keepalive(const Now& now, Peer& peer, Outbox& outbox);

  // timers, and peers that the data path pointed out (handshaker_timers.cc)
  using RetiredTogether = FixedVector<KeypairSlots::Retired, kHandshakesTogether>;
  void attend_one(const Now& now, PeerId peer, RetiredTogether& retired, Outbox& outbox);
  void fire_next(const Now& now, Peer& peer, Outbox& outbox);
  [[nodiscard]] std::size_t messages_made(const Outbox& outbox) const noexcept;
  void fire(const Now& now, Peer& peer, const DueTimers& due, Outbox& outbox);
  void fire_retransmit(const Now& now, Peer& peer, Outbox& outbox);
  void fire_keepalive(const Now& now, Peer& peer, Outbox& outbox);
  void fire_new_handshake(const Now& now, Peer& peer, Outbox& outbox);
  void fire_persistent_keepalive(const Now& now, Peer& peer, Outbox& outbox);
  void reschedule(Peer& peer) noexcept;

  // what begins and ends with the configuration (handshaker_configuration.cc)
  void claim_memory(Peer& peer) noexcept;
  void revive(const Now& now, Peer& peer) noexcept;
  void clear_handshake(Peer& peer);
  void clear_sessions(Peer& peer);
  void reap(RetiredTogether& retired) noexcept;
  void remove_indices(const KeypairSlots::Retired& retired) noexcept;

  // what the log is told (handshaker_log.cc)
  void log_peer(const Peer& peer, std::string_view what,
                LogLevel level = LogLevel::verbose) const noexcept;
  void tell_outcome(const Now& now, Peer& peer) noexcept;
  void tell(const Now& now, const Peer& peer, std::string_view what) noexcept;

  Rng& rng_;
  const crypto::AeadBackend& aead_;
  Log& log_;
  DeviceTables& tables_;
  RestoredMemory& restored_;

  Identity identity_;
  std::uint32_t identities_ = 0;  // that there have been, none between two of them, too
  CookieChecker cookies_;
  RateLimiter ratelimiter_;
  SourceJudge source_judge_;
  DeadlineHeap deadlines_;
  // Peers that want an initiation sent: all at once, before a control call returns (start_queued).
  FixedVector<PeerId, kHandshakesTogether> starting_;
  Instant next_revival_;
  std::optional<Instant> told_since_;  // the interval that `told_` lines of the log belong to
  unsigned told_ = 0;
  std::uint64_t cookie_replies_ = 0;
  std::uint64_t initiations_sent_ = 0;
  std::uint64_t initiations_answered_ = 0;
};

}  // namespace ferrule::protocol
