#include "proof/dns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "support/certificates.hpp"

namespace ligase::proof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const WallTime kNow = test::day(2026, 11, 24);
const Domain kDomain = Domain::parse("target1.tld").value();

Bytes wire(std::string_view name) {
  Bytes out;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out.push_back(static_cast<std::uint8_t>(dot));
    for (const char c : name.substr(0, dot)) out.push_back(static_cast<std::uint8_t>(c));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out.push_back(0);
  return out;
}

Bytes srv(unsigned priority, unsigned weight, unsigned port, std::string_view name) {
  Bytes out;
  for (const unsigned number : {priority, weight, port}) {
    out.push_back(static_cast<std::uint8_t>(number >> 8));
    out.push_back(static_cast<std::uint8_t>(number));
  }
  for (const std::uint8_t byte : wire(name)) out.push_back(byte);
  return out;
}

Answer answer(Security security, std::vector<Bytes> rdata, std::chrono::seconds ttl = std::chrono::hours(1)) {
  Answer made;
  made.security = security;
  made.rdata = std::move(rdata);
  made.ttl = ttl;
  return made;
}

std::vector<std::string> shown(const std::vector<SrvTarget>& targets) {
  std::vector<std::string> out;
  for (const SrvTarget& target : targets)
    out.push_back(std::string(target.host.text()) + ":" + std::to_string(target.port));
  return out;
}

TEST(Delegation, SrvRecords_BecomeTargets) {  // DNS-02
  const Delegation read = read_delegation(
      kDomain, answer(Security::secure, {srv(10, 5, 5269, "XMPP1.receiving.tld"), srv(5, 0, 5270, "b.tld")}), kNow);
  EXPECT_EQ(read.kind, Delegation::Kind::srv);
  EXPECT_EQ(read.security, Security::secure);
  EXPECT_THAT(shown(read.targets), ElementsAre("b.tld:5270", "xmpp1.receiving.tld:5269"));
  EXPECT_EQ(read.targets[1].priority, 10);
  EXPECT_EQ(read.targets[1].weight, 5);
  EXPECT_FALSE(read.failure);
}

TEST(Delegation, Denial_FallsBackToTheDomain) {
  for (const Security security : {Security::secure, Security::insecure}) {
    const Delegation read = read_delegation(kDomain, answer(security, {}), kNow);
    EXPECT_EQ(read.kind, Delegation::Kind::fallback);
    EXPECT_EQ(read.security, security);
    EXPECT_THAT(shown(read.targets), ElementsAre("target1.tld:5269"));
  }
}

TEST(Delegation, BogusAnswer_FailsWithItsReasonAndNoTarget) {  // O-01, AB-130, AB-131
  Answer bad = answer(Security::bogus, {srv(0, 0, 5269, "evil.tld")});
  bad.why = "signature expired";
  const Delegation bogus = read_delegation(kDomain, bad, kNow);
  EXPECT_EQ(bogus.kind, Delegation::Kind::failed);
  EXPECT_TRUE(bogus.targets.empty());
  ASSERT_TRUE(bogus.failure);
  EXPECT_EQ(bogus.failure->reason, Reason::dns_bogus);
  EXPECT_THAT(bogus.failure->detail, HasSubstr("signature expired"));
}

TEST(Delegation, IndeterminateAnswer_IsNoAbsence) {  // O-02, O-27
  Answer bad = answer(Security::indeterminate, {});
  bad.why = "time-out";
  const Delegation read = read_delegation(kDomain, bad, kNow);
  EXPECT_EQ(read.kind, Delegation::Kind::failed);
  EXPECT_TRUE(read.targets.empty());
  ASSERT_TRUE(read.failure);
  EXPECT_EQ(read.failure->reason, Reason::dns_indeterminate);
  EXPECT_THAT(read.failure->detail, HasSubstr("time-out"));
}

TEST(Delegation, RootTarget_SaysNoService) {  // O-03, AB-134
  const Delegation read = read_delegation(kDomain, answer(Security::insecure, {srv(0, 0, 5269, "")}), kNow);
  EXPECT_EQ(read.kind, Delegation::Kind::no_service);
  EXPECT_TRUE(read.targets.empty());
  ASSERT_TRUE(read.failure);
  EXPECT_EQ(read.failure->reason, Reason::dns_no_service);
  // "." counts only alone (RFC 2782).
  const Delegation mixed =
      read_delegation(kDomain, answer(Security::insecure, {srv(0, 0, 5269, ""), srv(0, 0, 5269, "a.tld")}), kNow);
  EXPECT_THAT(shown(mixed.targets), ElementsAre("a.tld:5269"));
}

