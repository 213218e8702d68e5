// POSH documents on their way (RFC 7711 §3, §6, §10): every bad web server ends as "not proven", in time and at our cost
// bounded; what was good is kept as long as it says.
#include "web/posh_source.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sim/lone_ground.hpp"

namespace ligase {
namespace {

using proof::PoshAnswer;
using sim::answers;
using sim::http_answer;
using sim::WebServer;
using std::chrono::seconds;
using testing::HasSubstr;

const std::string kJson = "Content-Type: application/json\r\n";
const Domain kDomain = *Domain::parse("target1.tld");

std::string redirect(std::string_view location, std::string_view status = "302 Found") {
  return http_answer(status, fmt::format("Location: {}\r\n", location), "");
}

struct Posh : sim::LoneGround {
  Posh() {
    start();
    world.add_address("target1.tld", "192.0.2.101");
    world.add_address("hosting.tld", "192.0.2.102");
  }
  WebServer at_domain(WebServer::Answer answer) {
    return {world, "192.0.2.101:443", issue("target1.tld"), std::move(answer)};
  }
  WebServer at_hosting(WebServer::Answer answer, int port = 443) {
    return {world, fmt::format("192.0.2.102:{}", port), issue("hosting.tld"), std::move(answer)};
  }
  std::string document(seconds expires) const { return proof::write_posh({proof::posh_descriptor(*chain)}, expires); }
  std::string served(seconds expires = 1h) const { return http_answer("200 OK", kJson, document(expires)); }

  PoshAnswer ask(Duration limit = 11s) { return run(posh->ask(kDomain, {}), limit); }
  void expect_failure(std::string_view words) {
    start();
    const PoshAnswer answer = ask();
    ASSERT_TRUE(answer.failure) << words;
    EXPECT_EQ(answer.failure->reason, Reason::posh_failed);
    EXPECT_THAT(answer.failure->detail, HasSubstr("the POSH document of target1.tld cannot be had: https://"));
    EXPECT_THAT(answer.failure->detail, HasSubstr(std::string(words)));
    EXPECT_TRUE(answer.descriptors.empty());
  }
  void expect_good(std::string_view source) {
    start();
    const PoshAnswer answer = ask();
    ASSERT_FALSE(answer.failure) << answer.failure->detail;
    EXPECT_EQ(answer.source, source);
    EXPECT_TRUE(proof::match_posh(answer.descriptors, *chain));
  }

  void start(const std::vector<seams::Memo>& memos = {}) {
    posh.emplace(ground);
    posh->recall(memos, world.wall(), world.now());
  }

