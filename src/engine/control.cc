#include "engine/control.h"

#include <algorithm>
#include <array>
#include <new>

#include "engine/outcome.h"

namespace ferrule::engine {

namespace {

constexpr std::array<std::uint8_t, kWirePrefix> kPrefixRoom{};

// Room for a burst is not kept for ever.
template <class T>
void clear(std::vector<T>& list, std::size_t kept_room) noexcept {
  list.clear();
  if (list.capacity() > kept_room) std::vector<T>().swap(list);
}

}  // namespace

// Whoever waits for an answer goes first, and is not made to wait for the rest of the turn.
void Control::work(const Now& now, io::Udp* udp) {
  inbox_.settle();
  intake_.fetch(now, received_);
  if (!received_.empty()) {
    intake_.learn(device_.handle(now, received_, outbox_));
    send(udp);
  }
  protocol::Budget ours(protocol::kTurnBudget / 2);
  bool more = device_.fire_timers(now, ours, outbox_);
  ours.add(protocol::kTurnBudget / 2);
  more = attend(now, ours) || more;
  protocol::Budget sweep(protocol::kTurnBudget);
  more = device_.catch_up(now, sweep) || more;
  send(udp);
  intake_.rest();
  if (more) inbox_.rouse();
}

bool Control::attend(const Now& now, protocol::Budget& budget) {
  if (attended_ == attention_.size()) {
    inbox_.take(attention_);
    attended_ = 0;
  }
  const std::span<const PeerId> rest = std::span(attention_).subspan(attended_);
  attended_ += device_.attend(now, rest, budget, outbox_);
  if (attended_ < attention_.size()) return true;
  clear(attention_, kKeptRoom);
  attended_ = 0;
  return false;
}

void Control::send(io::Udp* udp) {
  std::span<const protocol::OutgoingMessage> rest = outbox_.messages;
  if (udp == nullptr) device_.drops().count(protocol::Drop::send_failed, rest.size());
  while (udp != nullptr && !rest.empty()) {
    const std::size_t count = std::min(rest.size(), kSendTogether);
    send_together(*udp, rest.first(count));
    rest = rest.subspan(count);
  }
  clear(outbox_.messages, kKeptRoom);
  if (outbox_.flush.empty()) return;
  try {
    flush_(outbox_.flush);
    clear(outbox_.flush, kKeptRoom);
  } catch (const std::bad_alloc&) {
    // They stay staged, and are asked for again with the next work.
  }
}

void Control::send_together(io::Udp& udp, std::span<const protocol::OutgoingMessage> messages) {
  parts_.clear();
  datagrams_.clear();
  for (const protocol::OutgoingMessage& message : messages) {
    io::OutgoingDatagrams datagram;
    const std::size_t first_part = parts_.size();
    if constexpr (kWirePrefix > 0) parts_.emplace_back(kPrefixRoom);
    parts_.emplace_back(message.view());
    datagram.parts = std::span(parts_).subspan(first_part);
    datagram.to = message.to;
    datagram.from = message.from;
    datagram.traffic_class = message.traffic_class;
    datagrams_.push_back(datagram);
  }
  (void)udp.send(datagrams_);
  for (std::size_t i = 0; i < datagrams_.size(); ++i) {
    Outcome outcome(messages[i].peer);
    outcome.add(datagrams_[i]);
    outcome.tell(device_.data_path(), unsent_);
  }
  inbox_.post(unsent_);
}

}  // namespace ferrule::engine
