// What an operator types, and what a slip of the hand is told (contract, section 2).
#include "cmd/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <sstream>

#include "cmd/ctl.hpp"
#include "cmd/table.hpp"
#include "report/explanation.hpp"
#include "report/snapshot.hpp"

namespace ligase::cmd {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Ran {
  int code;
  std::string out, err;
};

Ran ligase(std::vector<std::string> words) {
  words.insert(words.begin(), "ligase");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run(static_cast<int>(words.size()), argv.data());
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(CommandLine, Help_OfEverySubcommandHasUsageExamplesAndExitCodes) {
  for (const char* command : {"serve", "ctl", "lab"}) {
    const Ran ran = ligase({command, "--help"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, HasSubstr(std::string("Usage: ligase ") + command));
    EXPECT_THAT(ran.out, HasSubstr("Examples:\n  ligase "));
    EXPECT_THAT(ran.out, HasSubstr("Exit codes:\n"));
  }
  EXPECT_THAT(ligase({"--version"}).out, StartsWith("ligase "));
}

TEST(CommandLine, MisspeltWord_IsAnsweredWithTheNearest) {
  const auto told = [](std::vector<std::string> words) {
    const Ran ran = ligase(std::move(words));
    EXPECT_EQ(ran.code, 64);
    return ran.err;
  };
  EXPECT_EQ(told({"srve"}), "ligase: error: unknown command \"srve\"; did you mean serve?\n");
  EXPECT_EQ(told({"--vesion"}), "ligase: error: unknown option --vesion; did you mean --version?\n");
  EXPECT_EQ(told({"serve", "--confg", "gw.toml"}),
            "ligase: error: unknown option --confg of ligase serve; did you mean --config?\n");
  EXPECT_EQ(told({"ctl", "stream"}),
            "ligase: error: unknown command \"stream\" of ligase ctl; did you mean streams?\n");
  EXPECT_EQ(told({"ctl", "explain", "sender1.tld"}),
            "ligase: error: ligase ctl explain takes LOCAL REMOTE; see ligase ctl --help\n");
  EXPECT_EQ(told({"ctl", "close", "--pair", "1"}),
            "ligase: error: ligase ctl close takes LOCAL REMOTE; see ligase ctl --help\n");
  EXPECT_EQ(told({"ctl", "pairs", "--pair"}),
            "ligase: error: --pair belongs to ligase ctl close; see ligase ctl --help\n");
  EXPECT_EQ(told({"ctl", "links", "more"}),
            "ligase: error: \"more\" is one word too many for ligase ctl; see ligase ctl --help\n");
  EXPECT_EQ(told({"lab", "--proof", "dan"}),
            "ligase: error: ligase lab --proof: \"dan\" is no way to prove; did you mean dane?\n");
}

TEST(CommandLine, MissingWords_AreNamed) {
  EXPECT_EQ(ligase({}).err, "ligase: error: ligase needs a command; add serve, ctl or lab; see ligase --help\n");
  EXPECT_THAT(ligase({"serve", "--check"}).err, HasSubstr("/etc/ligase/ligase.toml"));  // where none is named
  EXPECT_THAT(ligase({"serve", "--config"}).err, HasSubstr("--config"));
  EXPECT_THAT(ligase({"ctl"}).err, HasSubstr("needs a command"));
  EXPECT_EQ(ligase({"ctl"}).code, 64);
}

TEST(CommandLine, FailureWithJson_PrintsTheErrorDocument) {
  const Ran usage = ligase({"ctl", "stream", "--json"});
  EXPECT_EQ(usage.code, 64);
  EXPECT_EQ(boost::json::parse(usage.out).at("error").as_string(), "config.invalid");
  const Ran absent = ligase({"ctl", "--control", "/nonexistent/control.sock", "status", "--json"});
  EXPECT_EQ(absent.code, 3);
  const boost::json::value document = boost::json::parse(absent.out);
  EXPECT_EQ(document.at("error").as_string(), "connect.refused");
  EXPECT_THAT(std::string(document.at("message").as_string()), HasSubstr("is it running?"));
}

TEST(CommandLine, MissingConfiguration_Exits78) {
  EXPECT_EQ(ligase({"serve", "--config", "/nonexistent/gw.toml", "--check"}).code, 78);
  const Ran ctl = ligase({"ctl", "--config", "/nonexistent/gw.toml", "status"});
  EXPECT_EQ(ctl.code, 78);
  EXPECT_EQ(ctl.err,
            "ligase: error: configuration (/nonexistent/gw.toml): cannot read the configuration: No such file or "
            "directory; check the path and its modes\n");
}

const View kView{1795557124};  // 2026-11-24T21:52:04Z

report::PairRow pair_row(const char* local, const char* remote, const char* direction, const char* state) {
  report::PairRow row;
  row.local = local;
  row.remote = remote;
  row.direction = direction;
  row.state = state;
  return row;
}

std::vector<report::PairRow> some_pairs() {
  report::PairRow one = pair_row("target1.tld", "sender2.tld", "in", "proven");
  one.proof = "dane";
  one.stream = "7";
  one.stanzas = 12345;
  one.expires_at = WallTime(std::chrono::seconds(1795557124 + 58 * 60 * 3));
  report::PairRow two = pair_row("a.tld", "a-much-longer.sender.tld", "out", "refused");
  two.last_error = "dane.mismatch: the peer\x1b[2J renewed";
  return {one, two};
}

TEST(CtlTable, Pairs_AreAlignedAndSorted) {
  const std::string text = ctl_text("pairs", report::to_json(some_pairs()), kView);
  EXPECT_EQ(
      text,
      "LOCAL        REMOTE                    DIR  STATE    BY                                      ON  EXPIRES  WAIT "
      " STANZAS\n"
      "a.tld        a-much-longer.sender.tld  out  refused  dane.mismatch: the peer\\x1b[2J renewed  -         -     "
      "0        0\n"
      "target1.tld  sender2.tld               in   proven   dane                                    7    in 2 h     0 "
      "   12.3k\n");
}

// AB-110, contract section 5: 80 columns where the terminal has them.
TEST(CtlTable, NarrowTerminal_CutsWhatIsWide) {
  for (const char* command : {"pairs", "streams", "links"}) {
    report::StreamRow stream;
    stream.id = "123";
    stream.direction = "out";
    stream.kind = "s2s";
    stream.address = "[2001:db8:1234:5678:9abc:def0:1234:5678]:5269";
    stream.peer_host = "xmpp1.a-very-long-name-of-a-provider.example.org";
    stream.tls = report::TlsRow{"TLSv1.3", "x", std::nullopt, std::nullopt};
    stream.pairs = stream.stanzas_in = stream.stanzas_out = stream.queued_bytes = 123456;
    stream.opened_at = WallTime(std::chrono::seconds(1795557124 - 7200));
    report::PairRow pair = pair_row("a-very-long-name-of-a-customer.example.org",
                                    "another-very-long-name-of-a-customer.example.org", "out", "proving");
    pair.stream = "1234";
    pair.last_error = std::string(200, 'x');
    pair.expires_at = WallTime(std::chrono::seconds(1795557124 + 58 * 60));
    pair.stanzas = 999999999;
    report::LinkRow link;
    link.kind = "component";
    link.domains = std::vector<std::string>(20, "customer.example.org");
    const std::string document = command == std::string("pairs")     ? report::to_json(std::vector{pair})
                                 : command == std::string("streams") ? report::to_json(std::vector{stream})
                                                                     : report::to_json(std::vector{link});
    std::istringstream text(ctl_text(command, document, {1795557124, 80}));
    for (std::string line; std::getline(text, line);) {
      const auto characters =
          std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; });
      EXPECT_LE(characters, 80) << line;
    }
  }
}

TEST(CtlTable, EveryCommand_ReadsItsDocument) {
  EXPECT_THAT(ctl_text("status", report::to_json(report::Status{}), kView), HasSubstr("ready             no\n"));
  report::Status status;
  status.stanzas_per_s = 8412.5;
  status.started_at = WallTime(std::chrono::seconds(1795557124 - 90));
  EXPECT_THAT(ctl_text("status", report::to_json(status), kView),
              testing::AllOf(HasSubstr("stanzas           8.4k/s\n"),
                             HasSubstr("started           2026-11-24T21:50:34Z (90 s ago)\n")));
  EXPECT_THAT(ctl_text("status", report::to_json(status), kView), HasSubstr("bounced           0\n"));
  status.bounced = {{"dns.not_found", 2}, {"queue.full", 8412}};
  status.dropped = {{"unsolicited", 1}};
  EXPECT_THAT(ctl_text("status", report::to_json(status), kView),
              testing::AllOf(HasSubstr("bounced           8.4k: queue.full 8.4k, dns.not_found 2\n"),
                             HasSubstr("dropped           1: unsolicited 1\n")));
  EXPECT_THAT(ctl_text("streams", report::to_json(std::vector<report::StreamRow>(2)), kView), StartsWith("ID  DIR"));
  EXPECT_THAT(ctl_text("links", report::to_json(std::vector<report::LinkRow>(1)), kView), HasSubstr("DOMAINS"));
  EXPECT_ANY_THROW(ctl_text("pairs", "{", kView));
  EXPECT_ANY_THROW(ctl_text("pairs", "[{}]", kView));
}

TEST(CtlRows, Filters_ChooseSortAndCut) {
  std::vector<report::PairRow> pairs = some_pairs();
  pairs.push_back(pair_row("b.tld", "sender2.tld", "out", "proving"));
  const boost::json::array rows = boost::json::parse(report::to_json(pairs)).as_array();
  const auto locals = [&](const RowFilter& filter) {
    std::string all;
    const auto chosen = choose_rows(rows, filter);
    if (!chosen) return chosen.error().detail;
    for (const auto& row : *chosen) all += std::string(row.at("local").as_string()) + " ";
    return all;
  };
  EXPECT_EQ(locals({}), "target1.tld a.tld b.tld ");
  EXPECT_EQ(locals({.state = "refused"}), "a.tld ");
  EXPECT_EQ(locals({.proof = "dane"}), "target1.tld ");
  EXPECT_EQ(locals({.direction = "out"}), "a.tld b.tld ");
  EXPECT_EQ(locals({.peer = "SENDER2"}), "target1.tld b.tld ");
  EXPECT_EQ(locals({.words = {"sender2", "proving"}}), "b.tld ");
  EXPECT_EQ(locals({.words = {"nothing"}}), "");
  EXPECT_EQ(locals({.sort = "local"}), "a.tld b.tld target1.tld ");
  EXPECT_EQ(locals({.sort = "-stanzas", .limit = 1}), "target1.tld ");
  EXPECT_THAT(locals({.sort = "stanza"}), HasSubstr("there is no key \"stanza\" to sort by: local, remote"));
  EXPECT_EQ(choose_rows(rows, {.words = {"tld"}})->at(0), rows.at(0));  // a row stays what the gateway said
}

TEST(CtlRows, NumbersAndTimes_AreForPeople) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.25), "0.2");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(8412), "8.4k");
  EXPECT_EQ(short_number(99999), "100k");
  EXPECT_EQ(short_number(999999), "1.0M");
  EXPECT_EQ(short_number(2e15), "2000T");
  EXPECT_EQ(relative_time(100, 100), "now");
  EXPECT_EQ(relative_time(100 + 58 * 60 + 59, 100), "in 58 min" + std::string());
  EXPECT_EQ(relative_time(0, 119), "119 s ago");
  EXPECT_EQ(relative_time(0, 3 * 3600), "3 h ago");
  EXPECT_EQ(relative_time(0, 86400 * 3), "3 d ago");
  EXPECT_EQ(parse_time("2026-11-24T21:52:04Z"), 1795557124);
  EXPECT_FALSE(parse_time("2026-13-24T21:52:04Z"));
  EXPECT_FALSE(parse_time("2026-11-24 21:52:04Z"));
}

