// What waits, attacked: deaf components, streams and pairs that end at any moment, clocks that step, reloads and stops in between.
#include <gmock/gmock.h>

#include "sim/bursts.hpp"

namespace ligase::sim {
namespace {

// AB-237: a peer reads nothing until what waited for it was answered, then it reads again: whose queue is gone has no turn.
TEST(WaitingLong, PeerReadsAgainWhenWhatWaitedWasAnswered_TheStreamGoesOn) {
  for (int count = 380; count <= 480; count += 10) {
    World world(101);
    world.check_every = 1;
    Lab lab(world, 1, 1, {ProofType::dnssec}, small());
    lab.send_all(1);
    ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 30s));
    Component& deaf = lab.two->component("target1.tld");
    Component& sender = lab.one->component("sender1.tld");
    deaf.stop_reading();
    for (int n = 1; n <= count; ++n)
      sender.send(message("sender1.tld", "target1.tld", n, 2000, n < 260 ? "error" : "chat"));
    world.run_for(200s);
    deaf.go_on_reading();
    world.run_for(60s);
    sender.send(message("sender1.tld", "target1.tld", 1001, 10));
    EXPECT_TRUE(world.run_until([&] { return deaf.received.back().id == "sender1.tld-target1.tld-1001"; }, 120s));
    lab.check_order_and_uniqueness();
  }
}

// AB-238, AB-124, COMP-04: the link that comes after one that is still closing ends before it does.
TEST(WaitingLong, ComponentComesAndGoesWhileItsFormerLinkCloses_NothingIsLost) {
  World world(103);
  world.check_every = 1;
  Lab lab(world, 1, 1);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 30s));
  Component& first = lab.two->component("target1.tld");
  Component& sender = lab.one->component("sender1.tld");
  first.stop_reading();
  for (int n = 1; n <= 60; ++n) sender.send(message("sender1.tld", "target1.tld", n, 5000));
  world.run_for(2s);
  world.is_patient = true;
  for (const report::Event& event : lab.two->log.events)
    for (const auto& [key, value] : event.fields)
      if (event.name == "link_up" && key == "link") {
        EXPECT_TRUE(lab.two->gateway->close_stream(value));
      }
  Component second(world, "target1.tld", "secret-target1.tld");
  second.connect(*lab.two->gateway);
  ASSERT_TRUE(world.run_until([&] { return second.is_up; }, 3s));
  second.break_off();
  world.run_for(100ms);
  Component third(world, "target1.tld", "secret-target1.tld");
  third.connect(*lab.two->gateway);
  ASSERT_TRUE(world.run_until([&] { return !third.received.empty(); }, 10s));
  EXPECT_TRUE(world.run_until([&] { return third.received.back().id == "sender1.tld-target1.tld-60"; }, 10s));
  EXPECT_GT(third.received.size(), 30u);
}

// AB-239: a proof is over by a clock that is set back while it is made anew in vain: it holds again, and its stream is in use.
TEST(WaitingLong, ProofHoldsAgainByAClockSetBack_ItsStreamIsNotTakenForUnused) {
  World world(104);
  Lab lab(world, 1, 1);
  lab.send_all(1);
  ASSERT_TRUE(world.run_until([&] { return lab.arrived() == 2; }, 30s));
  world.weather.dns_takes = 2s;
  world.weather.dns_fails = 1;
  world.wall_offset = std::chrono::hours(24 * 3650);
  lab.one->component("sender1.tld").send(message("sender1.tld", "target1.tld", 1, 10));
  world.run_for(500ms);
  world.wall_offset = {};
  EXPECT_TRUE(world.run_until([&] { return lab.two->component("target1.tld").received.size() == 2; }, 20s));
  world.run_for(15s);
  EXPECT_EQ(lab.one->log.count("stream_closed"), 0u);
}

