#include "protocol/peer.h"

namespace ferrule::protocol {

void PeerTraffic::reached(const Endpoint& from, const Source& to, SourceUse use) noexcept {
  const bool is_elsewhere = place_ ? to != *place_ : !to.is_none();
  if (is_elsewhere || from.address != endpoint.address) {
    if (is_elsewhere && place_) *place_ = to;
    if (is_elsewhere && !place_) (void)place_.emplace(to);
    source_use = use;
  }
  endpoint = from;
  by_routes = source_use == SourceUse::nothing;
}

void PeerTraffic::keep_key_fresh_sending(Instant now) noexcept {
  const KeypairRef& current = keypairs.current();
  const bool old = current->initiator() && current->age(now) >= kRekeyAfterTime;
  if (old || current->next_counter() > kRekeyAfterMessages) {
    timers.want_handshake();  // P56
  }
}

void PeerTraffic::keep_key_fresh_receiving(Instant now) noexcept {
  const KeypairRef& current = keypairs.current();
  if (current && current->initiator() && current->age(now) >= kRekeyOnReceiveAfter &&
      current->ask_rekey_once()) {
    timers.want_handshake();  // P57
  }
}

}  // namespace ferrule::protocol
