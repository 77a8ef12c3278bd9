#include "cli/show/show.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "cli/show/show_live.h"
#include "cli/show/show_text.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/json.h"
#include "cli/terminal/not_there.h"
#include "cli/terminal/style.h"
#include "files/device_conf.h"

namespace ferrule::cli {

namespace {

// What is to be shown: nothing further, one field, or JSON.
struct View {
  std::optional<std::string_view> field;
  bool is_json = false;
  Style style{false};
  monitor::NameBook* names = nullptr;  // null: peers go by their keys
};

std::shared_ptr<const monitor::PeerNames> names_of(const View& view, const std::string& device) {
  return view.names == nullptr || view.field ? nullptr : view.names->of(device);
}

// What no other program would ask for.
control::DeviceSettings settings_of(Console& console, const View& view, const std::string& name) {
  if (view.field || is_called_wg(console.program)) return {};
  return console.devices->settings(name).value_or(control::DeviceSettings());
}

void print_usage(Output& out, std::string_view program, std::string_view command) {
  out.print(
      "Usage: {} {} {{ <interface> | all | interfaces }} [public-key | private-key | listen-port | "
      "fwmark | peers | preshared-keys | endpoints | allowed-ips | latest-handshakes | transfer | "
      "persistent-keepalive | dump]\n",
      program, command);
  if (is_called_wg(program)) return;
  out.write(
      "  --json: prints it as JSON\n"
      "  --watch[=SECONDS]: shows it on the terminal until interrupted, anew every second or so "
      "often\n");
}

int refuse(Console& console, std::string_view command) {
  print_usage(console.err, console.program, command);
  return 1;
}

int refuse_parameter(Console& console, std::string_view command, std::string_view word) {
  console.err.print("Invalid parameter: `{}'\n", word);
  return refuse(console, command);
}

bool list(Console& console, std::vector<std::string>& names) {
  auto found = console.devices->list();
  if (!found) {
    console.err.print("Unable to list interfaces: {}\n", std::strerror(found.error().code));
    return false;
  }
  names = std::move(*found);
  return true;
}

int show_interfaces(Console& console, const View& view) {
  std::vector<std::string> names;
  if (!list(console, names)) return 1;
  if (view.is_json) {
    console.out.print("{}\n", to_line(names));
  } else if (!names.empty()) {
    console.out.print("{}\n", fmt::join(names, " "));
  }
  return 0;
}

// All that can be asked; an error about each other one.
std::vector<NamedDevice> ask_all(Console& console, const std::vector<std::string>& names,
                                 const View& view) {
  std::vector<NamedDevice> devices;
  for (const std::string& name : names) {
    auto status = console.devices->get(name);
    if (status) {
      devices.push_back(
          {name, std::move(*status), names_of(view, name), settings_of(console, view, name)});
    } else {
      console.err.print("Unable to access interface {}: {}\n", name,
                        std::strerror(status.error().code));
    }
  }
  return devices;
}

void print_all_json(Output& out, const std::vector<NamedDevice>& devices) {
  out.write("{");
  for (std::size_t i = 0; i < devices.size(); ++i) {
    out.write(i == 0 ? "\n  " : ",\n  ");
    print_json(out, devices[i]);
  }
  out.write(devices.empty() ? "}\n" : "\n}\n");
}

int show_all(Console& console, std::string_view command, const View& view) {
  std::vector<std::string> names;
  if (!list(console, names)) return 1;
  const std::vector<NamedDevice> devices = ask_all(console, names, view);
  if (view.is_json) {
    print_all_json(console.out, devices);
  } else if (view.field) {
    for (const NamedDevice& device : devices) {
      if (!print_field(console.out, device, *view.field, true)) {
        return refuse_parameter(console, command, *view.field);
      }
    }
  } else {
    for (std::size_t i = 0; i < devices.size(); ++i) {
      if (i != 0) console.out.write("\n");
      print_pretty(console.out, devices[i], view.style, console.now_s);
    }
  }
  return devices.empty() && !names.empty() ? 1 : 0;
}

void say_inaccessible(Console& console, const std::string& name, int code) {
  if (code == ENODEV && !is_called_wg(console.program)) return say_no_interface(console, name);
  console.err.print("Unable to access interface: {}\n", std::strerror(code));
}

int show_one(Console& console, std::string_view command, const std::string& name,
             const View& view) {
  auto status = console.devices->get(name);
  if (!status) {
    say_inaccessible(console, name, status.error().code);
    return 1;
  }
  std::vector<NamedDevice> devices;
  devices.push_back(
      {name, std::move(*status), names_of(view, name), settings_of(console, view, name)});
  if (view.is_json) {
    print_all_json(console.out, devices);
  } else if (!view.field) {
    print_pretty(console.out, devices[0], view.style, console.now_s);
  } else if (!print_field(console.out, devices[0], *view.field, false)) {
    return refuse_parameter(console, command, *view.field);
  }
  return 0;
}

int show(Console& console, const std::vector<std::string_view>& words, View view) {
  if (words.size() > (view.is_json ? 2u : 3u)) return refuse(console, words[0]);
  if (words.size() == 3) view.field = words[2];
  if (words.size() == 1 || words[1] == "all") return show_all(console, words[0], view);
  if (words[1] == "interfaces") {
    if (words.size() > 2) return refuse(console, words[0]);
    return show_interfaces(console, view);
  }
  const bool is_help = words[1] == "-h" || words[1] == "--help" || words[1] == "help";
  if (words.size() == 2 && is_help) {
    print_usage(is_called_wg(console.program) ? console.err : console.out, console.program,
                words[0]);
    return 0;
  }
  return show_one(console, words[0], std::string(words[1]), view);
}

}  // namespace

int run_show(Console& console, Arguments arguments) {
  std::vector<std::string_view> words(arguments.begin(), arguments.end());
  View view;
  view.is_json = std::erase(words, "--json") > 0;
  monitor::NameBook book(conf_of);
  if (!is_called_wg(console.program)) view.names = &book;
  view.style = Style(wants_color(console.out.fd()));
  const auto live = std::ranges::find_if(
      words, [](std::string_view word) { return word.starts_with("--watch"); });
  if (live == words.end()) return show(console, words, view);
  const std::optional<Duration> interval = watch_interval(*live);
  if (!interval) return refuse_parameter(console, words[0], *live);
  words.erase(live);
  return show_live(console, *interval, [&] { return show(console, words, view); });
}

int run_showconf(Console& console, Arguments arguments) {
  const bool is_help = arguments.size() == 2 && arguments[1] == "--help";
  if (arguments.size() != 2 || is_help) {
    console.err.print("Usage: {} {} <interface>\n", console.program, arguments[0]);
    return 1;
  }
  const auto status = console.devices->get(std::string(arguments[1]));
  if (!status) {
    console.err.print("Unable to access interface: {}\n", std::strerror(status.error().code));
    return 1;
  }
  files::write_conf(console.out, *status);
  return 0;
}

}  // namespace ferrule::cli