// P1, P5 to P8, AB-123 to AB-126, AB-165, AB-167: everything that ends or moves what waits, at any moment, in any order.
TEST(Simulation, SeedsOfEndsInBursts_LoseNothingButWhatWasInFlight) {
  const char *only = std::getenv("LIGASE_SEED"), *many = std::getenv("LIGASE_SEEDS");
  const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::uint64_t last = only != nullptr ? first : many != nullptr ? std::strtoull(many, nullptr, 10) : 200;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(fmt::format("LIGASE_SEED={} sim_tests --gtest_filter=Simulation.SeedsOfEnds*", seed));
    World world(seed);
    Dice& dice = world.dice;
    world.check_every = 1;
    world.weather.most_delay = dice.between(2ms, 100ms);
    world.weather.largest_fragment = 64 + dice.below(16000);
    world.is_patient = dice.chance(0.5);
    const bool has_cuts = dice.chance(0.3), has_restarts = dice.chance(0.3), is_stopped = dice.chance(0.3);
    if (has_cuts) world.weather.cut = 0.005;
    config::Limits limits = small();
    constexpr std::uint64_t kWindows[] = {0, 4 * 1024, 64 * 1024};
    limits.window_per_pair = kWindows[seed % 3];
    if (dice.chance(0.5)) limits.proof_max_age = 30s;
    const config::Policy policy = seed % 2 == 0 ? config::Policy{} : one_way();
    Lab lab(world, 2, 2, {dice.chance(0.5) ? ProofType::dnssec : ProofType::dialback}, limits, policy);
    world.run_for(2s);  // every component is up
    std::map<std::string, int> next;
    std::size_t sent = 0;
    std::vector<std::unique_ptr<Component>> former;
    std::vector<Provider*> providers{&*lab.one, &*lab.two};
    const auto names_of = [&](unsigned which) -> const std::vector<std::string>& {
      return which == 0 ? lab.sender_names : lab.target_names;
    };
    const auto burst = [&] {
      const unsigned which = static_cast<unsigned>(dice.below(2));
      const std::string& from = names_of(which)[dice.below(2)];
      const std::string& to = names_of(1 - which)[dice.below(2)];
      const std::size_t count = 1 + dice.below(60), size = dice.below(6000);
      for (std::size_t i = 0; i < count; ++i) {
        providers[which]->component(from).send(message(from, to, next[from + to]++, size));
        ++sent;
      }
    };
    const unsigned steps = 10 + static_cast<unsigned>(dice.below(30));
    for (unsigned step = 0; step < steps; ++step) {
      Provider& some = *providers[dice.below(2)];
      Component& component = some.component(names_of(&some == providers[0] ? 0 : 1)[dice.below(2)]);
      switch (dice.below(10)) {
        case 0:
          component.stop_reading();
          break;
        case 1:
          component.go_on_reading();
          break;
        case 2: {
          const auto rows = some.gateway->streams();
          if (rows.empty()) break;
          const auto& row = rows[dice.below(rows.size())];
          if (row.direction == "out") (void)some.gateway->close_stream(row.id);
          break;
        }
        case 3: {
          const auto rows = some.gateway->pairs();
          if (rows.empty()) break;
          const auto& row = rows[dice.below(rows.size())];
          (void)some.gateway->close_pair(*Domain::parse(row.local), *Domain::parse(row.remote));
          break;
        }
        case 4:
          some.gateway->set_policy(policy);
          break;
        case 5:
          world.wall_offset += std::chrono::seconds(static_cast<int>(dice.below(200)) - 100);
          break;
        case 6:
          if (has_restarts && component.is_up) {
            component.break_off();
            component.is_up = false;
            world.run_for(dice.between(0ms, 300ms));
            component.connect(*some.gateway);
            break;
          }
          [[fallthrough]];
        default:
          burst();
      }
      world.run_for(dice.chance(0.2) ? dice.between(1s, 20s) : dice.between(0ms, 300ms));
      if (HasFailure()) return;
    }
    world.weather.cut = 0;
    world.wall_offset = {};
    if (is_stopped) {
      burst();
      world.run_for(dice.between(0ms, 200ms));
      bool done = false;
      Provider& some = *providers[dice.below(2)];
      some.gateway->stop([&] { done = true; });
      EXPECT_TRUE(world.run_until([&] { return done; }, 120s));
    } else {
      for (unsigned which = 0; which < 2; ++which)
        for (const std::string& name : names_of(which)) providers[which]->component(name).go_on_reading();
      const bool settled = world.run_until([&] { return lab.arrived() >= sent; }, 400s);
      world.run_for(100s);
      std::size_t counted = 0;  // errors for who took nothing (docs/decisions/011), or is refused now
      for (const Provider* provider : providers)
        for (const report::Event& event : provider->log.events) {
          if (event.name != "dropped") continue;
          const std::string text = report::as_text(event, {});
          if (text.find("reason=queue.full") != std::string::npos ||
              text.find("cannot be answered") != std::string::npos)
            ++counted;
        }
      if (!settled) {
        EXPECT_TRUE(has_cuts || has_restarts || lab.arrived() + counted >= sent)
            << "lost: " << sent - lab.arrived() << " of " << sent;
      }
      for (Provider* provider : providers) {
        for (const report::LinkRow& row : provider->gateway->links()) EXPECT_EQ(row.queued_bytes, 0u) << row.id;
        for (const report::PairRow& row : provider->gateway->pairs()) EXPECT_EQ(row.queued, 0u) << row.local;
        EXPECT_EQ(provider->log.count("internal_fault"), 0u);
      }
      if (!has_cuts && !has_restarts) {
        EXPECT_EQ(lab.arrived() + counted, sent);
      }
    }
    lab.check_order_and_uniqueness();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace ligase::sim
