#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "base/key_text.h"
#include "client/device_client.h"
#include "io/linux/fd.h"

namespace ferrule::client {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

// A daemon's socket that serves one connection: reads a request, answers, and closes.
class OneAnswer {
 public:
  OneAnswer(const std::filesystem::path& path, std::string answer)
      : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 4), 0);
  }

  void serve() {
    thread_ = std::thread([this] {
      const io::UniqueFd connection(accept(listener_.get(), nullptr, nullptr));
      char byte;
      while (!request_.ends_with("\n\n") && read(connection.get(), &byte, 1) == 1) request_ += byte;
      EXPECT_EQ(write(connection.get(), answer_.data(), answer_.size()),
                static_cast<ssize_t>(answer_.size()));
    });
  }
  std::string request() {
    thread_.join();
    return request_;
  }

 private:
  io::UniqueFd listener_;
  std::string answer_;
  std::string request_;
  std::thread thread_;
};

class UapiDeviceClient : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ferrule-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    client_ = make_uapi_client(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  int errno_of_get(const std::string& name) {
    const auto device = client_->get(name);
    return device ? 0 : device.error().code;
  }

  std::filesystem::path folder_;
  std::unique_ptr<DeviceClient> client_;
};

TEST_F(UapiDeviceClient, P100_GetsADevice) {
  OneAnswer daemon(folder_ / "wg0.sock", "listen_port=51820\nerrno=0\n\n");
  daemon.serve();
  const auto device = client_->get("wg0");
  EXPECT_EQ(daemon.request(), "get=1\n\n");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->listen_port, 51820);
}

TEST_F(UapiDeviceClient, P100_SetsADevice) {
  OneAnswer daemon(folder_ / "wg0.sock", "errno=0\n\n");
  daemon.serve();
  protocol::DeviceChange change;
  change.listen_port = 1;
  EXPECT_TRUE(client_->set("wg0", change));
  EXPECT_EQ(daemon.request(), "set=1\nlisten_port=1\n\n");
}

TEST_F(UapiDeviceClient, P102_ARefusalHasItsErrno) {
  OneAnswer daemon(folder_ / "wg0.sock", "errno=-98\n\n");
  daemon.serve();
  const auto outcome = client_->set("wg0", {});
  (void)daemon.request();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, EADDRINUSE);
}

TEST_F(UapiDeviceClient, ADaemonThatHangsUpIsAProtocolError) {
  OneAnswer daemon(folder_ / "wg0.sock", "listen_port=5");
  daemon.serve();
  EXPECT_EQ(errno_of_get("wg0"), EPROTO);
  (void)daemon.request();
}

TEST_F(UapiDeviceClient, WithoutASocketThereIsNoDevice) {
  std::filesystem::create_directory(folder_ / "wg1.sock");
  for (const char* name : {"wg0", "wg1", "", "../wg0", "a/b"}) {
    EXPECT_EQ(errno_of_get(name), ENODEV) << name;
  }
  EXPECT_EQ(errno_of_get(std::string(200, 'w')), ENODEV);
}

TEST_F(UapiDeviceClient, ListsDevicesThatAnswer) {
  const OneAnswer wg0(folder_ / "wg0.sock", "");
  const OneAnswer wg1(folder_ / "wg1.sock", "");
  std::filesystem::create_directory(folder_ / "wg2.sock");
  const auto names = client_->list();
  ASSERT_TRUE(names);
  EXPECT_THAT(*names, UnorderedElementsAre("wg0", "wg1"));
}

TEST_F(UapiDeviceClient, P103_TheSocketOfADeadDaemonIsRemoved) {
  {
    const OneAnswer dead(folder_ / "wg0.sock", "");
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "wg0.sock"));
  EXPECT_TRUE(client_->list()->empty());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "wg0.sock"));
}

TEST_F(UapiDeviceClient, WithoutAFolderThereAreNoDevices) {
  EXPECT_TRUE(make_uapi_client("/does/not/exist")->list()->empty());
}

TEST_F(UapiDeviceClient, StatsAreNamesAndNumbersInTheDaemonsOrder) {
  OneAnswer daemon(folder_ / "wg0.sock", "drop_no_route=3\ndrop_bad_mac1=1\nerrno=0\n\n");
  daemon.serve();
  const auto stats = client_->stats("wg0");
  EXPECT_EQ(daemon.request(), "stats=1\n\n");
  ASSERT_TRUE(stats);
  EXPECT_THAT(stats->counters, ElementsAre(Pair("drop_no_route", 3), Pair("drop_bad_mac1", 1)));
}

TEST_F(UapiDeviceClient, StatsOfPeersAreTheirMessages) {
  const std::string one(64, '1');
  OneAnswer daemon(folder_ / "wg0.sock", "drop_no_route=3\npublic_key=" + one +
                                             "\nreceived_messages=90\nexpected_messages=100\n"
                                             "weight=1\npublic_key=" +
                                             std::string(64, '2') + "\nerrno=0\n\n");
  daemon.serve();
  const auto stats = client_->stats("wg0");
  (void)daemon.request();
  ASSERT_TRUE(stats);
  EXPECT_THAT(stats->counters, ElementsAre(Pair("drop_no_route", 3)));
  EXPECT_THAT(stats->peers,
              ElementsAre(Pair(*public_key_from_hex(one), protocol::MessageCounts{90, 100})));
}

// wireguard-go closes the connection on an operation that it does not know.
TEST_F(UapiDeviceClient, ADaemonThatHasNoStatsIsAnError) {
  OneAnswer daemon(folder_ / "wg0.sock", "");
  daemon.serve();
  const auto stats = client_->stats("wg0");
  (void)daemon.request();
  ASSERT_FALSE(stats);
  EXPECT_EQ(stats.error().code, EPROTO);
}

}  // namespace
}  // namespace ferrule::client
