// What an operator types, and what a slip of the hand is told (contract, section 2).
#include "cmd/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "cmd/ctl.hpp"
#include "cmd/table.hpp"
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
  EXPECT_EQ(told({"ctl", "pairs", "more"}),
            "ligase: error: \"more\" is one word too many for ligase ctl; see ligase ctl --help\n");
  EXPECT_EQ(told({"lab", "--proof", "dan"}),
            "ligase: error: ligase lab --proof: \"dan\" is no way to prove; did you mean dane?\n");
}

TEST(CommandLine, MissingWords_AreNamed) {
  EXPECT_EQ(ligase({}).err, "ligase: error: ligase needs a command; add serve, ctl or lab; see ligase --help\n");
  EXPECT_THAT(ligase({"serve"}).err, HasSubstr("needs a configuration; add --config FILE"));
  EXPECT_THAT(ligase({"serve", "--config"}).err, HasSubstr("--config"));
  EXPECT_THAT(ligase({"ctl"}).err, HasSubstr("needs a command"));
  EXPECT_EQ(ligase({"serve"}).code, 64);
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

TEST(CtlTable, Pairs_AreAlignedAndSorted) {
  report::PairRow one, two;
  one.local = "target1.tld";
  one.remote = "sender2.tld";
  one.direction = "in";
  one.state = "proven";
  one.proof = "dane";
  one.stream = "7";
  one.stanzas = 12345;
  two.local = "a.tld";
  two.remote = "a-much-longer.sender.tld";
  two.direction = "out";
  two.state = "refused";
  two.last_error = "dane.mismatch: the peer\x1b[2J renewed";
  const std::string text = ctl_text("pairs", report::to_json(std::vector{one, two}));
  EXPECT_EQ(
      text,
      "LOCAL        REMOTE                    DIR  STATE    PROOF  STREAM  EXPIRES (UTC)  QUEUED  STANZAS  LAST ERROR\n"
      "a.tld        a-much-longer.sender.tld  out  refused  -      -       -                   0        0  "
      "dane.mismatch: the peer\\x1b[2J renewed\n"
      "target1.tld  sender2.tld               in   proven   dane   7       -                   0    12345  -\n");
}

TEST(CtlTable, EveryCommand_ReadsItsDocument) {
  EXPECT_THAT(ctl_text("status", report::to_json(report::Status{})), HasSubstr("ready             no\n"));
  EXPECT_THAT(ctl_text("streams", report::to_json(std::vector<report::StreamRow>(2))), StartsWith("ID  DIR"));
  EXPECT_THAT(ctl_text("links", report::to_json(std::vector<report::LinkRow>(1))), HasSubstr("DOMAINS"));
  EXPECT_ANY_THROW(ctl_text("pairs", "{"));
  EXPECT_ANY_THROW(ctl_text("pairs", "[{}]"));
}

TEST(Table, LongCells_AreCut) {
  Table table({{"A", Align::left, 4}, {"B"}});
  table.add({"äöüßx", "1"});
  EXPECT_EQ(table.text(), "A     B\näöü…  1\n");
}

}  // namespace
}  // namespace ligase::cmd
