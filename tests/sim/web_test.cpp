// One HTTP hop in the simulated world: what is asked, whose certificate counts, and every way an answer can be bad.
#include "web/fetch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/lone_ground.hpp"

namespace ligase {
namespace {

using sim::answers;
using sim::http_answer;
using sim::WebServer;

std::shared_ptr<const proof::Chain> chain_of(const test::MadeCertificate& leaf) {
  return *proof::Chain::parse({leaf.der});
}

struct Web : sim::LoneGround {
  Web() { world.add_address("web.tld", "192.0.2.80"); }

  WebServer serve(WebServer::Answer answer, const std::string& name = "web.tld") {
    return {world, "192.0.2.80:443", issue(name), std::move(answer)};
  }
  web::WebRequest request() const {
    web::WebRequest made;
    made.host = "web.tld";
    made.target = "/a?b=c";
    made.accept = "x/y";
    made.most_body = 1000;
    return made;
  }

  Result<web::WebAnswer> fetch(web::WebRequest what, Duration patience = 10s) {
    return run(web::fetch_once(ground, std::move(what), world.now() + patience), patience + 1s);
  }
  // An answer that must be refused, with this word in the sentence.
  void expect_refused(WebServer::Answer answer, Reason reason, std::string_view word) {
    const WebServer server = serve(std::move(answer));
    const Result<web::WebAnswer> got = fetch(request());
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().reason, reason) << got.error().detail;
    EXPECT_NE(got.error().detail.find(word), std::string::npos) << got.error().detail;
    EXPECT_NE(got.error().detail.find("web.tld"), std::string::npos) << got.error().detail;
  }
};

TEST_F(Web, Request_SaysWhatItMustAndNoMore) {
  const WebServer server = serve(answers(http_answer("200 OK", "Content-Type: x/y\r\n", "body")));
  const Result<web::WebAnswer> got = fetch(request());
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->status, 200u);
  EXPECT_EQ(got->body, "body");
  EXPECT_EQ(got->content_type, "x/y");
  EXPECT_EQ(server.requests,
            std::vector<std::string>{"GET /a?b=c HTTP/1.1\r\nHost: web.tld\r\nUser-Agent: ligase\r\n"
                                     "Accept-Encoding: identity\r\nConnection: close\r\nAccept: x/y\r\n\r\n"});
  EXPECT_EQ(server.certificates_seen, 0u);  // to a web server we are nobody
}

TEST_F(Web, Post_OverPlainHttpAtPort80) {
  WebServer server(world, "192.0.2.80:80", nullptr, answers(http_answer("200 OK", "", "good")), true);
  web::WebRequest asked = request();
  asked.method = "POST";
  asked.port = 80;
  asked.over_tls = false;
  asked.content_type = "application/ocsp-request";
  asked.body = "question";
  const Result<web::WebAnswer> got = fetch(asked);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->body, "good");
  EXPECT_NE(server.requests.at(0).find("Content-Type: application/ocsp-request\r\nContent-Length: 8\r\n\r\nquestion"),
            std::string::npos);
  EXPECT_EQ(server.requests.at(0).find("Host: web.tld:"), std::string::npos);
}

TEST_F(Web, AnotherPort_IsNamedInHost) {
  WebServer server(world, "192.0.2.80:8443", issue("web.tld"), answers(http_answer("404 Not Found", "", "")));
  web::WebRequest asked = request();
  asked.port = 8443;
  EXPECT_EQ(fetch(asked)->status, 404u);
  EXPECT_NE(server.requests.at(0).find("\r\nHost: web.tld:8443\r\n"), std::string::npos);
}

TEST_F(Web, SystemPorts_AreNotConnectedTo) {  // ADDR-02
  for (const std::uint16_t port : {22, 25, 80, 444}) {
    web::WebRequest asked = request();
    asked.port = port;
    EXPECT_EQ(fetch(asked).error().reason, Reason::address_forbidden) << port;
    asked.over_tls = false;
    EXPECT_EQ(fetch(asked).error().reason, port == 80 ? Reason::connect_refused : Reason::address_forbidden) << port;
  }
}

TEST_F(Web, Chunked_AndUntilClose_AndInterimAnswers) {
  {
    const WebServer server =
        serve(answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"));
    EXPECT_EQ(fetch(request())->body, "body");
  }
  {
    const WebServer server = serve(answers("HTTP/1.1 200 OK\r\n\r\nbody"));
    EXPECT_EQ(fetch(request())->body, "body");
  }
  {
    const WebServer server =
        serve(answers("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 302 Found\r\n"
                      "Location: https://other.tld/\r\nContent-Length: 0\r\n\r\n"));
    const Result<web::WebAnswer> got = fetch(request());
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->status, 302u);
    EXPECT_EQ(got->location, "https://other.tld/");
  }
}

