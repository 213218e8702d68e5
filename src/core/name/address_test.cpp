// Which addresses a stranger's DNS may lead us to.
#include "name/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ligase {
namespace {

using testing::HasSubstr;

bool is_public(std::string_view text) { return is_globally_routable(Address::parse(text).value()); }
Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }

TEST(Address, Text_IsParsedAndWrittenBack) {
  for (const auto* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1"})
    EXPECT_EQ(Address::parse(text)->text(), text);
  EXPECT_EQ(Address::parse("2001:DB8:0::1")->text(), "2001:db8::1");
  for (const auto* text : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.4 ", "[::1]", "::1%lo", "0x7f.1",
                           "example.com", "1:2:3", ":::", "127.0.0.1:80"})
    EXPECT_FALSE(Address::parse(text)) << text;
  EXPECT_FALSE(Address::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(Address::parse(std::string(100'000, '1')));
}

TEST(Address, Prefix_IsTheIPv4AddressOrTheIPv6Slash64) {
  const auto prefix = [](const char* text) { return prefix_of(*Address::parse(text)).text(); };
  EXPECT_EQ(prefix("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(prefix("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
}

// AB-271
TEST(Address, Site_IsTheIPv4AddressOrTheIPv6Slash48) {
  const auto site = [](const char* text) { return site_of(*Address::parse(text)).text(); };
  EXPECT_EQ(site("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(site("2001:db8:1:2:3:4:5:6"), "2001:db8:1::");
  EXPECT_EQ(site_of(prefix_of(*Address::parse("2001:db8:1:2:3::"))).text(), "2001:db8:1::");
}

TEST(Endpoint, Text_IsParsedAndWrittenBack) {
  for (const auto* text : {"127.0.0.1:5269", "[::]:5269", "[2001:db8::1]:1", "0.0.0.0:0", "1.2.3.4:65535"})
    EXPECT_EQ(at(text).text(), text);
  for (const auto* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1:01", "::1:5269",
                           "[127.0.0.1]:5269", "[::1]5269", "[::1]", "localhost:5269", "127.0.0.1: 5269", ":5269"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  EXPECT_THAT(Endpoint::parse("::1:5269").error().detail, HasSubstr("brackets"));
}

TEST(AddressRange, Text_IsParsedStrictly) {
  EXPECT_EQ(AddressRange::parse("127.0.0.0/8"), (AddressRange{*Address::parse("127.0.0.0"), 8}));
  EXPECT_EQ(AddressRange::parse("127.0.0.1"), (AddressRange{*Address::parse("127.0.0.1"), 32}));
  EXPECT_EQ(AddressRange::parse("::1"), (AddressRange{*Address::parse("::1"), 128}));
  EXPECT_TRUE(AddressRange::parse("0.0.0.0/0"));
  for (const auto* text : {"", "/8", "127.0.0.0/", "127.0.0.0/33", "::/129", "127.0.0.0/-1", "127.0.0.0/08", "a/8"})
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  EXPECT_THAT(AddressRange::parse("127.0.0.1/8").error().detail, HasSubstr("127.0.0.0/8 is meant?"));
}

TEST(AddressRange, Contains_LooksAtTheAddressInsideToo) {
  const AddressRange loopback = *AddressRange::parse("127.0.0.0/8");
  for (const auto* text : {"127.0.0.1", "127.255.255.255", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::"})
    EXPECT_TRUE(loopback.contains(*Address::parse(text))) << text;
  for (const auto* text : {"128.0.0.1", "::1", "::ffff:128.0.0.1", "::127.0.0.1", "7f00::"})
    EXPECT_FALSE(loopback.contains(*Address::parse(text))) << text;
  const AddressRange odd = *AddressRange::parse("10.64.0.0/10");
  EXPECT_TRUE(odd.contains(*Address::parse("10.127.255.255")));
  EXPECT_FALSE(odd.contains(*Address::parse("10.128.0.0")));
  EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->contains(*Address::parse("203.0.113.7")));
  EXPECT_FALSE(AddressRange::parse("::/0")->contains(*Address::parse("203.0.113.7")));
}

// ADDR-01, AB-143
TEST(Address, SpecialUse_IsNotRoutable) {
  for (const auto* text : {
           "0.0.0.0",
           "0.1.2.3",
           "10.0.0.1",
           "100.64.0.1",
           "100.127.255.255",
           "127.0.0.1",
           "127.255.255.254",
           "169.254.169.254",
           "172.16.0.1",
           "172.31.255.255",
           "192.0.0.1",
           "192.0.0.9",
           "192.0.2.1",
           "192.88.99.1",
           "192.168.1.1",
           "198.18.0.1",
           "198.19.255.255",
           "198.51.100.1",
           "203.0.113.1",
           "224.0.0.1",
           "239.1.1.1",
           "240.0.0.1",
           "255.255.255.255",
           "::",
           "::1",
           "::127.0.0.1",
           "::8.8.8.8",
           "100::1",
           "fe80::1",
           "febf::1",
           "fec0::1",
           "fc00::1",
           "fd12:3456::1",
           "ff02::1",
           "2001:db8::1",
           "2001:2::1",
           "2001:10::1",
           "2001:20::1",
           "2001:1ff:ffff::1",
           "3fff::1",
           "3fff:fff::1",
           "4000::1",
           "5f00::1",
           "64:ff9b:1::8.8.8.8",
       })
    EXPECT_FALSE(is_public(text)) << text;
}

// ADDR-01, AB-143
TEST(Address, FormsWithAnIPv4AddressInside_AreJudgedByIt) {
  for (const auto* text : {
           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
           "2002:a00:1::1", "2002:7f00:1::1", "2002:c0a8:101::",
           "2001:0:808:808::80ff:fffe",  // Teredo, client 127.0.0.1
           "2001:0:a00:1::f7f7:f7f7",    // Teredo, server 10.0.0.1
       })
    EXPECT_FALSE(is_public(text)) << text;
  for (const auto* text : {"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7"})
    EXPECT_TRUE(is_public(text)) << text;
}

TEST(Address, PublicHosts_AreRoutable) {
  for (const auto* text : {"1.1.1.1",         "8.8.8.8",        "9.255.255.255",
                           "11.0.0.0",        "100.63.255.255", "100.128.0.0",
                           "126.255.255.255", "128.0.0.0",      "169.253.255.255",
                           "172.15.255.255",  "172.32.0.0",     "192.0.1.1",
                           "192.167.255.255", "198.17.255.255", "198.20.0.0",
                           "223.255.255.255", "2001:200::1",    "2001:4860:4860::8888",
                           "2003::1",         "2a00::1",        "2620:fe::fe",
                           "3ffe::1"})
    EXPECT_TRUE(is_public(text)) << text;
}

// ADDR-01, AB-143
TEST(AddressGuard, PrivateAddress_IsForbiddenWithItsReason) {
  const auto result = AddressGuard{}.check(at("169.254.169.254:5269"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::address_forbidden);
  EXPECT_EQ(result.error().detail, "169.254.169.254:5269: link-local (RFC 3927)");
  EXPECT_TRUE(AddressGuard{}.check(at("8.8.8.8:5269")));
  EXPECT_TRUE(AddressGuard{}.check(at("[2a00::1]:5269")));
}

// ADDR-01, AB-143
TEST(AddressGuard, AllowedRange_LetsItsAddressesPassInEveryForm) {
  const AddressGuard guard{{*AddressRange::parse("127.0.0.0/8")}, {}};
  EXPECT_TRUE(guard.check(at("127.0.0.2:5269")));
  EXPECT_TRUE(guard.check(at("[::ffff:127.0.0.2]:5269")));
  EXPECT_FALSE(guard.check(at("[::1]:5269")));
  EXPECT_FALSE(guard.check(at("10.0.0.1:5269")));
}

// ADDR-02, AB-145
TEST(AddressGuard, SystemPorts_OnlyToAllowedAddresses) {
  const AddressGuard guard{{*AddressRange::parse("127.0.0.0/8")}, {}};
  for (const auto* port : {"22", "25", "80", "1", "1023"}) {
    EXPECT_FALSE(guard.check(at(std::string("8.8.8.8:") + port))) << port;
    EXPECT_TRUE(guard.check(at(std::string("127.0.0.1:") + port))) << port;
  }
  for (const auto* port : {"443", "1024", "5269", "5270", "6379", "65535"})
    EXPECT_TRUE(guard.check(at(std::string("8.8.8.8:") + port))) << port;
  EXPECT_FALSE(guard.check(at("8.8.8.8:0")));
  EXPECT_FALSE(guard.check(at("127.0.0.1:0")));
}

// ADDR-02, AB-145
TEST(AddressGuard, Port80_OnlyWhereHttpIsMeant) {
  EXPECT_TRUE(AddressGuard{}.check(at("8.8.8.8:80"), Ports::and_http));
  EXPECT_TRUE(AddressGuard{}.check(at("8.8.8.8:443"), Ports::and_http));
  for (const auto* port : {"22", "25", "81", "1023"})
    EXPECT_FALSE(AddressGuard{}.check(at(std::string("8.8.8.8:") + port), Ports::and_http)) << port;
  EXPECT_FALSE(AddressGuard{}.check(at("10.0.0.1:80"), Ports::and_http));
}

// ADDR-01, AB-143
TEST(AddressGuard, OwnListener_IsNeverConnectedTo) {
  const AddressGuard guard{{*AddressRange::parse("0.0.0.0/0"), *AddressRange::parse("::/0")},
                           {at("127.0.0.1:5269"), at("8.8.8.8:5270"), at("[::]:5347")}};
  for (const auto* own : {"127.0.0.1:5269", "[::ffff:127.0.0.1]:5269", "0.0.0.0:5269", "[::]:5269", "8.8.8.8:5270",
                          "127.0.0.1:5347", "127.9.9.9:5347", "[::1]:5347", "[::]:5347", "0.0.0.0:5347"})
    EXPECT_FALSE(guard.check(at(own))) << own;
  for (const auto* other : {"127.0.0.2:5269", "127.0.0.1:5270", "8.8.4.4:5270", "9.9.9.9:5347"})
    EXPECT_TRUE(guard.check(at(other))) << other;
}

}  // namespace
}  // namespace ligase
