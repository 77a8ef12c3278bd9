#include "files/peer_editor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "files/peer_file.h"

namespace ferrule::files {
namespace {

namespace fs = std::filesystem;
using control::DeviceStatus;

const std::string kKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const std::string kBobKey = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kPeer = "[Peer]\n# Name = bob\nPublicKey = " + kBobKey + "\n";
const std::string kConf = "[Interface]\nPrivateKey = " + kKey + "\n\n" + kPeer;

// A device wg0 with no peers, that counts how often it is changed, and may refuse to be.
class OneDevice final : public client::DeviceClient {
 public:
  Result<std::vector<std::string>> list() override { return std::vector<std::string>{"wg0"}; }
  Result<DeviceStatus> get(const std::string& name) override {
    if (name != "wg0") return std::unexpected(system_error(ENODEV, name));
    return DeviceStatus{};
  }
  Result<void> set(const std::string& name, const protocol::DeviceChange& change) override {
    if (refuses) return std::unexpected(system_error(EINVAL, name));
    removals.push_back(change.peers.front().remove);
    return {};
  }
  Result<control::DeviceStats> stats(const std::string& name) override {
    return std::unexpected(system_error(ENODEV, name));
  }

  bool refuses = false;
  std::vector<bool> removals;  // of each change: whether its first peer was to go
};

class PeerFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ferrule-peers-XXXXXX";
    folder_ = mkdtemp(name.data());
    write(kConf);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream(path().path) << text; }
  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path().path).rdbuf();
    return text.str();
  }
  [[nodiscard]] ConfPath path() const { return {folder_ / "wg0.conf", "wg0"}; }

  static protocol::DeviceChange addition() {
    protocol::DeviceChange change;
    change.peers.emplace_back();
    return change;
  }

  fs::path folder_;
  OneDevice devices_;
};

TEST_F(PeerFiles, WhoReadsWaitsForNobody) {
  const auto lock = lock_folder_of(path().path);
  ASSERT_TRUE(lock);
  const auto file = read_peer_file(devices_, path());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->list.peers.size(), 1u);
  EXPECT_TRUE(file->device);
}

TEST_F(PeerFiles, APeerIsFoundByNameAndKeyUnlessTwoAreCalledSo) {
  write(kConf + "[Peer]\n# Name = bob\nPublicKey = " + kKey + "\n");
  const auto file = read_peer_file(devices_, path());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->find("bob"), std::unexpected(PeerMiss::several));
  EXPECT_EQ(file->find("eve"), std::unexpected(PeerMiss::nobody));
  const auto found = file->find(kBobKey);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->name, "bob");
}

TEST_F(PeerFiles, AFileThatIsNotThereIsRefusedWithWhatToDo) {
  const auto found = find_peer_file((folder_ / "wg1.conf").string());
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().what, testing::HasSubstr("wg1.conf' does not exist"));
}

TEST_F(PeerFiles, WhereTheDeviceRefusesTheFileStays) {
  auto editor = PeerEditor::open(devices_, path());
  ASSERT_TRUE(editor);
  control::append_peer(editor->document(), "[Peer]\nPublicKey = " + kKey + "\n");
  devices_.refuses = true;
  const auto done = editor->apply(addition());
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().is_as_before);
  EXPECT_EQ(content(), kConf);
}

TEST_F(PeerFiles, WhereTheFileCannotBeWrittenTheDeviceIsAsBefore) {
  auto editor = PeerEditor::open(devices_, path());
  ASSERT_TRUE(editor);
  control::append_peer(editor->document(), "[Peer]\nPublicKey = " + kKey + "\n");
  // A folder can't be replaced by a file.
  fs::remove(path().path);
  fs::create_directory(path().path);
  const auto done = editor->apply(addition());
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().is_as_before);
  EXPECT_THAT(devices_.removals, testing::ElementsAre(false, true));
}

TEST_F(PeerFiles, BothAreChangedAndDisabledPeersAreApart) {
  const std::string disabled = "#~ [Peer]\n#~ PublicKey = " + kKey + "\n";
  write("[Interface]\n" + disabled + "PrivateKey = " + kKey + "\n\n" + kPeer);
  auto editor = PeerEditor::open(devices_, path());
  ASSERT_TRUE(editor);
  ASSERT_EQ(editor->file().list.peers.size(), 2u);
  control::remove_peer(editor->document(), editor->file().list.peers.back());
  ASSERT_TRUE(editor->apply(addition()));
  EXPECT_THAT(content(), testing::StartsWith("[Interface]\nPrivateKey"));
  EXPECT_THAT(content(), testing::Not(testing::HasSubstr("bob")));
  EXPECT_EQ(devices_.removals.size(), 1u);
}

}  // namespace
}  // namespace ferrule::files
