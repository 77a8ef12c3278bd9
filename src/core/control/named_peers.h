// The peers of a .conf file as people mean them: with names, dates and a switch.
//
// All of that stands in comments, which other tools ignore:
//
//   [Peer]
//   # Name = alice
//   # Expires = 2027-01-01
//   PublicKey = ...
//
//   #~ [Peer]                a peer that is disabled: each of its lines is a comment
//   #~ # Name = bob
//   #~ PublicKey = ...
//
// Comments among a section's values, and right behind them, belong to it; those right before the next
// section belong to that one, and those with empty lines around to nobody.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/wiped_text.h"

namespace ferrule::control {

/// A moment, UTC. A day alone is its beginning.
using Date = std::chrono::sys_seconds;

/// "2027-01-31", "2027-01-31 18:00", also with a T in between.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text) noexcept;
/// A date, or a time from `now` on: "12h", or whole days from today: "30d", "4w", "1y" (of 365 days).
[[nodiscard]] std::optional<Date> parse_expiry(std::string_view text, Date now) noexcept;
/// Without the hour at midnight; to the minute.
[[nodiscard]] std::string date_text(Date date);

/// Whether a peer may be called so: 1 to 64 bytes of UTF-8 without '#', quotes, control characters and
/// space around.
[[nodiscard]] bool is_peer_name(std::string_view name) noexcept;

/// What stands in a file as a name, fit for terminals, JSON and labels: at most 64 bytes of UTF-8, with
/// a question mark for each control character and each byte that is no UTF-8.
[[nodiscard]] std::string shown_name(std::string_view written);

/// Move-only, since its values hold a key.
struct NamedPeer {
  std::string name;             // as shown_name has it; "": has none
  std::optional<Date> expires;  // from that day on it should be disabled
  bool is_enabled = true;
  PeerConf conf;               // with no section: a disabled peer has none
  std::size_t first_line = 0;  // its header
  std::size_t end_line = 0;    // behind its last line
};

/// The peers of a document of which nothing is wrong, in the order of the file, and what is wrong with
/// the others.
struct PeerList {
  std::vector<NamedPeer> peers;
  ConfErrors errors;              // of peers that are enabled
  ConfErrors errors_of_disabled;  // of the others
  ConfErrors dates_of_nobody;     // "# Expires" outside of all peers' lines: nothing comes of them
};
[[nodiscard]] PeerList list_peers(const ConfDocument& document);

/// The peers of a document, or what is wrong with them. In the order of the file.
[[nodiscard]] std::expected<std::vector<NamedPeer>, ConfErrors> read_peers(
    const ConfDocument& document);

/// The lines of a peer, as they are or would be when it is enabled.
[[nodiscard]] WipedText section_text(const ConfDocument& document, const NamedPeer& peer);
/// Behind the last line that belongs to a section.
[[nodiscard]] std::size_t own_end(const ConfDocument& document, const ConfSection& section);

/// The peer with this name, or this public key in base64; null when there is none.
[[nodiscard]] const NamedPeer* find_peer(const std::vector<NamedPeer>& peers,
                                         std::string_view name_or_key);

// Changes of a document. Line numbers from before, in other peers too, are then out of date.

/// A section at the end, with an empty line before it.
void append_peer(ConfDocument& document, std::string_view section);
/// Its lines go, and an empty line after it.
void remove_peer(ConfDocument& document, const NamedPeer& peer);
void rename_peer(ConfDocument& document, const NamedPeer& peer, std::string_view name);
void disable_peer(ConfDocument& document, const NamedPeer& peer);
void enable_peer(ConfDocument& document, const NamedPeer& peer);
/// Disabled peers that someone has put among the values of another section go behind it. Only then are
/// the lines of a peer its alone. True when there were any.
bool set_disabled_apart(ConfDocument& document);

/// A comment that says something: "# Name = alice". Both are parts of the line.
struct Note {
  std::string_view key;
  std::string_view value;
};
[[nodiscard]] std::optional<Note> note_in(std::string_view line);

/// What a comment "# key = value" in [Interface] says, where there is one; the last one counts.
[[nodiscard]] std::optional<std::string> interface_note(const ConfDocument& document,
                                                        std::string_view key);
/// Whether a line is such a comment, with a key that means something in [Interface].
[[nodiscard]] bool is_interface_note(std::string_view line) noexcept;

}  // namespace ferrule::control
