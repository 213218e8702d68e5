// The resolver against the lab's own signed tree: every verdict, on purpose.
#include "dns/resolver.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>

#include "lab/dns/server.hpp"

namespace ligase::lab::dns {
namespace {

using ligase::dns::ResolverOptions;
using ligase::dns::UnboundResolver;
using proof::Answer;
using proof::RrType;
using proof::Security;
using testing::Test;

constexpr char kSrv[] = "_xmpp-server._tcp.";

WallTime wall_now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

Task<void> ask_into(seams::Resolver& resolver, std::string name, RrType type, std::vector<Answer>& answers) {
  Answer answer = co_await resolver.ask(std::move(name), type);
  answers.push_back(std::move(answer));
}

struct ResolverTest : Test {
  ResolverTest() {
    zone("tld");
    zone("target1.tld");
    zone("plain.tld", Delegation::insecure);
  }
  void zone(std::string_view name, Delegation delegation = Delegation::secure) {
    ASSERT_TRUE(tree.add_zone(name, delegation)) << name;
  }
  void add(const std::string& line) { ASSERT_TRUE(tree.add(line)) << line; }

  // Options are as in service but for the time: a silent server must not make a slow test.
  ResolverOptions options() const {
    ResolverOptions made;
    made.trust_anchor = tree.trust_anchor();
    made.forwarders = {server->forwarder()};
    return made;
  }
  void start() { start(options()); }
  void start(const ResolverOptions& with) {
    auto made = UnboundResolver::create(with);
    ASSERT_TRUE(made) << made.error().detail;
    resolver = *std::move(made);
  }
  Answer ask(const std::string& name, RrType type) {
    if (!resolver) start();
    std::vector<Answer> answers;
    boost::asio::co_spawn(loop, ask_into(*resolver, name, type, answers), boost::asio::detached);
    loop.restart();
    loop.run();
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? Answer{} : answers.front();
  }

  Answer try_out() {
    Answer answer;
    const auto take = [](UnboundResolver& of, Answer& into) -> Task<void> { into = co_await of.try_out(); };
    boost::asio::co_spawn(loop, take(*resolver, answer), boost::asio::detached);
    loop.restart();
    loop.run();
    return answer;
  }

