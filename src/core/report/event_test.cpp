// One record is one line, whatever a peer put into it.
#include "report/event.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace ligase::report {
namespace {

const LogTime t0{std::chrono::milliseconds(1795557124007)};  // 2026-11-24T21:52:04.007Z

TEST(EventText, PlainValues_StandBare) {
  const Event event = Event(Level::info, "pair_proven").with("direction", "out").with("local", "target1.tld");
  EXPECT_EQ(as_text(event, t0), "2026-11-24T21:52:04.007Z info event=pair_proven direction=out local=target1.tld");
}

TEST(EventText, ValueThatCouldBeMistaken_IsQuoted) {
  const Event event = Event(Level::warning, "stream_closed")
                          .with("text", "see \"the log\"")
                          .with("empty", "")
                          .with("forged", "event=ready");
  EXPECT_EQ(
      as_text(event, t0),
      R"(2026-11-24T21:52:04.007Z warning event=stream_closed text="see \"the log\"" empty="" forged="event=ready")");
}

// AB-110
TEST(EventText, ControlsInAValue_NeitherEndTheRecordNorReachTheTerminal) {
  const Event event = Event(Level::info, "stream_closed")
                          .with("peer", "a\r\n2026-11-24T21:52:04Z info event=ready\x1b[2J\x07")
                          .with("bidi", "moc.\u202egood.tld\u2066")
                          .with("nul", std::string_view("\0x", 2));
  const std::string line = as_text(event, t0);
  EXPECT_EQ(line.find_first_of("\r\n\x1b\x07"), std::string::npos);
  EXPECT_EQ(line.find('\0'), std::string::npos);
  EXPECT_EQ(line.find("\u202e"), std::string::npos);
  EXPECT_EQ(line.find("\u2066"), std::string::npos);
  EXPECT_NE(line.find(R"(peer="a\x0d\x0a2026-11-24T21:52:04Z info event=ready\x1b[2J\x07")"), std::string::npos)
      << line;
}

// AB-110
TEST(EventText, TenKilobyteValue_IsCut) {
  const Event event = Event(Level::info, "stream_closed").with("text", std::string(10240, 'x'));
  const std::string line = as_text(event, t0);
  EXPECT_EQ(line, "2026-11-24T21:52:04.007Z info event=stream_closed text=" + std::string(256, 'x') + "…");
}

// AB-110
TEST(EventJson, HostileValues_StayInsideOneValidObjectOnOneLine) {
  const std::string hostile = "a\r\n\"},{\"event\":\"ready\"\x1b\u202e\xff\xc0\xaf";
  const Event event = Event(Level::error, "stream_closed").with("text", hostile).with("long", std::string(10240, 'y'));
  const std::string line = as_json(event, t0);
  EXPECT_EQ(line.find_first_of("\r\n\x1b"), std::string::npos);
  EXPECT_EQ(line.find("\u202e"), std::string::npos);
  const boost::json::object object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("time").as_string(), "2026-11-24T21:52:04.007Z");
  EXPECT_EQ(object.at("level").as_string(), "error");
  EXPECT_EQ(object.at("event").as_string(), "stream_closed");
  EXPECT_EQ(object.at("text").as_string(), "a\r\n\"},{\"event\":\"ready\"\x1b\u202e\ufffd\ufffd\ufffd");
  EXPECT_EQ(object.at("long").as_string(), std::string(256, 'y') + "…");
}

// AB-208: whoever writes the event, its keys come in one order, and what is counted is a number.
TEST(EventJson, KeysHaveOneOrder_AndCountsAreNumbers) {
  const Event event = Event(Level::info, "stream_closed")
                          .with("unsent_bytes", "17")
                          .with("reason", "stream.idle")
                          .with("stream", "7")
                          .with("zzz", "1")
                          .with("direction", "in");
  EXPECT_EQ(as_json(event, t0),
            R"({"time":"2026-11-24T21:52:04.007Z","level":"info","event":"stream_closed","direction":"in",)"
            R"("stream":"7","reason":"stream.idle","unsent_bytes":17,"zzz":"1"})");
  EXPECT_EQ(as_text(event, t0),
            "2026-11-24T21:52:04.007Z info event=stream_closed direction=in stream=7 reason=stream.idle "
            "unsent_bytes=17 zzz=1");
  EXPECT_NE(as_json(Event(Level::info, "x").with("count", "many"), t0).find(R"("count":"many")"), std::string::npos);
}

TEST(EventJson, CutInsideACharacter_LeavesWholeCharacters) {
  const Event event = Event(Level::info, "stream_closed").with("text", std::string(255, 'y') + "€uro");
  const boost::json::object object = boost::json::parse(as_json(event, t0)).as_object();
  EXPECT_EQ(object.at("text").as_string(), std::string(255, 'y') + "…");
}

}  // namespace
}  // namespace ligase::report
