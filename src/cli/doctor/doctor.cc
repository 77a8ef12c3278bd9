#include "cli/doctor/doctor.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/terminal/json.h"
#include "cli/terminal/options.h"
#include "cli/terminal/style.h"
#include "diagnosis/diagnose.h"
#include "diagnosis/gather.h"

namespace ferrule::cli {

namespace {

void print_text(Output& out, const std::string& interface,
                const std::vector<diagnosis::Diagnosis>& found) {
  const Style style(wants_color(out.fd()));
  for (const diagnosis::Diagnosis& diagnosis : found) {
    const std::string whose = diagnosis.peer.empty() ? interface : diagnosis.peer;
    out.print("{}: {}\n", style.bold(Color::red, whose), diagnosis.what);
    out.print("  seen: {}\n  mend: {}\n  ({})\n", diagnosis.how, diagnosis.mend, diagnosis.name);
  }
  if (found.empty()) out.print("{}: nothing is wrong\n", interface);
}

void print_json(Output& out, const std::string& interface,
                const std::vector<diagnosis::Diagnosis>& found) {
  JsonList list(out);
  for (const diagnosis::Diagnosis& diagnosis : found) {
    list.add({{"interface", interface},
              {"peer", diagnosis.peer},
              {"name", diagnosis.name},
              {"what", diagnosis.what},
              {"how", diagnosis.how},
              {"mend", diagnosis.mend}});
  }
  list.end();
}

}  // namespace

int run_doctor(Console& console, Arguments arguments) {
  std::string interface;
  std::string peer;
  bool is_json = false;
  CLI::App app("Finds out why a tunnel does not work.");
  app.add_option("IFACE", interface, "an interface, or the path of its file")->required();
  app.add_option("PEER", peer, "just this peer: its name, or its public key");
  app.add_flag("--json", is_json, "print findings as JSON");
  if (const auto status = read_options(app, console, arguments)) return *status;
  const auto facts = diagnosis::gather_facts(*console.devices, interface, peer);
  if (!facts) {
    console.err.print("{}\n", facts.error());
    return 1;
  }
  const std::vector<diagnosis::Diagnosis> found = diagnosis::diagnose(*facts);
  (is_json ? print_json : print_text)(console.out, facts->interface, found);
  return found.empty() ? 0 : 1;
}

}  // namespace ferrule::cli
