// Connections over real sockets on loopback: order, back-pressure, ends.
#include "net/connection.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "support/connections.hpp"
#include "tls/session.hpp"

namespace ligase::net {
namespace {

using test::HalfRaw;
using test::Joined;
using test::run_until;
using test::settle;
using ::testing::HasSubstr;

std::string numbered(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + '\n';
  return text;
}

TEST(Connection, ClearBytes_GoBothWays) {
  Joined both;
  both.client->write("<stream:stream>");
  both.server->write("<stream:features/>");
  EXPECT_GT(both.client->queued(), 0u);
  run_until(both.loop, [&] { return both.at_server.received.size() == 15 && both.at_client.received.size() == 18; });
  EXPECT_EQ(both.at_server.received, "<stream:stream>");
  EXPECT_EQ(both.at_client.received, "<stream:features/>");
  EXPECT_EQ(both.client->queued(), 0u);
  EXPECT_EQ(both.client->remote(), both.server->local());
  EXPECT_EQ(both.client->remote().address.text(), "127.0.0.1");
}

TEST(Connection, Write_CallsNothingFromInside) {
  Joined both;
  both.secure();
  both.at_server.when_bytes = [&](std::string_view) { both.server->write("answer"); };
  both.client->write("question");
  EXPECT_EQ(both.at_server.received, "");
  run_until(both.loop, [&] { return both.at_client.received == "answer"; });
}

TEST(Connection, TenThousandSmallWrites_ArriveInOrderInFullRecords) {
  HalfRaw half(HalfRaw::Ours::dialled);
  half.ours->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
  auto peer = *tls::Session::make(test::test_contexts(), {Role::receiving, std::nullopt, "", ""});
  std::string received, expected;
  std::size_t sealed_bytes = 0;
  std::array<char, 65536> block;
  const auto pump = [&] {
    std::string_view bytes = half.arrived;
    std::string out;
    if (peer->state() == tls::Session::State::established) sealed_bytes += bytes.size();
    for (auto before = peer->state();; before = peer->state()) {
      peer->feed(bytes, Instant{1h}, out, block, [&](std::string_view plain) {
        received += plain;
        return true;
      });
      if (peer->state() == before) break;
    }
    half.arrived.clear();
    half.send(out);
  };
  half.run_until_arrived([&] {
    pump();
    return half.receiver.is_secure() || peer->state() == tls::Session::State::established;
  });
  run_until(half.loop, [&] { return half.receiver.is_secure(); });
  const std::string stanza(200, 's');
  for (int i = 0; i < 10000; ++i) {
    const std::string one = std::to_string(i) + stanza;
    half.ours->write(one);
    expected += one;
  }
  half.run_until_arrived([&] {
    pump();
    return received.size() >= expected.size();
  });
  EXPECT_EQ(received, expected);
  const std::size_t records = expected.size() / 16384 + 1;
  EXPECT_LE(sealed_bytes - expected.size(), records * 22 + 100);  // a record for each write would be 220,000
}

TEST(Connection, LargeTransferBothWays_WithPausesArrivesWhole) {
  Joined both;
  both.secure();
  const std::string text = numbered(1'500'000);  // 10 MB each way
  std::size_t client_sent = 0, server_sent = 0;
  const auto push = [&](TcpConnection& connection, std::size_t& sent) {
    while (sent < text.size() && connection.queued() <= seams::kHighMark) {
      const std::size_t size = std::min<std::size_t>(30000, text.size() - sent);
      connection.write(std::string_view(text).substr(sent, size));
      sent += size;
    }
  };
  both.at_client.when_writable = [&] { push(*both.client, client_sent); };
  both.at_server.when_writable = [&] { push(*both.server, server_sent); };
  int pauses = 0;
  both.at_server.when_bytes = [&](std::string_view) {
    if (both.at_server.received.size() < static_cast<std::size_t>(pauses) * 1'000'000) return;
    ++pauses;
    both.server->pause_reading();
    both.loop.clock().call_at(both.loop.clock().now(), [&] { both.server->resume_reading(); });
  };
  push(*both.client, client_sent);
  push(*both.server, server_sent);
  run_until(both.loop, [&] {
    return both.at_server.received.size() >= text.size() && both.at_client.received.size() >= text.size();
  });
  EXPECT_TRUE(both.at_server.received == text);
  EXPECT_TRUE(both.at_client.received == text);
  EXPECT_GT(both.at_client.writable, 5);
  EXPECT_GE(pauses, 10);
}

TEST(Connection, PausedReader_GetsNothingAndPushesBack) {
  for (const bool with_tls : {false, true}) {
    Joined both;
    if (with_tls) both.secure();
    both.at_server.when_bytes = [&](std::string_view) { both.server->pause_reading(); };
    const std::string chunk(100'000, 'x');
    for (int i = 0; i < 300; ++i) both.client->write(chunk);  // 30 MB: more than the kernel's buffers take
    settle(both.loop);
    EXPECT_LE(both.at_server.received.size(), 65536u);  // what was in one block
    EXPECT_GT(both.client->queued(), seams::kHighMark);
    EXPECT_EQ(both.at_client.writable, 0);
    both.at_server.when_bytes = {};
    both.server->resume_reading();
    run_until(both.loop, [&] { return both.at_server.received.size() == 300 * chunk.size(); });
    run_until(both.loop, [&] { return both.at_client.writable == 1; });
    EXPECT_EQ(both.client->queued(), 0u);
  }
}

TEST(Connection, PauseInTheMiddleOfABlock_HoldsBackTheRest) {
  HalfRaw half(HalfRaw::Ours::accepted);
  half.receiver.when_bytes = [&](std::string_view) { half.ours->pause_reading(); };
  half.send("<a/><b/><c/>");
  run_until(half.loop, [&] { return !half.receiver.received.empty(); });
  settle(half.loop);
  EXPECT_EQ(half.receiver.received, "<a/>");
  half.ours->resume_reading();
  EXPECT_EQ(half.receiver.received, "<a/>");  // never from inside
  settle(half.loop);
  EXPECT_EQ(half.receiver.received, "<a/><b/>");
  half.receiver.when_bytes = {};
  half.ours->resume_reading();
  settle(half.loop);
  EXPECT_EQ(half.receiver.received, "<a/><b/><c/>");
}

TEST(Connection, ManyClearBytes_AreGivenInLargePieces) {
  HalfRaw half(HalfRaw::Ours::accepted);
  int calls = 0;
  half.receiver.when_bytes = [&](std::string_view) { ++calls; };
  const std::string text(64 * 1024, '>');
  half.send(text);
  run_until(half.loop, [&] { return half.receiver.received.size() == text.size(); });
  EXPECT_EQ(calls, 64 * 1024);  // element by element, as long as TLS may come
  calls = 0;
  half.send(text);
  run_until(half.loop, [&] { return half.receiver.received.size() == 2 * text.size(); });
  EXPECT_LT(calls, 100);
}

TEST(Connection, Close_SendsWhatIsQueued_ThenEndsBothSides) {  // STR-06
  for (const bool with_tls : {false, true}) {
    Joined both;
    if (with_tls) both.secure();
    const std::string text = numbered(500'000);
    both.client->write(text);
    both.client->write("</stream:stream>");
    both.client->close(5s);
    both.client->write("too late");
    run_until(both.loop, [&] { return both.at_client.closed && both.at_server.closed; });
    EXPECT_EQ(both.at_server.received.size(), text.size() + 16);
    EXPECT_THAT(both.at_server.received, ::testing::EndsWith("</stream:stream>"));
    EXPECT_EQ(both.at_server.closed->reason, Reason::network_closed);  // not a truncation: AB-048
    EXPECT_EQ(both.at_client.closed->reason, Reason::network_closed);
  }
}

TEST(Connection, CloseToAPeerThatNeverCloses_EndsWithinItsPatience) {
  HalfRaw half(HalfRaw::Ours::dialled);
  half.ours->close(20ms);
  half.run_until_ended();  // we ended our half at once
  EXPECT_TRUE(half.raw.is_open());
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_THAT(half.receiver.closed->detail, HasSubstr("in time"));
}

TEST(Connection, CloseWhileThePeerFloods_ThrowsTheRestAway) {
  HalfRaw half(HalfRaw::Ours::accepted);
  half.ours->pause_reading();
  half.ours->close(20ms);
  half.send(std::string(100'000, 'x'));
  half.raw.shutdown(test::Socket::shutdown_send);
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_EQ(half.receiver.received, "");
}

TEST(Connection, PeersEndInClear_IsReportedAfterItsBytes_AndAnswered) {
  HalfRaw half(HalfRaw::Ours::accepted);
  half.receiver.when_bytes = [&](std::string_view) { half.ours->write("</stream:stream>"); };
  half.send("</stream:stream>");
  half.raw.shutdown(test::Socket::shutdown_send);
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_EQ(half.receiver.received, "</stream:stream>");
  EXPECT_EQ(half.receiver.closed->reason, Reason::network_closed);
  half.run_until_ended();
  EXPECT_EQ(half.arrived, "</stream:stream>");
}

TEST(Connection, EndWithoutCloseNotify_IsTruncation) {  // AB-048
  Joined both;
  both.secure();
  both.client->write("<message><body>not the wh");
  run_until(both.loop, [&] { return !both.at_server.received.empty(); });
  both.client->abort();
  run_until(both.loop, [&] { return both.at_server.closed.has_value(); });
  EXPECT_EQ(both.at_server.closed->reason, Reason::tls_truncated);
  settle(both.loop);
  EXPECT_FALSE(both.at_client.closed);  // abort() is silent
}

TEST(Connection, Destroyed_IsSilentAndSafeFromInsideEachCallback) {
  {
    Joined both;
    both.at_server.when_bytes = [&](std::string_view) { both.server.reset(); };
    both.client->write("<a/><b/>");
    run_until(both.loop, [&] { return both.at_client.closed.has_value(); });
    EXPECT_EQ(both.at_server.received, "<a/>");
    EXPECT_FALSE(both.at_server.closed);
  }
  {
    Joined both;
    both.at_server.when_tls = [&] { both.server.reset(); };
    both.client->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
    both.server->start_tls({Role::receiving, std::nullopt, "", ""});
    run_until(both.loop, [&] { return both.at_client.closed.has_value(); });
    EXPECT_TRUE(both.at_server.is_secure());
    EXPECT_FALSE(both.at_server.closed);
  }
  {
    Joined both;
    both.secure();
    both.at_server.when_bytes = [&](std::string_view) { both.server.reset(); };
    both.client->write(std::string(200'000, 'x'));
    run_until(both.loop, [&] { return both.at_client.closed.has_value(); });
    EXPECT_FALSE(both.at_server.closed);
  }
  {
    Joined both;
    both.at_server.when_closed = [&] { both.server.reset(); };
    both.client->close(1s);
    run_until(both.loop, [&] { return both.at_client.closed && both.at_server.closed; });
  }
  {
    Joined both;
    both.secure();
    both.at_client.when_writable = [&] { both.client.reset(); };
    both.client->write(std::string(1'000'000, 'x'));
    run_until(both.loop, [&] { return both.at_server.closed.has_value(); });
    EXPECT_EQ(both.at_server.closed->reason, Reason::tls_truncated);
  }
}

// AB-161: an exception out of a callback is the end of that connection, told once, and of nothing else.
TEST(Connection, ReceiverThatThrows_EndsItsConnectionAlone) {
  for (const bool is_memory : {false, true}) {
    Joined both, others;
    both.secure();
    both.at_server.when_bytes = [&](std::string_view) {
      if (is_memory) throw std::bad_alloc();
      throw std::runtime_error("a fault");
    };
    both.client->write("<a/><b/>");
    run_until(both.loop, [&] { return both.at_server.closed && both.at_client.closed; });
    EXPECT_EQ(both.at_server.closed->reason, is_memory ? Reason::memory : Reason::internal);
    EXPECT_EQ(both.at_server.received, "<a/><b/>");
    others.client->write("<c/>");
    run_until(others.loop, [&] { return others.at_server.received == "<c/>"; });
  }
}

// AB-161: what is thrown where no connection is to blame is reported, and the loop goes on, timers too.
TEST(Loop, ActionThatThrows_IsReportedAndTheNextOnesRun) {
  Loop loop;
  std::vector<std::string> faults;
  int ran = 0;
  loop.on_fault([&](std::string_view what) { faults.emplace_back(what); });
  const Instant now = loop.clock().now();
  loop.clock().call_at(now, [] { throw std::runtime_error("first"); });
  loop.clock().call_at(now, [&] { ++ran; });
  loop.clock().call_at(now + 1ms, [&] { ++ran; });
  loop.run();
  EXPECT_EQ(ran, 2);
  EXPECT_THAT(faults, ::testing::ElementsAre("first"));
}

// C2, AB-200: what never left is known when the connection is dead, piece by piece, in clear text and under TLS.
TEST(Connection, ResetWhileMuchWaits_TellsWhatNeverLeft) {
  for (const bool with_tls : {false, true}) {
    Joined both;
    if (with_tls) both.secure();
    std::string expected;
    both.server->pause_reading();
    for (int i = 0; i < 3000; ++i) {
      const std::string piece = std::to_string(i) + ' ' + std::string(10'000, 'x') + '\n';
      expected += piece;
      both.client->write(piece);
    }
    settle(both.loop);
    const std::size_t queued = both.client->queued();
    ASSERT_GT(queued, seams::kHighMark);
    EXPECT_TRUE(both.client->take_unsent().bytes.empty());  // not while it lives
    both.server->abort();
    run_until(both.loop, [&] { return both.at_client.closed.has_value(); });
    const seams::Unsent unsent = both.client->take_unsent();
    EXPECT_TRUE(expected.ends_with(unsent.bytes));
    ASSERT_FALSE(unsent.ends.empty());
    EXPECT_EQ(unsent.ends.back(), unsent.bytes.size());
    EXPECT_TRUE(unsent.bytes.find(' ') < 5) << "the first piece is whole";
    const std::size_t lines = static_cast<std::size_t>(std::count(unsent.bytes.begin(), unsent.bytes.end(), '\n'));
    EXPECT_EQ(unsent.ends.size(), lines);
    // At most the record and the piece that are cut are counted twice.
    EXPECT_LE(unsent.bytes.size(), queued + 10'010 + 16'384);
    EXPECT_GE(unsent.bytes.size() + 64 * 1024, queued);
    EXPECT_TRUE(both.client->take_unsent().bytes.empty());  // once
  }
}

TEST(Connection, AllThatWasWrittenHasLeft_NothingIsUnsent) {
  Joined both;
  both.secure();
  for (int i = 0; i < 2000; ++i) both.client->write("<message/>");
  run_until(both.loop, [&] { return both.at_server.received.size() == 20000; });
  both.server->abort();
  run_until(both.loop, [&] { return both.at_client.closed.has_value(); });
  EXPECT_TRUE(both.client->take_unsent().bytes.empty());
}

// AB-253: in clear, what the peer's kernel has not acknowledged is found again too, in whole pieces up to what never left.
TEST(Connection, PeerThatReadsNothingIsCut_WhatItsKernelHasNotIsKnown) {
  Joined both;
  both.server->pause_reading();
  std::string all;
  for (int i = 0; i < 20'000; ++i) {
    const std::string piece = std::to_string(i) + std::string(1000, ' ') + '\n';
    all += piece;
    both.client->write(piece);
  }
  settle(both.loop);
  both.client->abort();
  const seams::Unsent unsent = both.client->take_unsent();
  const std::string left = unsent.unacknowledged.bytes + unsent.bytes;
  EXPECT_FALSE(unsent.unacknowledged.bytes.empty());
  EXPECT_TRUE(all.ends_with(left));
  EXPECT_GE(left.find(' '), 1u);  // the first piece is whole
  EXPECT_EQ(unsent.unacknowledged.ends.size(),
            static_cast<std::size_t>(std::ranges::count(unsent.unacknowledged.bytes, '\n')));
  EXPECT_GT(unsent.uncertain, 0u);
}

// AB-229: an acknowledgement is heard, also one that comes within the tick of the kernel's clock in which the byte left.
TEST(Connection, MachineThatIsThere_IsHeardAfterEachWrite) {
  Joined both;
  both.at_server.when_bytes = [](std::string_view) {};
  for (std::size_t i = 1; i <= 20; ++i) {
    const std::uint64_t before = both.client->heard();
    both.client->write(" ");
    run_until(both.loop, [&] { return both.at_server.received.size() == i && both.client->heard() > before; });
  }
  const std::uint64_t last = both.client->heard();
  settle(both.loop);
  EXPECT_EQ(both.client->heard(), last) << "who says nothing is not heard";
}

// P7: two reasons to pause do not resume each other.
TEST(Connection, PausedForTwoReasons_IsReadWhenBothAreGone) {
  Joined both;
  both.server->pause_reading(seams::Pause::procedure);
  both.server->pause_reading(seams::Pause::answers);
  both.client->write("<a/>");
  settle(both.loop);
  both.server->resume_reading(seams::Pause::procedure);
  settle(both.loop);
  EXPECT_EQ(both.at_server.received, "");
  both.server->resume_reading(seams::Pause::answers);
  run_until(both.loop, [&] { return both.at_server.received == "<a/>"; });
}

TEST(Connection, LoopThatEndsBeforeItsHandlersRan_LeavesNothingBehind) {
  Joined both;
  both.client->write("never sent");
  both.client->pause_reading();
  both.client->resume_reading();
  both.server->close(1h);
}

}  // namespace
}  // namespace ligase::net
