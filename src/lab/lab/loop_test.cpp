#include "lab/loop.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace ligase::lab {
namespace {

using namespace std::chrono_literals;
using Outcome = Loop::Outcome;

TEST(LabLoop, WhatIsDoneAlready_NeedsNoTime) {
  Loop loop;
  EXPECT_EQ(loop.until([] { return true; }, 0s), Outcome::done);
}

TEST(LabLoop, WhatNeverHappens_EndsWithThePatience) {
  Loop loop;
  EXPECT_EQ(loop.until([] { return false; }, 1ms), Outcome::out_of_time);
}

TEST(LabLoop, ASignal_InterruptsAndDoesNotKill) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    Loop loop;
    raise(number);
    EXPECT_EQ(loop.until([] { return false; }, 1h), Outcome::interrupted);
    EXPECT_EQ(loop.until([] { return true; }, 1h), Outcome::interrupted);  // still
    loop.forget_signals();
    EXPECT_EQ(loop.until([] { return true; }, 1h), Outcome::done);
    raise(number);  // a second one
    EXPECT_EQ(loop.until([] { return false; }, 1h), Outcome::interrupted);
  }
}

}  // namespace
}  // namespace ligase::lab