TEST_F(Web, TooLong_IsCut) {  // AB-152
  const std::string_view longer = "longer than 1000 bytes";
  expect_refused(answers(http_answer("200 OK", "", std::string(1001, 'x'))), Reason::web_failed, longer);
  expect_refused(answers("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x')), Reason::web_failed, longer);
  expect_refused(answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')),
                 Reason::web_failed, longer);
  expect_refused(answers("HTTP/1.1 200 OK\r\nA: " + std::string(17'000, 'x') + "\r\n\r\n"), Reason::web_failed,
                 "header");
  std::string framing = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";  // all frame, no picture
  for (int i = 0; i < 900; ++i) framing += "1;" + std::string(200, 'x') + "\r\ny\r\n";
  expect_refused([&](WebServer::Visit& visit) { visit.say(framing); }, Reason::web_failed,
                 "more than it was asked for");
}

TEST_F(Web, Endless_IsCutAtTheDeadline) {  // AB-152
  // One byte a second, for ever.
  const WebServer server = serve([this](WebServer::Visit& visit) {
    visit.say("HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 1; i < 30; ++i) world.call_at(world.now() + i * 1s, [&visit] { visit.say("x"); });
  });
  const Instant start = world.now();
  const Result<web::WebAnswer> got = fetch(request());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().reason, Reason::web_failed);
  EXPECT_EQ(got.error().detail, "web.tld did not answer in time");
  EXPECT_EQ(world.now() - start, 10s);
  world.run_for(30s);  // while the server's timers still name its visit
}

TEST_F(Web, InterimAnswersWithoutEnd_AreNoAnswer) {  // AB-152
  std::string hundred;
  for (int i = 0; i < 6; ++i) hundred += "HTTP/1.1 100 Continue\r\n\r\n";
  expect_refused(answers(hundred), Reason::web_failed, "sends 100");
  expect_refused(answers("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
                 Reason::web_failed, "sends 101");
}

TEST_F(Web, CompressedThoughNotAskedFor_IsNotUnpacked) {  // AB-152
  expect_refused(answers(http_answer("200 OK", "Content-Encoding: gzip\r\n", "\x1f\x8b")), Reason::web_failed, "gzip");
  expect_refused(answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), Reason::web_failed,
                 "gzip, chunked");
}

TEST_F(Web, NoHttp_IsNoAnswer) {  // AB-152
  for (const std::string_view garbage :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"})
    expect_refused(answers(std::string(garbage)), Reason::web_failed, "no HTTP");
  expect_refused(answers(http_answer("302 Found", "Location: /a\r\nLocation: /b\r\n", "")), Reason::web_failed,
                 "several locations");
}

TEST_F(Web, EndedEarly_IsNoAnswer) {
  expect_refused(answers(""), Reason::web_failed, "early");
  expect_refused(answers("HTTP/1.1 200"), Reason::web_failed, "early");
  expect_refused(answers("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbody"), Reason::web_failed, "early");
  expect_refused(answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"), Reason::web_failed,
                 "early");
}

TEST_F(Web, Certificate_MustBeTheHosts) {
  {
    const WebServer server(world, "192.0.2.80:443", chain_of(test::make_self_signed({"web.tld"})), answers("x"));
    const Result<web::WebAnswer> got = fetch(request());
    EXPECT_EQ(got.error().reason, Reason::pkix_chain);
    EXPECT_TRUE(server.requests.empty());  // nothing is said to whom we do not know
  }
  {
    const WebServer server = serve(answers("x"), "other.tld");
    EXPECT_EQ(fetch(request()).error().reason, Reason::pkix_name);
  }
  {  // An SRVName is for XMPP: it makes nobody the host of a web site.
    test::CertificateSpec spec;
    spec.srv = {"_xmpp-server.web.tld"};
    const WebServer server(world, "192.0.2.80:443", chain_of(test::make_certificate(spec, &root)), answers("x"));
    EXPECT_EQ(fetch(request()).error().reason, Reason::pkix_name);
  }
  {
    world.chains.erase(*Address::parse("192.0.2.80"));
    const WebServer server(world, "192.0.2.80:443", nullptr, answers("x"));
    EXPECT_EQ(fetch(request()).error().reason, Reason::certificate_none);
  }
}

TEST_F(Web, TheGuardIsAskedOfTheAddress) {  // AB-151
  const WebServer server = serve(answers("x"));
  world.forbidden.insert(*Address::parse("192.0.2.80"));
  EXPECT_EQ(fetch(request()).error().reason, Reason::address_forbidden);
  EXPECT_EQ(server.connections, 0u);
}

TEST_F(Web, Addresses_BogusRefuses_AbsentRefuses_SilentIsLate) {
  const WebServer server = serve(answers("x"));
  world.records[{"web.tld", proof::RrType::a}].security = proof::Security::bogus;
  EXPECT_EQ(fetch(request()).error().reason, Reason::dns_bogus);
  web::WebRequest asked = request();
  asked.host = "nowhere.tld";
  EXPECT_EQ(fetch(asked).error().reason, Reason::address_none);
  EXPECT_EQ(fetch(request(), 0s).error().reason, Reason::dns_indeterminate);
  EXPECT_EQ(server.connections, 0u);
}

TEST_F(Web, ARequestThatIsNone_IsNotSent) {
  const WebServer server = serve(answers("x"));
  for (const std::string target : {"", "a", "/a b", "/a\r\nX: y", "/\xc3\xa9"}) {
    web::WebRequest asked = request();
    asked.target = target;
    EXPECT_EQ(fetch(asked).error().reason, Reason::web_failed) << target;
  }
  for (const std::string host : {"", "a b", "web.tld\r\nX: y", "-.tld"}) {
    web::WebRequest asked = request();
    asked.host = host;
    EXPECT_FALSE(fetch(asked)) << host;
  }
  EXPECT_EQ(server.connections, 0u);
}

}  // namespace
}  // namespace ligase