TEST(Delegation, PortZeroAndDuplicates_AreLeftOut) {  // AB-135
  const Delegation read = read_delegation(
      kDomain,
      answer(Security::secure, {srv(0, 1, 0, "zero.tld"), srv(9, 1, 5269, "a.tld"), srv(1, 65535, 5269, "A.tld"),
                                srv(1, 65535, 5270, "a.tld"), srv(1, 65535, 5269, "a.tld")}),
      kNow);
  EXPECT_THAT(shown(read.targets), ElementsAre("a.tld:5269", "a.tld:5270"));
  EXPECT_EQ(read.targets[0].priority, 1);
  const Delegation none = read_delegation(kDomain, answer(Security::secure, {srv(0, 1, 0, "zero.tld")}), kNow);
  EXPECT_EQ(none.kind, Delegation::Kind::no_service);
  EXPECT_TRUE(none.targets.empty());
}

TEST(Delegation, FiveHundredRecords_GiveTheBestSixteen) {  // AB-135
  std::vector<Bytes> records;
  for (unsigned i = 0; i < 500; ++i) records.push_back(srv(500 - i, 1, 5269, "h" + std::to_string(i) + ".tld"));
  const Delegation read = read_delegation(kDomain, answer(Security::secure, records), kNow);
  ASSERT_EQ(read.targets.size(), 16u);
  EXPECT_EQ(read.targets.front().host.text(), "h499.tld");
  EXPECT_EQ(read.targets.back().host.text(), "h484.tld");
}

// AB-226: what is kept of a set leads to the same choice as the whole of it.
TEST(KeepWhatIsUsed, LargeSrvSet_LeadsToTheSameTargets) {
  std::vector<Bytes> records{srv(0, 1, 0, "no.tld"), Bytes{1, 2, 3}};
  for (unsigned i = 0; i < 500; ++i)
    records.push_back(srv(500 - i / 2, 1, 5269, "h" + std::to_string(i % 400) + ".tld"));
  Answer whole_set = answer(Security::secure, records);
  const auto whole = read_delegation(kDomain, whole_set, kNow).targets;
  keep_what_is_used(RrType::srv, whole_set);
  EXPECT_EQ(whole_set.rdata.size(), 16u);
  EXPECT_EQ(read_delegation(kDomain, whole_set, kNow).targets, whole);
}

TEST(KeepWhatIsUsed, SetWithoutAService_StillSaysSo) {  // AB-226, AB-134
  Answer large = answer(Security::secure, std::vector<Bytes>(100, srv(0, 1, 0, "no.tld")));
  keep_what_is_used(RrType::srv, large);
  EXPECT_EQ(large.rdata.size(), 16u);
  EXPECT_EQ(read_delegation(kDomain, large, kNow).kind, Delegation::Kind::no_service);
}

TEST(Delegation, MalformedRecords_AreSkippedEachByItself) {
  Bytes trailing = srv(0, 0, 5269, "a.tld");
  trailing.push_back(7);
  Bytes cut = srv(0, 0, 5269, "a.tld");
  cut.pop_back();
  Bytes pointer = srv(0, 0, 5269, "");
  pointer.back() = 0xC0;
  pointer.push_back(12);
  Bytes dotted = srv(0, 0, 5269, "");
  dotted.pop_back();
  for (const std::uint8_t byte : Bytes{5, 'a', '.', 't', 'l', 'd', 0}) dotted.push_back(byte);
  const std::vector<Bytes> bad{
      {}, {0, 0, 0, 0, 0, 1}, trailing, cut, pointer, dotted, srv(0, 0, 5269, "a b.tld"), srv(0, 0, 5269, "192.0.2.1")};
  std::vector<Bytes> mixed = bad;
  mixed.push_back(srv(0, 0, 5269, "good.tld"));
  EXPECT_THAT(shown(read_delegation(kDomain, answer(Security::secure, mixed), kNow).targets),
              ElementsAre("good.tld:5269"));
  // Nothing readable is a failure, not a denial.
  const Delegation none = read_delegation(kDomain, answer(Security::secure, bad), kNow);
  EXPECT_EQ(none.kind, Delegation::Kind::failed);
  ASSERT_TRUE(none.failure);
  EXPECT_EQ(none.failure->reason, Reason::dns_indeterminate);
}

