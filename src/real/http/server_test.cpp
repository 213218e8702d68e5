// The control socket and the http listener, asked as `ligase ctl` and as strangers ask (AB-113).
#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <thread>

#include "http/api.hpp"
#include "http/client.hpp"

namespace ligase::http {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::StartsWith;

class Rows final : public report::Observable {
 public:
  report::Status status() const override {
    report::Status status;
    status.hostname = "xmpp1.receiving.tld";
    status.not_ready = {"resolver"};
    return status;
  }
  std::vector<report::StreamRow> streams() const override { return {}; }
  std::vector<report::PairRow> pairs() const override { return std::vector<report::PairRow>(3); }
  std::vector<report::LinkRow> links() const override { return {}; }
};

// Remembers what it was told.
class Told final : public seams::Control {
 public:
  Task<Result<report::Explanation>> explain(Domain local, Domain remote, bool may_dial) override {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (local.text() == "nothere.tld") co_return fail(Reason::host_unknown, "nothere.tld is not hosted here");
    report::Explanation told;
    told.local = std::string(local.text());
    told.remote = std::string(remote.text());
    told.verdict = may_dial ? "afresh" : "as it is";
    told.out = report::Outcome::holds;
    told.in = report::Outcome::refused;
    told.steps.push_back({"out: SRV", report::StepResult::ok, "10 0 5269 \"x\"", 1.5});
    co_return told;
  }
  Result<void> close_stream(const std::string& id) override {
    if (id != "7") return fail(Reason::stream_closed, "no stream " + id + " is open");
    done += "stream 7;";
    return {};
  }
  Result<void> close_pair(const Domain& local, const Domain& remote) override {
    done += std::string(local.text()) + " " + std::string(remote.text()) + ";";
    return {};
  }
  std::vector<std::string> reload() override { return faults; }
  void drain() override { done += "drain;"; }

  std::string done;
  std::vector<std::string> faults;
};

// The gateway's loop in a thread; stopped before what runs on it goes.
class HttpServer : public testing::Test {
 protected:
  HttpServer() : folder_(::testing::TempDir() + "ligase-http-XXXXXX") { EXPECT_NE(::mkdtemp(folder_.data()), nullptr); }
  ~HttpServer() override {
    stop();
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/control.sock"; }

  void start_unix(ServerLimits limits = {}) {
    auto made = Server::on_unix(context_, path(), make_api(rows_, control_, access_), limits);
    ASSERT_TRUE(made) << made.error().detail;
    server_ = std::move(*made);
    run();
  }
  void start_tcp(ServerLimits limits = {}) {
    auto made = Server::on_tcp(context_, {*Address::parse("127.0.0.1"), 0}, make_api(rows_, control_, access_), limits);
    ASSERT_TRUE(made) << made.error().detail;
    server_ = std::move(*made);
    endpoint_ = server_->local();
    run();
  }
  void run() {
    thread_ = std::thread([this] { context_.run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
      server_.reset();
      guard_.reset();
    });
    thread_.join();
  }
  // Sends `bytes` over TCP and gives everything until the server closes.
  std::string raw(const std::string& bytes) {
    asio::io_context own;
    asio::ip::tcp::socket socket(own);
    socket.connect({asio::ip::make_address("127.0.0.1"), endpoint_.port});
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(bytes), ignored);
    std::string all;
    asio::read(socket, asio::dynamic_buffer(all), ignored);
    return all;
  }

