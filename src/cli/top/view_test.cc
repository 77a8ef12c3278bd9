#include "cli/top/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "cli/terminal/console_testing.h"
#include "cli/top/texts.h"

namespace ferrule::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ContainsRegex;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr TopScreen kScreen{24, 120, true};

std::int32_t code(TopKey key) { return static_cast<std::int32_t>(key); }

// wg0 with three peers of different age and traffic, wg1 with none.
class Top : public testing::Test {
 protected:
  Top() {
    add_peer(1, "192.0.2.1:1001", 5, 1000);
    add_peer(2, "192.0.2.2:1002", 500, 9000);
    add_peer(3, "192.0.2.3:1003", 90, 50);
    snapshot_.devices.emplace_back().name = "wg1";
    snapshot_.now = {Instant::from_ns(1'000'000'000), WallTime{kNow, 0}};
    history_.add(snapshot_);
    snapshot_.now.boot = Instant::from_ns(2'000'000'000);
    peers()[2].rx_bytes += 125'000;
    history_.add(snapshot_);
    settle(state_, snapshot_, history_);
  }

  std::vector<protocol::PeerStatus>& peers() { return snapshot_.devices[0].status.peers; }

  void add_peer(std::uint8_t number, std::string_view endpoint, std::int64_t age_s,
                std::uint64_t rx) {
    if (snapshot_.devices.empty()) snapshot_.devices.emplace_back().name = "wg0";
    protocol::PeerStatus& peer = peers().emplace_back();
    peer.public_key.bytes.fill(number);
    peer.endpoint = *Endpoint::parse(endpoint);
    peer.last_handshake.seconds = kNow - age_s;
    peer.rx_bytes = rx;
    peer.allowed_ips = {Cidr(*IpAddress::parse("10.0.0.1"), 32)};
  }

  void type(std::string_view keys) {
    for (const char key : keys) press(state_, key, snapshot_, history_);
  }
  void press_key(TopKey key) { press(state_, code(key), snapshot_, history_); }

  std::vector<std::string> lines(TopScreen screen = kScreen) const {
    std::vector<std::string> lines;
    for (const Line& line : draw_top({state_, snapshot_, history_, screen})) {
      std::string& text = lines.emplace_back();
      for (const Span& span : line) text += span.text;
    }
    return lines;
  }
  std::string page() const {
    std::string page;
    for (const std::string& line : lines()) page += line + "\n";
    return page;
  }
  // The line of the peer with this endpoint.
  std::string row_of(std::string_view endpoint) const {
    for (const std::string& line : lines()) {
      if (line.contains(endpoint)) return line;
    }
    return "";
  }
  // The last octets of the endpoints, in the order in which they are listed.
  std::string order() const {
    std::string order;
    for (const std::string& line : lines()) {
      const std::size_t at = line.find(" 192.0.2.");
      if (at != line.npos) order += line[at + 9];
    }
    return order;
  }

  monitor::Snapshot snapshot_;
  monitor::History history_;
  TopState state_;
};

TEST_F(Top, FillsTheScreenAndNoMore) {
  for (const TopScreen screen : {TopScreen{24, 80, true}, TopScreen{5, 20, false},
                                 TopScreen{1, 1, true}, TopScreen{60, 200, true}}) {
    for (const auto page : {TopState::Page::peers, TopState::Page::peer, TopState::Page::help}) {
      state_.page = page;
      const auto drawn = lines(screen);
      EXPECT_EQ(drawn.size(), screen.rows);
      for (const std::string& line : drawn) {
        const auto columns = std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; });
        EXPECT_LE(static_cast<std::size_t>(columns), screen.columns) << line;
      }
    }
  }
  EXPECT_THAT(lines({0, 0, true}), SizeIs(0));
}

TEST_F(Top, AnInterfaceThatIsGoneIsSaidToBe) {
  snapshot_.absent.push_back({"wg7", ENODEV});
  EXPECT_THAT(lines()[0], HasSubstr(" wg1  wg7 (gone) "));
  snapshot_.absent[0].code = ETIMEDOUT;
  EXPECT_THAT(lines()[0], HasSubstr(" wg7 (Connection timed out) "));
  snapshot_.devices.clear();
  settle(state_, snapshot_, history_);
  EXPECT_THAT(page(), HasSubstr("No WireGuard interface answers.\n"));
}

TEST_F(Top, TheBusiestPeerIsFirst) { EXPECT_EQ(order(), "312"); }

TEST_F(Top, SortsByOtherThingsToo) {
  type("s");
  EXPECT_EQ(state_.sort, TopSort::handshake);
  EXPECT_EQ(order(), "132");
  type("s");
  EXPECT_EQ(state_.sort, TopSort::total);
  EXPECT_EQ(order(), "321");
  type("s");
  EXPECT_EQ(state_.sort, TopSort::endpoint);
  EXPECT_EQ(order(), "123");
  type("r");
  EXPECT_EQ(order(), "321");
}

TEST_F(Top, SortsByNameWithThoseThatHaveNoneLast) {
  monitor::PeerNames names;
  names[peers()[0].public_key] = "zoe";
  names[peers()[2].public_key] = "bob";
  snapshot_.devices[0].names = std::make_shared<const monitor::PeerNames>(std::move(names));
  state_.sort = TopSort::name;
  EXPECT_EQ(order(), "312");
}

TEST_F(Top, SortsByLossWithWhatIsNotKnownLast) {
  peers()[0].messages = {0, 0};
  peers()[1].messages = {0, 0};
  history_.add(snapshot_);
  snapshot_.now.boot = snapshot_.now.boot + 1s;
  peers()[0].messages = {100, 100};
  peers()[1].messages = {90, 100};
  history_.add(snapshot_);
  state_.sort = TopSort::loss;
  EXPECT_EQ(order(), "213");
}

TEST_F(Top, EveryOrderHasAName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kTopSorts; ++i) {
    names.insert(name_of(state_.sort));
    type("s");
  }
  EXPECT_EQ(names.size(), kTopSorts);
  EXPECT_EQ(state_.sort, TopSort::rate);
}

