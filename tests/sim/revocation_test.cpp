// Certificates that their authority took back, in the simulated world: staples, a responder that answers, is silent or lies,
// lists; what is refused, what passes with a note, and what ends when the answer comes later.
#include <gmock/gmock.h>

#include "sim/lab.hpp"
#include "sim/times.hpp"
#include "sim/web_server.hpp"
#include "support/revocation.hpp"

namespace ligase::sim {
namespace {

using proof::RevocationMode;
using test::OcspSpec;
using testing::HasSubstr;
using namespace std::chrono;

constexpr const char* kOcsp = "192.0.2.90:80";

// One authority, and the peer's certificate with the places where it may be asked.
struct Authority {
  test::MadeCertificate root = test::make_root("Revoking CA");
  test::MadeCertificate near = test::make_leaf(root, {"xmpp1.originating.tld"});
  test::MadeCertificate plain = leaf({}, {}, false), by_ocsp = leaf({"http://ocsp.ca.tld/"}, {}, false),
                        by_list = leaf({}, {"http://ocsp.ca.tld/1.crl"}, false),
                        must = leaf({"http://ocsp.ca.tld/"}, {}, true);
  std::shared_ptr<const proof::TrustAnchors> anchors = *proof::TrustAnchors::parse_pem(root.pem);

