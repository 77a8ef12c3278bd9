// What this machine does with a tunnel's packets, beside routing them.
#pragma once

#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

/// Fills in `stopped`, `unread_tables`, `is_forwarding_missed` and `strict_interfaces`: for the datagrams of
/// the peers that are known, and for echo requests through the tunnel.
void look_at_filters(DoctorFacts& facts);

/// Whether a rule certainly stops the peers' datagrams or ours.
[[nodiscard]] bool is_shut(const DoctorFacts& facts);

/// A number below /proc/sys; 0 where it can't be read.
[[nodiscard]] int sysctl_of(const std::string& name);

}  // namespace ferrule::diagnosis
