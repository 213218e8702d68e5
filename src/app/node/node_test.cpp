// A node from its configuration to its exit code, as an operator meets it: in a process of its own, on loopback.
#include "node/node.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cmd/cli.hpp"
#include "http/client.hpp"
#include "os/files.hpp"
#include "os/process.hpp"
#include "support/revocation.hpp"

namespace ligase::node {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

test::CertificateSpec naming(const char* host) {
  test::CertificateSpec spec;
  spec.dns = {host};
  return spec;
}

test::CertificateSpec ending(WallTime not_after) {
  test::CertificateSpec spec = naming("xmpp1.receiving.tld");
  spec.not_after = not_after;
  return spec;
}

// A folder with a whole configuration for 127.0.0.1, every port a free one.
class Folder {
 public:
  Folder() {
    std::string path = testing::TempDir() + "ligase-node-XXXXXX";
    path_ = ::mkdtemp(path.data());
    certificate(naming("xmpp1.receiving.tld"));
  }
  ~Folder() { fs::remove_all(path_); }

  void certificate(const test::CertificateSpec& spec) {
    const test::MadeCertificate made = test::make_certificate(spec);
    write("gw.pem", made.pem);
    write("gw.key", made.key_pem);
    ::chmod(file("gw.key").c_str(), 0600);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
  std::string file(const std::string& name) const { return path_ / name; }
  // What is read again at a reload must be readable by the account that root is given up for.
  void hand_over() const {
    if (!os::is_root()) return;
    const Result<os::Account> account = os::unprivileged_account();
    ASSERT_TRUE(account);
    for (const char* name : {".", "gw.toml", "gw.pem", "gw.key"}) ASSERT_TRUE(os::hand_over(file(name), *account));
  }

  void configure(const std::string& more = {}) const { configure_with({}, more); }
  void configure_tls(const std::string& tls) const { configure_with(tls, {}); }  // more keys of [tls]

 private:
  void configure_with(const std::string& tls, const std::string& more) const {
    write("gw.toml",
          "[gateway]\nhostname = \"xmpp1.receiving.tld\"\nstate_dir = \"state\"\ncontrol = \"control.sock\"\n"
          "[tls]\ncertificate = \"gw.pem\"\nprivate_key = \"gw.key\"\ntrust_anchors = \"gw.pem\"\n" +
              tls +
              "[[listen]]\nkind = \"s2s\"\naddress = \"127.0.0.1:0\"\n"
              "[[listen]]\nkind = \"component\"\naddress = \"127.0.0.1:0\"\n"
              "[[domain]]\nname = \"target1.tld\"\nvia = \"component\"\nsecret = \"s3cret-of-target1\"\n" +
              more + (more.find("[dns]") == std::string::npos ? "[dns]\nforward = [\"127.0.0.1@1\"]\n" : ""));
    ::chmod(file("gw.toml").c_str(), 0640);  // a secret stands in it
  }

  fs::path path_;
};

// `ligase serve` in a child of this process; its stderr is ours to read.
class Serving {
 public:
  explicit Serving(const Folder& folder) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      std::string words[] = {"ligase", "serve", "--config", folder.file("gw.toml")};
      char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
      ::_exit(cmd::run(4, argv));
    }
    ::close(ends[1]);
    stderr_ = ends[0];
  }
  ~Serving() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(stderr_);
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  // Reads the log until `text` is in it; false: it ended before.
  bool wait_for(const std::string& text) {
    char chunk[4096];
    while (log_.find(text) == std::string::npos) {
      const ssize_t count = ::read(stderr_, chunk, sizeof chunk);
      if (count <= 0) return false;
      log_.append(chunk, static_cast<std::size_t>(count));
    }
    return true;
  }
  void send(int signal) const { ::kill(child_, signal); }
  int exit_code() {
    wait_for(std::string(1, '\0'));  // to the end
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& log() const { return log_; }

 private:
  pid_t child_ = -1;
  int stderr_ = -1;
  std::string log_;
};

std::vector<std::string> texts(const std::vector<config::Fault>& faults) {
  std::vector<std::string> all;
  for (const config::Fault& fault : faults) all.push_back(fault.what + "; " + fault.advice);
  return all;
}

config::Parsed judged(const Folder& folder) {
  const os::SystemFiles files;
  config::Parsed parsed = config::parse(folder.file("gw.toml"), files);
  EXPECT_THAT(texts(parsed.faults), IsEmpty());
  if (parsed.config) judge(*parsed.config, files, parsed);
  return parsed;
}

TEST(Judge, WholeConfiguration_HasNeitherFaultsNorWarnings) {
  Folder folder;
  folder.configure();
  const config::Parsed parsed = judged(folder);
  EXPECT_THAT(texts(parsed.faults), IsEmpty());
  EXPECT_THAT(texts(parsed.warnings), IsEmpty());
}

// PKIX-06
TEST(Judge, CertificateForAnotherHost_IsAWarning) {
  Folder folder;
  folder.certificate(naming("other.tld"));
  folder.configure();
  EXPECT_THAT(texts(judged(folder).warnings), ElementsAre(HasSubstr("does not name the hostname xmpp1.receiving.tld")));
}

// PKIX-06
TEST(Judge, CertificateNearItsEnd_IsAWarning) {
  Folder folder;
  const WallTime now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  folder.certificate(ending(now + std::chrono::days(13)));
  folder.configure();
  EXPECT_THAT(texts(judged(folder).warnings), ElementsAre(HasSubstr("the certificate expires on ")));
}

// AB-164: loud, and no reason not to start: it is one customer's, or peers match the key.
TEST(Judge, ExpiredCertificates_AreWarnings) {
  Folder folder;
  const test::MadeCertificate good = test::make_certificate(naming("target1.tld"));
  folder.certificate(ending(test::day(2026, 1, 2)));
  folder.configure();
  EXPECT_THAT(texts(judged(folder).warnings), ElementsAre(HasSubstr("the certificate EXPIRED on 2026-01-02")));
  test::CertificateSpec over = naming("target1.tld");
  over.not_after = test::day(2026, 1, 2);
  const test::MadeCertificate expired = test::make_certificate(over);
  folder.certificate(naming("xmpp1.receiving.tld"));
  folder.write("t.pem", expired.pem);
  folder.write("t.key", expired.key_pem);
  ::chmod(folder.file("t.key").c_str(), 0600);
  folder.configure_tls("[[tls.for]]\ndomains = [\"target1.tld\"]\ncertificate = \"t.pem\"\nprivate_key = \"t.key\"\n");
  const config::Parsed parsed = judged(folder);
  EXPECT_THAT(texts(parsed.warnings), ElementsAre(HasSubstr("EXPIRED")));
  ASSERT_EQ(parsed.warnings.size(), 1u);
  EXPECT_EQ(parsed.warnings[0].line, 11u);
  Serving serving(folder);
  ASSERT_TRUE(serving.wait_for("event=ready")) << serving.log();
  EXPECT_THAT(serving.log(), HasSubstr("event=config_warning"));
}

std::vector<unsigned> lines(const std::vector<config::Fault>& faults) {
  std::vector<unsigned> all;
  for (const config::Fault& fault : faults) all.push_back(fault.line);
  return all;
}

// Nobody relies on what does nothing.
TEST(Judge, WhatThisVersionHasNot_IsRefusedAllAtOnceWithItsLine) {  // AB-163
  Folder folder;
  folder.configure(
      "[[listen]]\nkind = \"s2s-tls\"\naddress = \"127.0.0.1:0\"\n"
      "[[listen]]\nkind = \"backend\"\naddress = \"127.0.0.1:0\"\n"
      "[[listen]]\nkind = \"dns-view\"\naddress = \"127.0.0.1:0\"\n"
      "[[domain]]\nname = \"b.tld\"\nvia = \"backend\"\naddress = \"127.0.0.1:15269\"\n"
      "[limits]\ndead_after = \"2m\"\n");
  const config::Parsed parsed = judged(folder);
  for (const std::string& fault : texts(parsed.faults)) EXPECT_THAT(fault, HasSubstr(" is not in this version; "));
  EXPECT_THAT(lines(parsed.faults), ElementsAre(21, 24, 27, 30, 33));
}

// AB-207
TEST(Judge, StateFolderOfSomebodyElse_IsRefusedAndStaysAsItWas) {
  Folder folder;
  folder.configure();
  fs::create_directory(folder.file("state"));
  folder.write("state/somebody-elses", "x");
  ::chmod(folder.file("state").c_str(), 01777);
  const config::Parsed parsed = judged(folder);
  EXPECT_THAT(texts(parsed.faults), ElementsAre(AllOf(HasSubstr("[gateway] state_dir: "), HasSubstr("is not empty"))));
  EXPECT_THAT(lines(parsed.faults), ElementsAre(3));
  Serving serving(folder);
  EXPECT_EQ(serving.exit_code(), 78);
  struct stat facts {};
  ASSERT_EQ(::stat(folder.file("state").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 01777u);
  folder.write("state/dialback.secret", std::string(32, 'x'));  // one of a gateway's
  EXPECT_THAT(texts(judged(folder).faults), IsEmpty());
  fs::remove_all(folder.file("state"));
  folder.write("state", "a file");
  EXPECT_THAT(texts(judged(folder).faults), ElementsAre(HasSubstr("is no folder")));
}

// AB-207: what `serve` would stumble over, found without starting.
TEST(TryOut, PortsFoldersAndTheControlSocket_AreTried) {
  Folder folder;
  fs::permissions(folder.file(""), fs::perms(0755));  // else an account that root becomes could not pass
  const auto tried = [&](const std::string& more) {
    folder.configure(more);
    config::Parsed parsed = judged(folder);
    try_out(*parsed.config, {}, parsed);
    return parsed;
  };
  EXPECT_THAT(texts(tried("").faults), IsEmpty());
  EXPECT_THAT(texts(tried("").warnings), IsEmpty());
  EXPECT_FALSE(fs::exists(folder.file("state")));  // what it made it took away
  if (::geteuid() == 0) {                          // AB-243
    fs::permissions(folder.file(""), fs::perms(0700));
    EXPECT_THAT(texts(tried("").warnings), ElementsAre(HasSubstr("is closed to the user")));
    fs::permissions(folder.file(""), fs::perms(0755));
  }
  const int taken = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&at), &size), 0);
  const std::string place = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  const config::Parsed parsed = tried("[[listen]]\nkind = \"s2s\"\naddress = \"" + place + "\"\n");
  EXPECT_THAT(texts(parsed.warnings), ElementsAre(HasSubstr("cannot listen on " + place)));
  EXPECT_THAT(lines(parsed.warnings), ElementsAre(21));
  ::close(taken);
  EXPECT_THAT(texts(tried("[[listen]]\nkind = \"s2s\"\naddress = \"192.0.2.1:5269\"\n").faults),
              ElementsAre(HasSubstr("bind it to an address of this machine")));
  folder.write("control.sock", "x");
  EXPECT_THAT(texts(tried("").faults), ElementsAre(HasSubstr("control.sock is there, and is no socket")));
}

