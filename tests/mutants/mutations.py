"""The deliberate mistakes: each is one change of one source file, which a test must catch.

To add one: the rule that it breaks, in a few words; the file; the text as it stands there, once; and
what takes its place. The table is kept as the sources are: a text that is not found is an error.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    file: str
    text: str
    replacement: str


SEND, RECEIVE = "src/protocol/device_send.cc", "src/protocol/device_receive.cc"
HANDSHAKE, TIMERS = "src/protocol/device_handshake.cc", "src/protocol/timers.cc"
INITIATION = "src/protocol/device_initiation.cc"
CONFIGURATION = "src/protocol/device_configuration.cc"
DEVICE_TIMERS = "src/protocol/device_timers.cc"
KEYPAIR, REPLAY, COOKIE, RATELIMITER = (
    f"src/protocol/{name}.cc" for name in ("keypair", "replay", "cookie", "ratelimiter"))

MUTATIONS = [Mutation(*fields) for fields in [
    ("P1 a DH of zero is no error", "src/protocol/noise.cc", "  if (!dh.accepted) return false;\n", ""),
    ("P24 a handshake takes a second response", HANDSHAKE,
     "  peer->handshake.sent.reset();  // P24; its index goes on as the keypair's\n", ""),
    ("P26 a peer need not be configured", HANDSHAKE,
     "incoming.sender = peers_.find(incoming.initiation->static_key);",
     "incoming.sender = peers_.first();"),
    ("P27 the same timestamp again is fine", HANDSHAKE,
     "timestamp <= *handshake.greatest_received", "timestamp < *handshake.greatest_received"),
    ("P30 a forged response cancels the handshake", HANDSHAKE,
     "if (!keys) {\n    drops_.count(Drop::bad_handshake);",
     "if (!keys) {\n    clear_handshake(*peer);\n    drops_.count(Drop::bad_handshake);"),
    ("P31 an initiation is ignored while ours waits", HANDSHAKE,
     "if (const Drop drop = check_freshness(",
     "if (peer.handshake.sent) return Drop::initiation_flood;\n  if (const Drop drop = check_freshness("),
    ("P33 an index outlives its keypair", CONFIGURATION,
     "indices_.remove(keypair->local_index());", "(void)keypair;"),
    ("P42 the responder sends before its key is confirmed", KEYPAIR,
     "next_ = std::move(fresh);", "previous_ = std::move(current_);\n    current_ = std::move(fresh);"),
    ("P43 the window is one too short", REPLAY,
     "greatest_ - counter > kReplayWindow", "greatest_ - counter >= kReplayWindow"),
    ("P43 the window is one too long", REPLAY,
     "greatest_ - counter > kReplayWindow", "greatest_ - counter > kReplayWindow + 1"),
    ("P43 a duplicate is accepted", REPLAY, "if ((seen & bit) != 0) return false;", ""),
    ("P43 the previous keypair's window is the current one's", RECEIVE,
     "if (!keypair.replay().accept(message.counter))",
     "Keypair& judged = traffic.keypairs.current() ? *traffic.keypairs.current() : keypair;\n"
     "  if (!judged.replay().accept(message.counter))"),
    ("P43 a wrong tag moves the window", RECEIVE,
     "if (!message.opened) return Drop::bad_tag;",
     "if (!message.opened) {\n    (void)keypair.replay().accept(message.counter);\n"
     "    return Drop::bad_tag;\n  }"),
    ("P44a staged packets take counters that are not reserved", SEND,
     "const std::optional<std::uint64_t> counter = current->reserve(count);",
     "const std::optional<std::uint64_t> counter = current->next_counter();"),
    ("P45 a key opens messages for 181 s", RECEIVE,
     "entry->keypair->expired(now.boot)", "entry->keypair->expired(now.boot - 1s)"),
    ("P45 a key seals messages for 181 s", SEND,
     "if (traffic.staged.empty() && current && current->may_send(now.boot)) {",
     "if (traffic.staged.empty() && current && current->may_send(now.boot - 1s)) {"),
    ("P46 a replaced key still delivers", RECEIVE,
     "if (!keypair.attached()) return Drop::expired_keypair;", ""),
    ("P50 a lost initiation is not sent again", TIMERS,
     "arm(Timer::retransmit, now + kRekeyTimeout + jitter(rng));", "(void)now, (void)jitter(rng);"),
    ("P50 a new private key leaves a handshake to its timer", TIMERS,
     "old one\n  arm(Timer::retransmit, now);", "\n  (void)now;"),
    ("P50 waiting for its turn costs a handshake an attempt", TIMERS,
     "arm(Timer::retransmit, at);\n  deferred_ = true;", "arm(Timer::retransmit, at);"),
    ("P51 initiations come 4 s after one another", INITIATION,
     "now.boot - *handshake.last_sent_at < kRekeyTimeout",
     "now.boot - *handshake.last_sent_at < kRekeyTimeout - 1s"),
    ("P52 data during the wait gets no further keepalive", TIMERS,
     "need_another_keepalive_ = true;", ""),
    ("P53 silence after data starts no handshake", TIMERS,
     "arm(Timer::new_handshake, now + kNewHandshakeAfter + jitter(rng));",
     "(void)now, (void)jitter(rng);"),
    ("P54 keys are kept for a minute more", TIMERS,
     "void Timers::session_derived(Instant now) noexcept { arm(Timer::zero_keys, now + kZeroKeysAfter",
     "void Timers::session_derived(Instant now) noexcept { arm(Timer::zero_keys, now + kZeroKeysAfter + 60s"),
    ("P55 traffic does not put the persistent keepalive off", TIMERS,
     "if (persistent_s_ != 0) persistent_keepalive_due(now);", "(void)now;"),
    ("P56 the initiator does not rekey in time", SEND,
     "current->age(now.boot) >= kRekeyAfterTime", "current->age(now.boot) >= kRejectAfterTime"),
    ("P58 a session that may not send ends a handshake", RECEIVE,
     "if (traffic.keypairs.current()->may_send(now.boot)) {", "{"),
    ("P59a a persistent keepalive that can't be sent is the last", DEVICE_TIMERS,
     "timers.persistent_keepalive_due(now.boot);", ""),
    ("P60 stamps follow the wall clock backwards", INITIATION,
     "if (handshake.last_sent && timestamp <= *handshake.last_sent) {", "if (false) {"),
    ("P72 any peer's source will do", RECEIVE,
     "return owner == peer.id ? Drop::none", "return !owner.is_none() ? Drop::none"),
    ("P73 a packet too many is staged", SEND,
     "traffic.staged.size() >= kMaxStagedPackets", "traffic.staged.size() > kMaxStagedPackets"),
    ("P73 staged packets vanish uncounted", SEND, "    drops_.count(why);\n", ""),
    ("P74 a message that does not open moves the endpoint", RECEIVE,
     "if (!message.opened) return Drop::bad_tag;",
     "traffic.endpoint = message.from;\n  if (!message.opened) return Drop::bad_tag;"),
    ("P74 a cookie reply moves the endpoint", HANDSHAKE,
     "  // The endpoint stays as it is: nothing here proves who sent this (P74).\n",
     "  peer->traffic.endpoint = message.from;\n"),
    ("P77 new packets overtake staged ones", SEND,
     "if (traffic.staged.empty() && current && current->may_send(now.boot)) {",
     "if (current && current->may_send(now.boot)) {"),
    ("P80 mac1 is not looked at", RECEIVE,
     "!mac1_.check(message)) return Drop::bad_mac1;",
     "!mac1_.check(message)) return Drop::none;"),
    ("P81 a cookie is used for 10 s more", COOKIE,
     "now - *cookie_taken_ < kCookieUsableFor", "now - *cookie_taken_ < kCookieUsableFor + 10s"),
    ("P82 an idle device asks for cookies", HANDSHAKE,
     "if (!received.under_load) {", "if (!received.under_load && received.message.size == 0) {"),
    ("P82 who has a cookie may send at any rate", HANDSHAKE,
     "if (ratelimiter_.allow(now.boot, message.from.address)) return true;", "return true;"),
    ("P82 each IPv6 address has a bucket of its own", RATELIMITER,
     "const SourceKey key = SourceKey::of(source);",
     "SourceKey key = SourceKey::of(source);\n"
     "  if (key.family == Family::v6) key.prefix ^= load_le64(source.bytes().data() + 8);"),
    ("P83 a cookie is good for every port", COOKIE, "store_be16(port.data(), from.port);",
     "store_be16(port.data(), 0);"),
    ("P84 a cookie reply is taken twice", COOKIE, "  awaits_reply_ = false;\n", ""),
    ("P101 an old private key's secret is kept", CONFIGURATION,
     "    peer->handshake.static_static.reset();  // P25\n", ""),
    ("P43 a key that is not the current one takes a counter twice", RECEIVE,
     "if (!keypair.replay().accept(message.counter))",
     "if (!keypair.replay().accept(message.counter) && traffic.keypairs.current().get() == &keypair)"),
    ("P51 a handshake that comes too soon is forgotten", TIMERS,
     "  arm(Timer::retransmit, at);\n  deferred_", "  (void)at;\n  deferred_"),
    ("P60 an initiation repeats the last stamp", INITIATION,
     "timestamp = next_timestamp(*handshake.last_sent);", "timestamp = *handshake.last_sent;"),
    ("P80 mac1 of a response is not looked at", RECEIVE,
     "if (type != MessageType::cookie_reply && !mac1_",
     "if (type == MessageType::handshake_initiation && !mac1_"),
    ("P83 a cookie's secret is kept for an hour", COOKIE,
     "now - *secret_made_ < kCookieSecretLifetime", "now - *secret_made_ < 30 * kCookieSecretLifetime"),
]]
