#include "engine/control.h"

#include <algorithm>
#include <new>

#include "engine/source_refusal.h"

namespace ferrule::engine {

void Control::work(const Now& now, io::Udp* udp) {
  inbox_.settle();
  inbox_.take(attention_);
  device_.attend(now, attention_, outbox_);
  if (wants_handshakes(now)) handle_handshakes(now);
  device_.fire_timers(now, outbox_);
  send(udp);
}

void Control::handle_handshakes(const Now& now) {
  inbox_.pop(now.boot, received_);
  gather_until_.reset();
  if (received_.empty()) return;
  gather_until_ = now.boot + kGatherHandshakes;
  if (inbox_.has_full_batch()) inbox_.rouse();
  device_.handle(now, received_, outbox_);
}

void Control::send(io::Udp* udp) {
  std::span<const protocol::OutgoingMessage> rest = outbox_.messages;
  if (udp == nullptr) device_.drops().count(protocol::Drop::send_failed, rest.size());
  while (udp != nullptr && !rest.empty()) {
    const std::size_t count = std::min(rest.size(), kSendTogether);
    send_together(*udp, rest.first(count));
    rest = rest.subspan(count);
  }
  outbox_.messages.clear();
  if (outbox_.flush.empty()) return;
  try {
    flush_(outbox_.flush);
    outbox_.flush.clear();
  } catch (const std::bad_alloc&) {
    // They stay staged, and are asked for again with the next work.
  }
}

void Control::send_together(io::Udp& udp, std::span<const protocol::OutgoingMessage> messages) {
  parts_.clear();
  datagrams_.clear();
  for (const protocol::OutgoingMessage& message : messages) {
    io::OutgoingDatagrams datagram;
    datagram.parts = {&parts_.emplace_back(message.view()), 1};
    datagram.to = message.to;
    datagram.from = message.from;
    datagram.traffic_class = message.traffic_class;
    datagrams_.push_back(datagram);
  }
  const std::size_t sent = udp.send(datagrams_);
  device_.drops().count(protocol::Drop::send_failed, datagrams_.size() - sent);
  for (std::size_t i = 0; i < datagrams_.size(); ++i) {
    if (datagrams_[i].refused == io::SourceRefusal::none) continue;
    device_.source_refused(messages[i].peer, datagrams_[i].from,
                           left_of(datagrams_[i].refused));  // P75
  }
}

}  // namespace ferrule::engine
