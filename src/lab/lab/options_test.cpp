#include <gtest/gtest.h>

#include "lab/options.hpp"

namespace ligase::lab {
namespace {

TEST(LabDomains, TwoNumbersWithACross_AreTheCustomersOfEach) {
  EXPECT_EQ(parse_domains("20x20").value(), (Domains{20, 20}));
  EXPECT_EQ(parse_domains("1x1000").value(), (Domains{1, 1000}));
}

TEST(LabDomains, AnythingElse_IsRefusedWithWhatWouldDo) {
  for (const char* text : {"", "x", "20", "20x", "x20", "0x1", "1x0", "1001x1", "1x1001", "-1x2", "+1x2", " 1x2",
                           "1x2x3", "2 x 2", "99999999999x1", "1X1"}) {
    const auto parsed = parse_domains(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().detail.find("such as 20x20"), std::string::npos) << text;
  }
}

TEST(LabWay, EachNameOfTheContract_IsKnownAndNamedBack) {
  for (const char* name : {"dane", "dnssec", "pkix", "posh", "dialback", "mixed"}) {
    ASSERT_TRUE(parse_way(name)) << name;
    EXPECT_EQ(name_of(*parse_way(name)), name);
  }
  EXPECT_FALSE(parse_way("DNSSEC"));
  EXPECT_FALSE(parse_way(""));
}

}  // namespace
}  // namespace ligase::lab
