#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/import/xml.h"
#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kKey1 = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kKey2 = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
const std::string kOwnKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

// What `import - --as -` makes of it.
Answer imported(const std::string& text) { return ask({"import", "-", "--as", "-"}, text); }

TEST(Import, WgEasysJsonIsAServerWithItsClients) {
  const Answer answer =
      imported("{\"server\": {\"privateKey\": \"" + kOwnKey +
               "\", \"publicKey\": \"x\", \"address\": \"10.8.0.1\"}, \"clients\": {"
               "\"id1\": {\"name\": \"alice\", \"address\": \"10.8.0.2\", \"publicKey\": \"" +
               kKey1 + "\", \"preSharedKey\": \"" + kKey2 +
               "\", \"enabled\": true}, \"id2\": {\"name\": \"bob's\", \"address\": \"10.8.0.3\", "
               "\"publicKey\": \"" +
               kKey2 + "\", \"enabled\": false}}}");
  EXPECT_EQ(answer.err, "");
  EXPECT_EQ(answer.out,
            "[Interface]\nPrivateKey = " + kOwnKey +
                "\nListenPort = 51820\nAddress = 10.8.0.1/24\n\n[Peer]\n# Name = alice\n"
                "PublicKey = " +
                kKey1 + "\nPresharedKey = " + kKey2 +
                "\nAllowedIPs = 10.8.0.2/32\n\n#~ [Peer]\n#~ # Name = bob-s\n"
                "#~ PublicKey = " +
                kKey2 + "\n#~ AllowedIPs = 10.8.0.3/32\n");
}

TEST(Import, NamesOfPivpnAndWgEasyBecomeOurs) {
  const Answer answer =
      imported("[Interface]\nPrivateKey = " + kOwnKey +
               "\n### begin alice ###\n[Peer]\nPublicKey = " + kKey1 +
               "\n### end alice ###\n\n# Client: bob (77)\n[Peer]\nPublicKey = " + kKey2 + "\n");
  EXPECT_THAT(answer.out, AllOf(HasSubstr("[Peer]\n# Name = alice\nPublicKey = " + kKey1),
                                HasSubstr("[Peer]\n# Name = bob\nPublicKey = " + kKey2)));
}

TEST(Import, NetworkManagersKeyfileIsAClient) {
  const Answer answer = imported(
      "[connection]\nid=office\ntype=wireguard\ninterface-name=wg5\n\n[wireguard]\n"
      "listen-port=7\nmtu=1380\nprivate-key=" +
      kOwnKey + "\n\n[wireguard-peer." + kKey1 +
      "]\nendpoint=vpn.example:51820\npersistent-keepalive=25\npreshared-key=" + kKey2 +
      "\npreshared-key-flags=0\nallowed-ips=0.0.0.0/0;::/0;\n\n[ipv4]\naddress1=10.0.0.2/"
      "24,10.0.0.1\n"
      "dns=10.0.0.1;1.1.1.1;\ndns-search=corp.example;\nmethod=manual\n\n[ipv6]\n"
      "address1=fd00::2/64\nmethod=manual\n");
  EXPECT_EQ(answer.out, "[Interface]\nPrivateKey = " + kOwnKey +
                            "\nListenPort = 7\nMTU = 1380\nAddress = 10.0.0.2/24\n"
                            "DNS = 10.0.0.1, 1.1.1.1\nDNS = corp.example\nAddress = fd00::2/64\n\n"
                            "[Peer]\nPublicKey = " +
                            kKey1 + "\nPresharedKey = " + kKey2 +
                            "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = vpn.example:51820\n"
                            "PersistentKeepalive = 25\n");
}

TEST(Import, NetworkdsTwoFilesAreOne) {
  const Answer answer = imported(
      "[NetDev]\nName=wg5\nKind=wireguard\nMTUBytes=1400\n\n[WireGuard]\nPrivateKey=" + kOwnKey +
      "\nListenPort=7\n\n[WireGuardPeer]\nPublicKey=" + kKey1 +
      "\nAllowedIPs=10.1.0.0/16\nAllowedIPs=10.2.0.0/16,10.3.0.0/16\nEndpoint=a.example:1\n"
      "\n[Match]\nName=wg5\n\n[Network]\nAddress=10.0.0.2/24\nDNS=10.0.0.1 10.0.0.3\n");
  EXPECT_EQ(answer.out,
            "[Interface]\nMTU = 1400\nPrivateKey = " + kOwnKey +
                "\nListenPort = 7\nAddress = 10.0.0.2/24\nDNS = 10.0.0.1, 10.0.0.3\n\n[Peer]\n"
                "PublicKey = " +
                kKey1 +
                "\nEndpoint = a.example:1\nAllowedIPs = 10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16\n");
}