  Rows rows_;
  Told control_;
  Access access_ = Access::control;
  std::string folder_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  std::unique_ptr<Server> server_;
  Endpoint endpoint_;
  std::thread thread_;
};

std::string get_request(const std::string& target, const std::string& host = "127.0.0.1") {
  return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
}

TEST_F(HttpServer, ControlSocket_AnswersTheContractsPaths) {
  start_unix();
  for (const char* what : {"status", "streams", "pairs", "links"}) {
    const Result<Got> got = get(path(), std::string("/api/v1/") + what, 10s);
    ASSERT_TRUE(got) << what << got.error().detail;
    EXPECT_EQ(got->status, 200u);
    EXPECT_NO_THROW(boost::json::parse(got->body)) << got->body;
  }
  EXPECT_EQ(boost::json::parse(get(path(), "/api/v1/pairs", 10s)->body).as_array().size(), 3u);
  EXPECT_EQ(get(path(), "/healthz", 10s)->status, 200u);
  const Result<Got> ready = get(path(), "/readyz", 10s);
  EXPECT_EQ(ready->status, 503u);
  EXPECT_EQ(ready->body, "not ready\nresolver\n");
}

TEST_F(HttpServer, ControlSocket_ExplainsClosesReloadsAndDrains) {
  start_unix();
  const Result<Got> told = get(path(), "/api/v1/explain?local=sender1.tld&remote=b%C3%BCcher.tld", 10s);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->status, 200u) << told->body;
  const boost::json::value document = boost::json::parse(told->body);
  EXPECT_EQ(document.at("remote").as_string(), "xn--bcher-kva.tld");
  EXPECT_EQ(document.at("verdict").as_string(), "afresh");
  EXPECT_EQ(document.at("steps").at(0).at("detail").as_string(), "10 0 5269 \"x\"");
  EXPECT_EQ(get(path(), "/api/v1/explain?local=nothere.tld&remote=target1.tld", 10s)->status, 404u);
  EXPECT_EQ(get(path(), "/api/v1/explain?local=a..b&remote=target1.tld", 10s)->status, 400u);
  EXPECT_EQ(get(path(), "/api/v1/explain?local=%zz", 10s)->status, 400u);
  EXPECT_EQ(get(path(), "/api/v1/explain", 10s)->status, 400u);

  EXPECT_EQ(ask(path(), "/api/v1/close", R"({"stream":"7"})", 10s)->body, R"({"ok":true})");
  EXPECT_EQ(ask(path(), "/api/v1/close", R"({"stream":"8"})", 10s)->status, 404u);
  EXPECT_EQ(ask(path(), "/api/v1/close", R"({"local":"sender1.tld","remote":"target1.tld"})", 10s)->status, 200u);
  for (const char* wrong :
       {"", "{}", "[", "{\"stream\":7}", "{\"stream\":\"7\",\"local\":\"sender1.tld\"}", "{\"local\":\"sender1.tld\"}"})
    EXPECT_EQ(ask(path(), "/api/v1/close", wrong, 10s)->status, 400u) << wrong;
  EXPECT_EQ(ask(path(), "/api/v1/drain", "", 10s)->status, 200u);
  EXPECT_EQ(ask(path(), "/api/v1/reload", "", 10s)->body, R"({"ok":true,"faults":[]})");
  EXPECT_EQ(get(path(), "/api/v1/close", 10s)->status, 405u);
  EXPECT_EQ(ask(path(), "/api/v1/explain", "", 10s)->status, 405u);
  stop();
  EXPECT_EQ(control_.done, "stream 7;sender1.tld target1.tld;drain;");
}

TEST_F(HttpServer, FaultsOfAReload_AreToldAndNothingElse) {
  control_.faults = {"gw.toml:3: unknown key \"hostnam\"; did you mean \"hostname\"?"};
  start_unix();
  const Result<Got> refused = ask(path(), "/api/v1/reload", "", 10s);
  EXPECT_EQ(refused->status, 409u);
  const boost::json::value document = boost::json::parse(refused->body);
  EXPECT_FALSE(document.at("ok").as_bool());
  EXPECT_EQ(document.at("faults").at(0).as_string(), control_.faults[0]);
}

// SEC-04: the http listener reads, and makes nobody connect anywhere.
TEST_F(HttpServer, HttpListener_ChangesNothing) {
  access_ = Access::read;
  start_tcp();
  for (const char* what : {"close", "reload", "drain"})
    EXPECT_THAT(
        raw(std::string("POST /api/v1/") + what +
            " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"stream\":\"7\"}"),
        StartsWith("HTTP/1.1 403 "))
        << what;
  EXPECT_THAT(raw(get_request("/api/v1/explain?local=sender1.tld&remote=target1.tld")), HasSubstr("as it is"));
  stop();
  EXPECT_EQ(control_.done, "");
}

TEST_F(HttpServer, ControlSocket_IsOpenToOwnerAndGroupOnlyAndGoesWithTheServer) {
  start_unix();
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0660u);
  stop();
  EXPECT_NE(::stat(path().c_str(), &facts), 0);
}

TEST_F(HttpServer, SocketOfADeadProcess_IsReplaced) {
  {
    asio::local::stream_protocol::acceptor dead(context_, asio::local::stream_protocol::endpoint(path()));
  }  // closed, its file left
  start_unix();
  EXPECT_TRUE(get(path(), "/healthz", 10s));
}