  std::optional<web::PoshSource> posh;
  std::shared_ptr<const proof::Chain> chain = issue("xmpp1.receiving.tld");
};

TEST_F(Posh, TheDocumentStandsAtTheWellKnownPlace) {  // POSH-01
  const WebServer server = at_domain(answers(served()));
  expect_good("https://target1.tld:443/.well-known/posh/xmpp-server.json");
  EXPECT_THAT(server.requests.at(0),
              HasSubstr("GET /.well-known/posh/xmpp-server.json HTTP/1.1\r\nHost: target1.tld\r\n"));
  EXPECT_EQ(log.count("posh_fetched"), 1u);
}

TEST_F(Posh, TheWebServerMustBeTheDomain) {  // POSH-01
  const WebServer server(world, "192.0.2.101:443", issue("hosting.tld"), answers(served()));
  expect_failure("pkix.name");
}

TEST_F(Posh, ThreeRedirectsAreFollowed_OneMoreIsNot) {  // AB-150
  const WebServer hosting = at_hosting([this](WebServer::Visit& visit) {
    const std::string_view line = std::string_view(visit.request).substr(0, visit.request.find(" HTTP"));
    answers(line == "GET /1"   ? redirect("https://hosting.tld/2", "308 Permanent Redirect")
            : line == "GET /2" ? redirect("https://hosting.tld/3", "307 Temporary Redirect")
            : line == "GET /3" ? redirect("https://hosting.tld/4", "301 Moved Permanently")
                               : served())(visit);
  });
  WebServer server = at_domain(answers(redirect("https://hosting.tld/2")));
  expect_good("https://hosting.tld:443/4");
  server.answer = answers(redirect("https://hosting.tld/1"));
  expect_failure("https://hosting.tld:443/3 is one redirect too many");
}

TEST_F(Posh, RedirectsThatMayNotBeFollowed) {  // AB-150
  WebServer server = at_domain(nullptr);
  const WebServer hosting = at_hosting(answers(served())), high = at_hosting(answers(served()), 8443);
  WebServer plain(world, "192.0.2.102:80", nullptr, answers(served()), true);
  for (const auto& [location, words] : std::vector<std::pair<std::string, std::string>>{
           {"https://target1.tld/.well-known/posh/xmpp-server.json", "one redirect too many"},
           {"http://hosting.tld/", "which is not https"},
           {"https://hosting.tld:8443/", "another port"},
           {"https://hosting.tld:22/", "another port"},
           {"https://me:secret@hosting.tld/", "user information"},
           {"https://target1.tld@hosting.tld/", "user information"},
           {"file:///etc/passwd", "neither http nor https"},
           {"ftp://hosting.tld/", "neither http nor https"},
           {"//hosting.tld/", "neither http nor https"},
           {"/elsewhere.json", "neither http nor https"},
           {"https://192.0.2.102/", "its host"},
           {"https://[2001:db8::1]/", "may not be followed"},
           {"https://hosting.tld\\@evil.tld/", "a character that no URL has"},
           {"", "neither http nor https"}}) {
    server.answer = answers(redirect(location));
    expect_failure(words);
  }
  server.answer =
      answers("HTTP/1.1 300 Multiple Choices\r\nLocation: https://hosting.tld/\r\nContent-Length: 0\r\n\r\n");
  expect_failure("answers 300");
  EXPECT_EQ(hosting.connections + high.connections + plain.connections, 0u);
}

TEST_F(Posh, EachHopHasItsOwnCertificate) {  // AB-150
  const WebServer server = at_domain(answers(redirect("https://hosting.tld/")));
  const WebServer hosting(world, "192.0.2.102:443", issue("target1.tld"), answers(served()));
  expect_failure("https://hosting.tld:443/: pkix.name");
}

TEST_F(Posh, TheGuardIsAskedAtEveryHop) {  // AB-151
  WebServer server = at_domain(answers(redirect("https://hosting.tld/")));
  const WebServer hosting = at_hosting(answers(served()));
  world.forbidden.insert(*Address::parse("192.0.2.102"));
  expect_failure("https://hosting.tld:443/: address.forbidden");
  server.answer = answers(http_answer("200 OK", kJson, proof::write_posh_reference("https://hosting.tld/", 1h)));
  expect_failure("https://hosting.tld:443/: address.forbidden");
  world.forbidden = {*Address::parse("192.0.2.101")};
  expect_failure("https://target1.tld:443/.well-known/posh/xmpp-server.json: address.forbidden");
  EXPECT_EQ(hosting.connections, 0u);
}

TEST_F(Posh, ADocumentTooLong_OrPacked_IsNone) {  // AB-152
  WebServer server = at_domain(answers(http_answer("200 OK", kJson, document(1h) + std::string(64 * 1024, ' '))));
  expect_failure("longer than 65536 bytes");
  server.answer = answers(http_answer("200 OK", kJson + "Content-Encoding: gzip\r\n", document(1h)));
  expect_failure("gzip");
}

TEST_F(Posh, AllHopsTogetherHaveTenSeconds) {  // AB-152
  // Each hop is slow, none of them too slow by itself.
  const auto slowly = [this](std::string text) {
    return
        [this, text](WebServer::Visit& visit) { world.call_at(world.now() + 4s, [&visit, text] { visit.say(text); }); };
  };
  const WebServer server = at_domain(slowly(redirect("https://hosting.tld/1")));
  const WebServer hosting = at_hosting(slowly(redirect("https://hosting.tld/1")));
  const Instant start = world.now();
  expect_failure("did not answer in time");
  EXPECT_EQ(world.now() - start, 10s);
  world.run_for(10s);
}

TEST_F(Posh, ABrokenDocument_IsNone) {  // AB-153
  WebServer server = at_domain(nullptr);
  for (const std::string& body : std::vector<std::string>{"", "{}", document(1h) + "x", "\xff" + document(1h)}) {
    server.answer = answers(http_answer("200 OK", kJson, body));
    expect_failure("xmpp-server.json: no POSH document");
  }
}

TEST_F(Posh, WeakHashesAlone_AreNoDocument) {  // AB-154
  const WebServer server = at_domain(answers(
      http_answer("200 OK", kJson, R"({"fingerprints":[{"sha-1":"2jmj7l5rSw0yVb/vlWAYkK/YBwk="}],"expires":9})")));
  expect_failure("no fingerprint in it can be used");
}

TEST_F(Posh, AnswersThatAreNoDocument) {  // AB-156
  WebServer server = at_domain(nullptr);
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {http_answer("200 OK", "Content-Type: text/html\r\n", document(1h)), "which is not application/json"},
           {http_answer("200 OK", "Content-Type: application/jsonx\r\n", document(1h)),
            "which is not application/json"},
           {http_answer("200 OK", "", document(1h)), "which is not application/json"},
           {http_answer("200 OK", kJson, "<html>welcome</html>"), "no POSH document"},
           {http_answer("404 Not Found", kJson, document(1h)), "answers 404"},
           {http_answer("206 Partial Content", kJson, document(1h)), "answers 206"},
           {http_answer("500 Oops", kJson, document(1h)), "answers 500"}}) {
    server.answer = answers(text);
    expect_failure(words);
  }
  server.answer = answers(http_answer("200 OK", "Content-Type: Application/JSON ; charset=utf-8\r\n", document(1h)));
  expect_good("https://target1.tld:443/.well-known/posh/xmpp-server.json");
}