  Tree tree;
  std::unique_ptr<Server> server = Server::start(tree).value();
  boost::asio::io_context loop{1};
  std::unique_ptr<UnboundResolver> resolver;
};

// The cache counts whole seconds down, and one may pass between an answer's arrival and ours.
bool is_ttl_of(std::chrono::seconds ttl, std::chrono::seconds published) {
  return ttl <= published && ttl > published - 10s;
}

// DNS-01: verdict, TTL and signature expiry are kept.
TEST_F(ResolverTest, SignedSrv_IsSecureWithTtlAndExpiry) {
  add("_xmpp-server._tcp.target1.tld. 300 IN SRV 5 7 5269 xmpp1.receiving.tld.");
  const Answer answer = ask(kSrv + std::string("target1.tld"), RrType::srv);
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
  ASSERT_EQ(answer.rdata.size(), 1u);
  const std::string wire("\0\5\0\7\x14\x95\5xmpp1\11receiving\3tld\0", 6 + 21);
  EXPECT_EQ(as_text(answer.rdata[0]), wire);
  EXPECT_PRED2(is_ttl_of, answer.ttl, 300s);
  EXPECT_EQ(answer.canonical_name, "_xmpp-server._tcp.target1.tld");
  EXPECT_FALSE(answer.is_aliased);
  ASSERT_TRUE(answer.signatures_expire);
  EXPECT_NEAR((*answer.signatures_expire - wall_now()).count(), (30 * 24h).count() * 3600, 60);
  EXPECT_TRUE(answer.why.empty());
}

// DNS-01: the earliest end of any signature over what is used.
TEST_F(ResolverTest, ChainOfAliases_TtlAndExpiryAreTheShortest) {
  add("a.target1.tld. 900 IN CNAME b.target1.tld.");
  add("b.target1.tld. 120 IN CNAME c.target1.tld.");
  add("c.target1.tld. 600 IN A 127.0.0.7");
  const WallTime soon = wall_now() + 2h;
  ASSERT_TRUE(tree.set_validity("b.target1.tld", "CNAME", soon - 10h, soon));
  const Answer answer = ask("a.target1.tld", RrType::a);
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
  EXPECT_PRED2(is_ttl_of, answer.ttl, 120s);
  EXPECT_EQ(answer.signatures_expire, soon);
  EXPECT_EQ(answer.canonical_name, "c.target1.tld");
  EXPECT_TRUE(answer.is_aliased);
  ASSERT_EQ(answer.rdata.size(), 1u);
  EXPECT_EQ(answer.rdata[0], (Bytes{127, 0, 0, 7}));
}

TEST_F(ResolverTest, UnsignedChild_IsInsecure) {
  add("www.plain.tld. 300 IN A 127.0.0.1");
  const Answer answer = ask("www.plain.tld", RrType::a);
  EXPECT_EQ(answer.security, Security::insecure) << answer.why;
  EXPECT_EQ(answer.rdata.size(), 1u);
  EXPECT_EQ(answer.signatures_expire, std::nullopt);
  EXPECT_EQ(ask("nothing.plain.tld", RrType::a).security, Security::insecure);
  EXPECT_TRUE(ask("nothing.plain.tld", RrType::a).is_denial());
}

// AB-136: the security of an answer is that of its whole chain.
TEST_F(ResolverTest, AliasIntoUnsignedZone_IsInsecure) {
  add("x.target1.tld. 300 IN CNAME www.plain.tld.");
  add("www.plain.tld. 300 IN A 127.0.0.1");
  const Answer answer = ask("x.target1.tld", RrType::a);
  EXPECT_EQ(answer.security, Security::insecure) << answer.why;
  EXPECT_EQ(answer.canonical_name, "www.plain.tld");
  EXPECT_EQ(answer.rdata.size(), 1u);
}

// AB-131: a secure denial is an absence, with the SOA's time; a failure would not be.
TEST_F(ResolverTest, SecureDenials_AreSecureAndEmpty) {
  add("_xmpp-server._tcp.target1.tld. 300 IN SRV 0 0 5269 xmpp1.receiving.tld.");
  add("xmpp1.target1.tld. 300 IN A 127.0.0.1");
  const struct {
    const char *what, *name;
    RrType type;
  } cases[] = {
      {"no such name", "_5269._tcp.xmpp1.target1.tld", RrType::tlsa},
      {"another type only", "xmpp1.target1.tld", RrType::aaaa},
      {"an empty non-terminal", "_tcp.target1.tld", RrType::srv},
      {"no such name below the root", "nowhere", RrType::a},
      {"a name deep below nothing", "a.b.c.target1.tld", RrType::a},
      {"a zone's apex", "target1.tld", RrType::srv},
  };
  for (const auto& [what, name, type] : cases) {
    const Answer answer = ask(name, type);
    EXPECT_EQ(answer.security, Security::secure) << what << ": " << answer.why;
    EXPECT_TRUE(answer.is_denial()) << what;
    EXPECT_PRED2(is_ttl_of, answer.ttl, 60s) << what;
    EXPECT_TRUE(answer.signatures_expire) << what;
  }
}

TEST_F(ResolverTest, AliasToNothing_IsASecureDenial) {
  add("a.target1.tld. 300 IN CNAME gone.target1.tld.");
  const Answer answer = ask("a.target1.tld", RrType::a);
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
  EXPECT_TRUE(answer.is_denial());
  EXPECT_EQ(answer.canonical_name, "gone.target1.tld");
}

TEST_F(ResolverTest, WildcardRecord_IsSecure) {
  add("*.many.target1.tld. 300 IN A 127.0.0.9");
  const Answer answer = ask("one.many.target1.tld", RrType::a);
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
  EXPECT_EQ(answer.rdata.size(), 1u);
}

// AB-130: bogus is neither data nor an absence, and says why.
TEST_F(ResolverTest, SpoiltZone_IsBogusWithTheReason) {
  for (const char* host : {"altered", "expired", "early", "stripped"}) {
    add(std::string(host) + ".target1.tld. 300 IN A 127.0.0.1");
  }
  zone("wrong-ds.tld");
  add("www.wrong-ds.tld. 300 IN A 127.0.0.1");
  zone("no-keys.tld");
  add("www.no-keys.tld. 300 IN A 127.0.0.1");
  const WallTime now = wall_now();
  ASSERT_TRUE(tree.alter("altered.target1.tld. 300 IN A 127.0.0.66"));
  ASSERT_TRUE(tree.set_validity("expired.target1.tld", "A", now - 48h, now - 1h));  // below libunbound's own tolerance
  ASSERT_TRUE(tree.set_validity("early.target1.tld", "A", now + 1h, now + 48h));
  ASSERT_TRUE(tree.strip("stripped.target1.tld", "A"));
  ASSERT_TRUE(tree.set_wrong_ds("wrong-ds.tld"));
  ASSERT_TRUE(tree.strip("no-keys.tld", "DNSKEY"));
  const struct {
    const char *name, *why, *newer = why;  // libunbound's words: 1.17, and 1.26 where it says it otherwise
  } cases[] = {
      {"altered.target1.tld", "signature verification failed", "signature crypto failed"},
      {"expired.target1.tld", "signature expired"},
      {"early.target1.tld", "inception"},
      {"stripped.target1.tld", "no signatures"},
      {"www.wrong-ds.tld", "no keys have a DS"},
      {"www.no-keys.tld", "no-keys.tld"},
  };
  for (const auto& [name, why, newer] : cases) {
    const Answer answer = ask(name, RrType::a);
    EXPECT_EQ(answer.security, Security::bogus) << name;
    EXPECT_TRUE(answer.why.find(why) != std::string::npos || answer.why.find(newer) != std::string::npos)
        << name << ": " << answer.why;
    EXPECT_TRUE(answer.rdata.empty()) << name;
    EXPECT_FALSE(answer.is_denial()) << name;
  }
}

// AB-130: a denial whose proof was taken away is bogus as well.
TEST_F(ResolverTest, DenialWithoutItsProof_IsBogus) {
  add("host.target1.tld. 300 IN A 127.0.0.1");
  ASSERT_TRUE(tree.strip("host.target1.tld", "NSEC"));
  const Answer answer = ask("host.target1.tld", RrType::aaaa);
  EXPECT_EQ(answer.security, Security::bogus) << answer.why;
}

// AB-136
TEST_F(ResolverTest, AliasesInACircleOrTooLong_AreIndeterminate) {
  add("a.target1.tld. 300 IN CNAME b.target1.tld.");
  add("b.target1.tld. 300 IN CNAME a.target1.tld.");
  add("self.target1.tld. 300 IN CNAME self.target1.tld.");
  for (int i = 0; i < 9; ++i) {
    add("hop" + std::to_string(i) + ".target1.tld. 300 IN CNAME hop" + std::to_string(i + 1) + ".target1.tld.");
  }
  add("hop9.target1.tld. 300 IN A 127.0.0.1");
  for (const char* name : {"a.target1.tld", "self.target1.tld", "hop0.target1.tld"}) {
    const Answer answer = ask(name, RrType::a);
    EXPECT_EQ(answer.security, Security::indeterminate) << name;
    EXPECT_FALSE(answer.is_denial()) << name;
    EXPECT_FALSE(answer.why.empty()) << name;
  }
  EXPECT_EQ(ask("hop1.target1.tld", RrType::a).security, Security::secure) << "eight are followed";
}

// AB-136
TEST_F(ResolverTest, Dname_IsFollowed) {
  zone("elsewhere.tld");
  add("old.target1.tld. 300 IN DNAME new.elsewhere.tld.");
  add("_xmpp-server._tcp.new.elsewhere.tld. 900 IN SRV 0 0 5269 h.elsewhere.tld.");
  const Answer answer = ask("_xmpp-server._tcp.old.target1.tld", RrType::srv);
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
  EXPECT_EQ(answer.canonical_name, "_xmpp-server._tcp.new.elsewhere.tld");
  EXPECT_PRED2(is_ttl_of, answer.ttl, 300s);
  EXPECT_EQ(answer.rdata.size(), 1u);
}

// AB-137: a set too large for UDP comes over TCP, whole.
TEST_F(ResolverTest, ThreeHundredSrvRecords_ComeOverTcp) {
  for (int i = 0; i < 300; ++i) {
    add("_xmpp-server._tcp.target1.tld. 300 IN SRV 0 0 5269 host" + std::to_string(i) + ".receiving.tld.");
  }
  const Answer answer = ask(kSrv + std::string("target1.tld"), RrType::srv);
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
  EXPECT_EQ(answer.rdata.size(), 300u);
}

// DNS-04: TLSA comes with a verdict of its own.
TEST_F(ResolverTest, TlsaRecords_KeepTheirBytes) {
  add("_5269._tcp.xmpp1.target1.tld. 300 IN TLSA 3 1 1 " + std::string(64, 'a'));
  add("_5269._tcp.xmpp1.plain.tld. 300 IN TLSA 3 1 1 " + std::string(64, 'b'));
  const Answer secure = ask("_5269._tcp.xmpp1.target1.tld", RrType::tlsa);
  EXPECT_EQ(secure.security, Security::secure) << secure.why;
  ASSERT_EQ(secure.rdata.size(), 1u);
  EXPECT_EQ(hex(secure.rdata[0]), "030101" + std::string(64, 'a'));
  EXPECT_EQ(ask("_5269._tcp.xmpp1.plain.tld", RrType::tlsa).security, Security::insecure);
}

// AB-134: "." arrives as an answer, not as an absence.
TEST_F(ResolverTest, SrvTargetRoot_IsKept) {
  add("_xmpp-server._tcp.target1.tld. 300 IN SRV 0 0 0 .");
  const Answer answer = ask(kSrv + std::string("target1.tld"), RrType::srv);
  ASSERT_EQ(answer.rdata.size(), 1u) << answer.why;
  EXPECT_EQ(answer.rdata[0], (Bytes{0, 0, 0, 0, 0, 0, 0}));
}

// DNS-07
TEST_F(ResolverTest, NoTrustAnchor_EverythingIsInsecure) {
  add("host.target1.tld. 300 IN A 127.0.0.1");
  add("spoilt.target1.tld. 300 IN A 127.0.0.1");
  ASSERT_TRUE(tree.strip("spoilt.target1.tld", "A"));
  ResolverOptions without = options();
  without.trust_anchor = "";
  start(without);
  for (const char* name : {"host.target1.tld", "spoilt.target1.tld", "gone.target1.tld"}) {
    const Answer answer = ask(name, RrType::a);
    EXPECT_EQ(answer.security, Security::insecure) << name << ": " << answer.why;
    EXPECT_EQ(answer.signatures_expire, std::nullopt) << name;
  }
}

// AB-139: an upstream that only claims to have validated proves nothing: this tree is not ours.
TEST_F(ResolverTest, TreeOfAnotherRoot_IsBogus) {
  add("host.target1.tld. 300 IN A 127.0.0.1");
  ResolverOptions with = options();
  with.trust_anchor = Tree().trust_anchor();
  start(with);
  EXPECT_EQ(ask("host.target1.tld", RrType::a).security, Security::bogus);
}

// AB-227, AB-139: through a resolver that strips signatures, or of another tree, no key of the trust anchor validates.
TEST_F(ResolverTest, ResolverThatStripsSignatures_IsFoundByATrial) {
  start();
  EXPECT_EQ(try_out().security, Security::secure);
  ASSERT_TRUE(tree.strip(".", "DNSKEY"));
  EXPECT_EQ(try_out().security, Security::bogus);
  EXPECT_EQ(try_out().security, Security::bogus) << "no trial stands in the way of the next";
  ResolverOptions without = options();
  without.trust_anchor = "";
  start(without);
  EXPECT_EQ(try_out().security, Security::insecure);
}

// AB-227: what libunbound remembers of a time without a resolver is over when a trial succeeds.
TEST_F(ResolverTest, ServerThatComesLater_IsUsedAtOnce) {
  add("host.target1.tld. 300 IN A 127.0.0.1");
  server->set_manner("", Manner::servfail);
  start();
  EXPECT_TRUE(proof::is_failed(ask("host.target1.tld", RrType::a).security));
  EXPECT_TRUE(proof::is_failed(try_out().security));
  server->set_manner("", Manner::honest);
  EXPECT_TRUE(proof::is_failed(ask("host.target1.tld", RrType::a).security)) << "else the trial mends nothing here";
  EXPECT_EQ(try_out().security, Security::secure);
  EXPECT_EQ(ask("host.target1.tld", RrType::a).security, Security::secure);
}

// AB-131, AB-138: a failure is indeterminate, never insecure and never an absence.
TEST_F(ResolverTest, FailingServer_IsIndeterminate) {
  for (const char* host : {"servfail", "refused", "silent", "wrong", "cut"}) {
    add(std::string(host) + ".target1.tld. 300 IN A 127.0.0.1");
  }
  server->set_manner("servfail.target1.tld", Manner::servfail);
  server->set_manner("refused.target1.tld", Manner::refused);
  server->set_manner("silent.target1.tld", Manner::silent);
  server->set_manner("wrong.target1.tld", Manner::wrong_question);
  server->set_manner("cut.target1.tld", Manner::truncated);
  ResolverOptions with = options();
  with.patience = 300ms;
  start(with);
  for (const char* host : {"servfail", "refused", "silent", "wrong", "cut"}) {
    const Answer answer = ask(std::string(host) + ".target1.tld", RrType::a);
    EXPECT_EQ(answer.security, Security::indeterminate) << host;
    EXPECT_FALSE(answer.is_denial()) << host;
    EXPECT_FALSE(answer.why.empty()) << host;
  }
}

// AB-138: who was down is asked again when it is back.
TEST_F(ResolverTest, ServerBackAgain_IsAskedAgain) {
  add("host.target1.tld. 300 IN A 127.0.0.1");
  server->set_manner("", Manner::silent);
  ResolverOptions with = options();
  with.patience = 200ms;
  start(with);
  EXPECT_EQ(ask("host.target1.tld", RrType::a).security, Security::indeterminate);
  server->set_manner("", Manner::honest);
  Answer answer;
  for (int tries = 0; tries < 50 && answer.security != Security::secure; ++tries) {
    answer = ask("host.target1.tld", RrType::a);
  }
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
}

// AB-137, DNS-06: questions that get no answer hold up nobody else, also when they fill every place.
TEST_F(ResolverTest, StuckQuestions_StopNobodyElse) {
  add("host.target1.tld. 300 IN A 127.0.0.1");
  server->set_manner("stuck.target1.tld", Manner::silent);
  ResolverOptions with = options();
  with.patience = 300ms;
  with.most_in_flight = 20;
  with.most_waiting = 30;
  start(with);
  std::vector<Answer> stuck, good;
  for (int i = 0; i < 60; ++i) {
    boost::asio::co_spawn(loop, ask_into(*resolver, "q" + std::to_string(i) + ".stuck.target1.tld", RrType::a, stuck),
                          boost::asio::detached);
  }
  loop.restart();
  loop.run();
  ASSERT_EQ(stuck.size(), 60u);
  std::size_t refused = 0;
  for (const Answer& answer : stuck) {
    EXPECT_EQ(answer.security, Security::indeterminate);
    refused += answer.why.find("too many") != std::string::npos;
  }
  EXPECT_EQ(refused, 10u);
  EXPECT_EQ(ask("host.target1.tld", RrType::a).security, Security::secure);
}

TEST_F(ResolverTest, ManyAtOnce_AreAllAnswered) {
  for (int i = 0; i < 1000; ++i) add("h" + std::to_string(i) + ".target1.tld. 300 IN A 127.0.0.1");
  start();
  std::vector<Answer> answers;
  for (int round = 0; round < 2; ++round) {  // the second from libunbound's cache
    for (int i = 0; i < 1000; ++i) {
      boost::asio::co_spawn(loop, ask_into(*resolver, "h" + std::to_string(i) + ".target1.tld", RrType::a, answers),
                            boost::asio::detached);
    }
    loop.restart();
    loop.run();
  }
  ASSERT_EQ(answers.size(), 2000u);
  for (const Answer& answer : answers) ASSERT_EQ(answer.security, Security::secure) << answer.why;
}

TEST_F(ResolverTest, Destroyed_OpenQuestionsEndAsIndeterminate) {
  server->set_manner("", Manner::silent);
  start();
  std::vector<Answer> answers;
  for (int i = 0; i < 20; ++i) {
    boost::asio::co_spawn(loop, ask_into(*resolver, "h" + std::to_string(i) + ".tld", RrType::a, answers),
                          boost::asio::detached);
  }
  loop.restart();
  loop.poll();
  resolver.reset();
  loop.run();
  ASSERT_EQ(answers.size(), 20u);
  for (const Answer& answer : answers) EXPECT_EQ(answer.security, Security::indeterminate);
}

TEST_F(ResolverTest, CancelledWait_EndsAtOnce) {
  server->set_manner("", Manner::silent);
  ResolverOptions with = options();
  with.patience = 1h;
  start(with);
  std::vector<Answer> answers;
  boost::asio::cancellation_signal cancel;
  boost::asio::co_spawn(loop, ask_into(*resolver, "host.tld", RrType::a, answers),
                        boost::asio::bind_cancellation_slot(cancel.slot(), boost::asio::detached));
  loop.restart();
  loop.poll();
  EXPECT_TRUE(answers.empty());
  cancel.emit(boost::asio::cancellation_type::terminal);
  loop.run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].security, Security::indeterminate);
}

