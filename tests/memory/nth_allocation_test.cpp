// AB-161: memory runs out at each allocation in turn that a gateway makes in what it mainly does. It costs the stream, the link
// or the procedure in which it happens, is told, and leaves nothing taken: neither a place, nor a turn, nor a byte.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "memory/allocator.hpp"
#include "sim/one_gateway.hpp"

namespace ligase::sim {
namespace {

using namespace std::chrono_literals;

// Small, so that one place that is not given back is missed at once.
config::Limits tight() {
  config::Limits limits;
  limits.unproven_per_prefix = 2;
  limits.dial_backs_per_stream = limits.dial_backs_per_address = 1;
  limits.proving_per_stream = 2;
  limits.unproven_timeout = 10s;
  limits.setup_timeout = 15s;
  limits.queue_age = 20s;
  return limits;
}

const test::MadeCertificate& authority_key() {
  static const test::MadeCertificate made = test::make_root("CA of those whose memory runs out");
  return made;
}
std::shared_ptr<const proof::Chain> chain_of(const std::string& host) {
  static std::map<std::string, std::shared_ptr<const proof::Chain>> made;
  auto& chain = made[host];
  if (!chain) chain = *proof::Chain::parse({test::make_leaf(authority_key(), {host}).der});
  return chain;
}

// The gateway at 192.0.2.2 that hosts target1.tld and target2.tld; rem.tld and others at 198.51.100.8, where an authority says
// yes to everything, known by nothing but that; cert.tld at .9, which its certificate proves; fresh.tld at .10, which nobody
// spoke with before.
struct Stage {
  explicit Stage(config::Limits limits = tight(), bool has_caches = false) {
    world.has_caches = has_caches;
    place("rem.tld", "198.51.100.8", proof::Security::insecure);
    place("rem2.tld", "198.51.100.8", proof::Security::insecure);
    place("cert.tld", "198.51.100.9", proof::Security::secure);
    place("fresh.tld", "198.51.100.10", proof::Security::insecure);
    world.chains[*Address::parse("198.51.100.9")] = chain_of("mx.cert.tld");
    for (const char* address : {"198.51.100.8", "198.51.100.10"})
      world.chains[*Address::parse(address)] = chain_of("unrelated.tld");
    for (RawAuthority* one : {&rem, &fresh}) {
      one->answer = [](const auto& from, const auto& to, const auto& id) {
        return verify_answer(from, to, id, "valid");
      };
      one->answer_result = [](const auto& from, const auto& to) {
        return fmt::format("<db:result from='{}' to='{}' type='valid'/>", to, from);
      };
    }
    cert.answer_auth = [](const auto&) { return std::string("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"); };
    cert.features = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
    static const auto anchors = *proof::TrustAnchors::parse_pem(authority_key().pem);
    ProviderSpec spec{"xmpp1.receiving.tld",
                      "192.0.2.2",
                      {"target1.tld", "target2.tld"},
                      chain_of("xmpp1.receiving.tld"),
                      anchors,
                      policy,
                      limits};
    gateway.emplace(world, spec);
    world.run_for(5s);
    world.on_fault = [this](std::string_view what) { faults.emplace_back(what); };
    world.check_every = 1;
  }
  void place(const std::string& domain, const std::string& address, proof::Security security) {
    world.add_srv(domain, "mx." + domain, 5269, security);
    world.add_address("mx." + domain, address);
  }
  // As the program does it: from the loop, which takes the blame.
  void command(std::function<void(Gateway&)> what) {
    const AtWork theirs(Whose::gateway);
    try {
      what(*gateway->gateway);
    } catch (const std::exception& fault) {
      faults.emplace_back(fault.what());
    }
  }
  void send(const std::string& local, const std::string& remote, const std::string& id) {
    gateway->component(local).send(
        fmt::format("<message from='a@{}' to='b@{}' id='{}'><body>x</body></message>", local, remote, id));
  }
  Endpoint door() const { return gateway->endpoint; }
  void claim(RawPeer& peer, const std::string& sender, const std::string& target = "target1.tld") {
    peer.say(fmt::format("<db:result from='{}' to='{}'>key</db:result>", sender, target));
  }
  std::string came_to(const std::string& domain) {
    std::string all;
    for (const Received& received : gateway->component(domain).received) all += received.bytes;
    return all;
  }
  bool was_told() const {
    const auto is_of_it = [](const report::Event& event) {
      return event.name == "internal_fault" || std::ranges::any_of(event.fields, [](const auto& field) {
               return field.second == "memory" || field.second.find("no memory") != std::string::npos ||
                      field.second.find("bad_alloc") != std::string::npos;
             });
    };
    return !faults.empty() || std::ranges::any_of(gateway->log.events, is_of_it);
  }
  void reconnect() {
    for (const char* domain : {"target1.tld", "target2.tld"})
      if (Component& component = gateway->component(domain); component.is_closed || !component.is_up)
        component.connect(*gateway->gateway);
  }