TEST_F(Posh, AReferenceIsFollowedOnce_AtThePortThatItNames) {  // POSH-02
  const auto reference = [](const std::string& url, seconds expires) {
    return answers(http_answer("200 OK", kJson, proof::write_posh_reference(url, expires)));
  };
  WebServer server = at_domain(reference("https://hosting.tld/a.json", 2h));
  WebServer hosting = at_hosting(answers(served(1h)));
  expect_good("https://hosting.tld:443/a.json");
  EXPECT_EQ(ask().expires - world.wall(), 1h);  // the lower of the two
  hosting.answer = answers(served(3h));
  start();
  EXPECT_EQ(ask().expires - world.wall(), 2h);

  WebServer high = at_hosting(answers(served()), 8443);
  server.answer = reference("https://hosting.tld:8443/a.json", 2h);
  expect_good("https://hosting.tld:8443/a.json");
  high.answer = answers(redirect("https://hosting.tld/b.json"));
  expect_good("https://hosting.tld:443/b.json");
}

TEST_F(Posh, AReferenceToAReference_OrToWhatIsNoHttps_IsNone) {  // AB-156
  WebServer server = at_domain(nullptr);
  const WebServer hosting =
      at_hosting(answers(http_answer("200 OK", kJson, proof::write_posh_reference("https://target1.tld/x.json", 1h))));
  for (const auto& [url, words] : std::vector<std::pair<std::string, std::string>>{
           {"https://hosting.tld/", "is a reference, as was the document that refers to it"},
           {"https://target1.tld/.well-known/posh/xmpp-server.json", "is a reference, as was"},
           {"http://hosting.tld/", "no https URL"},
           {"https://a@hosting.tld/", "no https URL"},
           {"https://192.0.2.102/", "no https URL"},
           {"hosting.tld", "no https URL"},
           {"https://hosting.tld:22/", "address.forbidden"}}) {
    server.answer = answers(http_answer("200 OK", kJson, proof::write_posh_reference(url, 1h)));
    expect_failure(words);
  }
}

TEST_F(Posh, OneFetchInFlightServesAllWhoAsk) {  // POSH-04
  const WebServer server = at_domain(answers(served()));
  std::size_t came = 0;
  const auto wait = [](web::PoshSource* on, std::size_t* count) -> Task<void> {
    const PoshAnswer answer = co_await on->ask(kDomain, {});
    if (!answer.failure) ++*count;
  };
  for (int i = 0; i < 100; ++i) ground.spawn(wait(&*posh, &came));
  EXPECT_TRUE(world.run_until([&] { return came == 100; }, 10s));
  EXPECT_EQ(server.connections, 1u);
}

TEST_F(Posh, AFailureIsRememberedForAMinute) {  // POSH-04
  WebServer server = at_domain(answers(http_answer("404 Not Found", "", "")));
  EXPECT_TRUE(ask().failure);
  world.run_for(50s);
  server.answer = answers(served());
  EXPECT_TRUE(ask().failure);
  EXPECT_EQ(server.connections, 1u);
  world.run_for(11s);
  EXPECT_FALSE(ask().failure);
  EXPECT_EQ(log.count("posh_failed"), 1u);
}

