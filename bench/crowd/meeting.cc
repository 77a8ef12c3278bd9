#include "meeting.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "io/clock.h"
#include "protocol/constants.h"

namespace ferrule::bench {

namespace {

constexpr std::size_t kSlots = 32;
constexpr std::size_t kRoom = 65536;
constexpr std::size_t kBurst = 64;  // messages sent before answers are looked at
// Who is behind by more than this, because the daemon or the machine was, does not catch up at once.
constexpr std::uint64_t kMaxBehind = 1000;

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

void wait_for(const io::LinuxUdp& udp, int milliseconds) {
  pollfd door{udp.poll_fd(Family::v4), POLLIN, 0};
  (void)::poll(&door, 1, milliseconds);
}

// Median and longest.
std::pair<double, double> summary(std::vector<float>& values) {
  if (values.empty()) return {0.0, 0.0};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return {*middle, *std::max_element(values.begin(), values.end())};
}

}  // namespace

Meeting::Meeting(std::vector<Member>& members, io::LinuxUdp& udp, const Endpoint& daemon,
                 const PublicKey& key, Rng& rng)
    : members_(members),
      udp_(udp),
      daemon_(daemon),
      key_(key),
      rng_(rng),
      rooms_(kSlots * kRoom),
      slots_(kSlots),
      tries_(members.size()) {
  for (std::size_t i = 0; i < kSlots; ++i)
    slots_[i].room = MutBytes(rooms_).subspan(i * kRoom, kRoom);
}

void Meeting::prepare() {
  prepared_.reserve(members_.size());
  std::vector<Member*> some;
  for (Member& member : members_) {
    some.push_back(&member);
    if (some.size() < kMembersTogether && &member != &members_.back()) continue;
    const auto messages = initiate_together(io::now(), some, key_, rng_);
    prepared_.insert(prepared_.end(), messages.begin(), messages.end());
    some.clear();
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
  std::tie(result_.median_ms, result_.longest_ms) = summary(milliseconds_);
  return result_;
}

Meeting::Counted Meeting::live(const Pace& pace, const Life& life, const std::atomic<bool>& stop) {
  counted_ = {};
  milliseconds_.clear();
  started_ = io::now().boot;
  const bool is_busy = life.rekey_s > 0.0 || life.keepalive_s > 0.0;
  while (!stop) {
    const Now now = io::now();
    renew_some(now, life);
    keep_some(now, life);
    try_again(now, pace);
    if (receive(now) == 0) wait_for(udp_, is_busy ? 1 : 100);
  }
  std::tie(counted_.median_ms, counted_.longest_ms) = summary(milliseconds_);
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
    tries_[begun_] = {now.boot, 1, false};
    ++result_.initiations;
    retries_.push_back({now.boot + protocol::kRekeyTimeout + jitter(), place_of(member)});
    send(member, prepared_[begun_++]);
  }
}

void Meeting::try_again(const Now& now, const Pace& pace) {
  std::vector<Member*> again;
  while (!retries_.empty() && retries_.front().at <= now.boot && again.size() < kMembersTogether) {
    Member& member = members_[retries_.front().place];
    retries_.pop_front();
    if (!member.awaits_response()) continue;
    Try& tried = tries_[place_of(member)];
    if (tried.attempts >= pace.attempts) {
      if (!std::exchange(tried.given_up, true)) --open_;
      continue;
    }
    ++tried.attempts;
    again.push_back(&member);
  }
  initiate(now, again);
}

void Meeting::renew_some(const Now& now, const Life& life) {
  if (life.rekey_s <= 0.0) return;
  const auto due = static_cast<std::uint64_t>(seconds(now.boot - started_) *
                                              static_cast<double>(members_.size()) / life.rekey_s);
  std::vector<Member*> some;
  counted_.renewals = std::max(counted_.renewals, due - std::min(due, kMaxBehind));
  while (counted_.renewals < due && some.size() < kMembersTogether) {
    Member& member = members_[counted_.renewals++ % members_.size()];
    if (member.awaits_response()) continue;
    tries_[place_of(member)] = {now.boot, 1, false};
    ++open_;
    some.push_back(&member);
  }
  initiate(now, some);
}

void Meeting::keep_some(const Now& now, const Life& life) {
  if (life.keepalive_s <= 0.0) return;
  const auto due = static_cast<std::uint64_t>(
      seconds(now.boot - started_) * static_cast<double>(members_.size()) / life.keepalive_s);
  kept_ = std::max(kept_, due - std::min(due, kMaxBehind));
  for (std::size_t i = 0; i < kBurst && kept_ < due; ++i) {
    Member& member = members_[kept_++ % members_.size()];
    if (const auto keepalive = member.keepalive()) send(member, *keepalive);
  }
}

// An initiation of theirs each, however they came to it.
void Meeting::initiate(const Now& now, std::span<Member* const> members) {
  if (members.empty()) return;
  const std::vector<InitiationBytes> messages = initiate_together(now, members, key_, rng_);
  for (std::size_t i = 0; i < members.size(); ++i) {
    retries_.push_back({now.boot + protocol::kRekeyTimeout + jitter(), place_of(*members[i])});
    ++result_.initiations;
    send(*members[i], messages[i]);
  }
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
  finish_some();
  return *count;
}

void Meeting::take(const Now& now, const io::ReceivedDatagrams& slot, Bytes message) {
  const std::optional<protocol::MessageType> type = protocol::classify(message);
  const std::size_t place = number_of(slot.to.address) - members_.front().number();
  if (!type || place >= members_.size()) return;
  if (*type == protocol::MessageType::transport_data) {
    if (message.size() == protocol::TransportLayout::kOverhead) {
      ++counted_.keepalives;
      return;
    }
    ++counted_.packets;
    counted_.bytes += message.size();
    return;
  }
  Member& member = members_[place];
  if (*type == protocol::MessageType::cookie_reply) {
    if (member.take_cookie(now, message)) ++result_.cookies;
    return;
  }
  if (*type != protocol::MessageType::handshake_response || !member.awaits_response()) return;
  // Two of one member are not opened side by side: the first may end what the second is for.
  const auto is_his = [&](const Response& other) { return other.member == &member; };
  if (std::any_of(responses_.begin(), responses_.end(), is_his)) finish_some();
  if (!member.awaits_response()) return;
  Response& response = responses_.emplace_back(Response{&member, {}});
  copy(message, response.bytes);
  if (responses_.size() == kMembersTogether) finish_some();
}

void Meeting::finish_some() {
  const auto keepalives = finish_together(responses_);
  for (std::size_t i = 0; i < responses_.size(); ++i) {
    if (!keepalives[i]) continue;
    send(*responses_[i].member, *keepalives[i]);
    met(place_of(*responses_[i].member));
  }
  responses_.clear();
}

void Meeting::met(std::size_t place) {
  const Try& tried = tries_[place];
  last_met_ = io::now().boot;
  milliseconds_.push_back(static_cast<float>(1000 * seconds(last_met_ - tried.begun)));
  ++result_.met;
  ++counted_.renewed;
  if (!tried.given_up) --open_;
}

Duration Meeting::jitter() noexcept {
  std::array<std::uint8_t, 4> bytes{};
  (void)rng_.fill(bytes);  // or all of them come at once: no harm
  return Duration(load_le32(bytes.data()) % protocol::kMaxTimerJitter.count());
}

}  // namespace ferrule::bench
