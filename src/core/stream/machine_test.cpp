// The stream machine by transcripts (tests/transcripts/stream/*.txt): `<<` arrives, `>>` we send, `--` the world, `==` what
// the machine asks or reports. Each file runs twice, in whole pieces and byte by byte: both must be the same (XML-02).
#include "stream/machine.hpp"
#include "base/overloaded.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace ligase::stream {
namespace {

class TestHosting final : public Hosting {
 public:
  bool is_hosted(const Domain& domain) const override {
    return domain.text() == "target1.tld" || domain.text() == "target2.tld";
  }
  Encryption encryption_towards(const Domain*) const override { return encryption; }
  bool offers_bidi(const Domain&) const override { return is_bidi; }
  Encryption encryption = Encryption::required;
  bool is_bidi = false;
};

std::string verdict_text(const DbVerdict& verdict) {
  switch (verdict.type) {
    case DbType::valid:
      return "valid";
    case DbType::invalid:
      return "invalid";
    case DbType::error:
      break;
  }
  return fmt::format("error/{}", condition_name(verdict.condition));
}

// Runs one transcript and notes what came of it, in the transcript's own words.
class Runner : private StanzaSink {
 public:
  explicit Runner(bool bytewise) : bytewise_(bytewise) {}

  void run(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      const std::string rest = line.size() > 3 ? line.substr(3) : "";
      if (line.starts_with("<<")) {
        arrive(rest);
      } else if (line.starts_with("--")) {
        world(rest);
      } else if (line.starts_with(">>") && !expected.empty() && expected.back().starts_with(">>")) {
        expected.back() += rest;  // what we send is one string until something is asked or reported
      } else {
        expected.push_back(line);
      }
    }
    flush_sent();
  }
  std::vector<std::string> expected, actual;

 private:
  void arrive(const std::string& bytes) {
    if (!bytewise_) return take(machine_->feed(bytes, *this, now_));
    for (const char byte : bytes) take(machine_->feed(std::string_view(&byte, 1), *this, now_));
  }

  void world(const std::string& line) {
    if (line.starts_with("receiving")) {
      hosting_.encryption = line.find("preferred") != std::string::npos ? Encryption::preferred : Encryption::required;
      hosting_.is_bidi = line.find("bidi") != std::string::npos;
      Limits limits;
      if (line.find("flow") != std::string::npos) limits.window = 65536;
      if (line.find("small stanzas") != std::string::npos) limits.stanza_size = limits.xml.stanza_size = 200;
      machine_.emplace(Machine::receive(
          limits, hosting_, [this] { return fmt::format("id{}", ++ids_); }, now_));
    } else if (line.starts_with("initiating")) {
      const Encryption encryption =
          line.find("preferred") != std::string::npos ? Encryption::preferred : Encryption::required;
      Limits limits;
      if (line.find("flow") != std::string::npos) limits.window = 65536;
      machine_.emplace(
          Machine::initiate(limits, *Domain::parse("sender1.tld"), *Domain::parse("target1.tld"), encryption, now_));
      take(machine_->start());
    } else if (line == "tls") {
      take(machine_->on_tls(now_));
    } else if (line == "server proven") {
      take(machine_->go_on(External::usual, Bidi::never, now_));
    } else if (line == "server proven, bidi") {
      take(machine_->go_on(External::usual, Bidi::where_offered, now_));
    } else if (line == "server proven, external named") {
      take(machine_->go_on(External::named, Bidi::never, now_));
    } else if (line == "server proven, external as last resort") {
      take(machine_->go_on(External::last_resort, Bidi::never, now_));
    } else if (line == "server proven, no external") {
      take(machine_->go_on(External::never, Bidi::never, now_));
    } else if (line == "server refused") {
      take(machine_->close({Reason::dane_mismatch, "refused"}, now_));
    } else if (line.starts_with("client ")) {
      take(machine_->offer_features(line == "client proven", now_));
    } else if (line.starts_with("authenticate ")) {
      take(machine_->authenticate(
          line == "authenticate yes" ? Result<void>{} : fail(Reason::pkix_name, "the certificate names nobody"), now_));
    } else if (line == "flow") {
      flush_sent();
      const auto& flow = machine_->flow();
      actual.push_back(flow ? fmt::format("== windows: ours {}, theirs {}", flow->ours, flow->theirs)
                            : "== no windows");
    } else if (line == "features") {
      flush_sent();
      const Features& features = machine_->features();
      actual.push_back(!machine_->is_bidi()
                           ? "== one way"
                           : fmt::format("== bidi, {}, {} bytes",
                                         features.dialback_errors ? "dialback with errors" : "no dialback",
                                         features.most_bytes.value_or(0)));
    } else if (line == "pair proven") {
      machine_->pair_proven(now_);
    } else if (line.starts_with("after ")) {
      now_ += std::chrono::seconds(std::stoi(line.substr(6)));
      take(machine_->on_time(now_, line.find("busy") != std::string::npos));
    } else if (line == "close") {
      take(machine_->close({Reason::shutdown, "stop"}, now_));
    } else {
      ADD_FAILURE() << "no such line: " << line;
    }
  }

