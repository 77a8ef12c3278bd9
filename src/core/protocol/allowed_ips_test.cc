#include "protocol/allowed_ips.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace ferrule::protocol {
namespace {

constexpr PeerId kAnna{0, 0};
constexpr PeerId kBert{1, 0};
constexpr PeerId kNobody{};

Cidr cidr(std::string_view text) { return *Cidr::parse(text); }
IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

std::vector<std::string> prefixes_of(const AllowedIps& table, PeerId peer) {
  std::vector<std::string> prefixes;
  table.for_each(peer, [&](const Cidr& prefix) { prefixes.push_back(prefix.to_string()); });
  return prefixes;
}
using Texts = std::vector<std::string>;

TEST(AllowedIps, P90_AnEmptyTableHasNoOwnerForAnyAddress) {
  AllowedIps table;
  EXPECT_EQ(table.lookup(ip("192.0.2.1")), kNobody);
  EXPECT_EQ(table.lookup(ip("2001:db8::1")), kNobody);
  EXPECT_EQ(table.size(), 0u);
}

TEST(AllowedIps, P90_TheLongestPrefixWins) {
  AllowedIps table;
  table.insert(cidr("10.0.0.0/8"), kAnna);
  table.insert(cidr("10.1.0.0/16"), kBert);
  table.insert(cidr("10.1.2.0/24"), kAnna);
  EXPECT_EQ(table.lookup(ip("10.2.0.1")), kAnna);
  EXPECT_EQ(table.lookup(ip("10.1.3.1")), kBert);
  EXPECT_EQ(table.lookup(ip("10.1.2.1")), kAnna);
  EXPECT_EQ(table.lookup(ip("11.0.0.0")), kNobody);
}

TEST(AllowedIps, P90_TheLongestPrefixWinsInIpv6) {
  AllowedIps table;
  table.insert(cidr("2001:db8::/32"), kAnna);
  table.insert(cidr("2001:db8:1::/48"), kBert);
  table.insert(cidr("2001:db8:1::7/128"), kAnna);
  EXPECT_EQ(table.lookup(ip("2001:db8:2::1")), kAnna);
  EXPECT_EQ(table.lookup(ip("2001:db8:1::8")), kBert);
  EXPECT_EQ(table.lookup(ip("2001:db8:1::7")), kAnna);
  EXPECT_EQ(table.lookup(ip("2001:db9::1")), kNobody);
}

TEST(AllowedIps, P90_EveryLengthIsFoundAtItsFirstAndLastAddress) {
  for (const std::string_view text : {"170.85.170.85", "aa55:aa55:aa55:aa55:aa55:aa55:aa55:aa55"}) {
    const IpAddress address = ip(text);
    AllowedIps table;
    for (unsigned length = 0; length <= address.bits(); ++length) {
      table.insert(Cidr(address, length), PeerId{length, 0});
    }
    for (unsigned length = 0; length < address.bits(); ++length) {
      // The first bit behind the prefix is turned: no longer prefix holds it.
      std::array<std::uint8_t, 16> bytes{};
      copy(address.bytes(), bytes);
      bytes[length / 8] ^= static_cast<std::uint8_t>(0x80 >> length % 8);
      const PeerId owner = address.family() == Family::v4 ? table.lookup_v4(bytes.data())
                                                          : table.lookup_v6(bytes.data());
      EXPECT_EQ(owner.slot, length);
    }
    EXPECT_EQ(table.lookup(address).slot, address.bits());
  }
}

TEST(AllowedIps, P90_APrefixIsNotMistakenForOneThatDiffersInSkippedBits) {
  AllowedIps table;
  table.insert(cidr("10.0.0.1/32"), kAnna);
  table.insert(cidr("10.0.0.2/32"), kAnna);
  EXPECT_EQ(table.lookup(ip("10.0.1.1")), kNobody);
  EXPECT_EQ(table.lookup(ip("11.0.0.1")), kNobody);
}

TEST(AllowedIps, P90_AShorterPrefixServesWhereALongerOneDiffersInSkippedBits) {
  AllowedIps table;
  table.insert(cidr("10.0.0.0/12"), kBert);
  table.insert(cidr("10.0.0.1/32"), kAnna);
  table.insert(cidr("10.0.0.2/32"), kAnna);
  EXPECT_EQ(table.lookup(ip("10.0.1.1")), kBert);
}

TEST(AllowedIps, P90_AHostIsNotMistakenForTheOneOfTheOtherFamilyWithTheSameBits) {
  AllowedIps table;
  table.insert(cidr("10.0.0.1/32"), kAnna);
  table.insert(cidr("a00:2::/128"), kBert);
  EXPECT_EQ(table.lookup(ip("a00:1::")), kNobody);
  EXPECT_EQ(table.lookup(ip("10.0.0.2")), kNobody);
  EXPECT_EQ(table.lookup(ip("10.0.0.1")), kAnna);
  EXPECT_EQ(table.lookup(ip("a00:2::")), kBert);
}

TEST(AllowedIps, P90_OfVeryManyHostsEachHasItsOwner) {
  constexpr std::uint32_t kHosts = 100'000;
  const auto nth = [](std::uint32_t n) {
    std::array<std::uint8_t, 4> bytes;
    store_be32(bytes.data(), 0x0a000000 + 3 * n);
    return IpAddress::v4(bytes);
  };
  AllowedIps table;
  table.insert(cidr("10.0.0.0/8"), kAnna);
  for (std::uint32_t n = 0; n < kHosts; ++n) table.insert(Cidr(nth(n), 32), {n + 2, 0});
  for (std::uint32_t n = 0; n < kHosts; n += 2) table.remove_peer({n + 2, 0});
  for (std::uint32_t n = 0; n < kHosts; ++n) {
    ASSERT_EQ(table.lookup(nth(n)), n % 2 == 0 ? kAnna : (PeerId{n + 2, 0}));
  }
}

TEST(AllowedIps, P90_LookUpsTogetherFindWhatLookUpsAloneDo) {
  std::mt19937 random(1);
  const auto any = [&](bool v4) {
    std::array<std::uint8_t, 16> bytes{};
    // Few values, so that prefixes hold each other and addresses hit them.
    for (std::uint8_t& byte : bytes) byte = random() % 4 == 0 ? 128 : 1;
    const std::span<const std::uint8_t, 16> all(bytes);
    return v4 ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all);
  };
  AllowedIps table;
  for (std::uint32_t i = 0; i < 500; ++i) {
    for (const std::size_t count : {0u, 1u, 63u, 64u, 65u, 130u}) {
      std::vector<IpAddress> addresses;
      std::vector<AllowedIps::Lookup> lookups;
      for (std::size_t n = 0; n < count; ++n) addresses.push_back(any(random() % 2 == 0));
      for (const IpAddress& address : addresses) {
        lookups.push_back({address.bytes().data(), address.family(), kNobody});
      }
      table.lookup_together(lookups);
      for (std::size_t n = 0; n < count; ++n) {
        ASSERT_EQ(lookups[n].owner, table.lookup(addresses[n])) << addresses[n].to_string();
      }
    }
    const IpAddress address = any(i % 2 == 0);
    const unsigned length = i % 3 == 0 ? address.bits() : random() % (address.bits() + 1);
    table.insert(Cidr(address, length), {i % 50, 0});
  }
}

