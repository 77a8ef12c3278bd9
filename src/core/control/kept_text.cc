#include "control/kept_text.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace ferrule::control {

namespace {

// A part of a document that is a section, be it a disabled one.
struct Part {
  std::size_t first_line = 0;
  std::size_t end_line = 0;
  const NamedPeer* peer = nullptr;  // null: an [Interface]
};

// The line without the break of other systems.
std::string_view whole_line(const ConfDocument& document, std::size_t index) {
  std::string_view line = document.line(index);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void append_line(WipedText& text, std::string_view line) {
  text.append(line);
  text.append("\n");
}

bool is_apart(const WipedText& text) {
  return text.empty() || text.view() == "\n" || text.view().ends_with("\n\n");
}

// "[Peer] # comment" becomes `name` and the comment.
void append_header(WipedText& text, std::string_view name, std::string_view line) {
  text.append(name);
  const std::size_t comment = line.find('#');
  if (comment == line.npos) return append_line(text, "");
  text.append(line.substr(0, comment).ends_with(']') ? "" : " ");
  append_line(text, trimmed(line.substr(comment)));
}

// A line "# name: comment" for a comment that stood behind something else, and would mean something
// else as a line of its own: "# Name = carol", "#~ [Peer]".
void append_moved(WipedText& text, std::string_view name, std::string_view comment) {
  comment = trimmed(comment);
  if (comment.empty()) return;
  text.append("# ");
  text.append(name);
  text.append(": ");
  append_line(text, comment);
}

// The comments in a line: all of it, or what stands behind a value.
void append_comment(WipedText& text, std::string_view line) {
  const std::size_t hash = line.find('#');
  if (hash == line.npos) return;
  const std::string_view value = trimmed(line.substr(0, hash));
  if (value.empty()) return append_line(text, line);
  append_moved(text, trimmed(value.substr(0, value.find('='))), line.substr(hash + 1));
}

// Of a section that goes on where `text` ends: the comment behind its name.
void append_header_comment(WipedText& text, std::string_view name, std::string_view header) {
  const std::size_t hash = header.find('#');
  if (hash != header.npos) append_moved(text, name, header.substr(hash + 1));
}

class Keeper {
 public:
  Keeper(const ConfDocument& document, const std::vector<NamedPeer>& peers,
         const std::set<PublicKey>& present, Date now)
      : document_(document), present_(present), now_(now) {
    for (const ConfSection& section : document.sections()) {
      if (section.kind != ConfSectionKind::interface) continue;
      parts_.push_back({section.header_line, own_end(document, section)});
    }
    for (const NamedPeer& peer : peers) {
      parts_.push_back({peer.first_line, peer.end_line, &peer});
      if (peer.is_enabled) enabled_.insert(peer.conf.public_key);
    }
    std::ranges::sort(parts_, {}, &Part::first_line);
  }

  KeptText keep() {
    std::size_t line = 0;
    for (const Part& part : parts_) {
      for (; line < part.first_line; ++line) keep_free(line);
      part.peer == nullptr ? keep_interface(part) : keep_peer(part);
      is_behind_interface_ = part.peer == nullptr;
      line = part.end_line;
    }
    for (; line < document_.line_count(); ++line) keep_free(line);
    kept_.after = take_pending();
    if (kept_.interface.empty()) kept_.interface.append("[Interface]\n");
    return std::move(kept_);
  }

 private:
  // A line that belongs to no section goes where the next one goes.
  void keep_free(std::size_t index) {
    const std::string_view line = whole_line(document_, index);
    if (is_behind_interface_ && is_interface_note(line)) {
      append_line(kept_.interface, line);
    } else if (!trimmed(line).empty()) {
      append_line(pending_, line);
    } else if (!is_apart(pending_)) {
      pending_.append("\n");
    }
  }

  void keep_interface(const Part& part) {
    const std::string_view header = whole_line(document_, part.first_line);
    if (kept_.interface.empty()) {
      kept_.before = take_pending();
      append_header(kept_.interface, "[Interface]", header);
    } else {
      append_header_comment(kept_.interface, "Interface", header);
      leave_gap();
    }
    for (std::size_t i = part.first_line + 1; i < part.end_line; ++i) {
      append_comment(kept_.interface, whole_line(document_, i));
    }
  }

  void keep_peer(const Part& part) {
    const NamedPeer& peer = *part.peer;
    const PublicKey& key = peer.conf.public_key;
    const bool is_present = present_.contains(key);
    // Someone may have put a disabled peer back into the device by other means.
    const bool is_itself = is_present && (peer.is_enabled || !enabled_.contains(key));
    if (is_itself) return keep_comments(peer);
    const bool has_expired = peer.expires && *peer.expires <= now_;
    if (peer.is_enabled && !has_expired) return leave_gap();
    for (std::size_t i = part.first_line; i < part.end_line; ++i) {
      append_line(pending_, whole_line(document_, i));
    }
  }

  void keep_comments(const NamedPeer& peer) {
    const ConfDocument section(document_.file(), section_text(document_, peer).view());
    WipedText& head = kept_.peers[peer.conf.public_key];
    const std::string_view header = whole_line(section, 0);
    if (head.empty()) {
      head = take_pending();
      append_header(head, "[Peer]", header);
    } else {
      append_header_comment(head, "Peer", header);
      leave_gap();
    }
    for (std::size_t i = 1; i < section.line_count(); ++i) {
      append_comment(head, whole_line(section, i));
    }
  }

  // A section went: what was apart stays apart.
  void leave_gap() {
    if (!is_apart(pending_)) pending_.append("\n");
  }

  WipedText take_pending() {
    std::string_view text = pending_.view();
    while (text.starts_with('\n')) text.remove_prefix(1);
    WipedText taken(text);
    pending_.clear();
    return taken;
  }

  const ConfDocument& document_;
  const std::set<PublicKey>& present_;
  Date now_;
  std::vector<Part> parts_;
  std::set<PublicKey> enabled_;
  KeptText kept_;
  WipedText pending_;  // no part of a section, on its way to the next one
  bool is_behind_interface_ = false;
};

}  // namespace

std::expected<KeptText, ConfErrors> kept_text(const ConfDocument& document,
                                              const std::set<PublicKey>& present, Date now) {
  const auto peers = read_peers(document);
  if (!peers) return std::unexpected(peers.error());
  ConfDocument apart(document.file(), document.text().view());
  set_disabled_apart(apart);
  const auto peers_apart = read_peers(apart);
  if (!peers_apart) return std::unexpected(peers_apart.error());
  return Keeper(apart, *peers_apart, present, now).keep();
}

}  // namespace ferrule::control
