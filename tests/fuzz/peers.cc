// Peers in files, with names, dates and a switch: what is changed about one peer changes no other, a
// peer that is disabled and enabled again is as it was, and findings stand where they say.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/key_text.h"
#include "control/conf_check.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/kept_text.h"
#include "control/named_peers.h"
#include "tests/fuzz/choices.h"

namespace ferrule::control {
namespace {

using Peers = std::vector<NamedPeer>;

std::string text_of(const ConfDocument& document) {
  const WipedText text = document.text();
  return std::string(text.view());
}

Peers reread(const ConfDocument& document) {
  auto peers = read_peers(document);
  FERRULE_CHECK(peers.has_value());
  return std::move(*peers);
}

bool same(const NamedPeer& a, const NamedPeer& b) {
  return a.name == b.name && a.expires == b.expires && a.is_enabled == b.is_enabled &&
         a.conf.public_key == b.conf.public_key && a.conf.endpoint == b.conf.endpoint;
}

bool same_but_for(const Peers& a, const Peers& b, std::size_t changed) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i != changed && !same(a[i], b[i])) return false;
  }
  return true;
}

void check_switch(ConfDocument& document, const Peers& before, std::size_t at) {
  const std::string text = text_of(document);
  const bool was_enabled = before[at].is_enabled;
  // Somebody's own comment, which would become a line of the disabled peer, is set apart for good.
  const bool is_followed = before[at].end_line < document.line_count() &&
                           document.line(before[at].end_line).starts_with("#~");
  was_enabled ? disable_peer(document, before[at]) : enable_peer(document, before[at]);
  const Peers between = reread(document);
  FERRULE_CHECK(same_but_for(before, between, at));
  FERRULE_CHECK(between[at].is_enabled != was_enabled);
  FERRULE_CHECK(between[at].name == before[at].name);
  FERRULE_CHECK(between[at].conf.public_key == before[at].conf.public_key);
  was_enabled ? enable_peer(document, between[at]) : disable_peer(document, between[at]);
  const Peers after = reread(document);
  FERRULE_CHECK(same_but_for(before, after, before.size()));
  if (was_enabled && text.ends_with('\n') && !is_followed) FERRULE_CHECK(text_of(document) == text);
}

void check_rename(ConfDocument& document, const Peers& before, std::size_t at,
                  std::string_view name) {
  if (!is_peer_name(name)) return;
  rename_peer(document, before[at], name);
  const Peers after = reread(document);
  FERRULE_CHECK(same_but_for(before, after, at));
  FERRULE_CHECK(after[at].conf.public_key == before[at].conf.public_key);
  FERRULE_CHECK(after[at].expires == before[at].expires);
}

void check_remove(ConfDocument& document, const Peers& before, std::size_t at) {
  remove_peer(document, before[at]);
  const Peers after = reread(document);
  FERRULE_CHECK(after.size() + 1 == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    FERRULE_CHECK(same(after[i], before[i < at ? i : i + 1]));
  }
}

// Written anew with these peers, the file can be read and has the same ones.
void check_kept(const ConfDocument& document, const Peers& peers, bool are_present) {
  std::set<PublicKey> present;
  for (const NamedPeer& peer : peers) {
    if (are_present && peer.is_enabled) present.insert(peer.conf.public_key);
  }
  const auto kept = kept_text(document, present, Date());
  FERRULE_CHECK(kept.has_value() && kept->peers.size() == present.size());
  std::string text(kept->before.view());
  text += kept->interface.view();
  for (const auto& [key, head] : kept->peers) {
    text += '\n';
    text += head.view();
    text += "PublicKey = " + to_base64(key) + '\n';
  }
  text += '\n';
  text += kept->after.view();
  const ConfDocument anew("wg0.conf", text);
  FERRULE_CHECK(read_configuration(anew, ConfDialect::wg_quick).has_value());
  const Peers after = reread(anew);
  const auto is_off = [](const NamedPeer& peer) { return !peer.is_enabled; };
  FERRULE_CHECK(std::ranges::count_if(after, is_off) == std::ranges::count_if(peers, is_off));
  for (const PublicKey& key : present) {
    FERRULE_CHECK(std::ranges::any_of(after, [&](const NamedPeer& peer) {
      return peer.is_enabled && peer.conf.public_key == key;
    }));
  }
}

void check_peers(ConfDocument& document, fuzz::Choices& choices) {
  if (!read_configuration(document, ConfDialect::wg_quick)) return;
  auto peers = read_peers(document);
  if (!peers || peers->empty()) return;
  check_kept(document, *peers, true);
  check_kept(document, *peers, false);
  const std::size_t count = peers->size();
  set_disabled_apart(document);
  peers = reread(document);
  FERRULE_CHECK(peers->size() == count);
  for (const NamedPeer& peer : *peers) {
    FERRULE_CHECK(peer.first_line < peer.end_line && peer.end_line <= document.line_count());
    if (peer.expires) FERRULE_CHECK(parse_date(date_text(*peer.expires)) == peer.expires);
  }
  const std::size_t at = choices.number(0, peers->size() - 1);
  switch (choices.byte() % 3) {
    case 0:
      return check_switch(document, *peers, at);
    case 1:
      return check_rename(document, *peers, at, choices.text(64));
    default:
      return check_remove(document, *peers, at);
  }
}

void check_findings(const ConfDocument& document) {
  const auto configuration = read_configuration(document, ConfDialect::wg_quick);
  if (!configuration) return;
  for (const ConfFinding& finding : check_configuration(document, *configuration, {})) {
    FERRULE_CHECK(!finding.rule.empty() && !finding.where.to_string().empty());
    // What an empty file lacks, it lacks in its first line.
    const std::size_t lines = std::max<std::size_t>(1, document.line_count());
    FERRULE_CHECK(finding.where.line >= 1 && finding.where.line <= lines);
  }
}

}  // namespace
}  // namespace ferrule::control

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule;
  using namespace ferrule::control;
  fuzz::Choices choices(data, size);
  // What is changed is chosen behind a zero byte, which is no text.
  const std::uint8_t* zero = std::find(data, data + size, 0);
  const std::string_view text = choices.text(static_cast<std::size_t>(zero - data));
  (void)choices.byte();
  ConfDocument document("wg0.conf", text);
  check_findings(document);
  check_peers(document, choices);
  return 0;
}
