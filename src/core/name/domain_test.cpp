// Names from strangers: one canonical form, or none.
#include "name/domain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "name/pair.hpp"

namespace ligase {
namespace {

using namespace std::string_literals;

std::string canonical(std::string_view text) {
  const Result<Domain> domain = Domain::parse(text);
  return domain ? std::string(domain->text()) : "refused";
}

TEST(Domain, PlainName_IsItsOwnCanonicalForm) {
  for (const auto* name : {"example.com", "localhost", "a.b.c.d", "xmpp-1.example", "1.example", "a--b.example"})
    EXPECT_EQ(canonical(name), name);
}

// NAME-01, AB-026
TEST(Domain, ManySpellingsOfOneName_AreOneDomain) {
  for (const auto* name : {
           "bücher.example",
           "BÜCHER.EXAMPLE",
           "bu\u0308cher.example",
           "xn--bcher-kva.example",
           "XN--BCHER-KVA.example",
           "bücher。example",
           "bücher．example",
           "bücher｡example",
           "ｂücher.example",
           "bücher.example.",
           "xn--bcher-kva.EXAMPLE.",
           "bücher.example。",
       })
    EXPECT_EQ(canonical(name), "xn--bcher-kva.example") << name;
  EXPECT_EQ(canonical("A-Label.XN--BCHER-KVA.bücher.example"), "a-label.xn--bcher-kva.xn--bcher-kva.example");
}

// AB-026: IDNA2008 without the transitional mapping: these are different domains.
TEST(Domain, SharpS_IsNotSs) {
  EXPECT_EQ(canonical("faß.example"), "xn--fa-hia.example");
  EXPECT_EQ(canonical("fass.example"), "fass.example");
  EXPECT_NE(canonical("аpple.example"), "apple.example");  // Cyrillic а
}

// AB-026
TEST(Domain, InvalidIdna_IsRefused) {
  for (const auto* name : {
           "xn--.example",
           "xn--a.example",

           "xn--bücher.example",
           "xn--zzzzzz99999.example",
           "ab--cd.example",
           "\u0300a.example",
           "a\u200db.example",
           "\u2603\ufe0f.\u202eexample",
           "xn--fss-.example",
           "xn--BCHER-KVA-.example",
           "xn--example-.com",
       })
    EXPECT_EQ(canonical(name), "refused") << name;
}

// AB-023
TEST(Domain, TrailingDot_IsDroppedOnce) {
  EXPECT_EQ(canonical("example.com."), "example.com");
  EXPECT_EQ(canonical("Example.COM."), "example.com");
  for (const auto* name : {".", "..", "example.com..", ".example.com", "example..com", "Example..com", "EXAMPLE.com.."})
    EXPECT_EQ(canonical(name), "refused") << name;
}

// AB-023
TEST(Domain, WhatIsMoreOrLessThanADomain_IsRefused) {
  for (const auto& name : {
           ""s,
           "user@example.com"s,
           "User@example.com"s,
           "example.com/resource"s,
           "example.com:5269"s,
           "EXAMPLE.com:5269"s,
           "exam ple.com"s,
           " example.com"s,
           "example.com\n"s,
           "example\0.com"s,
           "exämple\0.com"s,
           "exa\x01mple.com"s,
           "a_b.example"s,
           "-a.example"s,
           "a-.example"s,
           "A-.example"s,
           "\xff.example"s,
           "\xc0\xaf.example"s,
           "*.example"s,
           "ex'ample.com"s,
           "<example.com>"s,
           "％.example"s,
           "exampleé／resource.com"s,
           "user＠example.com"s,
       })
    EXPECT_EQ(canonical(name), "refused") << name;
}

// AB-023, AB-146
TEST(Domain, IpLiteral_IsRefused) {
  for (const auto* name :
       {"192.0.2.1", "192.0.2.1.", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0X7F000001", "example.0x", "::1",
        "[::1]", "[2001:db8::1]", "2001:db8::1", "１９２.0.2.1", "192。0。2。1", "example.123"})
    EXPECT_EQ(canonical(name), "refused") << name;
}

// AB-023
TEST(Domain, Lengths_AreBounded) {
  const std::string label(63, 'a');
  EXPECT_EQ(canonical(label + ".example"), label + ".example");
  EXPECT_EQ(canonical(label + "a.example"), "refused");
  EXPECT_EQ(canonical("A" + label + ".example"), "refused");
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  EXPECT_EQ(longest.size(), 253u);
  EXPECT_EQ(canonical(longest), longest);
  EXPECT_EQ(canonical(longest + "."), longest);
  EXPECT_EQ(canonical(longest + "b"), "refused");
  EXPECT_EQ(canonical("ü." + longest), "refused");
  EXPECT_EQ(canonical(std::string(1024, 'A')), "refused");
  EXPECT_EQ(canonical(std::string(1'000'000, 'a')), "refused");
  std::string many;
  while (many.size() < 1'000'000) many += "ü";
  EXPECT_EQ(canonical(many), "refused");
}

TEST(Domain, Refusal_SaysWhatAndWhy) {
  const Result<Domain> domain = Domain::parse("a..b\n");
  ASSERT_FALSE(domain);
  EXPECT_EQ(domain.error().reason, Reason::name_invalid);
  EXPECT_THAT(domain.error().detail, testing::HasSubstr("\"a..b\\x0a\" is no domain: "));
}

// NAME-01, AB-187: one domain has one form in addresses, whatever it was written as.
TEST(Domain, InAddresses_StandsInUnicode) {
  for (const auto* text : {"xn--bcher-kva.example", "bücher.example", "BÜCHER.example.", "bu\u0308cher\uff0eexample"}) {
    const Result<Domain> domain = Domain::parse(text);
    ASSERT_TRUE(domain) << text;
    EXPECT_EQ(domain->text(), "xn--bcher-kva.example");
    EXPECT_EQ(domain->unicode(), "bücher.example");
    EXPECT_EQ(domain->as(Labels::ascii), "xn--bcher-kva.example");
  }
  EXPECT_EQ(Domain::parse("Example.com")->unicode(), "example.com");
}

// AB-187
TEST(Domain, LabelsOfAText_AreAsciiOnlyWhereThereIsAChoice) {
  const auto labels = [](const char* text) { return labels_of(text, *Domain::parse(text)); };
  EXPECT_EQ(labels("xn--bcher-kva.example"), Labels::ascii);
  EXPECT_EQ(labels("XN--Bcher-Kva.example."), Labels::ascii);
  EXPECT_EQ(labels("bücher.example"), Labels::unicode);
  EXPECT_EQ(labels("example.com"), Labels::unicode);
}

// AB-146, NAME-01
TEST(Domain, SpecialUseNames_AreKnown) {
  for (const auto* name : {"localhost", "intranet", "a.localhost", "printer.local", "abc.onion", "x.test", "a.invalid",
                           "1.168.192.in-addr.arpa", "LOCALHOST.", "a.TEST"})
    EXPECT_TRUE(Domain::parse(name)->is_special_use()) << name;
  for (const auto* name : {"example.com", "local.example", "test.example", "onion.org", "mylocal.net", "a.notlocal"})
    EXPECT_FALSE(Domain::parse(name)->is_special_use()) << name;
}

TEST(HostName, AsDnsGivesIt_IsLowerCaseWithoutDot) {
  EXPECT_EQ(HostName::parse("XMPP1.Example.NET.")->text(), "xmpp1.example.net");
  EXPECT_EQ(HostName::parse("_xmpp-server._tcp.example.net")->text(), "_xmpp-server._tcp.example.net");
  EXPECT_EQ(HostName(*Domain::parse("Example.net")).text(), "example.net");
  for (const auto& name : {""s, "."s, "a b.net"s, "192.0.2.1"s, "a..b"s, "bücher.example"s, "a\0b.net"s,
                           std::string(64, 'a'), std::string(100'000, 'a')})
    EXPECT_FALSE(HostName::parse(name)) << name;
}

void expect_parts(std::string_view jid, std::string_view local, std::string_view domain, std::string_view resource) {
  const JidParts parts = split_jid(jid);
  EXPECT_EQ(parts.local, local) << jid;
  EXPECT_EQ(parts.domain, domain) << jid;
  EXPECT_EQ(parts.resource, resource) << jid;
}

// NAME-01
TEST(Jid, PartsLieWhereRfc7622Says) {
  expect_parts("a.example", "", "a.example", "");
  expect_parts("u@a.example", "u", "a.example", "");
  expect_parts("u@a.example/r", "u", "a.example", "r");
  expect_parts("a.example/r@x/y", "", "a.example", "r@x/y");
  expect_parts("U\u0308@a.example/\u00e9", "U\u0308", "a.example", "\u00e9");
  expect_parts("u@v@a.example", "u", "v@a.example", "");
  EXPECT_FALSE(Domain::parse(split_jid("u@v@a.example").domain));
}

// AB-023
TEST(Jid, WhatIsNone_HasNoDomain) {
  const std::string longest(1023, 'x');
  for (const auto& jid : {""s, "@a.example"s, "a.example/"s, "u@"s, "u@/r"s, "/r"s, longest + "x@a.example",
                          "a.example/" + longest + "x", longest + "x", "\xff@a.example"s, "a.example/\xed\xa0\x80"s})
    EXPECT_EQ(split_jid(jid).domain, "") << jid.substr(0, 40);
  EXPECT_EQ(split_jid(longest + "@a.example/" + longest).domain, "a.example");
}

// AB-186
TEST(Jid, WhatIsNone_StillSeemsToMeanADomain) {
  for (const auto& jid : {"@a.example"s, "a.example/"s, "u@@a.example"s, " u@a.example "s,
                          "u@a.example/"s + std::string(1024, 'r'), "@v@a.example/x@b.example"s, "a.example"s})
    EXPECT_EQ(domain_meant(jid), "a.example") << jid.substr(0, 40);
  EXPECT_EQ(domain_meant(""), "");
  EXPECT_EQ(domain_meant("u@/r"), "");
}

TEST(Pair, Direction_SaysWhoSends) {
  const Domain local = *Domain::parse("ours.example");
  const Domain remote = *Domain::parse("theirs.example");
  EXPECT_EQ((Pair{local, remote, Direction::out}.sender()), local);
  EXPECT_EQ((Pair{local, remote, Direction::out}.target()), remote);
  EXPECT_EQ((Pair{local, remote, Direction::in}.sender()), remote);
  EXPECT_EQ((Pair{local, remote, Direction::in}.target()), local);
}

}  // namespace
}  // namespace ligase