TEST_F(Top, AFilterHasAnyCaseAndAnyLetter) {
  monitor::PeerNames names;
  names[peers()[1].public_key] = "Zo\u00eb";
  snapshot_.devices[0].names = std::make_shared<const monitor::PeerNames>(std::move(names));
  type("/zO");
  press(state_, 0xEB, snapshot_, history_);
  EXPECT_EQ(state_.filter, "zO\u00eb");
  EXPECT_EQ(order(), "2");
  press_key(TopKey::backspace);
  EXPECT_EQ(state_.filter, "zO");
  press_key(TopKey::up);  // no character
  EXPECT_EQ(state_.filter, "zO");
}

TEST_F(Top, ASmallWindowShowsPeers) {
  const auto drawn = lines({5, 20, true});
  EXPECT_THAT(drawn[1], StartsWith("PEER"));
  EXPECT_THAT(drawn[2], StartsWith("> AwMD"));
  EXPECT_THAT(drawn[3], StartsWith("  AQEB"));
}

TEST_F(Top, ShowsRatesInBits) { EXPECT_THAT(page(), HasSubstr("1.0 M")); }

TEST_F(Top, FiltersByEndpoint) {
  type("/:1002");
  EXPECT_THAT(lines().back(), HasSubstr("filter: :1002_"));
  press_key(TopKey::enter);
  EXPECT_EQ(order(), "2");
  press_key(TopKey::escape);
  EXPECT_EQ(order(), "312");
}

TEST_F(Top, APeerIsCalledByItsName) {
  monitor::PeerNames names;
  names[peers()[1].public_key] = "alice's laptop";
  snapshot_.devices[0].names = std::make_shared<const monitor::PeerNames>(std::move(names));
  EXPECT_THAT(page(), HasSubstr("alice's laptop"));
  type("/alice");
  EXPECT_EQ(order(), "2");
}

TEST_F(Top, WithoutUnicodeANameIsInAscii) {
  monitor::PeerNames names;
  names[peers()[1].public_key] = "Zo\u00eb";
  snapshot_.devices[0].names = std::make_shared<const monitor::PeerNames>(std::move(names));
  const auto drawn = lines({24, 120, false});
  EXPECT_THAT(drawn, Contains(HasSubstr("  Zo?  ")));
}

TEST_F(Top, LossIsShownWhereItIsKnown) {
  EXPECT_THAT(row_of("192.0.2.1"), HasSubstr("  5 s     -  "));
  peers()[0].messages = {1000, 1000};
  history_.add(snapshot_);
  snapshot_.now.boot = snapshot_.now.boot + 1s;
  peers()[0].messages = {1950, 2000};
  history_.add(snapshot_);
  EXPECT_THAT(row_of("192.0.2.1"), HasSubstr("  5 s 5.0 %  "));
  type("/2.1:");
  press_key(TopKey::enter);
  press_key(TopKey::enter);
  EXPECT_THAT(page(), HasSubstr("lost on the way here  50 of 2000 messages, 5.0 % of late"));
}

