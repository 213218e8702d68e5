// Which questions a judgement costs, and what their answers are taken for.
#include "dns/evidence.hpp"
#include "support/run_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <map>

namespace ligase::dns {
namespace {

using proof::Answer;
using proof::RrType;
using proof::Security;
using test::run;
using testing::HasSubstr;

const WallTime kNow{std::chrono::seconds(1'800'000'000)};
const proof::SrvTarget kTarget{HostName::parse("xmpp1.receiving.tld").value(), 5269, 0, 0};
const std::string kOwn = "_5269._tcp.xmpp1.receiving.tld";
const std::string kExpanded = "_5269._tcp.real.hosting.tld";

struct Table final : seams::Resolver {
  Task<Answer> ask(std::string name, RrType type) override {
    ++asked[{name, type}];
    const auto found = answers.find({name, type});
    if (found != answers.end()) co_return found->second;
    Answer denial;
    denial.security = Security::secure;
    denial.canonical_name = name;
    co_return denial;
  }
  Answer& add(const std::string& name, RrType type, std::vector<Bytes> rdata, Security security = Security::secure) {
    Answer& answer = answers[{name, type}];
    answer.security = security;
    answer.rdata = std::move(rdata);
    answer.canonical_name = name;
    answer.ttl = 1h;
    return answer;
  }
  int count(const std::string& name, RrType type) const {
    const auto found = asked.find({name, type});
    return found == asked.end() ? 0 : found->second;
  }
  std::map<std::pair<std::string, RrType>, Answer> answers;
  std::map<std::pair<std::string, RrType>, int> asked;
};

Bytes tlsa(std::uint8_t digit) {
  Bytes rdata{3, 1, 1};
  rdata.insert(rdata.end(), 32, digit);
  return rdata;
}

struct Host : testing::Test {
  HostFacts look_up(Security delegation = Security::secure) {
    return run(look_up_host(table, kTarget, delegation, kNow));
  }
  // T is an alias of real.hosting.tld, which has an IPv4 address alone.
  void make_alias(Security security = Security::secure) {
    for (const RrType type : {RrType::a, RrType::aaaa}) {
      Answer& answer = table.add("xmpp1.receiving.tld", type, {}, security);
      answer.is_aliased = true;
      answer.canonical_name = "real.hosting.tld";
    }
    table.answers[{"xmpp1.receiving.tld", RrType::a}].rdata = {{192, 0, 2, 1}};
  }
  Table table;
};

TEST_F(Host, NoAlias_OneTlsaQuestion) {  // DNS-04
  table.add("xmpp1.receiving.tld", RrType::a, {{192, 0, 2, 1}});
  table.add(kOwn, RrType::tlsa, {tlsa(1)});
  const HostFacts facts = look_up();
  ASSERT_TRUE(facts.tlsa);
  EXPECT_EQ(facts.tlsa->owner, kOwn);
  EXPECT_EQ(facts.tlsa->usable.size(), 1u);
  EXPECT_EQ(table.asked.size(), 3u);
}

TEST_F(Host, SignedAlias_TheExpandedNameComesFirst) {  // O-28
  make_alias();
  table.add(kOwn, RrType::tlsa, {tlsa(1)});
  table.add(kExpanded, RrType::tlsa, {tlsa(2)});
  const HostFacts facts = look_up();
  ASSERT_TRUE(facts.tlsa);
  EXPECT_EQ(facts.tlsa->owner, kExpanded);
  ASSERT_EQ(facts.tlsa->usable.size(), 1u);
  EXPECT_EQ(facts.tlsa->usable[0].data[0], 2);
}

TEST_F(Host, AliasKnownByIpv6Alone_IsExpandedAsWell) {  // O-28
  make_alias();
  Answer& v6 = table.answers[{"xmpp1.receiving.tld", RrType::aaaa}];
  v6.rdata = {Bytes(16, 1)};
  table.add("xmpp1.receiving.tld", RrType::a, {}, Security::indeterminate);
  table.add(kExpanded, RrType::tlsa, {tlsa(2)});
  EXPECT_EQ(look_up().tlsa->owner, kExpanded);
}

TEST_F(Host, NothingAtTheExpandedName_TheTargetsOwnRecordsCount) {  // O-28
  for (const Security security : {Security::secure, Security::insecure}) {
    make_alias();
    table.add(kOwn, RrType::tlsa, {tlsa(1)});
    // Unsigned records there say nothing.
    table.add(kExpanded, RrType::tlsa,
              security == Security::secure ? std::vector<Bytes>{} : std::vector<Bytes>{tlsa(2)}, security);
    const HostFacts facts = look_up();
    EXPECT_FALSE(facts.failure);
    EXPECT_EQ(facts.tlsa->owner, kOwn);
    EXPECT_EQ(facts.tlsa->usable.size(), 1u);
  }
}

TEST_F(Host, UnusableRecordsAtTheExpandedName_AreThere) {  // O-28, O-12
  make_alias();
  table.add(kOwn, RrType::tlsa, {tlsa(1)});
  table.add(kExpanded, RrType::tlsa, {{9, 9, 9, 9}});
  const HostFacts facts = look_up();
  EXPECT_EQ(facts.tlsa->owner, kExpanded);
  EXPECT_TRUE(facts.tlsa->has_records);
  EXPECT_TRUE(facts.tlsa->usable.empty());
}

TEST_F(Host, FailureAtEitherName_IsNoAbsence) {  // O-28, O-05, AB-131
  for (const Security bad : {Security::bogus, Security::indeterminate}) {
    make_alias();
    table.add(kOwn, RrType::tlsa, {tlsa(1)});
    table.add(kExpanded, RrType::tlsa, {}, bad).why = "spoilt";
    HostFacts facts = look_up();
    ASSERT_TRUE(facts.failure);
    EXPECT_EQ(facts.failure->reason, Reason::dns_tlsa_bogus);
    EXPECT_THAT(facts.failure->detail, HasSubstr(kExpanded));
    table.add(kExpanded, RrType::tlsa, {});
    table.add(kOwn, RrType::tlsa, {}, bad);
    facts = look_up();
    ASSERT_TRUE(facts.failure);
    EXPECT_THAT(facts.failure->detail, HasSubstr(kOwn));
    // What is not needed may fail.
    table.add(kExpanded, RrType::tlsa, {tlsa(2)});
    EXPECT_FALSE(look_up().failure);
  }
}

TEST_F(Host, UnsignedAlias_NamesNobody) {  // O-28, O-13
  make_alias(Security::insecure);
  table.add(kOwn, RrType::tlsa, {tlsa(1)});
  table.add(kExpanded, RrType::tlsa, {tlsa(2)});
  const HostFacts facts = look_up();
  EXPECT_FALSE(facts.tlsa);
  EXPECT_FALSE(facts.failure);
  EXPECT_EQ(table.count(kExpanded, RrType::tlsa), 0);
}

TEST_F(Host, UnsignedDelegation_TlsaIsNotAsked) {  // O-20, DNS-04
  make_alias();
  EXPECT_FALSE(look_up(Security::insecure).tlsa);
  EXPECT_EQ(table.count(kOwn, RrType::tlsa), 0);
  EXPECT_EQ(table.count(kExpanded, RrType::tlsa), 0);
}

TEST_F(Host, AddressesExpire_AsTheRecordsThatThereAre) {  // DNSSEC-03
  table.add("xmpp1.receiving.tld", RrType::a, {{192, 0, 2, 1}}).ttl = 2h;
  table.add("xmpp1.receiving.tld", RrType::aaaa, {}).ttl = 1min;
  EXPECT_EQ(look_up().addresses_expire, kNow + 2h);
  table.add("xmpp1.receiving.tld", RrType::aaaa, {Bytes(16, 1)}).ttl = 1h;
  EXPECT_EQ(look_up().addresses_expire, kNow + 1h);
}

// AB-142, O-04: one family never fails a host that the other reaches; but no family is known to be absent by failing.
TEST_F(Host, OneFamilyFails_TheOtherDecides) {
  table.add("xmpp1.receiving.tld", RrType::a, {{192, 0, 2, 1}});
  table.add("xmpp1.receiving.tld", RrType::aaaa, {}, Security::indeterminate).why = "no answer";
  HostFacts facts = look_up();
  EXPECT_FALSE(facts.failure);
  EXPECT_EQ(facts.addresses_security, Security::secure);
  table.add("xmpp1.receiving.tld", RrType::aaaa, {}, Security::bogus);
  EXPECT_EQ(look_up().failure->reason, Reason::dns_bogus);
  table.add("xmpp1.receiving.tld", RrType::aaaa, {}, Security::indeterminate).why = "no answer";
  table.add("xmpp1.receiving.tld", RrType::a, {});
  facts = look_up();
  ASSERT_TRUE(facts.failure);
  EXPECT_EQ(facts.failure->reason, Reason::dns_indeterminate);
  EXPECT_THAT(facts.failure->detail, HasSubstr("no answer"));
  table.add("xmpp1.receiving.tld", RrType::aaaa, {});
  EXPECT_EQ(look_up().failure->reason, Reason::address_none);
}

// I-03, AB-135, AB-195: of a sender with twelve targets, one of them twice, the first two by priority are asked, each once.
TEST(Sender, ManyTargets_TheFirstByPriorityAreAskedOnceEach) {
  Table table;
  std::vector<Bytes> records;
  for (std::uint8_t i = 0; i < 13; ++i) {
    const auto priority = static_cast<std::uint8_t>(11 - i % 12);
    records.push_back({0, priority, 0, 0, 0x14, 0x95, 1, static_cast<std::uint8_t>('a' + i % 12), 3, 't', 'l', 'd', 0});
  }
  table.add("_xmpp-server._tcp.sender1.tld", RrType::srv, records);
  const SenderFacts facts = run(look_up_sender(table, Domain::parse("sender1.tld").value(), nullptr, true, kNow));
  ASSERT_EQ(facts.targets.size(), 2u);
  EXPECT_EQ(facts.targets[0].target.host.text(), "l.tld");
  EXPECT_EQ(facts.targets[1].target.host.text(), "k.tld");
  for (const auto& [question, count] : table.asked) EXPECT_EQ(count, 1) << question.first;
  EXPECT_EQ(table.count("_5269._tcp.k.tld", RrType::tlsa), 1);
  EXPECT_EQ(table.count("_xmpp-server.sender1.tld", RrType::tlsa), 1);
  EXPECT_EQ(table.asked.size(), 6u);
}

// I-12: a target without addresses hides nothing: a stale name among S's targets does not shut its certificate out.
TEST(Sender, TargetWithoutAddresses_IsAskedForItsTlsa) {
  Table table;
  table.add("_xmpp-server._tcp.sender1.tld", RrType::srv, {{0, 0, 0, 0, 0x14, 0x95, 1, 'a', 3, 't', 'l', 'd', 0}});
  const SenderFacts facts = run(look_up_sender(table, Domain::parse("sender1.tld").value(), nullptr, true, kNow));
  ASSERT_EQ(facts.targets.size(), 1u);
  ASSERT_TRUE(facts.targets[0].tlsa);
  EXPECT_EQ(facts.targets[0].tlsa->security, Security::secure);
}

TEST(Sender, UnsignedDelegation_NoTargetIsAsked) {  // I-07, I-01
  Table table;
  table.add("_xmpp-server._tcp.sender1.tld", RrType::srv, {{0, 0, 0, 0, 0x14, 0x95, 1, 'a', 3, 't', 'l', 'd', 0}},
            Security::insecure);
  const SenderFacts facts = run(look_up_sender(table, Domain::parse("sender1.tld").value(), nullptr, true, kNow));
  EXPECT_TRUE(facts.targets.empty());
  EXPECT_TRUE(facts.client_tlsa);
  EXPECT_EQ(table.asked.size(), 2u);
}

}  // namespace
}  // namespace ligase::dns