TEST_F(Posh, ADocumentIsKeptAsLongAsItSays_AndFetchedAnewBeforeItEnds) {  // AB-155
  WebServer server = at_domain(answers(served(1h)));
  const WallTime end = ask().expires;
  EXPECT_EQ(end - world.wall(), 1h);
  world.run_for(35min);
  EXPECT_EQ(ask().expires, end);
  EXPECT_EQ(server.connections, 1u);
  world.run_for(2min);
  EXPECT_GT(ask().expires, end);
  EXPECT_EQ(server.connections, 2u);
}

TEST_F(Posh, Expiry_IsClamped) {  // AB-155
  WebServer server = at_domain(answers(served(1s)));
  EXPECT_EQ(ask().expires - world.wall(), 5min);
  start();
  server.answer = answers(served(24h * 365));
  EXPECT_EQ(ask().expires - world.wall(), 24h);
}

TEST_F(Posh, WithTheServerDown_TheOldDocumentServesUntilItsEndAndNotAfter) {  // AB-155
  std::optional<WebServer> server(std::in_place, world, "192.0.2.101:443", issue("target1.tld"), answers(served(1h)));
  const PoshAnswer first = ask();
  server.reset();
  world.run_for(40min);
  EXPECT_EQ(ask(), first);
  EXPECT_EQ(log.count("posh_failed"), 1u);
  EXPECT_EQ(ask(), first);  // and the failure is remembered
  EXPECT_EQ(log.count("posh_failed"), 1u);
  world.run_for(first.expires - world.wall());
  EXPECT_TRUE(ask().failure);
}

TEST_F(Posh, AClockSetBack_MakesNoDocumentLiveLonger) {  // AB-155
  std::optional<WebServer> server(std::in_place, world, "192.0.2.101:443", issue("target1.tld"), answers(served(1h)));
  ask();
  server.reset();
  world.wall_offset = -std::chrono::hours(48);
  world.run_for(61min);
  EXPECT_TRUE(ask().failure);
}

TEST_F(Posh, ADocumentThatChanged_IsAnEvent) {
  WebServer server = at_domain(answers(served(1h)));
  ask();
  world.run_for(2h);
  chain = issue("xmpp2.receiving.tld");
  server.answer = answers(served(1h));
  EXPECT_TRUE(proof::match_posh(ask().descriptors, *chain));
  EXPECT_EQ(log.count("posh_changed"), 1u);
  EXPECT_EQ(log.count("posh_fetched"), 1u);
}

TEST_F(Posh, AfterARestart_WhatWasFetchedIsKnown) {
  std::optional<WebServer> server(std::in_place, world, "192.0.2.101:443", issue("target1.tld"), answers(served(1h)));
  const PoshAnswer first = ask();
  server.reset();
  world.run_for(10min);
  start(store.memos(world.wall()));
  EXPECT_EQ(ask(), first);
  world.run_for(first.expires - world.wall());
  EXPECT_TRUE(ask().failure);
}

TEST_F(Posh, MemosThatAreNone_AreSteppedOver) {
  const WallTime later = world.wall() + 1h;
  const std::string url = "https://target1.tld:443/\n";
  start({{"posh", "target1.tld", document(1h), later},
         {"posh", "target1.tld", url + "{}", later},
         {"posh", "target1.tld", url + proof::write_posh_reference("https://a.tld/", 1h), later},
         {"posh", "target1.tld", url + document(1h), world.wall()},
         {"posh", "no domain", url + document(1h), later},
         {"ocsp", "target1.tld", url + document(1h), later}});
  EXPECT_EQ(posh->size(), 0u);
  start({{"posh", "target1.tld", url + document(1h), world.wall() + 24h * 365}});
  EXPECT_EQ(ask().expires - world.wall(), 24h);
}