TEST_F(HttpServer, SocketOfALivingProcessOrAnotherFile_IsAnError) {
  start_unix();
  const auto second = Server::on_unix(context_, path(), make_api(rows_, control_, access_));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().detail, HasSubstr("is a gateway running already?"));
  EXPECT_TRUE(get(path(), "/healthz", 10s));  // it was left alone
  stop();
  std::ofstream(path()) << "a file";
  EXPECT_FALSE(Server::on_unix(context_, path(), make_api(rows_, control_, access_)));
}

TEST_F(HttpServer, NobodyListening_IsSaid) {
  const Result<Got> got = get(path(), "/healthz", 10s);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().reason, Reason::connect_refused);
}

// AB-113
// AB-209: a gateway that ends while it is asked.
TEST(HttpClient, AnswerThatIsCutOff_IsAnErrorAndNoMore) {
  const std::string path = testing::TempDir() + "ligase-cut-" + std::to_string(::getpid()) + ".sock";
  for (const std::string said : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}) {
    ::unlink(path.c_str());
    asio::io_context context;
    asio::local::stream_protocol::acceptor acceptor(context, asio::local::stream_protocol::endpoint(path));
    std::thread server([&] {
      asio::local::stream_protocol::socket socket(context);
      acceptor.accept(socket);
      char request[4096];
      (void)socket.read_some(asio::buffer(request));
      if (!said.empty()) (void)asio::write(socket, asio::buffer(said));
    });
    const Result<Got> got = get(path, "/api/v1/status", 30s);
    server.join();
    ASSERT_FALSE(got) << said;
    EXPECT_EQ(got.error().reason, Reason::network_closed);
  }
  ::unlink(path.c_str());
}

TEST_F(HttpServer, PathsThatAreNotExact_AreNotFound) {
  start_tcp();
  EXPECT_THAT(raw(get_request("/api/v1/status")), StartsWith("HTTP/1.1 200 "));
  for (const char* target : {"/", "/api/v1/status/", "//api/v1/status", "/api/v1/../v1/status", "/api/v1/%73tatus",
                             "/api/v1/status?x=1", "/API/v1/status", "http://127.0.0.1/api/v1/status"}) {
    const std::string answer = raw(get_request(target));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 ")) << target;
    EXPECT_THAT(answer, HasSubstr("{\"error\":\"")) << target;
  }
}

// AB-113, SEC-04
TEST_F(HttpServer, OtherMethods_AreRefused) {
  start_tcp();
  for (const char* method : {"POST", "DELETE", "PUT", "OPTIONS", "FOO"}) {
    const std::string request = std::string(method) +
                                " /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"
                                "X-HTTP-Method-Override: GET\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    EXPECT_THAT(raw(request), StartsWith("HTTP/1.1 405 ")) << method;
  }
}

// AB-113
TEST_F(HttpServer, ForeignHost_IsRefusedOnTcp) {
  start_tcp();
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "192.0.2.1", "localhost.evil.example"})
    EXPECT_THAT(raw(get_request("/api/v1/status", host)), StartsWith("HTTP/1.1 421 ")) << host;
  for (const char* host : {"127.0.0.1:9269", "localhost", "localhost:1", "[::1]:9269", "[::1]"})
    EXPECT_THAT(raw(get_request("/api/v1/status", host)), StartsWith("HTTP/1.1 200 ")) << host;
  EXPECT_THAT(raw("GET /api/v1/status HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(raw("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
}

// AB-113
TEST_F(HttpServer, HugeHeaderOrBody_IsRefused) {
  start_tcp();
  EXPECT_THAT(raw("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(raw("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(raw("\x16\x03\x01 nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

// AB-113
TEST_F(HttpServer, SlowRequest_IsCutOff) {
  ServerLimits limits;
  limits.request = 50ms;
  start_tcp(limits);
  EXPECT_EQ(raw("GET /api/v1/status HTTP/1.1\r\nHost: local"), "");
  EXPECT_EQ(raw(""), "");
}

TEST_F(HttpServer, ManyRequestsOnOneConnection_AreAnsweredInTurn) {
  start_tcp();
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string all = raw(request + request + get_request("/healthz"));
  std::size_t answers = 0;
  for (std::size_t at = all.find("alive\n"); at != std::string::npos; at = all.find("alive\n", at + 1)) ++answers;
  EXPECT_EQ(answers, 3u);
}

}  // namespace
}  // namespace ligase::http
