#include "cli/doctor/doctor.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/doctor/checklist.h"
#include "cli/terminal/json.h"
#include "cli/terminal/options.h"
#include "cli/terminal/style.h"
#include "diagnosis/diagnose.h"
#include "diagnosis/gather.h"

namespace ferrule::cli {

namespace {

using diagnosis::Diagnosis;
using diagnosis::DoctorFacts;
using diagnosis::Severity;

enum Status : int { kWell = 0, kFound = 1, kCouldNotLook = 2 };

std::string_view word_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      break;
  }
  return "note";
}

Color color_of(Severity severity) {
  if (severity == Severity::error) return Color::red;
  return severity == Severity::warning ? Color::yellow : Color::cyan;
}

bool is_well(const std::vector<Diagnosis>& found) {
  return std::ranges::all_of(found,
                             [](const Diagnosis& each) { return each.severity == Severity::note; });
}

// "alice: handshake 12 s ago, round trip 0.41 ms, 0 of 5 lost, packets of up to 1420 bytes".
void print_seen(Output& out, const diagnosis::PeerFacts& peer) {
  const diagnosis::ProbeFacts& probe = *peer.probe;
  out.print("{}: {}", peer.name,
            peer.handshake_age_s ? fmt::format("handshake {} s ago", *peer.handshake_age_s)
                                 : "no handshake");
  if (probe.round_trip_ms) out.print(", round trip {:.2f} ms", *probe.round_trip_ms);
  if (probe.echoes > 0) out.print(", {} of {} lost", probe.lost, probe.echoes);
  if (probe.largest_bytes > 0) out.print(", packets of up to {} bytes", probe.largest_bytes);
  out.write("\n");
}

void print_all_seen(Output& out, const DoctorFacts& facts) {
  for (const diagnosis::PeerFacts& peer : facts.peers) {
    if (peer.probe && peer.probe->is_answered) print_seen(out, peer);
  }
  if (!facts.resolvers) return;
  for (const diagnosis::Resolver& server : facts.resolvers->servers) {
    const std::string way = server.is_here             ? "on this machine"
                            : server.interface.empty() ? "to which no route leads"
                                                       : "by " + server.interface;
    out.print("names are asked of {}, {}\n", server.address.to_string(), way);
  }
}

void print_text(Output& out, const DoctorFacts& facts, const std::vector<Diagnosis>& found) {
  const Style style(wants_color(out.fd()));
  for (const Diagnosis& each : found) {
    const std::string whose = each.peer.empty() ? facts.interface : each.peer;
    out.print("{}: {}\n", style.bold(color_of(each.severity), whose), each.what);
    out.print("  seen: {}\n  mend: {}\n  ({}, {})\n", each.how, each.mend, each.name,
              word_of(each.severity));
  }
  if (is_well(found)) out.print("{}: nothing is wrong\n", facts.interface);
  print_all_seen(out, facts);
}

void print_json(Output& out, const DoctorFacts& facts, const std::vector<Diagnosis>& found) {
  JsonList list(out);
  for (const Diagnosis& each : found) {
    list.add({{"version", kJsonVersion},
              {"interface", facts.interface},
              {"peer", each.peer},
              {"name", each.name},
              {"severity", word_of(each.severity)},
              {"what", each.what},
              {"how", each.how},
              {"mend", each.mend}});
  }
  list.end();
}

}  // namespace

int run_doctor(Console& console, Arguments arguments) {
  std::string interface;
  std::string peer;
  bool is_json = false;
  CommandLine line("Finds out why a tunnel does not work.");
  line.add_option("IFACE", interface, "an interface, or the path of its file").required();
  line.add_option("PEER", peer, "just this peer: its name, or its public key");
  line.add_flag("--json", is_json, "print findings as JSON");
  line.examples("ferrule doctor wg0\nferrule doctor wg0 alice");
  if (const auto status = read_options(line, console, arguments)) return *status;
  Checklist checklist(console);
  const auto facts = diagnosis::gather_facts(
      *console.devices, interface, peer, is_json ? diagnosis::Progress{} : checklist.progress());
  if (!facts) {
    console.err.print("{}\n", facts.error());
    return kCouldNotLook;
  }
  const std::vector<Diagnosis> found = diagnosis::diagnose(*facts);
  (is_json ? print_json : print_text)(console.out, *facts, found);
  return is_well(found) ? kWell : kFound;
}

}  // namespace ferrule::cli