const std::string kOpnsense =
    "<?xml version=\"1.0\"?>\n<opnsense><OPNsense><wireguard><client version=\"1.0.0\"><clients>"
    "<client uuid=\"u-1\"><enabled>1</enabled><name>alice &amp; co</name><pubkey>" +
    kKey1 + "</pubkey><psk>" + kKey2 +
    "</psk><tunneladdress>10.9.0.2/32,fd09::2/128</tunneladdress><serveraddress/><serverport/>"
    "<keepalive>25</keepalive></client><client uuid=\"u-2\"><enabled>1</enabled><name>of another"
    "</name><pubkey>" +
    kKey2 +
    "</pubkey></client></clients></client><server version=\"1.0.0\"><servers><server uuid=\"s\">"
    "<enabled>1</enabled><name>road</name><instance>3</instance><privkey>" +
    kOwnKey +
    "</privkey><port>51822</port><mtu/><tunneladdress>10.9.0.1/24</tunneladdress>"
    "<disableroutes>0</disableroutes><peers>u-1</peers></server></servers></server></wireguard>"
    "</OPNsense></opnsense>\n";

TEST(Import, OpnsensesServerHasThePeersThatAreIts) {
  EXPECT_EQ(imported(kOpnsense).out,
            "[Interface]\nPrivateKey = " + kOwnKey +
                "\nListenPort = 51822\nAddress = 10.9.0.1/24\n\n[Peer]\n# Name = alice & co\n"
                "PublicKey = " +
                kKey1 + "\nPresharedKey = " + kKey2 +
                "\nAllowedIPs = 10.9.0.2/32, fd09::2/128\nPersistentKeepalive = 25\n");
}

TEST(Import, AFileIsWrittenUnderItsName) {
  const ConfFolder folder("home");
  const std::string path = folder.conf_path();
  const Answer answer = ask({"import", "-", "--as", path}, kOpnsense);
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(answer.out, StartsWith(path + " has 1 peer, from a file of OPNsense\nnext: "));
  EXPECT_THAT(folder.conf(), HasSubstr("ListenPort = 51822"));
  EXPECT_THAT(ask({"import", "-", "--as", path}, kOpnsense).err, HasSubstr("is there already"));
}

TEST(Import, WhatCannotBeReadIsRefusedWithoutItsKeys) {
  for (const std::string& text :
       {std::string(), std::string("{\"a\": 1}"), std::string("<a><b></a>"),
        std::string("<a>&x;</a>"), std::string("[connection]\ntype=wifi\n[wireguard]\n"),
        "[NetDev]\nKind=vlan\n[WireGuard]\nPrivateKey=" + kOwnKey + "\n",
        "[Interface]\nPrivateKye = " + kOwnKey + "\n"}) {
    const Answer answer = imported(text);
    EXPECT_EQ(answer.status, 1) << text;
    EXPECT_EQ(answer.out, "");
    EXPECT_NE(answer.err, "");
    EXPECT_THAT(answer.err, Not(HasSubstr(kOwnKey)));
  }
}

TEST(Import, XmlMayNotNestWithoutEnd) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  EXPECT_FALSE(read_xml(deep));
}

TEST(Export, WhatIsExportedIsImportedAgain) {
  const ConfFolder folder("home");
  folder.write("[Interface]\nPrivateKey = " + kOwnKey +
               "\nListenPort = 7\nAddress = 10.0.0.2/24, fd00::2/64\nDNS = 10.0.0.1\n\n[Peer]\n"
               "PublicKey = " +
               kKey1 + "\nPresharedKey = " + kKey2 +
               "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = [2001:db8::1]:51820\n"
               "PersistentKeepalive = 25\n");
  for (const char* format : {"networkmanager", "networkd"}) {
    const Answer out = ask({"export", folder.conf_path(), "--to", format});
    ASSERT_EQ(out.status, 0) << out.err;
    const Answer back = imported(out.out);
    for (const char* line :
         {"\nListenPort = 7\n", "10.0.0.2/24", "fd00::2/64", "\nDNS = 10.0.0.1\n",
          "\nAllowedIPs = 0.0.0.0/0, ::/0\n", "\nEndpoint = [2001:db8::1]:51820\n",
          "\nPersistentKeepalive = 25\n"}) {
      EXPECT_THAT(back.out, HasSubstr(line)) << format << "\n" << back.err;
    }
    EXPECT_THAT(back.out, HasSubstr("PrivateKey = " + kOwnKey + "\n"));
    EXPECT_THAT(back.out, HasSubstr("PresharedKey = " + kKey2 + "\n"));
  }
  EXPECT_EQ(ask({"export", folder.conf_path()}).out, folder.conf());
}

}  // namespace
}  // namespace ferrule::cli
