#include "base/told.hpp"

#include <gmock/gmock.h>

namespace ligase {
namespace {

using testing::HasSubstr;
using testing::Not;

// AB-235: no sentence is empty, none speaks of this gateway's configuration or sends an operator's advice to a stranger.
TEST(Told, EachReason_HasASentenceForOthers) {
  for (const ReasonText& row : all_reasons()) {
    const std::string_view sentence = told_of(row.reason);
    EXPECT_GT(sentence.size(), 10u) << row.name;
    for (const char* own : {"[", "ligase", "config", ".toml"}) EXPECT_THAT(sentence, Not(HasSubstr(own))) << row.name;
    EXPECT_EQ(told(row.reason), std::string(row.name) + ": " + std::string(sentence));
  }
}

}  // namespace
}  // namespace ligase