TEST_F(Top, LossHasADigitWhereItMatters) {
  EXPECT_EQ(loss_text(std::nullopt), "-");
  EXPECT_EQ(loss_text(0), "0 %");
  EXPECT_EQ(loss_text(0.00001), "0.1 %");
  EXPECT_EQ(loss_text(0.0123), "1.2 %");
  EXPECT_EQ(loss_text(0.0996), "10 %");
  EXPECT_EQ(loss_text(0.5), "50 %");
  EXPECT_EQ(loss_text(1), "100 %");
}

TEST_F(Top, RatesAndPlotsFitIn80Columns) {
  const auto drawn = lines({24, 80, true});
  const std::string heading = *std::ranges::find_if(
      drawn, [](const std::string& line) { return line.starts_with("PEER"); });
  EXPECT_THAT(heading,
              AllOf(HasSubstr("LOSS     IN▼ "), HasSubstr("OUT▼     "), Not(HasSubstr("SENT"))));
  EXPECT_THAT(drawn, Contains(ContainsRegex("1[.]0 M  *\u2588 ")));
}

TEST_F(Top, WhereThereIsRoomThereAreTotalsAndLongEndpoints) {
  peers()[0].endpoint = *Endpoint::parse("[2001:db8:1111:2222:3333:4444:5555:6666]:51820");
  const auto drawn = lines({24, 140, true});
  EXPECT_THAT(drawn, Contains(HasSubstr("[2001:db8:1111:2222:3333:4444:5555:6666]:51820 ")));
  EXPECT_THAT(drawn, Contains(HasSubstr("   RECEIVED        SENT")));
}

TEST_F(Top, AFilterCanBeCorrected) {
  type("/x");
  EXPECT_THAT(page(), HasSubstr("no peer matches"));
  press_key(TopKey::backspace);
  press_key(TopKey::backspace);
  EXPECT_EQ(order(), "312");
}

TEST_F(Top, EnterShowsOnePeer) {
  press_key(TopKey::down);
  press_key(TopKey::enter);
  EXPECT_THAT(page(), AllOf(HasSubstr("peer AQEBAQEB"), HasSubstr("192.0.2.1:1001"),
                            HasSubstr("10.0.0.1/32"), HasSubstr("session               yes"),
                            Not(HasSubstr("192.0.2.2"))));
  press_key(TopKey::escape);
  EXPECT_EQ(order(), "312");
}

TEST_F(Top, TheSelectionStaysWithinTheList) {
  press_key(TopKey::up);
  EXPECT_EQ(state_.selected, 0u);
  press_key(TopKey::end);
  press_key(TopKey::down);
  EXPECT_EQ(state_.selected, 2u);
  peers().pop_back();
  settle(state_, snapshot_, history_);
  EXPECT_EQ(state_.selected, 1u);
}

TEST_F(Top, TheSelectionStaysWithItsPeer) {
  press_key(TopKey::down);
  ASSERT_EQ(order(), "312");
  type("s");
  EXPECT_EQ(order()[state_.selected], '1') << order();
  type("r");
  EXPECT_EQ(order()[state_.selected], '1') << order();
}

TEST_F(Top, WhoHasChosenNobodyStaysAtTheTop) {
  type("r");
  EXPECT_EQ(state_.selected, 0u);
}

TEST_F(Top, ThePageOfAPeerStaysItsPage) {
  press_key(TopKey::enter);
  ASSERT_THAT(page(), HasSubstr("192.0.2.3"));
  std::ranges::reverse(peers());
  state_.sort = TopSort::key;
  settle(state_, snapshot_, history_);
  EXPECT_THAT(page(), HasSubstr("192.0.2.3"));
  std::erase_if(peers(), [](const auto& peer) { return peer.endpoint.port == 1003; });
  settle(state_, snapshot_, history_);
  EXPECT_EQ(state_.page, TopState::Page::peers);
}

