#include "meeting.h"

#include <poll.h>

#include <algorithm>

#include "base/check.h"
#include "io/clock.h"
#include "protocol/constants.h"

namespace ferrule::bench {

namespace {

constexpr std::size_t kSlots = 32;
constexpr std::size_t kRoom = 65536;
constexpr std::size_t kBurst = 64;  // initiations sent before answers are looked at

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

void wait_for(const io::LinuxUdp& udp, int milliseconds) {
  pollfd door{udp.poll_fd(Family::v4), POLLIN, 0};
  (void)::poll(&door, 1, milliseconds);
}

}  // namespace

Meeting::Meeting(std::vector<Member>& members, io::LinuxUdp& udp, const Endpoint& daemon, Rng& rng)
    : members_(members),
      udp_(udp),
      daemon_(daemon),
      rng_(rng),
      rooms_(kSlots * kRoom),
      slots_(kSlots),
      tries_(members.size()) {
  for (std::size_t i = 0; i < kSlots; ++i)
    slots_[i].room = MutBytes(rooms_).subspan(i * kRoom, kRoom);
}

void Meeting::prepare() {
  for (Member& member : members_) {
    const std::optional<InitiationBytes> message = member.initiate(io::now(), rng_);
    FERRULE_CHECK(message.has_value());
    prepared_.push_back(*message);
  }
}

MeetingResult Meeting::run(const Pace& pace, const std::atomic<bool>& stop) {
  started_ = last_met_ = io::now().boot;
  while (!stop && (begun_ < members_.size() || open_ > 0)) {
    const Now now = io::now();
    begin_some(now, pace);
    try_again(now, pace);
    if (receive(now) == 0) wait_for(udp_, 1);
  }
  result_.seconds = seconds(last_met_ - started_);
  return result_;
}

Meeting::Counted Meeting::count(const std::atomic<bool>& stop) {
  counted_ = {};
  while (!stop) {
    if (receive(io::now()) == 0) wait_for(udp_, 100);
  }
  return counted_;
}

void Meeting::begin_some(const Now& now, const Pace& pace) {
  const double due = pace.per_second == 0.0 ? static_cast<double>(members_.size())
                                            : seconds(now.boot - started_) * pace.per_second;
  for (std::size_t i = 0; i < kBurst && begun_ < members_.size(); ++i) {
    if (static_cast<double>(begun_) >= due) return;
    if (pace.window != 0 && open_ >= pace.window) return;
    Member& member = members_[begun_];
    ++open_;
    ++tries_[begun_].attempts;
    ++result_.initiations;
    retries_.push_back({now.boot + protocol::kRekeyTimeout + jitter(), place_of(member)});
    send(member, prepared_[begun_++]);
  }
}

void Meeting::try_again(const Now& now, const Pace& pace) {
  while (!retries_.empty() && retries_.front().at <= now.boot) {
    Member& member = members_[retries_.front().place];
    retries_.pop_front();
    if (member.has_session()) continue;
    Try& tried = tries_[place_of(member)];
    if (tried.attempts >= pace.attempts) {
      tried.given_up = true;
      --open_;
      continue;
    }
    ++tried.attempts;
    initiate(now, member);
  }
}

void Meeting::initiate(const Now& now, Member& member) {
  retries_.push_back({now.boot + protocol::kRekeyTimeout + jitter(), place_of(member)});
  const std::optional<InitiationBytes> message = member.initiate(now, rng_);
  if (!message) return;
  ++result_.initiations;
  send(member, *message);
}

void Meeting::send(const Member& member, Bytes message) {
  io::OutgoingDatagrams datagram;
  datagram.parts = {&message, 1};
  datagram.to = daemon_;
  datagram.from.address = outer_address(member.number());
  (void)udp_.send({&datagram, 1});
}

std::size_t Meeting::receive(const Now& now) {
  const Result<std::size_t> count = udp_.receive(slots_);
  FERRULE_CHECK(count.has_value());
  for (const io::ReceivedDatagrams& slot : std::span(slots_).first(*count)) {
    const std::size_t stride = std::max<std::size_t>(slot.segment_size, 1);
    for (std::size_t at = 0; at < slot.size; at += stride) {
      take(now, slot, slot.room.subspan(at, std::min(stride, slot.size - at)));
    }
  }
  return *count;
}

void Meeting::take(const Now& now, const io::ReceivedDatagrams& slot, Bytes message) {
  const std::optional<protocol::MessageType> type = protocol::classify(message);
  const std::size_t place = number_of(slot.to.address) - members_.front().number();
  if (!type || place >= members_.size()) return;
  if (*type == protocol::MessageType::transport_data) {
    if (message.size() == protocol::TransportLayout::kOverhead) return;
    ++counted_.packets;
    counted_.bytes += message.size();
    return;
  }
  Member& member = members_[place];
  if (*type == protocol::MessageType::cookie_reply) {
    if (member.take_cookie(now, message)) ++result_.cookies;
    return;
  }
  if (*type != protocol::MessageType::handshake_response) return;
  const std::optional<KeepaliveBytes> keepalive = member.finish(message);
  if (!keepalive) return;
  send(member, *keepalive);
  last_met_ = io::now().boot;
  ++result_.met;
  if (!tries_[place].given_up) --open_;
}

Duration Meeting::jitter() noexcept {
  std::array<std::uint8_t, 4> bytes{};
  (void)rng_.fill(bytes);  // or all of them come at once: no harm
  return Duration(load_le32(bytes.data()) % protocol::kMaxTimerJitter.count());
}

}  // namespace ferrule::bench