  test::MadeCertificate leaf(std::vector<std::string> ocsp, std::vector<std::string> crl, bool must_staple) const {
    test::CertificateSpec spec;
    spec.dns = {"xmpp1.receiving.tld"};
    spec.ocsp = std::move(ocsp);
    spec.crl = std::move(crl);
    spec.must_staple = must_staple;
    return test::make_certificate(spec, &root);
  }
};
const Authority& authority() {
  static const Authority made;
  return made;
}

// sender1.tld with us, target1.tld at a peer that shows `shown`; only a path proves. target2.tld is there too, and of it
// nothing is asked but where it is.
struct Revocation : testing::Test {
  void begin(const test::MadeCertificate& leaf, RevocationMode mode, RevocationSettings settings = {}) {
    shown = &leaf;
    world.add_address("xmpp1.originating.tld", "192.0.2.1");
    world.add_address("xmpp1.receiving.tld", "192.0.2.2");
    world.add_address("ocsp.ca.tld", "192.0.2.90");
    world.add_srv("sender1.tld", "xmpp1.originating.tld", 5269, Security::secure);
    world.add_srv("target1.tld", "xmpp1.receiving.tld", 5269, Security::secure);
    world.add_srv("target2.tld", "xmpp1.receiving.tld", 5269, Security::secure);
    config::Policy policy;
    policy.defaults.proofs = {ProofType::dnssec};
    config::PeerRule rule;
    rule.patterns = {"target2.tld"};
    rule.proofs = {ProofType::dialback};
    policy.peers.push_back(rule);
    config::Limits limits;
    limits.idle_timeout = hours(240);
    limits.keep_alive = hours(1);
    settings.mode = mode;
    const auto chain = [](const test::MadeCertificate& of) { return *proof::Chain::parse({of.der}); };
    ProviderSpec near{"xmpp1.originating.tld", "192.0.2.1", {"sender1.tld"}, chain(authority().near),
                      authority().anchors,     policy,      limits};
    near.revocation = std::move(settings);
    one.emplace(world, near);
    two.emplace(world, ProviderSpec{"xmpp1.receiving.tld",
                                    "192.0.2.2",
                                    {"target1.tld", "target2.tld"},
                                    chain(leaf),
                                    authority().anchors,
                                    policy,
                                    limits});
  }
  std::string ocsp(OcspSpec::Says says = OcspSpec::Says::good, std::optional<hours> life = hours(24)) const {
    OcspSpec spec;
    spec.says = says;
    spec.this_update = world.wall() - minutes(1);
    spec.next_update = world.wall() + *life;
    return test::make_ocsp(*shown, authority().root, spec);
  }
  std::string crl(std::vector<const test::MadeCertificate*> lists) const {
    return test::make_crl(
        authority().root,
        {.lists = std::move(lists), .this_update = world.wall() - minutes(1), .next_update = world.wall() + hours(24)});
  }
  void send_out() { one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target1.tld' id='1'/>"); }
  void send_in() { two->component("target1.tld").send("<message from='b@target1.tld' to='a@sender1.tld' id='2'/>"); }
  report::PairRow out() const { return row("out"); }
  report::PairRow row(const std::string& direction, const std::string& remote = "target1.tld") const {
    for (const report::PairRow& found : one->gateway->pairs())
      if (found.local == "sender1.tld" && found.remote == remote && found.direction == direction) return found;
    return {};
  }
  // What became of the pair to the peer, and why.
  std::string outcome(Duration patience = 30s) {
    send_out();
    world.run_until([&] { return out().state == "proven" || out().state == "refused"; }, patience);
    const report::PairRow pair = out();
    return pair.state + ": " + pair.evidence.value_or("") + pair.last_error.value_or("");
  }

  World world{61};
  const test::MadeCertificate* shown = nullptr;
  std::optional<Provider> one, two;
};

TEST_F(Revocation, GoodStaple_NobodyIsAsked) {  // AB-065, REV-02
  WebServer responder(world, kOcsp, nullptr, answers(""), true);
  begin(authority().by_ocsp, RevocationMode::hard);
  world.staples[*Address::parse("192.0.2.2")] = ocsp();
  EXPECT_THAT(outcome(), HasSubstr("proven: signed SRV record"));
  EXPECT_THAT(out().evidence.value_or(""),
              HasSubstr("the stapled OCSP response says good, until 2026-11-25T00:00:00Z"));
  EXPECT_EQ(responder.connections, 0u);
}

TEST_F(Revocation, RevokedStaple_ProvesNothing) {  // AB-065, O-23
  begin(authority().by_ocsp, RevocationMode::soft);
  world.staples[*Address::parse("192.0.2.2")] = ocsp(OcspSpec::Says::revoked);
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revoked"));
  EXPECT_EQ(one->log.count("certificate_revoked"), 1u);
  EXPECT_EQ(two->component("target1.tld").received.size(), 0u);
}

TEST_F(Revocation, NoStaple_TheResponderIsAskedOnce) {  // AB-065, REV-02
  begin(authority().by_ocsp, RevocationMode::hard);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp())), true);
  EXPECT_THAT(outcome(), HasSubstr("OCSP says good"));
  ASSERT_EQ(responder.requests.size(), 1u);
  EXPECT_THAT(responder.requests[0], HasSubstr("POST / HTTP/1.1"));
  EXPECT_THAT(responder.requests[0], HasSubstr("Content-Type: application/ocsp-request"));
  // The proof ends with the answer, and both are renewed before, on the live stream.
  const std::size_t connections = world.connections_made;
  responder.answer = answers(http_answer("200 OK", "", ocsp(OcspSpec::Says::good, hours(72))));
  for (int hour = 0; hour < 30; ++hour) {
    world.run_for(hours(1));
    EXPECT_EQ(out().state, "proven") << hour;
  }
  EXPECT_EQ(responder.requests.size(), 2u);
  EXPECT_EQ(world.connections_made, connections + 1);
  EXPECT_EQ(one->log.count("pair_expired"), 0u);
}

TEST_F(Revocation, RevokedByTheResponder_IsRefusedInHard) {  // AB-065
  begin(authority().by_ocsp, RevocationMode::hard);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp(OcspSpec::Says::revoked))), true);
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revoked"));
}

TEST_F(Revocation, SilentResponder_SoftPassesWithANoteAndDoesNotWait) {  // AB-065
  begin(authority().by_ocsp, RevocationMode::soft);
  WebServer responder(
      world, kOcsp, nullptr, [](WebServer::Visit&) {}, true);
  EXPECT_THAT(outcome(2s), HasSubstr("proven"));
  EXPECT_THAT(out().evidence.value_or(""), HasSubstr("not known whether revoked: the issuer is being asked"));
  EXPECT_TRUE(world.run_until([&] { return one->log.count("revocation_unknown") == 1; }, 6s));  // the budget
  world.run_for(50s);
  EXPECT_EQ(responder.connections, 1u);  // and it is left in peace for a minute
  EXPECT_EQ(out().state, "proven");
}