  World world{161};
  config::Policy policy;
  RawAuthority rem{world, "198.51.100.8"}, cert{world, "198.51.100.9"}, fresh{world, "198.51.100.10"};
  RawPeer stranger{world, "198.51.100.7"}, other{world, "198.51.100.7"};
  std::vector<std::string> faults;
  std::optional<Provider> gateway;
};

// What the gateway can do on the next day, whatever happened on the one before.
void expect_service(Stage& stage) {
  World& world = stage.world;
  stage.reconnect();
  world.run_for(5s);
  for (const char* domain : {"target1.tld", "target2.tld"})
    EXPECT_TRUE(stage.gateway->component(domain).is_up) << domain << " cannot come back";
  stage.send("target1.tld", "fresh.tld", "out");
  EXPECT_TRUE(world.run_until(
      [&] {
        return std::ranges::any_of(stage.gateway->gateway->pairs(), [](const report::PairRow& row) {
          return row.remote == "fresh.tld" && row.direction == "out" && row.state == "proven" && row.queued == 0;
        });
      },
      30s))
      << "no new pair is set up: " << stage.came_to("target1.tld");
  for (const char* domain : {"rem.tld", "cert.tld"}) {
    stage.send("target2.tld", domain, "again");
    EXPECT_TRUE(world.run_until(
        [&] {
          return std::ranges::any_of(stage.gateway->gateway->pairs(), [&](const report::PairRow& row) {
            return row.local == "target2.tld" && row.remote == domain && row.direction == "out" &&
                   row.state == "proven" && row.queued == 0;
          });
        },
        30s))
        << "no pair to " << domain << " is set up: " << stage.came_to("target2.tld");
  }
  for (const char* sender : {"rem.tld", "rem2.tld"}) {
    RawPeer peer{world, "198.51.100.7"};
    if (!peer.negotiate(stage.gateway->endpoint, sender, "target1.tld")) {
      ADD_FAILURE() << "no new stream of " << sender << ": " << peer.received;
      continue;
    }
    stage.claim(peer, sender);
    EXPECT_TRUE(peer.wait_for("type='valid'")) << sender << ": " << peer.received;
    const std::string id = fmt::format("in-{}", sender);
    peer.say(fmt::format("<message from='a@{}' to='b@target1.tld' id='{}'/>", sender, id));
    EXPECT_TRUE(world.run_until([&] { return stage.came_to("target1.tld").find(id) != std::string::npos; }, 5s));
    peer.say("</stream:stream>");
    world.run_for(1s);
  }
}

// Every one of the first allocations, then ever fewer.
std::uint64_t after(std::uint64_t n) { return n < 400 ? n + 1 : n + 1 + n / 100; }

struct Play {
  std::function<void(Stage&)> before, armed;
  config::Limits limits = tight();
  bool has_caches = false;
};

// True: the n-th allocation came and failed.
bool rehearse(const Play& play, std::uint64_t n) {
  Stage stage(play.limits, play.has_caches);
  if (play.before) play.before(stage);
  memory::fail_at(n);
  play.armed(stage);
  const bool has_failed = memory::has_failed();
  memory::fail_at(0);
  EXPECT_TRUE(stage.was_told() || !has_failed);
  for (RawPeer* peer : {&stage.stranger, &stage.other}) peer->leave();
  stage.world.run_for(180s);
  EXPECT_THAT(stage.gateway->gateway->left_at_work(), testing::IsEmpty());
  expect_service(stage);
  return has_failed;
}

// LIGASE_NTH: that one alone.
void each_allocation_fails(const Play& play) {
  if (const char* nth = std::getenv("LIGASE_NTH")) {
    rehearse(play, std::strtoull(nth, nullptr, 10));
    return;
  }
  rehearse(play, 0);  // what is made once and kept is there
  bool has_failed = true;
  for (std::uint64_t n = 1; has_failed; n = after(n)) {
    const std::int64_t before = memory::living();
    has_failed = rehearse(play, n);
    EXPECT_LE(memory::living() - before, 8) << "blocks are lost";
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "allocation " << n << " failed: LIGASE_NTH=" << n << " repeats it, LIGASE_TRACE=1 says where";
      return;
    }
  }
}

TEST(NthAllocation, OutgoingPairByDialback) {  // AB-161
  each_allocation_fails({nullptr, [](Stage& stage) {
                           stage.send("target1.tld", "rem.tld", "m1");
                           stage.send("target1.tld", "rem2.tld", "m2");
                           stage.world.run_for(20s);
                         }});
}
TEST(NthAllocation, OutgoingPairByCertificate) {  // AB-161
  each_allocation_fails({nullptr, [](Stage& stage) {
                           stage.send("target1.tld", "cert.tld", "m1");
                           stage.world.run_for(20s);
                         }});
}
TEST(NthAllocation, ClaimThatIsProven) {  // AB-161
  each_allocation_fails({nullptr, [](Stage& stage) {
                           if (!stage.stranger.negotiate(stage.door(), "rem.tld", "target1.tld")) return;
                           stage.claim(stage.stranger, "rem.tld");
                           stage.stranger.wait_for("type='valid'", 20s);
                           stage.stranger.say("<message from='a@rem.tld' to='b@target1.tld' id='m1'/>");
                           stage.world.run_for(5s);
                         }});
}
TEST(NthAllocation, ClaimThatFails) {  // AB-161
  each_allocation_fails({[](Stage& stage) {
                           stage.rem.answer = [](const auto& from, const auto& to, const auto& id) {
                             return verify_answer(from, to, id,
                                                  from == "rem2.tld" || to == "rem2.tld" ? "valid" : "invalid");
                           };
                         },
                         [](Stage& stage) {
                           if (stage.stranger.negotiate(stage.door(), "rem.tld", "target1.tld")) {
                             stage.claim(stage.stranger, "rem.tld");
                             stage.claim(stage.stranger, "nowhere.tld");
                             stage.world.run_for(20s);
                           }
                           stage.rem.answer = [](const auto& from, const auto& to, const auto& id) {
                             return verify_answer(from, to, id, "valid");
                           };
                         }});
}
TEST(NthAllocation, ComponentComesAndGoes) {  // AB-161
  each_allocation_fails({nullptr, [](Stage& stage) {
                           stage.gateway->component("target1.tld").disconnect();
                           stage.world.run_for(2s);
                           stage.gateway->component("target1.tld").connect(*stage.gateway->gateway);
                           stage.world.run_for(5s);
                         }});
}
TEST(NthAllocation, ProofThatIsRenewed) {  // AB-161
  each_allocation_fails({[](Stage& stage) {
                           stage.send("target1.tld", "cert.tld", "m1");
                           stage.world.check_every = 1000;
                           stage.world.run_for(20s);
                           stage.gateway->gateway->set_policy(stage.policy);  // all is proven anew within a minute
                         },
                         [](Stage& stage) {
                           stage.world.check_every = 1;
                           stage.world.run_for(90s);
                           stage.send("target1.tld", "cert.tld", "still");
                           stage.world.run_for(5s);
                         }});
}

}  // namespace
}  // namespace ligase::sim
