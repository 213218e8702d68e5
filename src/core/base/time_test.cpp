// Civil time as people and machines read it.
#include "base/time.hpp"

#include <gtest/gtest.h>

namespace ligase {
namespace {

WallTime at(std::chrono::year_month_day day, std::chrono::seconds of_day) {
  return WallTime(std::chrono::sys_days(day)) + of_day;
}

TEST(Rfc3339, IsUtcWithAZ_AndPadded) {
  using namespace std::chrono;
  EXPECT_EQ(rfc3339(WallTime{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(at(2026y / 11 / 24, 21h + 52min + 4s)), "2026-11-24T21:52:04Z");
  EXPECT_EQ(rfc3339(at(2028y / 2 / 29, 23h + 59min + 59s)), "2028-02-29T23:59:59Z");
}

TEST(Rfc3339, BeforeTheEpoch_TheTimeOfDayStaysPositive) {
  EXPECT_EQ(rfc3339(WallTime{std::chrono::seconds(-1)}), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace ligase