// AB-227: a resolver that cannot be used is found without starting, and is no reason not to start.
TEST(TryOut, ResolverThatDoesNotAnswer_IsAWarning) {
  Folder folder;
  folder.configure();
  config::Parsed parsed = judged(folder);
  try_resolver(*parsed.config, os::SystemFiles(), parsed);
  EXPECT_THAT(texts(parsed.faults), IsEmpty());
  EXPECT_THAT(texts(parsed.warnings),
              Contains(AllOf(HasSubstr("[dns] dns.indeterminate: "), HasSubstr("[dns] forward"))));
}

TEST(Judge, PoshAlone_IsAPolicyLikeAnyOther) {
  Folder folder;
  folder.configure("[policy]\nproofs = [\"posh\"]\n");
  EXPECT_THAT(texts(judged(folder).faults), ElementsAre());
}

TEST(Judge, AnchorsThatCouldProveNothing_AreFaults) {
  Folder folder;
  folder.write("root.key", ". IN DS 1 13 2 abcd\n");
  folder.write("empty.pem", "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n");
  folder.configure("[dns]\ntrust_anchor = \"root.key\"\n");
  EXPECT_THAT(texts(judged(folder).faults), ElementsAre(HasSubstr("[dns] trust_anchor: ")));
}

TEST(Judge, RevocationLists_AreReadAtTheStart) {  // REV-02
  Folder folder;
  const test::MadeCertificate authority = test::make_root();
  const std::string der = test::make_crl(authority);
  folder.write("good.crl", der);
  folder.write("good.pem", test::pem_of_crl(der) + test::pem_of_crl(der));
  folder.write("bad.crl", "x");
  folder.write("certificate.pem", authority.pem);
  folder.configure_tls("revocation = \"hard\"\ncrl = [\"good.crl\", \"good.pem\"]\n");
  EXPECT_THAT(texts(judged(folder).faults), IsEmpty());
  folder.configure_tls("crl = [\"bad.crl\", \"good.crl\", \"certificate.pem\"]\n");
  EXPECT_THAT(texts(judged(folder).faults), ElementsAre(AllOf(HasSubstr("[tls] crl: "), HasSubstr("bad.crl")),
                                                        AllOf(HasSubstr("[tls] crl: "), HasSubstr("certificate.pem"))));
  folder.configure_tls("revocation = \"off\"\ncrl = [\"good.crl\"]\n");
  EXPECT_THAT(texts(judged(folder).warnings), Contains(HasSubstr("crl is not looked at")));
}

