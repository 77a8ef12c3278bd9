// A merger written for its tests: slow, allocating, and with the rule itself as its only cleverness:
// packets may become one if segmentation makes the very same packets of it. (Splitter's segmentation:
// the kernel's counts up ids that are all the same, which DF allows. See Merger.)
#pragma once

#include <vector>

#include "packet/offload.h"
#include "packet/packets_testing.h"

namespace ferrule::packet::testing {

struct ModelRun {
  std::vector<Packet> packets;
  bool is_open = false;
};

/// What comes out, each run as the packets that it is made of.
std::vector<ModelRun> model_merge(const std::vector<Packet>& packets);

/// The super-packet that a run of several packets makes, and its offload.
Packet model_super(const std::vector<Packet>& packets);
Offload model_offload(const std::vector<Packet>& packets);

/// Bytes by which packets of one flow are known: addresses, protocol and ports. Empty where there are
/// no ports to be seen.
Packet flow_of(const Packet& packet);

/// Packets of a few flows in turns: mostly ones that follow on each other, and now and then one that
/// differs in any of the ways that forbid merging.
std::vector<Packet> adversarial_packets(Random& random, std::size_t count, std::size_t flows);

}  // namespace ferrule::packet::testing
