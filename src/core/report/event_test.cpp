// One record is one line, whatever a peer put into it.
#include "report/event.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace ligase::report {
namespace {

const WallTime t0{std::chrono::seconds(1795557124)};  // 2026-11-24T21:52:04Z

TEST(EventText, PlainValues_StandBare) {
  const Event event = Event(Level::info, "pair_proven").with("direction", "out").with("local", "target1.tld");
  EXPECT_EQ(as_text(event, t0), "2026-11-24T21:52:04Z info event=pair_proven direction=out local=target1.tld");
}

TEST(EventText, ValueThatCouldBeMistaken_IsQuoted) {
  const Event event = Event(Level::warning, "stream_closed")
                          .with("text", "see \"the log\"")
                          .with("empty", "")
                          .with("forged", "event=ready");
  EXPECT_EQ(as_text(event, t0),
            R"(2026-11-24T21:52:04Z warning event=stream_closed text="see \"the log\"" empty="" forged="event=ready")");
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
  EXPECT_EQ(line, "2026-11-24T21:52:04Z info event=stream_closed text=" + std::string(256, 'x') + "…");
}

// AB-110
TEST(EventJson, HostileValues_StayInsideOneValidObjectOnOneLine) {
  const std::string hostile = "a\r\n\"},{\"event\":\"ready\"\x1b\u202e\xff\xc0\xaf";
  const Event event = Event(Level::error, "stream_closed").with("text", hostile).with("long", std::string(10240, 'y'));
  const std::string line = as_json(event, t0);
  EXPECT_EQ(line.find_first_of("\r\n\x1b"), std::string::npos);
  EXPECT_EQ(line.find("\u202e"), std::string::npos);
  const boost::json::object object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("time").as_string(), "2026-11-24T21:52:04Z");
  EXPECT_EQ(object.at("level").as_string(), "error");
  EXPECT_EQ(object.at("event").as_string(), "stream_closed");
  EXPECT_EQ(object.at("text").as_string(), "a\r\n\"},{\"event\":\"ready\"\x1b\u202e\ufffd\ufffd\ufffd");
  EXPECT_EQ(object.at("long").as_string(), std::string(256, 'y') + "…");
}

TEST(EventJson, CutInsideACharacter_LeavesWholeCharacters) {
  const Event event = Event(Level::info, "stream_closed").with("text", std::string(255, 'y') + "€uro");
  const boost::json::object object = boost::json::parse(as_json(event, t0)).as_object();
  EXPECT_EQ(object.at("text").as_string(), std::string(255, 'y') + "…");
}

}  // namespace
}  // namespace ligase::report