  void take(Actions actions) {
    for (;;) {
      for (const Action& action : actions) note(action);
      if (!machine_->has_more()) return;
      actions = machine_->resume(*this, now_);
    }
  }

  void note(const Action& action) {
    if (const auto* send = std::get_if<Send>(&action)) {
      sent_ += send->bytes;
      return;
    }
    flush_sent();
    actual.push_back(
        "== " +
        std::visit(
            Overloaded{
                [](const Send&) { return std::string(); },
                [](const StartTls&) { return std::string("start tls"); },
                [](const AskServerVerdict&) { return std::string("judge the server"); },
                [](const AskClientVerdict& a) { return fmt::format("judge the client for {}", a.sender.text()); },
                [](const AskAuthentication& a) { return fmt::format("authenticate {}?", a.sender.text()); },
                [](const Authenticated& a) {
                  return fmt::format("authenticated {} to {}", a.sender.text(), a.target.text());
                },
                [](const ExternalRefused& a) {
                  return fmt::format("external refused{}: {}", a.blames_authzid ? " for the authzid" : "", a.text);
                },
                [](const Opened&) { return std::string("opened"); },
                [](const Claimed& a) {
                  return fmt::format("claimed {} to {} key={}", a.result.sender.text(), a.result.target.text(),
                                     a.result.key);
                },
                [](const ResultAnswered& a) {
                  return fmt::format("answered {} to {} {}", a.result.sender.text(), a.result.target.text(),
                                     verdict_text(*a.result.verdict));
                },
                [](const VerifyAsked& a) {
                  return fmt::format("verify {} to {} id={} key={}", a.verify.sender.text(), a.verify.target.text(),
                                     a.verify.id, a.verify.key);
                },
                [](const VerifyAnswered& a) {
                  return fmt::format("verified {} to {} id={} {}", a.verify.sender.text(), a.verify.target.text(),
                                     a.verify.id, verdict_text(*a.verify.verdict));
                },
                [](const CreditGiven& a) {
                  return fmt::format("credit {} to {}: {}", a.credit.sender.text(), a.credit.target.text(),
                                     a.credit.bytes);
                },
                [](const Dropped& a) { return fmt::format("dropped {} {}", name_of(a.reason), a.what); },
                [](const Ended& a) { return fmt::format("ended {}", name_of(a.why.reason)); },
            },
            action));
  }
  void flush_sent() {
    if (!sent_.empty()) actual.push_back(">> " + std::exchange(sent_, {}));
  }
  xml::Take stanza(const xml::ElementView& element, StanzaKind) override {
    flush_sent();
    if (element.cannot_pass) {
      actual.push_back(fmt::format("== refused {} id={} from={} to={} type={}", name_of(*element.cannot_pass),
                                   element.id.value_or(""), element.from.value_or(""), element.to.value_or(""),
                                   element.type.value_or("")));
      return xml::Take::more;
    }
    actual.push_back(fmt::format("== stanza {}", element.bytes));
    return xml::Take::more;
  }

