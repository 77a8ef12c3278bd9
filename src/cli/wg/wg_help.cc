#include "cli/wg/wg_help.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ferrule::cli {

namespace {

using Page = std::pair<std::string_view, std::string_view>;

constexpr Page kShow{"show", R"( [IFACE | all | interfaces] [FIELD] [OPTION...]

Shows interfaces and their peers: all of them, one, or a field of each.

  IFACE   an interface that is up
  FIELD   public-key, private-key, listen-port, fwmark, peers, preshared-keys,
          endpoints, allowed-ips, latest-handshakes, transfer,
          persistent-keepalive, or dump for all, in lines for programs

Options
  --json             print it as JSON
  --watch[=SECONDS]  show it on the terminal until interrupted, anew every
                     second or so often

Examples
  ferrule show
  ferrule show wg0 --watch
  ferrule show all endpoints
)"};

constexpr Page kShowconf{"showconf", R"( IFACE

Prints an interface as `setconf' takes it, with its keys.

Examples
  ferrule showconf wg0 > wg0.conf
)"};

constexpr Page kSet{"set", R"( IFACE [WORD VALUE...] [peer KEY [WORD VALUE...]]...

Changes an interface, until it goes down: files stay as they are.

  listen-port PORT   the UDP port to listen at; 0 for any
  fwmark MARK        the mark of what it sends; 0 or off for none
  private-key FILE   the key in a file
  bind ADDRESS[,ADDRESS]
                     listen at, and answer from, these own addresses alone, one
                     a family; off for all (ferruled)
  bind-interface NAME
                     the same by this interface alone, or this VRF; off for any

  peer KEY           the peer with this public key, made if it is not there
  remove             take the peer away
  preshared-key FILE
                     the key in a file, or /dev/null for none
  endpoint HOST:PORT
                     where the peer is
  persistent-keepalive SECONDS
                     how often it hears of us; 0 or off for never
  allowed-ips PREFIX[,PREFIX...]
                     what it may send and is sent; all others are forgotten,
                     unless each has a sign: +PREFIX adds, -PREFIX takes away

Examples
  ferrule set wg0 peer KEY endpoint vpn.example.com:51820
  ferrule set wg0 peer KEY allowed-ips +10.1.0.0/16
  ferrule set wg0 peer KEY remove
)"};

constexpr Page kSetconf{"setconf", R"( IFACE FILE

Makes an interface what a file says: peers that it does not have are removed.
The file has the keys of wg only: `ferrule strip' prints one so.

Examples
  ferrule setconf wg0 wg0.conf
)"};

constexpr Page kAddconf{"addconf", R"( IFACE FILE

Adds what a file says to an interface: peers that it does not have stay.

Examples
  ferrule addconf wg0 more.conf
)"};

constexpr Page kSyncconf{"syncconf", R"( IFACE FILE

Makes an interface what a file says; sessions with peers that stay live on.
(`ferrule reload' does so with addresses, routes and all else, too.)

Examples
  ferrule syncconf wg0 wg0.conf
)"};

constexpr Page kGenkey{"genkey", R"(

Prints a new private key.

Examples
  (umask 077 && ferrule genkey > private.key)
)"};

constexpr Page kGenpsk{"genpsk", R"(

Prints a new preshared key, which two peers have in common.

Examples
  (umask 077 && ferrule genpsk > preshared.key)
)"};

constexpr Page kPubkey{"pubkey", R"(

Reads a private key and prints the public key that belongs to it.

Examples
  ferrule pubkey < private.key
)"};

constexpr std::array kPages{kShow,     kShowconf, kSet,    kSetconf, kAddconf,
                            kSyncconf, kGenkey,   kGenpsk, kPubkey};

}  // namespace

std::string_view wg_help(std::string_view command) noexcept {
  const auto page = std::ranges::find(kPages, command, &Page::first);
  return page == kPages.end() ? std::string_view() : page->second;
}

}  // namespace ferrule::cli