TEST(EvidenceExpiry, TtlIsClamped_AndSignaturesBoundIt) {  // AB-140, DNSSEC-03
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  EXPECT_EQ(evidence_expiry(answer(Security::secure, {}, seconds(0)), kNow), kNow + minutes(5));
  EXPECT_EQ(evidence_expiry(answer(Security::secure, {}, seconds(2147483647)), kNow), kNow + hours(24));
  Answer signed_answer = answer(Security::secure, {}, hours(2));
  EXPECT_EQ(evidence_expiry(signed_answer, kNow), kNow + hours(2));
  signed_answer.signatures_expire = kNow + minutes(1);
  EXPECT_EQ(evidence_expiry(signed_answer, kNow), kNow + minutes(1));  // a signature's end goes before the clamp
  signed_answer.signatures_expire = kNow + hours(99);
  EXPECT_EQ(evidence_expiry(signed_answer, kNow), kNow + hours(2));
  EXPECT_EQ(read_delegation(kDomain, signed_answer, kNow).expires, kNow + hours(2));
  EXPECT_EQ(read_tlsa("_5269._tcp.a.tld", signed_answer, kNow).expires, kNow + hours(2));
}

TEST(ReadAddresses, TakesBothFamilies_AndSkipsMalformed) {
  Bytes v6(16, 0);
  v6[0] = 0x20;
  v6[1] = 0x01;
  v6[15] = 9;
  const auto read = read_addresses(answer(Security::insecure, {{192, 0, 2, 1}, {1, 2, 3}, {}, v6}));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].text(), "192.0.2.1");
  EXPECT_EQ(read[1].text(), "2001::9");
  EXPECT_TRUE(read_addresses(answer(Security::bogus, {{192, 0, 2, 1}})).empty());  // AB-130
}

Bytes tlsa(int usage, int selector, int matching, std::size_t size) {
  Bytes out{static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector), static_cast<std::uint8_t>(matching)};
  out.resize(3 + size, 0xAB);
  return out;
}

TEST(ReadTlsa, UnknownOrIllFormedRecords_AreUnusable) {  // O-12, AB-132, AB-133, DANE-02
  const std::vector<Bytes> bad{tlsa(4, 1, 1, 32),
                               tlsa(3, 2, 1, 32),
                               tlsa(3, 1, 3, 32),
                               tlsa(3, 1, 1, 31),
                               tlsa(3, 1, 1, 33),
                               tlsa(3, 1, 1, 20),
                               tlsa(3, 1, 2, 32),
                               tlsa(3, 1, 1, 0),
                               tlsa(2, 0, 0, 40),
                               tlsa(3, 1, 0, 40),
                               {},
                               {3},
                               {3, 1, 1}};
  const TlsaSet set = read_tlsa("o", answer(Security::secure, bad), kNow);
  EXPECT_TRUE(set.usable.empty());
  EXPECT_TRUE(set.has_records);
  for (int usage = 0; usage < 4; ++usage)
    for (int selector = 0; selector < 2; ++selector) {
      EXPECT_EQ(read_tlsa("o", answer(Security::secure, {tlsa(usage, selector, 1, 32)}), kNow).usable.size(), 1u);
      EXPECT_EQ(read_tlsa("o", answer(Security::secure, {tlsa(usage, selector, 2, 64)}), kNow).usable.size(), 1u);
    }
}

TEST(ReadTlsa, FullData_MustBeAWholeCertificateOrKey) {  // AB-132
  const auto made = test::make_self_signed({"a.tld"});
  for (const int selector : {0, 1}) {
    Bytes record = test::tlsa_rdata(2, selector, 0, made);
    EXPECT_EQ(read_tlsa("o", answer(Security::secure, {record}), kNow).usable.size(), 1u);
    record.push_back(0);
    EXPECT_TRUE(read_tlsa("o", answer(Security::secure, {record}), kNow).usable.empty());
    record.resize(record.size() - 2);
    EXPECT_TRUE(read_tlsa("o", answer(Security::secure, {record}), kNow).usable.empty());
  }
}