TEST_F(Revocation, SilentResponder_HardRefusesWithinItsBudget) {  // AB-065
  begin(authority().by_ocsp, RevocationMode::hard);
  WebServer responder(
      world, kOcsp, nullptr, [](WebServer::Visit&) {}, true);
  EXPECT_THAT(outcome(8s), HasSubstr("refused: pkix.revocation_unknown"));
}

TEST_F(Revocation, WrongAnswers_AreAsAbsent) {  // AB-066
  begin(authority().by_ocsp, RevocationMode::hard);
  OcspSpec of_another;
  of_another.signer = &authority().near;
  OcspSpec over;
  over.this_update = world.wall() - hours(48);
  over.next_update = world.wall() - hours(24);
  WebServer responder(world, kOcsp, nullptr, answers(""), true);
  for (const std::string& body :
       {std::string("<html>"), test::make_ocsp(*shown, authority().root, of_another),
        test::make_ocsp(*shown, authority().root, over), test::make_ocsp(authority().plain, authority().root),
        std::string(std::size_t{65} * 1024, 'x')}) {
    responder.answer = answers(http_answer("200 OK", "", body));
    EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revocation_unknown")) << body.size();
    world.run_for(minutes(11));  // the rest of a refused pair, and of a failed question
  }
  responder.answer = answers(http_answer("404 Not Found", "", ocsp()));
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revocation_unknown"));
  world.run_for(hours(2));
  responder.answer = answers(http_answer("200 OK", "", ocsp()));
  EXPECT_THAT(outcome(), HasSubstr("proven"));
}

TEST_F(Revocation, ResponderAtAForbiddenAddress_IsNotConnectedTo) {  // AB-065
  begin(authority().by_ocsp, RevocationMode::hard);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp())), true);
  world.forbidden.insert(*Address::parse("192.0.2.90"));
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revocation_unknown"));
  EXPECT_EQ(responder.connections, 0u);
}

TEST_F(Revocation, MustStaple_IsHardInEveryMode) {  // AB-065, AB-066, REV-03
  for (const RevocationMode mode : {RevocationMode::off, RevocationMode::soft}) {
    two.reset();
    one.reset();
    world.staples.clear();
    begin(authority().must, mode);
    EXPECT_THAT(outcome(8s), HasSubstr("refused: pkix.revocation_unknown")) << "nobody listens there";
    world.staples[*Address::parse("192.0.2.2")] = ocsp(OcspSpec::Says::good, -hours(1));  // over: as absent
    world.run_for(minutes(11));
    EXPECT_THAT(outcome(8s), HasSubstr("refused: pkix.revocation_unknown"));
    world.staples[*Address::parse("192.0.2.2")] = ocsp();
    world.run_for(minutes(30));
    EXPECT_THAT(outcome(8s), HasSubstr("proven"));
  }
}

TEST_F(Revocation, Off_AsksNobody) {  // REV-03
  begin(authority().by_ocsp, RevocationMode::off);
  world.staples[*Address::parse("192.0.2.2")] = ocsp(OcspSpec::Says::revoked);
  EXPECT_THAT(outcome(), HasSubstr("proven"));
}

TEST_F(Revocation, RevokedLater_EndsThePairsAndNotTheStream) {  // REV-03
  begin(authority().by_ocsp, RevocationMode::soft);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp())), true);
  EXPECT_THAT(outcome(), HasSubstr("proven"));
  send_in();
  ASSERT_TRUE(world.run_until([&] { return row("in").state == "proven"; }, 30s));
  one->component("sender1.tld").send("<message from='a@sender1.tld' to='b@target2.tld' id='3'/>");
  ASSERT_TRUE(world.run_until([&] { return row("out", "target2.tld").state == "proven"; }, 30s));
  const auto stream = out().stream;
  EXPECT_EQ(row("out", "target2.tld").stream, stream);
  world.run_for(hours(12));
  EXPECT_EQ(out().state, "proven");
  responder.answer = answers(http_answer("200 OK", "", ocsp(OcspSpec::Says::revoked)));
  world.run_for(hours(12));  // the re-check is at three quarters of the answer's life
  EXPECT_NE(out().state, "proven");
  EXPECT_NE(row("in").state, "proven");
  EXPECT_EQ(one->log.count("certificate_revoked"), 1u);
  EXPECT_GE(one->log.count("pair_refused"), 1u);  // what comes in is the inverse, and ended with it
  EXPECT_EQ(row("out", "target2.tld").state, "proven");
  EXPECT_EQ(row("out", "target2.tld").stream, stream);
  for (const report::Event& event : one->log.events)
    if (event.name == "pair_refused") {
      EXPECT_THAT(report::as_text(event, {}), HasSubstr("OCSP says revoked"));
    }
}

