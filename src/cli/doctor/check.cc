#include "cli/doctor/check.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal/json.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/options.h"
#include "cli/terminal/style.h"
#include "control/conf_check.h"
#include "diagnosis/machine_findings.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "files/lookup.h"

namespace ferrule::cli {

namespace {

using control::ConfError;
using control::ConfFinding;
using control::Severity;

struct CheckOptions {
  std::vector<std::string> files;
  bool is_strict = false;
  bool is_offline = false;
  bool is_json = false;
};

// A file and what was found in it, or why it could not be read.
struct Report {
  std::string file;
  std::string unreadable;
  std::vector<ConfFinding> findings;

  [[nodiscard]] std::size_t count(Severity severity) const {
    const auto found = std::ranges::count(findings, severity, &ConfFinding::severity);
    return static_cast<std::size_t>(found) +
           (severity == Severity::error && !unreadable.empty() ? 1 : 0);
  }
};

// An interface's name means its file where no file of this name is here.
std::string path_of(const std::string& file) {
  if (file == "-") return "/dev/stdin";
  if (access(file.c_str(), F_OK) == 0) return file;
  const auto conf = files::find_conf(file);
  return conf && access(conf->path.c_str(), F_OK) == 0 ? conf->path : file;
}

// Of numeric hosts alone, when nobody is to be asked.
std::vector<files::PeerEndpoint> numeric_endpoints(const control::Configuration& configuration) {
  std::vector<files::PeerEndpoint> endpoints(configuration.peers.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (!configuration.peers[i].endpoint) continue;
    for (const IpAddress& address : files::look_up(configuration.peers[i].endpoint->host, true)) {
      endpoints[i].addresses.push_back({address, 0, 0});
    }
  }
  return endpoints;
}

Report check_file(Console& console, const std::string& file, bool is_offline) {
  Report report{file, {}, {}};
  const auto text = files::read_file(file);
  if (!text) {
    report.unreadable = text.error().what;
    return report;
  }
  const control::ConfDocument document(file, text->view());
  const auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!configuration) {
    for (const ConfError& error : configuration.error()) {
      report.findings.push_back({Severity::error, "syntax", error});
    }
    return report;
  }
  const control::PeerList peers = control::list_peers(document);
  const diagnosis::FileToCheck to_check{file, std::filesystem::path(file).stem(), document,
                                        *configuration, peers};
  ConsoleListener listener(console);
  const auto endpoints = is_offline ? numeric_endpoints(*configuration)
                                    : files::look_up_endpoints(listener, *configuration);
  report.findings = diagnosis::find_everything(
      *console.devices, to_check, endpoints,
      is_offline ? diagnosis::Look::offline : diagnosis::Look::everywhere);
  return report;
}

std::string_view name_of(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::note ? "note" : "warning";
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void print_text(Output& out, const Report& report) {
  const Style style(wants_color(out.fd()));
  if (!report.unreadable.empty()) {
    out.print("{}: {}\n", style.bold(Color::red, "error"), report.unreadable);
    return;
  }
  for (const ConfFinding& finding : report.findings) {
    const Color color = finding.severity == Severity::error     ? Color::red
                        : finding.severity == Severity::warning ? Color::yellow
                                                                : Color::cyan;
    ConfError where = finding.where;
    where.message =
        fmt::format("{}: {}", style.bold(color, name_of(finding.severity)), where.message);
    out.write(where.to_string());
  }
  const std::size_t errors = report.count(Severity::error);
  const std::size_t warnings = report.count(Severity::warning);
  if (errors + warnings == 0) {
    out.print("{}: nothing is wrong\n", report.file);
  } else {
    out.print("{}: {}, {}\n", report.file, counted(errors, "error"), counted(warnings, "warning"));
  }
}

void print_json(Output& out, const std::vector<Report>& reports) {
  JsonList list(out);
  for (const Report& report : reports) {
    if (!report.unreadable.empty()) {
      list.add({{"version", kJsonVersion},
                {"file", report.file},
                {"severity", "error"},
                {"rule", "unreadable"},
                {"message", report.unreadable}});
    }
    for (const ConfFinding& finding : report.findings) {
      const ConfError& where = finding.where;
      list.add({{"version", kJsonVersion},
                {"file", report.file},
                {"severity", name_of(finding.severity)},
                {"rule", finding.rule},
                {"line", where.line},
                {"column", where.column},
                {"length", where.length},
                {"message", where.message},
                {"shown", where.shown}});
    }
  }
  list.end();
}

}  // namespace

int run_check(Console& console, Arguments arguments) {
  CheckOptions options;
  CommandLine line(
      "Finds what is wrong with configuration files, and what cannot work as they are.");
  line.add_option("FILE", options.files,
                  "a file of wg-quick or wg, an interface, or - for standard input")
      .required();
  line.add_flag("--strict", options.is_strict, "warnings make the status 1 too");
  line.add_flag("--offline", options.is_offline, "look no name up and ask for no route");
  line.add_flag("--json", options.is_json, "print findings as JSON");
  line.examples(
      "ferrule check wg0\nferrule check ./*.conf --offline --strict\n"
      "ferrule check wg0 --json | jq -r '.[].message'");
  if (const auto status = read_options(line, console, arguments)) return *status;

  std::vector<Report> reports;
  bool is_bad = false;
  for (const std::string& file : options.files) {
    const std::string path = path_of(file);
    const Report& report = reports.emplace_back(check_file(console, path, options.is_offline));
    is_bad = is_bad || report.count(Severity::error) > 0 ||
             (options.is_strict && report.count(Severity::warning) > 0);
  }
  if (options.is_json) {
    print_json(console.out, reports);
  } else {
    for (const Report& report : reports) print_text(console.out, report);
  }
  return is_bad ? 1 : 0;
}

}  // namespace ferrule::cli
