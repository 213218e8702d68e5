// What a connection had still to send when it ended: routed anew in its order, or answered; and what comes later waits for it.
#include <gmock/gmock.h>

#include "sim/lab.hpp"

namespace ligase::sim {
namespace {

constexpr int kSent = 150;
constexpr std::size_t kBody = 10'000;

std::string message(int number, std::string_view from = "sender1.tld", std::string_view to = "target1.tld") {
  return fmt::format("<message from='a@{0}' to='b@{1}' id='{0}-{1}-{2}'><body>{3}</body></message>", from, to, number,
                     std::string(kBody, 'x'));
}

class Unsent : public testing::Test {
 protected:
  // `window`: of each pair; 0: the connection is filled.
  void start(std::uint64_t seed, std::uint64_t window = 64 * 1024) {
    world.emplace(seed);
    config::Limits limits;
    limits.window_per_pair = window;
    lab.emplace(*world, 1, 1, std::vector{ProofType::dnssec}, limits);
    lab->send_all(1);
    ASSERT_TRUE(world->run_until([&] { return lab->arrived() == 2; }, 30s));
  }
  Component& sender() { return lab->one->component("sender1.tld"); }
  const std::vector<Received>& received() { return lab->two->component("target1.tld").received; }
  std::string out_stream() {
    for (const report::StreamRow& row : lab->one->gateway->streams())
      if (row.direction == "out") return row.id;
    return "none";
  }
  std::optional<World> world;
  std::optional<Lab> lab;
};

// AB-124, AB-099, P5, P6: an operator closes the stream in the middle of a burst; what it had not sent goes by the next one, and
// nothing that comes later is before it.
TEST_F(Unsent, StreamIsClosedInABurst_AllArriveOnceAndInOrder) {
  for (std::uint64_t seed = 80; seed < 90; ++seed) {
    start(seed);
    for (int n = 1; n <= kSent; ++n) sender().send(message(n));
    ASSERT_TRUE(world->run_until([&] { return received().size() > 10; }, 30s));
    ASSERT_TRUE(lab->one->gateway->close_stream(out_stream()));
    for (int n = kSent + 1; n <= kSent + 20; ++n) sender().send(message(n));
    EXPECT_TRUE(world->run_until([&] { return received().size() == kSent + 21u; }, 120s)) << received().size();
    lab->check_order_and_uniqueness();
    EXPECT_EQ(lab->one->log.count("dropped"), 0u);
  }
}

// STR-06, P5, P6: the receiving side closes it. What was on its way to it is taken, and all else goes by the next stream.
TEST_F(Unsent, ReceivingSideClosesTheStreamInABurst_AllArriveOnceAndInOrder) {
  for (std::uint64_t seed = 180; seed < 190; ++seed) {
    start(seed);
    for (int n = 1; n <= kSent; ++n) sender().send(message(n));
    ASSERT_TRUE(world->run_until([&] { return received().size() > 10; }, 30s));
    for (const report::StreamRow& row : lab->two->gateway->streams())
      if (row.direction == "in" && row.kind == "s2s") {
        ASSERT_TRUE(lab->two->gateway->close_stream(row.id));
      }
    for (int n = kSent + 1; n <= kSent + 20; ++n) sender().send(message(n));
    EXPECT_TRUE(world->run_until([&] { return received().size() == kSent + 21u; }, 120s)) << received().size();
    lab->check_order_and_uniqueness();
  }
}

// P6, MUX-10: the same where the pair alone is closed on a stream that has not sent what the pair gave it.
TEST_F(Unsent, PairIsClosedInABurst_AllArriveOnceAndInOrder) {
  start(91);
  for (int n = 1; n <= kSent; ++n) sender().send(message(n));
  ASSERT_TRUE(world->run_until([&] { return received().size() > 10; }, 30s));
  ASSERT_TRUE(lab->one->gateway->close_pair(*Domain::parse("sender1.tld"), *Domain::parse("target1.tld")));
  EXPECT_TRUE(world->run_until([&] { return received().size() == kSent + 1u; }, 120s)) << received().size();
  lab->check_order_and_uniqueness();
}

// AB-124: the peer is gone without a word: what had not left goes to who comes in its place; `unsent_bytes` says how much it was.
TEST_F(Unsent, PeerIsGone_WhatHadNotLeftGoesToItsSuccessor) {
  start(92, 0);
  lab->two->component("target1.tld").stop_reading();
  constexpr int kMore = 3 * kSent;
  for (int n = 1; n <= kMore; ++n) sender().send(message(n));
  world->run_for(500ms);
  const Identities& ids = identities();
  Provider successor(*world,
                     ProviderSpec{"xmpp1.receiving.tld", "192.0.2.2", lab->target_names, ids.two, ids.anchors, {}, {}});
  lab->two->gateway.reset();
  const std::vector<Received>& came = successor.component("target1.tld").received;
  sender().send(message(kMore + 1));
  const std::string last = fmt::format("sender1.tld-target1.tld-{}", kMore + 1);
  ASSERT_TRUE(world->run_until([&] { return !came.empty() && came.back().id == last; }, 120s));
  EXPECT_GT(came.size(), 20u);
  const int first = kMore + 2 - static_cast<int>(came.size());
  for (std::size_t i = 0; i < came.size(); ++i)
    EXPECT_EQ(came[i].id, fmt::format("sender1.tld-target1.tld-{}", first + static_cast<int>(i)));
  std::uint64_t unsent = 0;
  for (const report::Event& event : lab->one->log.events)
    for (const auto& [key, value] : event.fields)
      if (key == "unsent_bytes") unsent += std::stoull(value);
  EXPECT_GT(unsent, 0u);
}

// AB-124, for links: a component that read nothing is gone; its successor gets what had not left, in order.
TEST_F(Unsent, ComponentIsGone_WhatHadNotLeftGoesToItsSuccessor) {
  start(93);
  Component& first = lab->two->component("target1.tld");
  first.stop_reading();
  for (int n = 1; n <= kSent; ++n) sender().send(message(n));
  world->run_for(500ms);
  first.break_off();
  Component second(*world, "target1.tld", "secret-target1.tld");
  ASSERT_TRUE(world->run_until([&] { return lab->two->log.count("link_down") > 0; }, 10s));
  second.connect(*lab->two->gateway);
  const std::string last = fmt::format("sender1.tld-target1.tld-{}", kSent);
  ASSERT_TRUE(world->run_until([&] { return !second.received.empty() && second.received.back().id == last; }, 60s));
  const int from = kSent + 1 - static_cast<int>(second.received.size());
  EXPECT_GT(second.received.size(), 50u);
  for (std::size_t i = 0; i < second.received.size(); ++i)
    EXPECT_EQ(second.received[i].id, fmt::format("sender1.tld-target1.tld-{}", from + static_cast<int>(i)));
}

// AB-167, P5, COMP-04: stanzas wait for a component that is away when the gateway is told to stop: each is answered before the end.
TEST_F(Unsent, StopWhileStanzasWaitForAComponent_EachIsAnswered) {
  start(94);
  lab->two->component("target1.tld").disconnect();
  world->run_for(2s);
  for (int n = 1; n <= 5; ++n) sender().send(message(n));
  world->run_for(2s);
  ASSERT_EQ(sender().received.size(), 1u);
  bool is_stopped = false;
  lab->two->gateway->stop([&] { is_stopped = true; });
  EXPECT_TRUE(world->run_until([&] { return is_stopped; }, 60s));
  EXPECT_TRUE(world->run_until([&] { return sender().received.size() == 6; }, 10s)) << sender().received.size();
  for (std::size_t i = 1; i < sender().received.size(); ++i) EXPECT_EQ(sender().received[i].type, "error");
}

// AB-167, AB-260, P5: more errors than a connection takes at once wait for a component when the gateway is told to stop: its link
// ends when it has them all.
TEST_F(Unsent, StopWhileManyErrorsWaitForAComponent_ItGetsThemAll) {
  start(96);
  world->is_patient = true;
  sender().stop_reading();
  for (int n = 1; n <= 4000; ++n)
    sender().send(fmt::format("<message from='a@sender1.tld' to='b@nowhere.tld' id='{}'><body>x</body></message>", n));
  world->run_for(60s);
  bool is_stopped = false;
  lab->one->gateway->stop([&] { is_stopped = true; });
  world->run_for(2s);
  EXPECT_FALSE(is_stopped);
  sender().go_on_reading();
  EXPECT_TRUE(world->run_until([&] { return is_stopped; }, 20s));
  EXPECT_EQ(sender().received.size(), 4001u);
}

// AB-260: one that takes none of them holds the end up no longer than the drain may take; what it did not take is counted.
TEST_F(Unsent, StopWhileManyErrorsWaitForADeafComponent_TheyAreCounted) {
  start(97);
  world->is_patient = true;
  sender().stop_reading();
  for (int n = 1; n <= 4000; ++n)
    sender().send(fmt::format("<message from='a@sender1.tld' to='b@nowhere.tld' id='{}'><body>x</body></message>", n));
  world->run_for(60s);
  bool is_stopped = false;
  lab->one->gateway->stop([&] { is_stopped = true; });
  EXPECT_TRUE(world->run_until([&] { return is_stopped; }, 31s));
  EXPECT_EQ(lab->one->log.count("dropped"), 1u);
}

// AB-167, P5: what the streams do not send any more when the gateway stops goes back to the components that sent it.
TEST_F(Unsent, StopInABurst_EachStanzaArrivesOrIsAnswered) {
  start(95);
  lab->two->component("target1.tld").stop_reading();
  for (int n = 1; n <= kSent; ++n) sender().send(message(n));
  world->run_for(300ms);
  bool is_stopped = false;
  lab->one->gateway->stop([&] { is_stopped = true; });
  std::uint64_t accepted = 0;  // what the gateway has not read by the end is the component's still
  const auto note = [&] {
    for (const report::LinkRow& row : lab->one->gateway->links()) accepted = std::max(accepted, row.stanzas_in);
    return is_stopped;
  };
  EXPECT_TRUE(world->run_until(note, 60s));
  lab->two->component("target1.tld").go_on_reading();
  const auto answered = [&] { return sender().received.size() - 1; };
  EXPECT_TRUE(world->run_until([&] { return received().size() + answered() >= accepted; }, 60s))
      << received().size() << " " << answered() << " " << accepted;
  EXPECT_GT(answered(), 0u);
  lab->check_order_and_uniqueness();
}

}  // namespace
}  // namespace ligase::sim