// Begun at each twelfth of an answer's day; and for who comes anew, whose staple says it.
TEST(RevocationTimes, Revoked_ThePairEndsWithinOneRecheck) {  // REV-03
  struct Run : Revocation {
    void TestBody() override {}
  };
  std::vector<double> asked;
  for (int phase = 0; phase < 12; ++phase) {
    Run run;
    run.begin(authority().by_ocsp, RevocationMode::soft);
    WebServer responder(run.world, kOcsp, nullptr, {}, true);
    responder.answer = [&](WebServer::Visit& visit) { answers(http_answer("200 OK", "", run.ocsp()))(visit); };
    ASSERT_THAT(run.outcome(), HasSubstr("proven"));
    run.world.run_for(hours(2 * phase));
    responder.answer = [&](WebServer::Visit& visit) {
      answers(http_answer("200 OK", "", run.ocsp(OcspSpec::Says::revoked)))(visit);
    };
    const Instant revoked = run.world.now();
    ASSERT_TRUE(run.world.run_until([&] { return run.out().state != "proven"; }, hours(48)));
    asked.push_back(std::chrono::duration<double>(run.world.now() - revoked).count());
  }
  print_times("certificate revoked, OCSP asked, answers of 24 h", asked);
  EXPECT_LE(*std::ranges::max_element(asked), 24 * 3600);
}

TEST_F(Revocation, SoftAnswerThatComesLate_EndsThePair) {  // AB-065, O-23
  begin(authority().by_ocsp, RevocationMode::soft);
  const std::string revoked = http_answer("200 OK", "", ocsp(OcspSpec::Says::revoked));
  WebServer responder(
      world, kOcsp, nullptr,
      [&](WebServer::Visit& visit) {
        world.call_at(world.now() + 3s, [&visit, revoked] {
          visit.say(revoked);
          visit.close();
        });
      },
      true);
  send_out();
  ASSERT_TRUE(world.run_until([&] { return out().state == "proven"; }, 10s));
  ASSERT_TRUE(world.run_until([&] { return out().state == "refused"; }, 10s));
  EXPECT_THAT(out().last_error.value_or(""), HasSubstr("pkix.revoked"));
  // An older staple that still says "good" does not bring it back.
  OcspSpec old;
  old.this_update = world.wall() - hours(24);
  old.next_update = world.wall() + hours(24);
  world.staples[*Address::parse("192.0.2.2")] = test::make_ocsp(*shown, authority().root, old);
  world.run_for(minutes(11));
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revoked"));
}

TEST_F(Revocation, RevokedClient_IsNotBelieved) {  // I-13
  begin(authority().by_ocsp, RevocationMode::hard);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp(OcspSpec::Says::revoked))), true);
  send_in();
  world.run_for(30s);
  EXPECT_TRUE(one->component("sender1.tld").received.empty());
  EXPECT_EQ(one->log.count("certificate_revoked"), 1u);
}

TEST_F(Revocation, GoodClient_IsAskedForAndBelieved) {  // I-13
  begin(authority().by_ocsp, RevocationMode::hard);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp())), true);
  send_in();
  ASSERT_TRUE(world.run_until([&] { return row("in").state == "proven"; }, 30s));
  EXPECT_THAT(row("in").evidence.value_or(""), HasSubstr("OCSP says good"));
  EXPECT_EQ(responder.requests.size(), 1u);
}

