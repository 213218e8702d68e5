#include "lab/breakage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

namespace ligase::lab {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(LabBreakage, Each_HasItsNameAndItsMeaning_OnALineOfTheList) {
  std::set<std::string_view> names;
  const std::string list = breakage_list();
  for (const Breakage& breakage : all_breakages()) {
    EXPECT_EQ(find_breakage(breakage.name), &breakage);
    EXPECT_TRUE(names.insert(breakage.name).second) << breakage.name;
    EXPECT_THAT(list, HasSubstr(std::string(breakage.name) + " "));
    EXPECT_THAT(list, HasSubstr(" " + told_of(breakage, "a customer") + "\n"));
    EXPECT_THAT(told_of(breakage, "target7.tld"), HasSubstr("target7.tld"));
  }
  EXPECT_EQ(std::ranges::count(list, '\n'), static_cast<std::ptrdiff_t>(all_breakages().size()));
  EXPECT_EQ(boost::json::parse(breakage_document()).as_array().size(), all_breakages().size());
  EXPECT_EQ(find_breakage("everything"), nullptr);
}

// What fails closed: signed data that is wrong or missing is refused whatever the policy takes beside it.
TEST(LabBreakage, BadSignedData_IsRefusedUnderEitherPolicy) {
  for (const char* name : {"tlsa", "rrsig", "srv-bogus", "nameserver-silent"})
    for (const bool only_its_way : {false, true}) {
      const Expected expected = expected_of(*find_breakage(name), only_its_way);
      EXPECT_FALSE(expected.proof) << name;
      EXPECT_TRUE(expected.reason) << name;
      EXPECT_THAT(expected.text(*find_breakage(name)), HasSubstr("refused with d"));
    }
}

TEST(LabBreakage, BadCertificateOrDocument_IsDialbackOrNothing_AsThePolicyHasIt) {
  for (const char* name :
       {"cert-expired", "cert-wrong-name", "cert-revoked", "posh-loop", "posh-expired", "posh-mismatch"}) {
    const Breakage& breakage = *find_breakage(name);
    EXPECT_EQ(expected_of(breakage, false).proof, Way::dialback);
    EXPECT_EQ(expected_of(breakage, true).proof, std::nullopt);
    EXPECT_THAT(expected_of(breakage, false).text(breakage), HasSubstr("proven by dialback only, since p"));
    EXPECT_THAT(expected_of(breakage, true).text(breakage), HasSubstr("refused with p"));
  }
}

TEST(LabBreakage, WhatDoesNotMatter_IsProvenAllTheSame) {
  for (const char* name : {"no-eku", "peer-restart", "slow-customer"})
    for (const bool only_its_way : {false, true})
      EXPECT_EQ(expected_of(*find_breakage(name), only_its_way).proof, find_breakage(name)->way) << name;
}

}  // namespace
}  // namespace ligase::lab
