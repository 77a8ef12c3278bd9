#include "protocol/initiation.h"

#include <array>
#include <optional>

#include "base/check.h"

namespace ferrule::protocol {

namespace {

using enum Initiation;
using Next = std::optional<Initiation>;
constexpr Next kNever = std::nullopt;

// A row an event, in the order of InitiationEvent; a column a state, in the order of Initiation.
//
// While one is starting, lanes go on: they may want it again, or confirm a session. It is sent all the
// same, since its bytes are being made. Nothing else happens then, for it is the control side's doing.
constexpr std::array<std::array<Next, kInitiationStates>, kInitiationEvents> kTable{{
    //           idle    wanted    starting  deferred  sent
    /* want */ {{wanted, wanted, starting, deferred, sent}},
    /* start */ {{kNever, starting, kNever, starting, starting}},
    /* defer */ {{kNever, kNever, deferred, kNever, kNever}},
    /* send */ {{kNever, kNever, sent, kNever, kNever}},
    /* refuse */ {{kNever, kNever, idle, kNever, kNever}},
    /* outdate */ {{idle, wanted, kNever, deferred, deferred}},
    /* complete */ {{idle, idle, starting, idle, idle}},
    /* give_up */ {{kNever, kNever, kNever, kNever, idle}},
    /* stop */ {{idle, idle, kNever, idle, idle}},
}};

constexpr const Next& entry(Initiation state, InitiationEvent event) noexcept {
  return kTable[static_cast<std::size_t>(event)][static_cast<std::size_t>(state)];
}

}  // namespace

bool is_possible(Initiation state, InitiationEvent event) noexcept {
  return entry(state, event).has_value();
}

Initiation after(Initiation state, InitiationEvent event) noexcept {
  FERRULE_CHECK(is_possible(state, event));
  return *entry(state, event);
}

}  // namespace ferrule::protocol