  bool bytewise_;
  TestHosting hosting_;
  std::optional<Machine> machine_;
  Instant now_{};
  int ids_ = 0;
  std::string sent_;
};

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  return lines;
}

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(LIGASE_SOURCE_DIR) + "/tests/transcripts/stream"))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Transcript : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Transcript, GoesAsWritten) {
  const std::vector<std::string> lines = read_lines(GetParam());
  ASSERT_FALSE(lines.empty());
  for (const bool bytewise : {false, true}) {
    SCOPED_TRACE(bytewise ? "byte by byte" : "in whole pieces");
    Runner runner(bytewise);
    runner.run(lines);
    for (std::size_t i = 0; i < std::max(runner.actual.size(), runner.expected.size()); ++i) {
      const std::string actual = i < runner.actual.size() ? runner.actual[i] : "(nothing)";
      const std::string expected = i < runner.expected.size() ? runner.expected[i] : "(nothing)";
      ASSERT_EQ(actual, expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stream, Transcript, testing::ValuesIn(transcripts()), [](const auto& info) {
  std::string name = info.param.stem().string();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

// STR-05, AB-027: every element that we know, in every situation it can arrive in, has a result that is written down, and
// in none of them is an unproven stanza given to the sink.
TEST(Machine, StanzaBeforeTheStreamIsOpen_NeverReachesTheSink) {
  struct Counting final : StanzaSink {
    xml::Take stanza(const xml::ElementView&, StanzaKind) override {
      ++count;
      return xml::Take::more;
    }
    int count = 0;
  } sink;
  TestHosting hosting;
  const std::string header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='sender1.tld' "
      "to='target1.tld' version='1.0'>";
  const std::string stanza = "<message from='a@sender1.tld' to='b@target1.tld'/>";
  Machine clear = Machine::receive(
      Limits{}, hosting, [] { return "x"; }, Instant{});
  clear.feed(header + stanza, sink, Instant{});
  while (clear.has_more()) clear.resume(sink, Instant{});
  EXPECT_TRUE(clear.is_over());

  Machine judged = Machine::receive(
      Limits{}, hosting, [] { return "x"; }, Instant{});
  judged.feed(header, sink, Instant{});
  judged.resume(sink, Instant{});
  judged.feed("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", sink, Instant{});
  judged.on_tls(Instant{});
  judged.feed(header + stanza, sink, Instant{});
  while (judged.has_more()) judged.resume(sink, Instant{});
  EXPECT_TRUE(judged.waits_for_verdict());
  EXPECT_EQ(sink.count, 0);
}

// STR-01: an id has at least 128 random bits and is new after each restart: the owner gives it, once a header.
TEST(Machine, EachHeaderOfOurs_AsksForANewId) {
  TestHosting hosting;
  hosting.encryption = Encryption::required;
  int asked = 0;
  struct Nothing final : StanzaSink {
    xml::Take stanza(const xml::ElementView&, StanzaKind) override { return xml::Take::more; }
  } sink;
  Machine machine = Machine::receive(
      Limits{}, hosting, [&] { return std::to_string(++asked); }, Instant{});
  const std::string header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='sender1.tld' "
      "to='target1.tld' version='1.0'>";
  machine.feed(header, sink, Instant{});
  machine.resume(sink, Instant{});
  EXPECT_EQ(machine.id(), "1");
  machine.feed("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", sink, Instant{});
  machine.on_tls(Instant{});
  machine.feed(header, sink, Instant{});
  EXPECT_EQ(machine.id(), "2");
}

// AB-040, TLS-04: in the same piece nothing is answered; a later piece, still in clear, ends the connection as well.
TEST(Machine, ClearBytesBehindStarttls_EndTheConnectionUnread) {
  struct Nothing final : StanzaSink {
    xml::Take stanza(const xml::ElementView&, StanzaKind) override { return xml::Take::more; }
  } sink;
  TestHosting hosting;
  const std::string header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='sender1.tld' "
      "to='target1.tld' version='1.0'>";
  const std::string starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
  for (const bool together : {true, false}) {
    Machine machine = Machine::receive(
        Limits{}, hosting, [] { return "x"; }, Instant{});
    machine.feed(header, sink, Instant{});
    machine.resume(sink, Instant{});
    Actions actions = machine.feed(together ? starttls + "<db:result/>" : starttls, sink, Instant{});
    if (!together) {
      EXPECT_TRUE(std::holds_alternative<StartTls>(actions.back()));
      actions = machine.feed("<db:result/>", sink, Instant{});
    }
    ASSERT_EQ(actions.size(), 1u);
    ASSERT_TRUE(std::holds_alternative<Ended>(actions[0]));
    EXPECT_EQ(std::get<Ended>(actions[0]).why.reason, Reason::tls_injection);
  }
}

// AB-014: floods of white space and of elements that mean nothing; a keep-alive a second is none.
TEST(Machine, FloodOfNothing_EndsTheStreamAndKeepAlivesDoNot) {
  struct Nothing final : StanzaSink {
    xml::Take stanza(const xml::ElementView&, StanzaKind) override { return xml::Take::more; }
  } sink;
  TestHosting hosting;
  hosting.encryption = Encryption::preferred;
  const std::string header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='sender1.tld' "
      "to='target1.tld' version='1.0'>";
  const auto flooded = [&](const std::string& piece, int times, Duration pause) {
    Instant now{};
    Machine machine = Machine::receive(
        Limits{}, hosting, [] { return "x"; }, now);
    machine.feed(header, sink, now);
    machine.resume(sink, now);
    machine.pair_proven(now);
    for (int i = 0; i < times && !machine.is_over(); ++i) {
      machine.feed(piece, sink, now);
      while (machine.has_more()) machine.resume(sink, now);
      now += pause;
    }
    return machine.is_over();
  };
  EXPECT_TRUE(flooded(std::string(4096, ' '), 100, Duration{}));
  EXPECT_TRUE(flooded("<r xmlns='urn:xmpp:sm:3'/>", 1000, Duration{}));
  EXPECT_FALSE(flooded(" ", 10000, 1s));
  EXPECT_FALSE(flooded("<message from='a@sender1.tld' to='b@target1.tld'/>", 10000, Duration{}));
}

}  // namespace
}  // namespace ligase::stream
