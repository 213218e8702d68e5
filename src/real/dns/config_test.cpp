// What libunbound is told: trust anchors and forwarders, checked before it sees them.
#include <gtest/gtest.h>

#include "dns/anchors.hpp"
#include "dns/forwarders.hpp"

namespace ligase::dns {
namespace {

using Lines = std::vector<std::string>;
const std::string kDigest(64, 'a');

TEST(TrustAnchors, FileAsToolsWriteIt_GivesOneCleanLineEach) {
  const auto read =
      read_trust_anchors("; autotrust trust anchor file\n;;id: . 1\n$TTL 86400\n. 172800 IN DNSKEY 257 3 8 (\n  " +
                         std::string(344, 'A') + "\n ) ;{id = 1} ;;state=2 [  VALID  ]\n\n. IN DS 20326 8 2 " +
                         kDigest + "\ntld. IN DS 7 13 4 " + std::string(96, 'b') + "\n");
  ASSERT_TRUE(read) << read.error().detail;
  ASSERT_EQ(read->size(), 3u);
  EXPECT_NE((*read)[0].find("DNSKEY\t257 3 8 "), std::string::npos) << (*read)[0];
  EXPECT_NE((*read)[1].find("DS\t20326 8 2 " + kDigest), std::string::npos) << (*read)[1];
  EXPECT_TRUE((*read)[2].starts_with("tld.")) << (*read)[2];
}

// AB-139
TEST(TrustAnchors, WhatCouldNeverValidate_IsRefusedWithItsLine) {
  const struct {
    std::string text, why;
  } cases[] = {
      {"", "no DS or DNSKEY"},
      {"; nothing\n", "no DS or DNSKEY"},
      {". IN DS 1 13 2 " + kDigest + "\n. IN A 127.0.0.1\n", "line 2: it is neither"},
      {". IN DS 1 13 2 aabb\n", "line 1: the digest has 2 bytes, its type has 32"},
      {". IN DS 1 13 1 " + kDigest.substr(24) + "\n", "digest type 1"},
      {". IN DS 1 5 2 " + kDigest + "\n", "algorithm 5"},
      {". IN DNSKEY 385 3 13 " + std::string(86, 'A') + "==\n", "revoked"},
      {". IN DNSKEY 1 3 13 " + std::string(86, 'A') + "==\n", "no zone key"},
      {". IN DNSKEY 257 3 13 AAAA\n", "cut short"},
      {"\n\nhello\n", "line 3: it is no DNS record"},
      {std::string(2 << 20, ';'), "larger"},
  };
  for (const auto& [text, why] : cases) {
    const auto read = read_trust_anchors(text);
    ASSERT_FALSE(read) << text.substr(0, 80);
    EXPECT_EQ(read.error().reason, Reason::config_invalid);
    EXPECT_NE(read.error().detail.find(why), std::string::npos) << read.error().detail;
  }
}

TEST(Forwarders, Configured_AreBroughtToOneForm) {
  EXPECT_EQ(read_forwarders({"192.0.2.1", "192.0.2.2@5353", "2001:db8::1", "::1@5300"}, "").value(),
            (Lines{"192.0.2.1@53", "192.0.2.2@5353", "2001:db8::1@53", "::1@5300"}));
  EXPECT_EQ(read_forwarders({"root"}, "nameserver 192.0.2.1").value(), Lines{});
}

TEST(Forwarders, NotAnAddress_IsRefused) {
  for (const char* bad : {"", "resolver.example", "192.0.2.1:53", "192.0.2.1@", "192.0.2.1@0", "192.0.2.1@65536",
                          "192.0.2.1@5x", "@53", "[::1]@53", "root"}) {
    const auto read = read_forwarders({"192.0.2.9", bad}, "");
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().reason, Reason::config_invalid);
    EXPECT_NE(read.error().detail.find(std::string("\"") + bad + "\""), std::string::npos) << read.error().detail;
  }
}

TEST(Forwarders, NoneConfigured_AreThoseOfResolvConf) {
  EXPECT_EQ(read_forwarders({},
                            "# made by hand\nsearch tld\n nameserver\t192.0.2.1 \r\nnameserver 2001:db8::1\n"
                            "nameservers 192.0.2.7\nnameserver nonsense\noptions edns0\nnameserver 192.0.2.3\n"
                            "nameserver 192.0.2.4")
                .value(),
            (Lines{"192.0.2.1@53", "2001:db8::1@53", "192.0.2.3@53"}));
  EXPECT_EQ(read_resolv_conf(""), Lines{"127.0.0.1@53"});
  EXPECT_EQ(read_resolv_conf("nameserver"), Lines{"127.0.0.1@53"});
}

}  // namespace
}  // namespace ligase::dns