// AB-083: names without end that lead to one web server, which is for none of them. What that costs the claimant is nobody else's.
TEST_F(Posh, ClaimsThatLeadToOneWebServer_AreAFewConnections) {
  const WebServer server = at_domain(answers(served()));
  const ground::Claimant stranger = Address::parse("198.51.100.7").value();
  for (int i = 0; i < 100; ++i) {
    const std::string name = fmt::format("a{}.tld", i);
    world.add_address(name, "192.0.2.101");
    EXPECT_TRUE(run(posh->ask(*Domain::parse(name), stranger), 11s).failure);
  }
  EXPECT_LE(server.connections, 8u);
  const std::size_t before = server.connections, kept = posh->size();
  const PoshAnswer refused = run(posh->ask(kDomain, stranger), 11s);
  ASSERT_TRUE(refused.failure);
  EXPECT_EQ(refused.failure->reason, Reason::limit_reached);
  EXPECT_EQ(posh->size(), kept) << "it says nothing of the document";
  EXPECT_EQ(server.connections, before);
  // Ours, asked for while the claimant's fetch is on its way to be refused, is fetched by its own right.
  std::optional<PoshAnswer> told, ours;
  const auto wait = [](web::PoshSource* on, ground::Claimant by, std::optional<PoshAnswer>* into) -> Task<void> {
    *into = co_await on->ask(kDomain, by);
  };
  ground.spawn(wait(&*posh, stranger, &told));
  ground.spawn(wait(&*posh, {}, &ours));
  EXPECT_TRUE(world.run_until([&] { return told && ours; }, 11s));
  EXPECT_TRUE(told->failure);
  EXPECT_FALSE(ours->failure);
}

// AB-216: a stranger claims domains whose web servers, each somewhere else, say nothing: it fills its own places.
TEST_F(Posh, ClaimsOfDomainsThatSayNothing_FillNobodyElsesPlaces) {
  std::list<WebServer> silent;
  std::size_t refused = 0, came = 0;
  const auto wait = [](web::PoshSource* on, Domain domain, ground::Claimant by, std::size_t* all,
                       std::size_t* busy) -> Task<void> {
    const PoshAnswer answer = co_await on->ask(std::move(domain), by);
    ++*all;
    if (answer.failure && answer.failure->reason == Reason::limit_reached) ++*busy;
  };
  for (int i = 0; i < 100; ++i) {  // those over its share wait for its own
    const std::string name = fmt::format("a{}.tld", i), address = fmt::format("203.0.113.{}", i + 1);
    world.add_address(name, address);
    silent.emplace_back(world, address + ":443", chain, nullptr, true);
    ground.spawn(wait(&*posh, *Domain::parse(name), Address::parse("198.51.100.7").value(), &came, &refused));
  }
  world.run_for(1s);
  EXPECT_EQ(came, 0u);
  const WebServer server = at_domain(answers(served()));
  EXPECT_FALSE(run(posh->ask(kDomain, Address::parse("198.51.100.9").value()), 2s).failure) << "another's claim";
  const WebServer hosting = at_hosting(answers(served()));
  EXPECT_FALSE(run(posh->ask(*Domain::parse("hosting.tld"), {}), 2s).failure) << "and ours";
  EXPECT_TRUE(world.run_until([&] { return came == 100; }, 11s));
  EXPECT_EQ(refused, 84u) << "and no longer than one fetch may take";
}

TEST_F(Posh, AFloodOfDomains_IsBounded) {
  // Nobody answers: every fetch hangs until its deadline.
  std::size_t came = 0, busy = 0;
  const auto wait = [](web::PoshSource* on, Domain domain, std::size_t* all, std::size_t* refused) -> Task<void> {
    const PoshAnswer answer = co_await on->ask(std::move(domain), {});
    ++*all;
    if (answer.failure && answer.failure->reason == Reason::limit_reached) ++*refused;
  };
  WebServer server = at_hosting(nullptr);
  for (int i = 0; i < 100; ++i) {
    const std::string name = fmt::format("a{}.hosting.tld", i);
    world.add_address(name, "192.0.2.102");
    ground.spawn(wait(&*posh, *Domain::parse(name), &came, &busy));
  }
  EXPECT_TRUE(world.run_until([&] { return came == 100; }, 11s));
  EXPECT_LE(busy, 36u);
  // Many good ones with many fingerprints: what is kept is bounded too.
  std::vector<seams::Memo> memos;
  const std::vector<proof::PoshDescriptor> many(64, proof::posh_descriptor(*chain));
  for (int i = 0; i < 400; ++i)
    memos.push_back(
        {"posh", fmt::format("b{}.tld", i), "https://x/\n" + proof::write_posh(many, 1h), world.wall() + 1h + i * 1s});
  start(memos);
  EXPECT_EQ(posh->size(), 20'000u / 64);
}

}  // namespace
}  // namespace ligase