TEST(Serve, FromReadyToStopped_AnswersTheControlSocketAndExitsZero) {  // AB-167
  Folder folder;
  folder.configure("[[listen]]\nkind = \"http\"\naddress = \"127.0.0.1:0\"\n");
  Serving serving(folder);
  ASSERT_TRUE(serving.wait_for("event=ready")) << serving.log();
  EXPECT_THAT(serving.log(), HasSubstr("event=listening kind=s2s address=127.0.0.1:"));
  EXPECT_THAT(serving.log(), Not(HasSubstr("address=127.0.0.1:0\n")));  // the real port
  const Result<http::Got> status = http::get(folder.file("control.sock"), "/api/v1/status", 30s);
  ASSERT_TRUE(status) << status.error().detail;
  const boost::json::value document = boost::json::parse(status->body);
  // AB-227, AB-138: it works, and says that it cannot look anybody up: nobody answers at that port.
  EXPECT_FALSE(document.at("ready").as_bool());
  EXPECT_EQ(document.at("hostname").as_string(), "xmpp1.receiving.tld");
  EXPECT_EQ(http::get(folder.file("control.sock"), "/healthz", 30s)->status, 200u);
  ASSERT_TRUE(serving.wait_for("event=resolver_unfit reason=dns.indeterminate")) << serving.log();
  const Result<http::Got> readiness = http::get(folder.file("control.sock"), "/readyz", 30s);
  EXPECT_EQ(readiness->status, 503u);
  EXPECT_THAT(readiness->body, HasSubstr("dns: dns.indeterminate: "));
  struct stat facts {};
  ASSERT_EQ(::stat(folder.file("state").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  serving.send(SIGTERM);
  EXPECT_EQ(serving.exit_code(), 0);
  EXPECT_THAT(serving.log(), HasSubstr("event=stop signal=SIGTERM"));
  EXPECT_THAT(serving.log(), HasSubstr("event=stopped"));
  EXPECT_THAT(serving.log(), Not(HasSubstr("s3cret-of-target1")));  // SEC-02, AB-115
}

// P13: a bad new configuration is refused whole, with all of its faults, and what runs goes on.
TEST(Serve, Reload_IsAllOrNothing) {
  Folder folder;
  folder.configure();
  folder.hand_over();
  Serving serving(folder);
  ASSERT_TRUE(serving.wait_for("event=ready")) << serving.log();
  folder.configure("[polcy]\n[policy]\nproofs = [\"dan\"]\n");
  serving.send(SIGHUP);
  ASSERT_TRUE(serving.wait_for("event=reload_refused")) << serving.log();
  const Result<http::Got> refused = http::ask(folder.file("control.sock"), "/api/v1/reload", "", 30s);
  EXPECT_EQ(refused->status, 409u);
  EXPECT_THAT(refused->body, HasSubstr("unknown key \\\"polcy\\\""));
  EXPECT_THAT(refused->body, HasSubstr("dan"));
  folder.configure("[limits]\nqueue_age = \"30s\"\n");
  EXPECT_THAT(http::ask(folder.file("control.sock"), "/api/v1/reload", "", 30s)->body,
              HasSubstr("[limits] changed, which a reload does not do; restart the gateway"));
  folder.configure("[policy]\nproofs = [\"pkix\"]\n");
  EXPECT_EQ(http::ask(folder.file("control.sock"), "/api/v1/reload", "", 30s)->body, R"({"ok":true,"faults":[]})");
  ASSERT_TRUE(serving.wait_for("event=reloaded")) << serving.log();
  const Result<http::Got> explained =
      http::get(folder.file("control.sock"), "/api/v1/explain?local=target1.tld&remote=blocked.test", 30s);
  EXPECT_THAT(explained->body, HasSubstr("a special-use name"));
  EXPECT_EQ(http::ask(folder.file("control.sock"), "/api/v1/drain", "", 30s)->status, 200u);
  EXPECT_EQ(serving.exit_code(), 0);
}

TEST(Serve, KilledAndStartedAgain_TakesItsSocketAndKeepsItsSecret) {
  Folder folder;
  folder.configure();
  const auto secret = [&] {
    std::ifstream file(folder.file("state/dialback.secret"));
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  {
    Serving first(folder);
    ASSERT_TRUE(first.wait_for("event=ready")) << first.log();
  }  // kill -9
  const std::string before = secret();
  EXPECT_EQ(before.size(), 32u);
  Serving second(folder);
  ASSERT_TRUE(second.wait_for("event=ready")) << second.log();
  EXPECT_EQ(secret(), before);
  Serving third(folder);  // while the second runs
  EXPECT_EQ(third.exit_code(), 2);
  EXPECT_THAT(third.log(), HasSubstr("is a gateway running already?"));
  EXPECT_TRUE(http::get(folder.file("control.sock"), "/healthz", 30s));
}

// A collector reads records and nothing else, also of a start that failed.
TEST(Serve, StartThatFails_IsARecordInTheChosenFormat) {  // AB-208
  Folder folder;
  folder.configure("[log]\nformat = \"json\"\n");
  fs::create_directory(folder.file("control.sock"));
  const auto records = [&] {
    Serving serving(folder);
    EXPECT_NE(serving.exit_code(), 0);
    std::vector<boost::json::object> all;
    std::istringstream text(serving.log());
    for (std::string line; std::getline(text, line);) all.push_back(boost::json::parse(line).as_object());
    return all;
  };
  const auto failed = records();
  ASSERT_FALSE(failed.empty());
  EXPECT_EQ(failed.back().at("event").as_string(), "start_failed");
  EXPECT_THAT(std::string(failed.back().at("text").as_string()), HasSubstr("that is no socket"));
  folder.configure("[log]\nformat = \"json\"\n[polcy]\n[limits]\ndepht = 5\n");
  EXPECT_EQ(records().size(), 2u);
}

TEST(Serve, ConfigurationFaults_AreAllSaidAndExit78) {
  Folder folder;
  folder.configure("[polcy]\n[log]\nlevel = \"loud\"\n");
  Serving serving(folder);
  EXPECT_EQ(serving.exit_code(), 78);
  EXPECT_THAT(serving.log(), HasSubstr("unknown key \"polcy\"; did you mean \"policy\"?"));
  EXPECT_THAT(serving.log(), HasSubstr("[log] level cannot be \"loud\""));
}

}  // namespace
}  // namespace ligase::node
