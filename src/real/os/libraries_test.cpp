// What is said of the libraries that a process runs with.
#include "os/libraries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ligase::os {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const Libraries kGood{"2.5.0", true, 0x30000090, "3.0.9", "1.17.1"};

// AB-205
TEST(Libraries, ThoseOfThisMachine_AreReadAndTaken) {
  const Libraries found = libraries();
  EXPECT_THAT(found.expat, HasSubstr("."));
  EXPECT_THAT(found.openssl_text, testing::StartsWith("3."));
  EXPECT_GE(found.openssl, 0x30000000u);
  EXPECT_THAT(found.unbound, testing::StartsWith("1."));
  EXPECT_THAT(judge(found), IsEmpty());
  EXPECT_THAT(judge(kGood), IsEmpty());
}

// AB-205
TEST(Libraries, ExpatThatHoldsBack_IsFatal) {
  Libraries old = kGood;
  old.expat_takes_at_once = false;
  const auto findings = judge(old);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_TRUE(findings[0].is_fatal);
  EXPECT_THAT(findings[0].what, HasSubstr("expat 2.5.0 has no XML_SetReparseDeferralEnabled"));
  EXPECT_THAT(findings[0].advice, HasSubstr("2.5.0-1+deb12u2"));
}

// AB-205
TEST(Libraries, KnownHoles_AreSaid) {
  Libraries old = kGood;
  old.openssl = 0x30000080;
  old.openssl_text = "3.0.8";
  old.unbound = "1.13.10";
  const auto findings = judge(old);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_FALSE(findings[0].is_fatal || findings[1].is_fatal);
  EXPECT_THAT(findings[0].what, HasSubstr("OpenSSL 3.0.8 is older than 3.0.9"));
  EXPECT_THAT(findings[1].what, HasSubstr("libunbound 1.13.10 is older than 1.17.1"));
  old = kGood;
  old.openssl = 0x30500060;
  old.unbound = "1.22.0";
  EXPECT_THAT(judge(old), IsEmpty());
}

}  // namespace
}  // namespace ligase::os
