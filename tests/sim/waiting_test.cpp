// What waits: at whom reading stops when neither a stanza nor its error can be kept, and that nothing is lost, answered for want of
// room alone, or overtaken on the way.
#include <gmock/gmock.h>

#include "sim/bursts.hpp"
#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using testing::HasSubstr;

std::size_t of_type(const std::vector<Received>& received, std::string_view type) {
  return static_cast<std::size_t>(
      std::count_if(received.begin(), received.end(), [&](const Received& stanza) { return stanza.type == type; }));
}

// AB-236, P5, P8, AB-123: all ends read as fast as they can, so nothing is answered for want of room, and nothing is dropped, not
// even what may not be answered.
TEST(Waiting, BurstOverEveryQueue_ArrivesWhole) {
  World world(71);
  Lab lab(world, 2, 2, {ProofType::dnssec}, small());
  constexpr int kEach = 400;
  for (int n = 0; n < kEach; ++n)
    for (const std::string& sender : lab.sender_names)
      for (const std::string& target : lab.target_names) {
        lab.one->component(sender).send(message(sender, target, n, 1000, n % 3 == 0 ? "error" : "chat"));
        lab.two->component(target).send(message(target, sender, n, 1000));
      }
  EXPECT_TRUE(world.run_until([&] { return lab.arrived() == 8 * kEach; }, 120s)) << lab.arrived();
  for (const std::string& name : lab.target_names) {
    EXPECT_EQ(of_type(lab.two->component(name).received, "error"), 2 * (kEach + 2) / 3);
  }
  for (const std::string& name : lab.sender_names) {
    EXPECT_EQ(of_type(lab.one->component(name).received, "error"), 0u);
  }
  EXPECT_EQ(lab.one->log.count("dropped") + lab.two->log.count("dropped"), 0u);
  lab.check_order_and_uniqueness();
}

// AB-236, AB-104, P7: a component that reads nothing and keeps writing what can only be answered is not read any more; when it
// reads, each stanza has its error.
TEST(Waiting, ComponentThatReadsNoErrors_IsNotRead) {
  World world(72);
  Lab lab(world, 1, 1, {ProofType::dnssec}, small());
  Component& component = lab.one->component("sender1.tld");
  ASSERT_TRUE(world.run_until([&] { return component.is_up; }, 5s));
  component.stop_reading();
  constexpr int kSent = 4000;
  for (int n = 0; n < kSent; ++n) component.send(message("sender1.tld", "nowhere.tld", n, 500));
  world.run_for(120s);
  EXPECT_GT(component.unsent(), 1'000'000u);
  EXPECT_TRUE(component.received.empty());
  component.go_on_reading();
  EXPECT_TRUE(world.run_until([&] { return component.received.size() == kSent; }, 300s)) << component.received.size();
  EXPECT_EQ(of_type(component.received, "error"), static_cast<std::size_t>(kSent));
  EXPECT_EQ(lab.one->log.count("dropped"), 0u);
}

// MUX-11, P8: a pair with much to send takes nothing from a quiet one on the same stream.
TEST(Waiting, QuietPair_DoesNotWaitBehindABusyOne) {
  World world(73);
  Lab lab(world, 2, 2);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 8; }, 30s));
  Component& busy = lab.one->component("sender1.tld");
  constexpr int kSent = 400;
  for (int n = 1; n <= kSent; ++n) busy.send(message("sender1.tld", "target1.tld", n, 10'000));
  world.run_for(50ms);
  lab.one->component("sender2.tld").send(message("sender2.tld", "target2.tld", 1, 10));
  const auto& quiet = lab.two->component("target2.tld").received;
  ASSERT_TRUE(world.run_until([&] { return quiet.size() == 3; }, 60s));
  EXPECT_LT(lab.two->component("target1.tld").received.size(), kSent / 2u);
  EXPECT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == kSent + 2u; }, 60s));
}

// A receiver that is slow makes those who write to it without flow control wait for a second, not for as long as it is slow.
TEST(Waiting, SlowReceiver_HoldsTheStreamForASecondAtMost) {
  World world(74);
  config::Limits limits;
  limits.window_per_pair = 0;
  Lab lab(world, 1, 2, {ProofType::dnssec}, limits);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 4; }, 30s));
  lab.two->component("target1.tld").stop_reading();
  Component& sender = lab.one->component("sender1.tld");
  constexpr int kSent = 200;
  for (int n = 1; n <= kSent; ++n) sender.send(message("sender1.tld", "target1.tld", n, 10'000));
  const Instant from = world.now();
  const auto& other = lab.two->component("target2.tld").received;
  sender.send(message("sender1.tld", "target2.tld", 1, 10));
  ASSERT_TRUE(world.run_until([&] { return other.size() == 2; }, 60s));
  EXPECT_LT(world.now() - from, 3s);
  EXPECT_EQ(sender.received.size(), 2u);  // nothing was answered for want of room: the link's queue has it
}

// P8, AB-126, decision 011: what may not be answered does not stop the stream either, however much of it comes.
TEST(Waiting, DeafReceiverOfErrors_DoesNotStopTheStream) {
  World world(76);
  Lab lab(world, 2, 2, {ProofType::dnssec}, small());
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 8; }, 30s));
  lab.two->component("target1.tld").stop_reading();
  for (int n = 1; n <= 300; ++n)
    lab.one->component("sender1.tld").send(message("sender1.tld", "target1.tld", n, 2000, "error"));
  world.run_for(10s);
  lab.one->component("sender2.tld").send(message("sender2.tld", "target2.tld", 1, 10));
  EXPECT_TRUE(world.run_until([&] { return lab.two->component("target2.tld").received.size() == 3; }, 5s));
  EXPECT_GT(lab.two->log.count("dropped"), 0u);  // counted
}

class Answers : public OneGateway {
 protected:
  Answers() : OneGateway(75, "evil.tld") {}
};

// AB-019, P7: a proven peer that reads no answer is not read; no pair of it is cut for that.
TEST_F(Answers, ProvenPeerThatReadsNone_IsNotRead) {
  start();
  start_authority();
  ASSERT_TRUE(stranger.negotiate(door(), "evil.tld", "target1.tld"));
  stranger.say("<db:result from='evil.tld' to='target1.tld'>key</db:result>");
  ASSERT_TRUE(stranger.wait_for("type='valid'"));
  stranger.stop_reading();
  std::string questions;
  for (int i = 0; i < 20'000; ++i) questions += "<db:verify from='evil.tld' to='target1.tld' id='x'>key</db:verify>";
  stranger.say(questions);
  world.run_for(60s);
  EXPECT_GT(stranger.unsent(), questions.size() / 3);
  EXPECT_FALSE(stranger.is_closed);
  stranger.go_on_reading();
  EXPECT_TRUE(world.run_until([&] { return stranger.count("<db:verify") == 20'000; }, 120s));
}

}  // namespace
}  // namespace ligase::sim