// contract section 2: 2 broken, refused or failed; 3 could not tell.
TEST(CtlExplain, ExitCode_SaysWhetherThePairHolds) {
  using report::Outcome;
  const auto code = [](Outcome out, Outcome in) {
    report::Explanation told;
    told.out = out;
    told.in = in;
    return verdict_of(report::to_json(told));
  };
  EXPECT_EQ(code(Outcome::holds, Outcome::holds), Exit::fine);
  EXPECT_EQ(code(Outcome::refused, Outcome::unknown), Exit::failed);
  EXPECT_EQ(code(Outcome::holds, Outcome::refused), Exit::failed);
  EXPECT_EQ(code(Outcome::holds, Outcome::unknown), Exit::could_not_tell);
}

TEST(CommandLine, Filters_AreChecked) {
  const auto told = [](std::vector<std::string> words) {
    const Ran ran = ligase(std::move(words));
    EXPECT_EQ(ran.code, 64);
    return ran.err;
  };
  EXPECT_THAT(told({"ctl", "pairs", "--state", "provn"}),
              HasSubstr("--state cannot be \"provn\"; did you mean proven?"));
  EXPECT_THAT(told({"ctl", "streams", "--proof", "dane"}), HasSubstr("belong to ligase ctl pairs"));
  EXPECT_THAT(told({"ctl", "status", "--count"}), HasSubstr("filters belong to ligase ctl pairs and streams"));
  EXPECT_THAT(told({"ctl", "pairs", "--limit", "x"}), HasSubstr("--limit"));
  EXPECT_THAT(told({"ping", "a", "b"}), HasSubstr("ligase ping is not in this version"));
  EXPECT_EQ(ligase({"ctl", "--control", "/nonexistent", "pairs", "--sort", "-queued", "a", "b"}).code, 3);
}

// AB-110: a terminal is safe from what is shown; what is quoted reads as it was written.
TEST(Table, TextForPeople_KeepsItsQuotes) {
  EXPECT_EQ(readable("name one, or \"root\"", 100), "name one, or \"root\"");
  EXPECT_EQ(readable("\"", 100), "\"");
  EXPECT_EQ(readable("a\x1b[2J\\", 100), "a\\x1b[2J\\\\");
  EXPECT_EQ(readable("abcd", 3), "abc…");
  EXPECT_EQ(readable("", 3), "");
  report::Status status;
  status.not_ready = {"name one, or \"root\""};
  EXPECT_THAT(ctl_text("status", report::to_json(status), kView), HasSubstr("no: name one, or \"root\"\n"));
}

TEST(Table, LongCells_AreCut) {
  Table table({{"A", Align::left, 4}, {"B"}});
  table.add({"äöüßx", "1"});
  EXPECT_EQ(table.text(), "A     B\näöü…  1\n");
}

}  // namespace
}  // namespace ligase::cmd