TEST(AllowedIps, P90_TheFamiliesAreApart) {
  AllowedIps table;
  table.insert(cidr("0.0.0.0/0"), kAnna);
  EXPECT_EQ(table.lookup(ip("::")), kNobody);
  table.insert(cidr("::/0"), kBert);
  EXPECT_EQ(table.lookup(ip("0.0.0.0")), kAnna);
  EXPECT_EQ(table.lookup(ip("::")), kBert);
  EXPECT_EQ(table.lookup(IpAddress()), kNobody);
}

TEST(AllowedIps, P90_GivingAPrefixToAnotherPeerMovesIt) {
  AllowedIps table;
  table.insert(cidr("10.0.0.0/8"), kAnna);
  table.insert(cidr("10.0.0.0/8"), kBert);
  EXPECT_EQ(table.lookup(ip("10.0.0.1")), kBert);
  EXPECT_EQ(prefixes_of(table, kAnna), Texts());
  EXPECT_EQ(prefixes_of(table, kBert), Texts{"10.0.0.0/8"});
  EXPECT_EQ(table.size(), 1u);
}

TEST(AllowedIps, P90_HostBitsAreMaskedOff) {
  AllowedIps table;
  table.insert(cidr("10.1.2.3/8"), kAnna);
  table.insert(cidr("2001:db8::1/32"), kAnna);
  EXPECT_EQ(table.lookup(ip("10.200.0.1")), kAnna);
  EXPECT_EQ(prefixes_of(table, kAnna), (Texts{"10.0.0.0/8", "2001:db8::/32"}));
  EXPECT_TRUE(table.remove(cidr("10.9.9.9/8"), kAnna));
}

