// `ferrule watch`: what happens to the peers of this machine, as it happens.
#pragma once

#include "cli/terminal/command.h"
#include "monitor/events.h"

namespace ferrule::cli {

/// Looks at the devices again and again, and prints what has changed, until it is interrupted, its
/// reader goes, or the time given has passed.
int run_watch(Console& console, Arguments arguments);

/// An event as a line, for people or as a JSON object.
void print_event(Output& out, const monitor::Event& event, const WallTime& at);
void print_event_json(Output& out, const monitor::Event& event, const WallTime& at);

}  // namespace ferrule::cli