TEST(ReadTlsa, AThousandRecords_ThirtyTwoAreLookedAt) {  // AB-133
  std::vector<Bytes> records(1000, tlsa(3, 1, 1, 32));
  EXPECT_EQ(read_tlsa("o", answer(Security::secure, records), kNow).usable.size(), 32u);
}

TEST(ReadTlsa, StrongerDigestPresent_WeakerIsNotLookedAt) {  // DANE-02, AB-133 (RFC 7671 section 9)
  const auto made = test::make_self_signed({"a.tld"});
  const TlsaSet set = read_tlsa("o",
                                answer(Security::secure, {tlsa(3, 1, 1, 32), tlsa(3, 1, 2, 64), tlsa(3, 0, 1, 32),
                                                          tlsa(2, 1, 1, 32), test::tlsa_rdata(3, 1, 0, made)}),
                                kNow);
  std::vector<std::string> kinds;
  for (const TlsaRecord& record : set.usable) kinds.push_back(record.text().substr(0, 5));
  EXPECT_THAT(kinds, ElementsAre("3 1 2", "3 0 1", "2 1 1", "3 1 0"));
  // A malformed strong digest disables nothing.
  EXPECT_EQ(read_tlsa("o", answer(Security::secure, {tlsa(3, 1, 1, 32), tlsa(3, 1, 2, 63)}), kNow).usable.size(), 1u);
}

TEST(ReadTlsa, AnythingButSecure_GivesNothingUsable) {  // AB-130, O-05
  for (const Security security : {Security::insecure, Security::bogus, Security::indeterminate}) {
    const TlsaSet set = read_tlsa("o", answer(security, {tlsa(3, 1, 1, 32)}), kNow);
    EXPECT_TRUE(set.usable.empty()) << name_of(security);
    EXPECT_EQ(set.security, security);
  }
}

TEST(TlsaRecord, Text_IsCutForALogLine) {
  const TlsaSet set = read_tlsa("o", answer(Security::secure, {tlsa(3, 1, 1, 32)}), kNow);
  EXPECT_EQ(set.usable.at(0).text(), "3 1 1 abababababababab…");
}

TEST(OrderTargets, ByPriority_WeightedWithin) {  // DNS-02, AB-135 (RFC 2782)
  const auto target = [](std::string_view host, std::uint16_t priority, std::uint16_t weight) {
    return SrvTarget{HostName::parse(host).value(), 5269, priority, weight};
  };
  const std::vector<SrvTarget> targets{target("late.tld", 20, 0), target("heavy.tld", 10, 60),
                                       target("light.tld", 10, 20), target("none.tld", 10, 0)};
  std::map<std::string, int> first;
  std::mt19937 random(20261124);
  const auto draw = [&](std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>(0, most)(random); };
  constexpr int kRounds = 8000;
  for (int i = 0; i < kRounds; ++i) {
    const std::vector<SrvTarget> ordered = order_targets(targets, draw);
    ASSERT_EQ(ordered.size(), 4u);
    EXPECT_EQ(ordered.back().host.text(), "late.tld");
    ++first[std::string(ordered.front().host.text())];
  }
  // Drawn from 0…80: 0 gives none.tld, 1…20 or 1…60 the others.
  EXPECT_NEAR(first["heavy.tld"], kRounds * 60 / 81, kRounds / 40);
  EXPECT_NEAR(first["light.tld"], kRounds * 20 / 81, kRounds / 40);
  EXPECT_NEAR(first["none.tld"], kRounds * 1 / 81, kRounds / 40);
  EXPECT_GT(first["none.tld"], 0);
}

TEST(OrderTargets, ExtremeDraws_StayInRange) {  // AB-135: weight 65535 for all
  std::vector<SrvTarget> targets;
  for (int i = 0; i < 16; ++i)
    targets.push_back({HostName::parse("h" + std::to_string(i) + ".tld").value(), 5269, 1, 65535});
  EXPECT_EQ(order_targets(targets, [](std::uint32_t most) { return most; }).size(), 16u);
  EXPECT_EQ(order_targets(targets, [](std::uint32_t) { return 0u; }).size(), 16u);
  EXPECT_TRUE(order_targets({}, [](std::uint32_t) { return 0u; }).empty());
}

}  // namespace
}  // namespace ligase::proof