TEST_F(Top, TheChosenInterfaceStaysWhenAnotherOneGoes) {
  press_key(TopKey::tab);
  snapshot_.devices.erase(snapshot_.devices.begin());
  snapshot_.devices.emplace_back().name = "wg2";
  settle(state_, snapshot_, history_);
  EXPECT_EQ(snapshot_.devices[state_.device].name, "wg1");
}

TEST_F(Top, ALongListScrollsToTheSelection) {
  for (int i = 0; i < 100; ++i) add_peer(50, "198.51.100.1:1", 10'000, 0);
  add_peer(99, "203.0.113.9:9", 20'000, 0);
  press_key(TopKey::end);
  EXPECT_THAT(page(), HasSubstr("203.0.113.9:9"));
}

TEST_F(Top, TabShowsTheNextInterface) {
  press_key(TopKey::tab);
  EXPECT_THAT(page(), HasSubstr("no peers"));
  press_key(TopKey::tab);
  EXPECT_EQ(order(), "312");
}

TEST_F(Top, TheNextInterfaceBeginsWithItsFirstPeer) {
  snapshot_.devices[1].status.peers.resize(3);
  press_key(TopKey::down);
  press_key(TopKey::tab);
  EXPECT_EQ(state_.selected, 0u);
}

TEST_F(Top, PeersAndSessionsAreCounted) {
  EXPECT_THAT(page(), HasSubstr("peers 3, 2 with a session"));
}

TEST_F(Top, AnAgeHasOneUnit) {
  const auto aged = [&](std::int64_t age_s) {
    peers()[0].last_handshake.seconds = kNow - age_s;
    return row_of("192.0.2.1");
  };
  EXPECT_THAT(aged(59), HasSubstr("   59 s  "));
  EXPECT_THAT(aged(60), HasSubstr("  1 min  "));
  EXPECT_THAT(aged(3599), HasSubstr(" 59 min  "));
  EXPECT_THAT(aged(3600), HasSubstr("    1 h  "));
  EXPECT_THAT(aged(86'400), HasSubstr("    1 d  "));
  EXPECT_THAT(aged(kNow), HasSubstr("  never  "));
}

TEST_F(Top, AnInterfaceThatGoesTakesItsPageAlong) {
  press_key(TopKey::enter);
  snapshot_.devices.clear();
  settle(state_, snapshot_, history_);
  EXPECT_THAT(page(), HasSubstr("No WireGuard interface answers"));
}

TEST_F(Top, DropsAreShownByName) {
  snapshot_.devices[0].stats = {{"drop_bad_mac1", 7}, {"drop_no_route", 0}};
  EXPECT_THAT(page(), AllOf(HasSubstr("dropped: bad_mac1 7"), Not(HasSubstr("no_route"))));
}

TEST_F(Top, LanesAndTheirCpuAreShown) {
  snapshot_.devices[0].stats = {{"lane_0_cpu_ns", 0}, {"lane_1_cpu_ns", 0}};
  history_.add(snapshot_);
  snapshot_.now.boot = snapshot_.now.boot + 1s;
  snapshot_.devices[0].stats = {{"lane_0_cpu_ns", 400'000'000}, {"lane_1_cpu_ns", 100'000'000}};
  history_.add(snapshot_);
  EXPECT_THAT(page(), HasSubstr("lanes 2   CPU 50 %"));
}

TEST_F(Top, QGoesBackAndQuitsFromTheList) {
  type("hq");
  EXPECT_EQ(state_.page, TopState::Page::peers);
  press_key(TopKey::enter);
  ASSERT_EQ(state_.page, TopState::Page::peer);
  type("q");
  EXPECT_EQ(state_.page, TopState::Page::peers);
  EXPECT_FALSE(state_.quits);
  type("q");
  EXPECT_TRUE(state_.quits);
}

TEST_F(Top, ThePageOfAPeerGoesToTheOneBesideIt) {
  press_key(TopKey::enter);
  ASSERT_THAT(page(), HasSubstr("192.0.2.3:1003"));
  press_key(TopKey::down);
  EXPECT_THAT(page(), HasSubstr("192.0.2.1:1001"));
  press_key(TopKey::up);
  EXPECT_THAT(page(), HasSubstr("192.0.2.3:1003"));
  type("x");
  EXPECT_EQ(state_.page, TopState::Page::peer);
}

TEST_F(Top, EveryPageSaysItsKeys) {
  EXPECT_THAT(lines().back(), AllOf(HasSubstr("q quit"), HasSubstr("tab interface")));
  type("h");
  EXPECT_THAT(lines().back(), StartsWith("any key back"));
  type("x");
  press_key(TopKey::enter);
  EXPECT_THAT(lines().back(), AllOf(StartsWith("q back"), HasSubstr("down next peer")));
  type("q/");
  EXPECT_THAT(lines().back(), StartsWith("filter: _  enter keep"));
}

TEST_F(Top, AHintIsShownWholeOrNotAtAll) {
  const std::string all = lines({24, 200, true}).back() + " ";
  for (std::size_t columns = 0; columns < 90; ++columns) {
    std::string line = lines({24, columns, true}).back();
    line.erase(line.find_last_not_of(' ') + 1);
    EXPECT_TRUE(line.empty() || all.starts_with(line + "  ")) << line;
  }
}

TEST_F(Top, TheColumnsThatPeersAreSortedByAreMarked) {
  const auto heading = [&](std::size_t columns) { return lines({24, columns, true})[4]; };
  EXPECT_THAT(heading(120), AllOf(HasSubstr(" IN▼ "), HasSubstr(" OUT▼ ")));
  type("r");
  EXPECT_THAT(heading(120), AllOf(HasSubstr(" IN▲ "), HasSubstr(" OUT▲ ")));
  type("rs");
  EXPECT_THAT(heading(120), AllOf(HasSubstr("HANDSHAKE▲ "), HasSubstr(" IN ")));
  type("s");
  EXPECT_THAT(heading(120), AllOf(HasSubstr("RECEIVED▼"), HasSubstr(" SENT▼")));
  EXPECT_THAT(lines({24, 70, true}).back(), StartsWith("sorted by total  q quit"));
  type("s");
  EXPECT_THAT(heading(120), HasSubstr("ENDPOINT▲ "));
  type("s");
  EXPECT_THAT(heading(120), HasSubstr("PEER▲ "));
  EXPECT_THAT(lines({24, 120, false})[4], HasSubstr("PEER^ "));
}

TEST_F(Top, NamesGetTheRoomThatIsFree) {
  monitor::PeerNames names;
  names[peers()[1].public_key] = "Кабинет бухгалтерии, 2-й этаж";  // 29 columns
  names[peers()[2].public_key] = "東京オフィス・三階会議室";       // 24 columns
  snapshot_.devices[0].names = std::make_shared<const monitor::PeerNames>(std::move(names));
  const auto drawn = lines({24, 80, true});
  EXPECT_THAT(drawn, Contains(StartsWith("  Кабинет бухгалтерии, 2-й этаж  192.0.2.2:1002 ")));
  EXPECT_THAT(drawn, Contains(StartsWith("> 東京オフィス・三階会議室       192.0.2.3:1003 ")));
}

TEST_F(Top, WhatFindsNoRoomIsSeenToBeLonger) {
  monitor::PeerNames names;
  names[peers()[1].public_key] = std::string(60, 'x');
  snapshot_.devices[0].names = std::make_shared<const monitor::PeerNames>(std::move(names));
  EXPECT_THAT(lines({24, 80, true}), Contains(HasSubstr("xxx… 192.0.2.2:1002")));
  EXPECT_THAT(lines({24, 80, false}), Contains(HasSubstr("xxx~ 192.0.2.2:1002")));
  EXPECT_THAT(lines({24, 130, true}), Contains(HasSubstr(std::string(60, 'x') + " 192.0.2.2")));
}

TEST_F(Top, AllPlotsHaveOneScale) {
  peers()[0].rx_bytes += 500'000;  // 4 Mbit/s, beside nothing of the others
  snapshot_.now.boot = snapshot_.now.boot + 1s;
  history_.add(snapshot_);
  EXPECT_THAT(page(), HasSubstr("   0–5 Mbit/s"));
  EXPECT_THAT(row_of("192.0.2.1"), HasSubstr("4.0 M        ▆"));
  EXPECT_THAT(row_of("192.0.2.3"), HasSubstr("  0        ▁ "));  // a look ago it was 1 Mbit/s
}

TEST_F(Top, TheHelpPageEndsWithAnyKey) {
  type("h");
  EXPECT_THAT(page(), HasSubstr("the next interface"));
  type("x");
  EXPECT_EQ(order(), "312");
}

TEST(TopCommand, NeedsATerminal) {
  const Answer answer = ask({"top"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("top needs a terminal"));
}

}  // namespace
}  // namespace ferrule::cli