TEST_F(ResolverTest, NotAName_IsIndeterminate) {
  for (const std::string& name : {std::string(300, 'a'), std::string("a..b"), std::string(70, 'a') + ".tld"}) {
    EXPECT_EQ(ask(name, RrType::a).security, Security::indeterminate) << name;
  }
}

// AB-139: what could never validate is a start-up error.
TEST_F(ResolverTest, UselessTrustAnchor_DoesNotStart) {
  const std::string digest(64, 'a');
  const std::vector<std::string> useless{"\n",
                                         "; only a comment\n",
                                         "nonsense",
                                         ". IN A 127.0.0.1\n" + digest,
                                         ". IN DS 1 13 2 " + digest.substr(2),
                                         ". IN DS 1 13 1 " + digest.substr(24),
                                         ". IN DS 1 99 2 " + digest,
                                         ". IN DNSKEY 385 3 13 " + std::string(86, 'A') + "==",
                                         ". IN DNSKEY 257 3 13 AAAA"};
  for (const std::string& anchor : useless) {
    ResolverOptions with = options();
    with.trust_anchor = anchor;
    const auto made = UnboundResolver::create(with);
    ASSERT_FALSE(made) << anchor;
    EXPECT_EQ(made.error().reason, Reason::config_invalid) << anchor;
    EXPECT_FALSE(made.error().detail.empty());
  }
}

TEST_F(ResolverTest, UnusableForwarder_DoesNotStart) {
  for (const char* forwarder : {"example.org@53", "127.0.0.1@0", "127.0.0.1@99999", "127.0.0.1@", "", "127.0.0.1:53"}) {
    ResolverOptions with = options();
    with.forwarders = {forwarder};
    const auto made = UnboundResolver::create(with);
    ASSERT_FALSE(made) << forwarder;
    EXPECT_EQ(made.error().reason, Reason::config_invalid) << forwarder;
  }
}

// Names that libunbound would answer by itself are asked like all others.
TEST_F(ResolverTest, SpecialNames_AreAsked) {
  zone("test");
  add("host.test. 300 IN A 127.0.0.5");
  const Answer answer = ask("host.test", RrType::a);
  EXPECT_EQ(answer.security, Security::secure) << answer.why;
  EXPECT_EQ(answer.rdata.size(), 1u);
}

}  // namespace
}  // namespace ligase::lab::dns