TEST(AllowedIps, P90_ThePrefixesOfAPeerKeepTheirOrder) {
  AllowedIps table;
  const Texts given{"192.168.0.0/16", "::/0", "10.0.0.0/8", "10.0.0.1/32", "fd00::/8"};
  for (const std::string& text : given) table.insert(cidr(text), kAnna);
  EXPECT_EQ(prefixes_of(table, kAnna), given);
}

TEST(AllowedIps, P90_APrefixGivenAgainKeepsItsPlace) {
  AllowedIps table;
  for (const char* text : {"10.0.0.0/8", "11.0.0.0/8", "10.0.0.0/8"}) {
    table.insert(cidr(text), kAnna);
  }
  EXPECT_EQ(prefixes_of(table, kAnna), (Texts{"10.0.0.0/8", "11.0.0.0/8"}));
}

TEST(AllowedIps, P90_APrefixThatComesBackGoesToTheEnd) {
  AllowedIps table;
  table.insert(cidr("10.0.0.0/8"), kAnna);
  table.insert(cidr("11.0.0.0/8"), kAnna);
  table.insert(cidr("10.0.0.0/8"), kBert);
  table.insert(cidr("10.0.0.0/8"), kAnna);
  EXPECT_EQ(prefixes_of(table, kAnna), (Texts{"11.0.0.0/8", "10.0.0.0/8"}));
}

TEST(AllowedIps, P91_DefaultRoutesAreOrdinaryEntries) {
  AllowedIps table;
  table.insert(cidr("0.0.0.0/0"), kAnna);
  table.insert(cidr("::/0"), kAnna);
  table.insert(cidr("10.0.0.0/8"), kBert);
  EXPECT_EQ(table.lookup(ip("255.255.255.255")), kAnna);
  EXPECT_EQ(table.lookup(ip("ffff::")), kAnna);
  EXPECT_EQ(table.lookup(ip("10.0.0.1")), kBert);
  EXPECT_TRUE(table.remove(cidr("0.0.0.0/0"), kAnna));
  EXPECT_EQ(table.lookup(ip("255.255.255.255")), kNobody);
  EXPECT_EQ(table.lookup(ip("ffff::")), kAnna);
}

TEST(AllowedIps, P91_AWalkShowsDefaultRoutesAndNothingThatIsGone) {
  AllowedIps table;
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "10.128.0.0/9", "::/0", "::/1"}) {
    table.insert(cidr(text), kAnna);
  }
  for (const char* text : {"10.0.0.0/8", "10.128.0.0/9", "::/1"}) {
    EXPECT_TRUE(table.remove(cidr(text), kAnna));
  }
  EXPECT_EQ(prefixes_of(table, kAnna), (Texts{"0.0.0.0/0", "::/0"}));
}

TEST(AllowedIps, P91_RemovingAPeerRemovesItsEntriesAlone) {
  AllowedIps table;
  for (const char* text : {"10.0.0.0/8", "10.1.2.0/24", "::/0"}) table.insert(cidr(text), kAnna);
  for (const char* text : {"10.1.0.0/16", "fd00::/8"}) table.insert(cidr(text), kBert);
  table.remove_peer(kAnna);
  EXPECT_EQ(table.lookup(ip("10.1.2.1")), kBert);
  EXPECT_EQ(table.lookup(ip("10.2.0.1")), kNobody);
  EXPECT_EQ(table.lookup(ip("fd00::1")), kBert);
  EXPECT_EQ(table.lookup(ip("fe00::1")), kNobody);
  EXPECT_EQ(prefixes_of(table, kAnna), Texts());
  EXPECT_EQ(table.size(), 2u);
}

TEST(AllowedIps, P91_RemovingAPrefixTakesItFromItsOwnerOnly) {
  AllowedIps table;
  table.insert(cidr("10.0.0.0/8"), kAnna);
  EXPECT_FALSE(table.remove(cidr("10.0.0.0/8"), kBert));
  EXPECT_FALSE(table.remove(cidr("10.0.0.0/9"), kAnna));
  EXPECT_EQ(table.lookup(ip("10.0.0.1")), kAnna);
  EXPECT_TRUE(table.remove(cidr("10.0.0.0/8"), kAnna));
  EXPECT_FALSE(table.remove(cidr("10.0.0.0/8"), kAnna));
  EXPECT_EQ(table.lookup(ip("10.0.0.1")), kNobody);
}

