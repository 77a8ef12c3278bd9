#include "cli/complete/complete.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/key_text.h"
#include "cli/complete/help_words.h"
#include "cli/terminal/conf_text.h"
#include "control/named_peers.h"
#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::cli {

namespace {

// What a word of the help stands for, where that is known beforehand.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kValues{{
    {"FIELD",
     "public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips "
     "latest-handshakes transfer persistent-keepalive dump"},
    {"FORMAT", "conf networkmanager networkd"},
    {"DATE", "12h 1d 7d 30d 4w 1y"},
    {"SECONDS", "1 5 10 60"},
    {"PORT", "51820"},
    {"WAY", "auto namespace"},
    {"ADDRESS:PORT", "127.0.0.1:9586"},
}};

class Completer {
 public:
  Completer(Console& console, Arguments words, const HelpOf& help)
      : console_(console),
        help_(help),
        current_(words.empty() ? std::string_view() : words.back()) {
    for (const std::string_view word : words.first(words.empty() ? 0 : words.size() - 1)) {
      before_.push_back(word);
    }
  }

  void run();

 private:
  // Prints a candidate that goes on as what is there.
  void offer(std::string_view word, std::string_view meaning = {}) {
    if (!word.starts_with(current_) || !offered_.emplace(word).second) return;
    console_.out.write(word);
    if (!meaning.empty()) {
      console_.out.write("\t");
      console_.out.write(meaning);
    }
    console_.out.write("\n");
  }
  void offer_all(const std::vector<HelpWord>& words) {
    for (const HelpWord& word : words) offer(word.word, word.meaning);
  }
  void offer_values(std::string_view kind);
  void offer_interfaces();
  void offer_peers();
  void offer_words_of_set();
  // The command's own words behind those that name it, without options and their values.
  [[nodiscard]] std::vector<std::string_view> positionals(const HelpWords& help,
                                                          std::size_t command_words) const;

  Console& console_;
  const HelpOf& help_;
  std::string_view current_;
  std::vector<std::string_view> before_;
  std::vector<std::string_view> own_;  // positionals that are there already
  std::set<std::string> offered_;
};

void Completer::offer_interfaces() {
  if (const auto names = console_.devices->list()) {
    for (const std::string& name : *names) offer(name, "up");
  }
  for (const std::string& name : files::interfaces_with_files()) offer(name, "has a file");
}

// Of the interface that is named first.
void Completer::offer_peers() {
  if (own_.empty()) return;
  const auto conf = files::find_conf(conf_of(std::string(own_.front())));
  const auto text = conf ? files::read_file(conf->path) : std::unexpected(conf.error());
  if (!text) return;
  const auto list = control::list_peers(control::ConfDocument(conf->path, text->view()));
  for (const control::NamedPeer& peer : list.peers) {
    if (!peer.name.empty()) offer(peer.name, "peer");
  }
  if (current_.empty()) return;
  for (const control::NamedPeer& peer : list.peers) {
    offer(to_base64(peer.conf.public_key), peer.name);
  }
}

void Completer::offer_values(std::string_view kind) {
  for (const auto& [name, values] : kValues) {
    if (name != kind) continue;
    for (std::string_view rest = values; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      offer(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (kind == "IFACE") offer_interfaces();
  if (kind == "PEER" || kind == "NAME") offer_peers();
  if (kind == "FILE") console_.out.write("@files\n");
}

// `set wg0 peer KEY endpoint ...` names its values with words.
void Completer::offer_words_of_set() {
  if (!before_.empty() && (before_.back() == "peer" || before_.back() == "remove")) {
    if (const auto device = console_.devices->get(std::string(own_.front()))) {
      for (const auto& peer : device->peers) offer(to_base64(peer.public_key));
    }
    return;
  }
  if (!before_.empty() && before_.back().ends_with("-key")) {
    console_.out.write("@files\n");
    return;
  }
  for (const std::string_view word :
       {"listen-port", "fwmark", "private-key", "bind", "bind-interface", "peer", "remove",
        "preshared-key", "endpoint", "persistent-keepalive", "allowed-ips"}) {
    offer(word);
  }
}

std::vector<std::string_view> Completer::positionals(const HelpWords& help,
                                                     std::size_t command_words) const {
  std::vector<std::string_view> found;
  bool is_value = false;
  for (std::size_t i = command_words; i < before_.size(); ++i) {
    if (!std::exchange(is_value, false) && before_[i].starts_with("--")) {
      is_value = !help.value_of(before_[i]).empty();
    } else if (!before_[i].starts_with("--")) {
      found.push_back(before_[i]);
    }
  }
  return found;
}

void Completer::run() {
  if (!before_.empty() && before_[0] == "help") before_.erase(before_.begin());
  std::size_t command_words = std::min<std::size_t>(before_.size(), 1);
  HelpWords help(
      help_({before_.begin(), before_.begin() + static_cast<std::ptrdiff_t>(command_words)}));
  if (command_words == 0) {
    offer_all(help.commands());
    return offer("help", "says more of a command");
  }
  if (before_.size() > 1 && !help.commands().empty()) {
    command_words = 2;
    help = HelpWords(help_({before_[0], before_[1]}));
  }
  own_ = positionals(help, command_words);
  if (current_.starts_with('-')) return offer_all(help.options());
  const std::string_view value = help.value_of(before_.back());
  if (before_.size() > command_words && !value.empty()) return offer_values(value);
  if (!help.commands().empty()) return offer_all(help.commands());
  if (before_[0] == "set" && !own_.empty()) return offer_words_of_set();
  const std::string_view kind = help.positional(own_.size());
  // A new name is nobody's yet.
  const bool is_new = before_.size() > 1 && before_[0] == "peer" && before_[1] == "add";
  if (kind == "NAME" && is_new) return;
  // Tunnels are named by their interfaces, or by files.
  if (kind == "FILE" && own_.empty()) offer_interfaces();
  offer_values(kind);
  for (const std::string_view word : help.choices(own_.size())) offer(word);
}

}  // namespace

void print_completions(Console& console, Arguments words, const HelpOf& help) {
  Completer(console, words, help).run();
}

}  // namespace ferrule::cli
