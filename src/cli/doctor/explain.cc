#include "cli/doctor/explain.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/key_text.h"
#include "cli/terminal/json.h"
#include "cli/terminal/options.h"
#include "diagnosis/explain.h"
#include "files/lookup.h"
#include "quick/bind.h"

namespace ferrule::cli {

namespace {

using diagnosis::Explanation;
using diagnosis::FirewallRule;
using diagnosis::Way;

constexpr int kCouldNotLook = 2;
constexpr int kExplanationVersion = 2;  // as JSON: 1 had names of another style

std::string table_name(std::uint32_t table) {
  switch (table) {
    case 253:
      return "default";
    case 254:
      return "main";
    case 255:
      return "local";
    default:
      return std::to_string(table);
  }
}

// "10.0.0.0/24 in table main by wg0, via 192.0.2.1, from 10.0.0.1".
std::string route_text(const Way& way) {
  std::string text = fmt::format("{} in table {} by {}", way.route.prefix.to_string(),
                                 table_name(way.route.table), way.interface);
  if (way.route.gateway.family() != Family::none)
    text += fmt::format(", via {}", way.route.gateway.to_string());
  if (way.route.source.family() != Family::none)
    text += fmt::format(", from {}", way.route.source.to_string());
  return text;
}

// As `ip rule` has it: "32765: not fwmark 0xca6c lookup 51820".
std::string rule_text(const io::RoutingRule& rule) {
  std::string text = fmt::format("{}:", rule.priority.value_or(0));
  if (rule.mark) text += fmt::format("{} fwmark {:#x}", rule.is_inverted ? " not" : "", *rule.mark);
  text += fmt::format(" lookup {}", table_name(rule.table));
  if (rule.suppressed_prefix_length)
    text += fmt::format(" suppress_prefixlength {}", *rule.suppressed_prefix_length);
  return text;
}

std::string filter_text(const std::optional<FirewallRule>& rule) {
  if (!rule) return "no rule of nftables stops it";
  return fmt::format("table {}, chain {} {} it: {}", rule->table, rule->chain,
                     rule->is_certain ? "stops" : "may stop", rule->text);
}

void print_way(Output& out, std::string_view name, const Way& way) {
  if (way.interface.empty()) {
    out.print("  {:<8}{}\n", name, way.problem);
    return;
  }
  if (way.rule) out.print("  {:<8}{}\n", "rule", rule_text(*way.rule));
  out.print("  {:<8}{}\n", name, route_text(way));
}

void print_text(Output& out, const Explanation& told) {
  const std::string obstacle = told.obstacle();
  std::string carrier = told.way.interface;
  if (told.way.route.is_local) carrier = "this machine itself";
  if (told.peer) carrier = fmt::format("{}, by {}", told.peer->name, told.way.interface);
  if (obstacle.empty()) {
    out.print("{} is carried to {}\n", told.address.to_string(), carrier);
  } else {
    out.print("{} is not reached: {}\n", told.address.to_string(), obstacle);
  }
  if (!told.coming_by.empty()) {
    out.print("  {:<8}from {} by {}, to be forwarded\n", "comes", told.from.to_string(),
              told.coming_by);
  }
  print_way(out, "route", told.way);
  if (told.peer) {
    out.print("  {:<8}{} of {}'s allowed IPs, the longest that holds it\n", "prefix",
              told.peer->prefix.to_string(), told.peer->name);
    const std::string age = told.peer->handshake_age_s
                                ? fmt::format("handshake {} s ago", *told.peer->handshake_age_s)
                                : "no handshake yet";
    out.print("  {:<8}{} at {}, {}\n", "peer", told.peer->name,
              told.peer->endpoint.is_none() ? "no known endpoint" : told.peer->endpoint.to_string(),
              age);
  } else if (told.is_tunnel) {
    out.print("  {:<8}none of {}'s has a prefix that holds it\n", "peer", told.way.interface);
  }
  if (!told.way.interface.empty()) out.print("  {:<8}{}\n", "filter", filter_text(told.stopper));
  if (!told.peer || told.peer->endpoint.is_none()) return;
  out.print("the datagrams that carry it, to {}\n", told.peer->endpoint.to_string());
  out.print("  {:<8}{}\n", "mark", told.mark == 0 ? "none" : fmt::format("{:#x}", told.mark));
  if (!told.settings.place.is_anywhere()) {
    const auto& missing = told.settings.missing;
    out.print("  {:<8}to {}{}\n", "bound", quick::place_text(told.settings.place),
              missing.empty() ? "" : fmt::format("; not there: {}", fmt::join(missing, ", ")));
  }
  print_way(out, "route", told.outside);
  out.print("  {:<8}{}\n", "filter", filter_text(told.outside_stopper));
}

void add_address(Json& json, const char* name, const IpAddress& address) {
  if (address.family() != Family::none) json[name] = address.to_string();
}

Json json_of(const Way& way) {
  if (way.interface.empty()) return {{"problem", way.problem}};
  Json json = {{"interface", way.interface},
               {"prefix", way.route.prefix.to_string()},
               {"table", way.route.table}};
  add_address(json, "gateway", way.route.gateway);
  add_address(json, "source", way.route.source);
  if (way.rule) json["rule"] = rule_text(*way.rule);
  return json;
}

void add_filter(Json& json, const std::optional<FirewallRule>& rule) {
  if (!rule) return;
  json["filter"] = {{"table", rule->table},
                    {"chain", rule->chain},
                    {"text", rule->text},
                    {"certain", rule->is_certain}};
}

Json json_of(const diagnosis::CarryingPeer& peer) {
  Json json = {
      {"name", peer.name}, {"publicKey", to_base64(peer.key)}, {"prefix", peer.prefix.to_string()}};
  if (!peer.endpoint.is_none()) json["endpoint"] = peer.endpoint.to_string();
  return json;
}

// As docs/schemas/explain.json says.
void print_json(Output& out, const Explanation& told) {
  const std::string obstacle = told.obstacle();
  Json json = {{"version", kExplanationVersion}, {"address", told.address.to_string()}};
  add_address(json, "from", told.from);
  json["carried"] = obstacle.empty();
  if (!obstacle.empty()) json["obstacle"] = obstacle;
  json["local"] = told.way.route.is_local;
  if (!told.coming_by.empty()) json["forwardedFrom"] = told.coming_by;
  json["route"] = json_of(told.way);
  add_filter(json, told.stopper);
  if (told.peer) {
    json["peer"] = json_of(*told.peer);
    json["outside"] = json_of(told.outside);
    json["outside"]["mark"] = told.mark;
    if (!told.settings.place.is_anywhere()) {
      json["outside"]["bound"] = quick::place_text(told.settings.place);
    }
    add_filter(json["outside"], told.outside_stopper);
  }
  out.print("{}\n", to_line(json));
}

}  // namespace

int run_explain(Console& console, Arguments arguments) {
  std::string address;
  std::string from;
  bool is_json = false;
  CommandLine line("Says what would carry a packet to an address, and why.");
  line.add_option("ADDRESS", address, "an address, or a name that has one").required();
  line.add_value("--from", from, "SRC", "the packet's source address");
  line.add_flag("--json", is_json, "print it as JSON");
  line.examples("ferrule explain 10.0.0.7\nferrule explain 1.1.1.1 --from 10.0.0.7");
  if (const auto status = read_options(line, console, arguments)) return *status;
  const auto source = from.empty() ? std::optional(IpAddress()) : IpAddress::parse(from);
  const auto targets = files::look_up(address);
  if (!source || targets.empty()) {
    console.err.print("{} is no address{}\n", source ? address : from,
                      source ? ", and no name of one" : "");
    return kCouldNotLook;
  }
  const auto same_family = std::ranges::find_if(targets, [&](const IpAddress& each) {
    return source->family() == Family::none || each.family() == source->family();
  });
  if (same_family == targets.end()) {
    console.err.print("{} and {} are not of one family\n", address, from);
    return kCouldNotLook;
  }
  const auto told = diagnosis::explain(*console.devices, *same_family, *source);
  if (!told) {
    console.err.print("{}\n", told.error());
    return kCouldNotLook;
  }
  (is_json ? print_json : print_text)(console.out, *told);
  return told->obstacle().empty() ? 0 : 1;
}

}  // namespace ferrule::cli