TEST(AllowedIps, P91_ThePeersOfOneSlotAreToldApartByGeneration) {
  constexpr PeerId kFormer{3, 1};
  constexpr PeerId kTenant{3, 2};
  AllowedIps table;
  table.insert(cidr("10.0.0.0/8"), kFormer);
  table.insert(cidr("11.0.0.0/8"), kTenant);
  EXPECT_EQ(prefixes_of(table, kFormer), Texts());
  EXPECT_EQ(table.lookup(ip("10.0.0.1")), kNobody);
  table.remove_peer(kFormer);
  EXPECT_FALSE(table.remove(cidr("11.0.0.0/8"), kFormer));
  EXPECT_EQ(table.lookup(ip("11.0.0.1")), kTenant);
}

TEST(AllowedIps, P91_RemovingAPeerThatHasNothingIsFine) {
  AllowedIps table;
  table.remove_peer(kAnna);
  table.insert(cidr("10.0.0.0/8"), kBert);
  table.remove_peer(kAnna);
  table.remove_peer({7, 7});
  EXPECT_EQ(table.lookup(ip("10.0.0.1")), kBert);
}

// What the table is held against: a list, searched from end to end.
class Model {
 public:
  void insert(const Cidr& prefix, PeerId peer) {
    const auto at = find(prefix);
    if (at != entries_.end() && at->peer == peer) return;
    if (at != entries_.end()) entries_.erase(at);
    entries_.push_back({prefix, peer});
  }
  bool remove(const Cidr& prefix, PeerId peer) {
    const auto at = find(prefix);
    if (at == entries_.end() || at->peer != peer) return false;
    entries_.erase(at);
    return true;
  }
  void remove_peer(PeerId peer) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.peer == peer; });
  }
  PeerId lookup(const IpAddress& address) const {
    const Entry* best = nullptr;
    for (const Entry& entry : entries_) {
      if (best != nullptr && entry.prefix.length() <= best->prefix.length()) continue;
      if (entry.prefix.contains(address)) best = &entry;
    }
    return best == nullptr ? PeerId{} : best->peer;
  }
  Texts prefixes_of(PeerId peer) const {
    Texts prefixes;
    for (const Entry& entry : entries_) {
      if (entry.peer == peer) prefixes.push_back(entry.prefix.to_string());
    }
    return prefixes;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Cidr prefix;
    PeerId peer;
  };
  std::vector<Entry>::iterator find(const Cidr& prefix) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [&](const Entry& entry) { return entry.prefix == prefix; });
  }
  std::vector<Entry> entries_;
};

// Addresses that share much with each other: each byte is one of few values, so that prefixes of every
// length nest, are met again, and differ in bits that the table skips.
class SmallUniverse {
 public:
  explicit SmallUniverse(unsigned seed) : random_(seed) {}

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  IpAddress address() {
    std::array<std::uint8_t, 16> bytes{};
    const bool is_v4 = below(2) == 0;
    for (int flips = 0; flips < 2; ++flips) {
      const unsigned bit = below(is_v4 ? 32 : 128);
      if (below(3) != 0) bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
    }
    const std::span<const std::uint8_t, 16> all(bytes);
    return is_v4 ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all);
  }
  Cidr prefix() {
    const IpAddress address = this->address();
    return Cidr(address, below(4) == 0 ? address.bits() : below(address.bits() + 1));
  }
  PeerId peer() { return {below(5), 0}; }

 private:
  std::mt19937_64 random_;
};

// One random change to both. Removals of whole peers are rare and keep the model short.
void change_both(SmallUniverse& random, AllowedIps& table, Model& model) {
  const PeerId peer = random.peer();
  const Cidr prefix = random.prefix();
  const unsigned what = random.below(100);
  if (what < 55) {
    table.insert(prefix, peer);
    model.insert(prefix, peer);
  } else if (what < 98) {
    ASSERT_EQ(table.remove(prefix, peer), model.remove(prefix, peer));
  } else {
    table.remove_peer(peer);
    model.remove_peer(peer);
  }
  ASSERT_EQ(table.size(), model.size());
}

TEST(AllowedIps, P90_P91_AMillionRandomOperationsAgreeWithAList) {
  SmallUniverse random(1);
  AllowedIps table;
  Model model;
  for (int operation = 0; operation < 1'000'000; operation += 2) {
    ASSERT_NO_FATAL_FAILURE(change_both(random, table, model));
    const IpAddress address = random.address();
    ASSERT_EQ(table.lookup(address), model.lookup(address)) << address.to_string();
    if (operation % 1000 != 0) continue;
    const PeerId peer = random.peer();
    ASSERT_EQ(prefixes_of(table, peer), model.prefixes_of(peer));
  }
}

}  // namespace
}  // namespace ferrule::protocol