TEST_F(Revocation, DistributionPoint_IsAskedWhereNoResponderIs) {  // REV-02
  begin(authority().by_list, RevocationMode::hard);
  WebServer place(world, kOcsp, nullptr, answers(http_answer("200 OK", "", crl({&authority().plain}))), true);
  EXPECT_THAT(outcome(), HasSubstr("the CRL says good"));
  EXPECT_THAT(place.requests.at(0), HasSubstr("GET /1.crl HTTP/1.1"));
  two.reset();
  one.reset();
  place.answer = answers(http_answer("200 OK", "", crl({&authority().by_list})));
  begin(authority().by_list, RevocationMode::hard);
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revoked"));
}

TEST_F(Revocation, HugeList_IsAsAbsent) {  // AB-066
  begin(authority().by_list, RevocationMode::hard);
  WebServer place(world, kOcsp, nullptr,
                  answers("HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n" + std::string(1000, '0')), true);
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revocation_unknown"));
}

TEST_F(Revocation, ListFromAFile_CountsWhateverIsStapled) {  // REV-02
  RevocationSettings settings;
  settings.lists = *proof::RevocationList::parse(crl({&authority().plain}));
  begin(authority().plain, RevocationMode::soft, settings);
  world.staples[*Address::parse("192.0.2.2")] = ocsp();
  EXPECT_THAT(outcome(), HasSubstr("refused: pkix.revoked"));
  EXPECT_THAT(out().last_error.value_or(""), HasSubstr("the CRL says revoked"));
}

TEST_F(Revocation, Answer_IsKeptAcrossARestart) {  // AB-065
  begin(authority().by_ocsp, RevocationMode::hard);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp())), true);
  EXPECT_THAT(outcome(), HasSubstr("OCSP says good"));
  two.reset();
  one.reset();
  begin(authority().by_ocsp, RevocationMode::hard);
  EXPECT_THAT(outcome(), HasSubstr("OCSP says good"));
  EXPECT_EQ(responder.requests.size(), 1u);
}

TEST_F(Revocation, ListsReadAgain_CountAtOnce) {  // REV-02, P13
  begin(authority().plain, RevocationMode::soft);
  EXPECT_THAT(outcome(), HasSubstr("proven"));
  one->gateway->set_revocation(*proof::RevocationList::parse(crl({&authority().plain})), {});
  config::Policy policy;
  policy.defaults.proofs = {ProofType::dnssec};
  one->gateway->set_policy(policy);  // as a reload does
  send_out();
  ASSERT_TRUE(world.run_until([&] { return out().state == "refused"; }, 10s));
  EXPECT_THAT(out().last_error.value_or(""), HasSubstr("pkix.revoked"));
}

// AB-275: what rests, rests for minutes, though the clock was years ahead when it began.
TEST_F(Revocation, ClockSetBack_AResponderThatFailedIsAskedAgain) {
  begin(authority().by_ocsp, RevocationMode::soft);
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("500 No", "", "")), true);
  world.wall_offset = hours(24 * 60);  // the certificates hold still
  EXPECT_THAT(outcome(), HasSubstr("proven"));
  world.run_for(10s);
  ASSERT_GE(responder.requests.size(), 1u);
  world.wall_offset = {};
  responder.answer = answers(http_answer("200 OK", "", ocsp(OcspSpec::Says::revoked)));
  EXPECT_TRUE(world.run_until([&] { return out().state == "refused"; }, minutes(15)));
  EXPECT_THAT(out().last_error.value_or(""), HasSubstr("pkix.revoked"));
}

// Our own certificate's staple: what is served is what set_staple was told last.
struct OwnStaple : Revocation {
  RevocationSettings own() {
    RevocationSettings settings;
    settings.own = {*proof::Chain::parse({authority().by_ocsp.der})};
    settings.set_staple = [this](const std::string&, std::string der) { served.push_back(std::move(der)); };
    return settings;
  }
  std::vector<std::string> served;
};

