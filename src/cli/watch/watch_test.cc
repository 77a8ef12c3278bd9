#include "cli/watch/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;

const WallTime kAt{kTestNow, 0};
const std::string kKeyText = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

template <class Print>
std::string printed(Print print) {
  const files::MemoryFile file;
  Output out(file.fd());
  print(out);
  out.flush();
  return file.content();
}

monitor::Event roamed() {
  monitor::Event event{.kind = monitor::EventKind::roamed, .device = "wg0"};
  event.peer = PublicKey{{1}};
  event.from = *Endpoint::parse("192.0.2.1:5");
  event.to = *Endpoint::parse("[2001:db8::1]:6");
  return event;
}

TEST(Watch, ALineSaysWhenWhereWhoAndWhat) {
  EXPECT_EQ(
      printed([](Output& out) { print_event(out, roamed(), kAt); }),
      "2023-11-14T22:13:20Z  wg0  " + kKeyText + "  roamed from 192.0.2.1:5 to [2001:db8::1]:6\n");
}

TEST(Watch, APeerThatHasANameIsCalledByIt) {
  monitor::Event event = roamed();
  event.name = "alice";
  EXPECT_THAT(printed([&](Output& out) { print_event(out, event, kAt); }),
              HasSubstr(kKeyText + "  (alice)  roamed"));
  const auto json =
      nlohmann::json::parse(printed([&](Output& out) { print_event_json(out, event, kAt); }));
  EXPECT_EQ(json["name"], "alice");
}

TEST(Watch, JsonHasOneObjectALine) {
  const std::string line = printed([](Output& out) { print_event_json(out, roamed(), kAt); });
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json["event"], "roamed");
  EXPECT_EQ(json["interface"], "wg0");
  EXPECT_EQ(json["peer"], kKeyText);
  EXPECT_EQ(json["from"], "192.0.2.1:5");
  EXPECT_EQ(json["endpoint"], "[2001:db8::1]:6");
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(Watch, DropsHaveAReasonAndACount) {
  const monitor::Event event{
      .kind = monitor::EventKind::refused, .device = "wg0", .reason = "bad_mac1", .count = 3};
  EXPECT_THAT(printed([&](Output& out) { print_event(out, event, kAt); }),
              HasSubstr("wg0  dropped 3: bad_mac1\n"));
  const auto json =
      nlohmann::json::parse(printed([&](Output& out) { print_event_json(out, event, kAt); }));
  EXPECT_EQ(json["reason"], "bad_mac1");
  EXPECT_EQ(json["count"], 3);
  EXPECT_FALSE(json.contains("peer"));
}

TEST(Watch, ANameCannotBreakALine) {
  monitor::Event event = roamed();
  event.name = "a \"b\" \\";
  EXPECT_THAT(printed([&](Output& out) { print_event(out, event, kAt); }),
              HasSubstr("  (a \"b\" \\)  "));
  const auto json =
      nlohmann::json::parse(printed([&](Output& out) { print_event_json(out, event, kAt); }));
  EXPECT_EQ(json["name"], event.name);
}

TEST(Watch, EndsAfterTheTimeGiven) {
  TestDevices devices;
  const Answer answer = ask(devices, {"watch", "--for", "0.001", "--interval", "0.05"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out, "");
}

TEST(Watch, AnInterfaceThatIsNotThereIsAnError) {
  TestDevices devices;
  devices.answers["wg0"] = "";
  const Answer answer = ask(devices, {"watch", "--for", "0.001", "wg7", "wg0"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.out, "");
  EXPECT_EQ(answer.err,
            "ferrule: `wg7' is not a WireGuard interface; did you mean `wg0'?\nUp are: wg0\n");
}

TEST(Watch, WhoMayNotSeeInterfacesIsTold) {
  TestDevices devices;
  devices.list_errno = EACCES;
  const Answer answer = ask(devices, {"watch", "--for", "0.001"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err, "ferrule: the interfaces can't be listed: Permission denied\n");
  devices.list_errno = 0;
  devices.get_errno = EACCES;
  devices.answers["wg0"] = "";
  EXPECT_EQ(ask(devices, {"watch", "--for", "0.001"}).err, "ferrule: wg0: Permission denied\n");
}

TEST(Watch, RefusesAnIntervalThatIsNone) {
  const Answer answer = ask({"watch", "--interval", "0"});
  EXPECT_EQ(answer.status, 2);
  EXPECT_THAT(answer.err, HasSubstr("--interval"));
}

TEST(Watch, IsNotOneOfWgsCommands) {
  EXPECT_THAT(ask({"watch"}, {}, "wg").err, HasSubstr("Invalid subcommand: `watch'"));
}

}  // namespace
}  // namespace ferrule::cli
