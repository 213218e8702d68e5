#include "lab/inspection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/authority.hpp"
#include "lab/zones.hpp"

namespace ligase::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

PairCount counted(std::initializer_list<const char*> documents) {
  PairCount count;
  for (const char* document : documents)
    EXPECT_TRUE(for_each_pair(document, [&](const PairEntry& entry) { count.add(entry); }));
  return count;
}

TEST(LabInspection, LiveEntries_AreCountedByProof_AndOthersByTheirReason) {
  const PairCount count =
      counted({R"([{"state":"proven","proof":"dnssec","last_error":null},{"state":"proven","proof":"dnssec"},
                   {"state":"refused","proof":null,"last_error":"dns.bogus: no signature"},
                   {"state":"proving","proof":null,"last_error":null}])",
               R"([{"state":"proven","proof":"pkix","last_error":null}])"});
  EXPECT_THAT(count.proven, ElementsAre(Pair("dnssec", 2u), Pair("pkix", 1u)));
  EXPECT_THAT(count.others, ElementsAre(Pair("proving", 1u), Pair("refused: dns.bogus: no signature", 1u)));
}

TEST(LabInspection, NearestExpiry_IsOfEachProofItsOwn) {
  const PairCount count = counted({R"([{"state":"proven","proof":"dane","expires_at":"2026-01-02T00:00:00Z"},
                                       {"state":"proven","proof":"dane","expires_at":"2026-01-01T23:59:59Z"},
                                       {"state":"expired","proof":"dane","expires_at":"2025-01-01T00:00:00Z"},
                                       {"state":"proven","proof":"pkix","expires_at":"2026-02-01T00:00:00Z"}])"});
  EXPECT_THAT(count.nearest_expiry,
              ElementsAre(Pair("dane", "2026-01-01T23:59:59Z"), Pair("pkix", "2026-02-01T00:00:00Z")));
}

TEST(LabInspection, WhatIsNoListOfPairs_IsAnError) {
  for (const char* text : {"", "{}", "[1]", "[{\"state\":"})
    EXPECT_FALSE(for_each_pair(text, [](const PairEntry&) {})) << text;
}

TEST(LabInspection, CertificatesOfTheWays_NameCustomersOnlyForPkixAndMixed) {
  const auto authority = Authority::make();
  ASSERT_TRUE(authority);
  for (const Way way : {Way::dnssec, Way::dane, Way::dialback, Way::posh, Way::pkix, Way::mixed}) {
    const Plan plan = make_plan({.domains_one = 5, .domains_two = 5, .proof = way});
    const auto identities = make_identities(plan, *authority);
    ASSERT_TRUE(identities);
    const auto count =
        count_naming_customers({(*identities)[0].own.certificate, (*identities)[1].own.certificate}, plan);
    ASSERT_TRUE(count) << count.error().detail;
    EXPECT_EQ(count->in_any_form, way == Way::pkix || way == Way::mixed ? 2u : 0u) << name_of(way);
    EXPECT_EQ(count->for_xmpp_only, way == Way::mixed ? 2u : 0u) << name_of(way);
  }
}

TEST(LabInspection, FileThatIsNoCertificate_IsAnErrorAndNotAZero) {
  EXPECT_FALSE(count_naming_customers({"-----BEGIN NOTHING-----\n"}, make_plan({})));
}

}  // namespace
}  // namespace ligase::lab
