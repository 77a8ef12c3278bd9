// How it stands with an initiation of ours to one peer (P50, P51): one state, and what may change it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ferrule::protocol {

enum class Initiation : std::uint8_t {
  idle,    // nothing asks for one
  wanted,  // something does: the control side will see to it
  starting,  // the control side is about to send one, before its call returns (Handshaker::start_queued)
  deferred,  // it waits for its turn (P51), with the retransmit timer
  sent,      // it waits for its response, with the retransmit timer
};
constexpr std::size_t kInitiationStates = 5;

enum class InitiationEvent : std::uint8_t {
  want,      // a packet or a timer wants a session, or a younger one
  start,     // the control side takes it up: as wanted, or because the timer fired
  defer,     // it is not its turn yet
  send,      // it was sent, or could not be made and will be tried again
  refuse,    // it can't be sent now, and nothing will try again
  outdate,   // what it was made with is gone: it starts over
  complete,  // there is a session
  give_up,   // no attempt was answered
  stop,      // the device goes down
};
constexpr std::size_t kInitiationEvents = 9;

/// Whether `event` can come in `state` at all.
[[nodiscard]] bool is_possible(Initiation state, InitiationEvent event) noexcept;
/// What follows. An event that can't come is a programming error.
[[nodiscard]] Initiation after(Initiation state, InitiationEvent event) noexcept;
/// Whether the retransmit timer belongs to the state.
[[nodiscard]] constexpr bool waits_for_timer(Initiation state) noexcept {
  return state == Initiation::deferred || state == Initiation::sent;
}

}  // namespace ferrule::protocol
