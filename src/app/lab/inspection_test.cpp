#include "lab/inspection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/authority.hpp"
#include "lab/zones.hpp"

namespace ligase::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(LabInspection, LiveEntries_AreCountedByProof_AndOthersByTheirReason) {
  PairCount count;
  ASSERT_TRUE(count_pairs(R"([{"state":"proven","proof":"dnssec","last_error":null},{"state":"proven","proof":"dnssec"},
                              {"state":"refused","proof":null,"last_error":"dns.bogus: no signature"},
                              {"state":"proving","proof":null,"last_error":null}])",
                          count));
  ASSERT_TRUE(count_pairs(R"([{"state":"proven","proof":"pkix","last_error":null}])", count));
  EXPECT_THAT(count.proven, ElementsAre(Pair("dnssec", 2u), Pair("pkix", 1u)));
  EXPECT_THAT(count.others, ElementsAre(Pair("proving", 1u), Pair("refused: dns.bogus: no signature", 1u)));
}

TEST(LabInspection, WhatIsNoListOfPairs_IsAnError) {
  PairCount count;
  for (const char* text : {"", "{}", "[1]", "[{\"state\":"}) EXPECT_FALSE(count_pairs(text, count)) << text;
}

TEST(LabInspection, CertificatesOfTheWays_NameCustomersOnlyForPkix) {
  const auto authority = Authority::make();
  ASSERT_TRUE(authority);
  for (const Way way : {Way::dnssec, Way::dane, Way::dialback, Way::pkix}) {
    const Plan plan = make_plan({.domains_one = 2, .domains_two = 2, .proof = way});
    const auto identities = make_identities(plan, *authority);
    ASSERT_TRUE(identities);
    const auto count = count_naming_customers({(*identities)[0].certificate, (*identities)[1].certificate}, plan);
    ASSERT_TRUE(count) << count.error().detail;
    EXPECT_EQ(*count, way == Way::pkix ? 2u : 0u) << name_of(way);
  }
}

TEST(LabInspection, FileThatIsNoCertificate_IsAnErrorAndNotAZero) {
  EXPECT_FALSE(count_naming_customers({"-----BEGIN NOTHING-----\n"}, make_plan({})));
}

}  // namespace
}  // namespace ligase::lab
