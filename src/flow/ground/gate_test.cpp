#include "ground/gate.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

namespace ligase::ground {
namespace {

using Results = std::vector<std::optional<std::string>>;

Task<void> wait_into(Gate<std::string>& gate, Results& results) {
  std::optional<std::string> result = co_await gate.wait();
  results.push_back(std::move(result));
}

struct GateTest : testing::Test {
  void start(Gate<std::string>& gate) { boost::asio::co_spawn(loop, wait_into(gate, results), boost::asio::detached); }
  void turn() { loop.restart(), loop.poll(); }

  boost::asio::io_context loop{1};
  Results results;
};

TEST_F(GateTest, HundredsWait_OneOpeningServesAll) {
  Gate<std::string> gate(loop.get_executor());
  for (int i = 0; i < 500; ++i) start(gate);
  turn();
  EXPECT_EQ(gate.waiting(), 500u);
  EXPECT_TRUE(results.empty());
  gate.open("ready");
  EXPECT_TRUE(results.empty()) << "nobody is resumed from inside open()";
  turn();
  EXPECT_EQ(results, Results(500, "ready"));
  EXPECT_EQ(gate.waiting(), 0u);
}

TEST_F(GateTest, OpenAlready_GivesTheValueAtOnce) {
  Gate<std::string> gate(loop.get_executor());
  EXPECT_FALSE(gate.is_open());
  gate.open("early");
  EXPECT_TRUE(gate.is_open());
  start(gate);
  turn();
  EXPECT_EQ(results, Results{"early"});
}

TEST_F(GateTest, OpenedTwice_FirstWins) {
  Gate<std::string> gate(loop.get_executor());
  start(gate);
  turn();
  gate.open("first");
  gate.open("second");
  start(gate);
  turn();
  EXPECT_EQ(results, (Results{"first", "first"}));
}

TEST_F(GateTest, Destroyed_WaitersGetNothing) {
  auto gate = std::make_unique<Gate<std::string>>(loop.get_executor());
  start(*gate);
  start(*gate);
  turn();
  gate.reset();
  EXPECT_TRUE(results.empty());
  turn();
  EXPECT_EQ(results, (Results{std::nullopt, std::nullopt}));
}

TEST_F(GateTest, TaskStartedAfterTheGateIsGone_GetsNothing) {
  auto gate = std::make_unique<Gate<std::string>>(loop.get_executor());
  Task<std::optional<std::string>> task = gate->wait();
  gate.reset();
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr, auto result) { results.push_back(result); });
  turn();
  EXPECT_EQ(results, Results{std::nullopt});
}

TEST_F(GateTest, WaiterThatDestroysTheGate_DisturbsNobody) {
  auto gate = std::make_unique<Gate<std::string>>(loop.get_executor());
  auto destroy = [](std::unique_ptr<Gate<std::string>>& owned, Results& into) -> Task<void> {
    std::optional<std::string> result = co_await owned->wait();
    owned.reset();
    into.push_back(std::move(result));
  };
  boost::asio::co_spawn(loop, destroy(gate, results), boost::asio::detached);
  start(*gate);
  turn();
  gate->open("x");
  turn();
  EXPECT_EQ(results, (Results{"x", "x"}));
}

TEST_F(GateTest, CancelledWait_EndsAloneAndTheOthersWaitOn) {
  using namespace boost::asio::experimental::awaitable_operators;
  Gate<std::string> closed(loop.get_executor()), other(loop.get_executor());
  auto race = [](Gate<std::string>& a, Gate<std::string>& b, Results& into) -> Task<void> {
    auto first = co_await (a.wait() || b.wait());
    into.push_back(first.index() == 1 ? std::get<1>(first) : std::nullopt);
  };
  boost::asio::co_spawn(loop, race(closed, other, results), boost::asio::detached);
  start(closed);
  turn();
  EXPECT_EQ(closed.waiting(), 2u);
  other.open("won");
  turn();
  EXPECT_EQ(results, Results{"won"});
  EXPECT_EQ(closed.waiting(), 1u);
  closed.open("late");
  turn();
  EXPECT_EQ(results, (Results{"won", "late"}));
}

}  // namespace
}  // namespace ligase::ground