TEST_F(OwnStaple, IsFetchedAheadAndAgainAtHalfOfItsLife) {  // REV-01
  shown = &authority().by_ocsp;
  const std::string first = ocsp(OcspSpec::Says::good, hours(48));
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", first)), true);
  begin(authority().by_ocsp, RevocationMode::soft, own());
  ASSERT_TRUE(world.run_until([&] { return !served.empty(); }, 10s));
  EXPECT_EQ(served.back(), first);
  world.run_for(hours(20));
  EXPECT_EQ(responder.requests.size(), 1u);
  const std::string second = ocsp(OcspSpec::Says::good, hours(48));
  responder.answer = answers(http_answer("200 OK", "", second));
  world.run_for(hours(8));  // half of 48 h, a tenth more or less
  EXPECT_EQ(responder.requests.size(), 2u);
  EXPECT_EQ(served.back(), second);
  EXPECT_EQ(one->log.count("staple_fetched"), 2u);
}

// AB-275: years ahead the response is over; when the clock is right again the next one is not years away.
TEST_F(OwnStaple, ClockSetBack_IsFetchedAgainInTime) {
  shown = &authority().by_ocsp;
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("500 No", "", "")), true);
  world.wall_offset = hours(24 * 60);
  begin(authority().by_ocsp, RevocationMode::soft, own());
  world.run_for(minutes(1));
  world.wall_offset = {};
  const std::string first = ocsp(OcspSpec::Says::good, hours(48));
  responder.answer = answers(http_answer("200 OK", "", first));
  world.run_for(hours(2));
  ASSERT_EQ(served, std::vector{first});
  world.wall_offset = hours(72);  // set ahead: it is over, and nobody is shown it
  responder.answer = answers(http_answer("500 No", "", ""));
  world.run_for(minutes(5));
  EXPECT_EQ(served.back(), "");
}

TEST_F(OwnStaple, Reload_KeepsWhatIsStillOurs) {  // REV-01, P13
  shown = &authority().by_ocsp;
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", ocsp(OcspSpec::Says::good, hours(48)))),
                      true);
  begin(authority().by_ocsp, RevocationMode::soft, own());
  ASSERT_TRUE(world.run_until([&] { return !served.empty(); }, 10s));
  one->gateway->set_revocation({}, {*proof::Chain::parse({authority().by_ocsp.der})});
  world.run_for(hours(1));
  EXPECT_EQ(responder.requests.size(), 1u);
  one->gateway->set_revocation({}, {});
  world.run_for(hours(60));
  EXPECT_EQ(responder.requests.size(), 1u);  // it is no more
  EXPECT_EQ(served.size(), 1u);
}

TEST_F(OwnStaple, SurvivesARestart) {  // REV-01
  shown = &authority().by_ocsp;
  const std::string first = ocsp(OcspSpec::Says::good, hours(48));
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", first)), true);
  begin(authority().by_ocsp, RevocationMode::soft, own());
  ASSERT_TRUE(world.run_until([&] { return !served.empty(); }, 10s));
  two.reset();
  one.reset();
  served.clear();
  begin(authority().by_ocsp, RevocationMode::soft, own());
  world.run_for(10s);
  EXPECT_EQ(served, std::vector{first});
  EXPECT_EQ(responder.requests.size(), 1u);
}

TEST_F(OwnStaple, Failure_IsTriedAgainWithGrowingRests_AndNothingOverIsServed) {  // REV-01
  shown = &authority().by_ocsp;
  const std::string first = ocsp(OcspSpec::Says::good, hours(4));
  WebServer responder(world, kOcsp, nullptr, answers(http_answer("200 OK", "", first)), true);
  begin(authority().by_ocsp, RevocationMode::soft, own());
  ASSERT_TRUE(world.run_until([&] { return !served.empty(); }, 10s));
  responder.answer = answers(http_answer("200 OK", "", ocsp(OcspSpec::Says::revoked, hours(100))));
  world.run_for(hours(3));
  EXPECT_EQ(served.back(), first);  // still good
  EXPECT_GE(one->log.count("staple_failed"), 4u);
  world.run_for(hours(2));
  EXPECT_EQ(served.back(), "");
  EXPECT_LE(responder.requests.size(), 12u);
  for (const report::Event& event : one->log.events)
    if (event.name == "staple_failed") {
      EXPECT_THAT(report::as_text(event, {}), HasSubstr("says revoked"));
    }
  responder.answer = answers(http_answer("200 OK", "", ocsp()));
  world.run_for(hours(2));
  EXPECT_NE(served.back(), "");
}

}  // namespace
}  // namespace ligase::sim
