// The step from clear to TLS, and whoever would abuse it: injection, garbage, silence, truncation, floods.
#include <gmock/gmock.h>

#include "proof/certificate.hpp"
#include "support/connections.hpp"
#include "support/raw_tls.hpp"

namespace ligase::net {
namespace {

using test::HalfRaw;
using test::Joined;
using test::run_until;
using test::settle;
using ::testing::HasSubstr;

constexpr std::string_view kStartTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

void answer_starttls(test::Recorder& receiver, TcpConnection& connection) {
  receiver.when_bytes = [&](std::string_view) {
    if (receiver.received != kStartTls) return;
    connection.write(kProceed);
    connection.start_tls({Role::receiving, std::nullopt, "", ""});
  };
}
void follow_proceed(test::Recorder& receiver, TcpConnection& connection) {
  receiver.when_bytes = [&](std::string_view) {
    if (receiver.received == kProceed) connection.start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
  };
}

TEST(StartTls, ClearThenTls_BothRoles) {  // TLS-02, TLS-03, TLS-06
  Joined both;
  answer_starttls(both.at_server, *both.server);
  follow_proceed(both.at_client, *both.client);
  both.client->write(kStartTls);
  run_until(both.loop, [&] { return both.at_client.is_secure() && both.at_server.is_secure(); });
  EXPECT_EQ((*both.at_server.tls)->sni, "target1.tld");
  EXPECT_TRUE((*both.at_server.tls)->peer_chain);
  EXPECT_TRUE((*both.at_client.tls)->peer_chain);
  both.at_client.received.clear();
  both.server->write("inside");
  run_until(both.loop, [&] { return both.at_client.received == "inside"; });
}

TEST(StartTls, BytesWrittenRightAfter_LeaveEncrypted) {
  Joined both;
  both.client->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
  both.client->write("early");
  both.server->start_tls({Role::receiving, std::nullopt, "", ""});
  run_until(both.loop, [&] { return both.at_server.received == "early"; });
  EXPECT_TRUE(both.at_server.is_secure());
}

TEST(StartTls, BytesBehindStarttlsInTheSameReceive_EndTheConnection) {  // AB-040, TLS-04
  HalfRaw half(HalfRaw::Ours::accepted);
  answer_starttls(half.receiver, *half.ours);
  half.send(std::string(kStartTls) + "<message to='victim@target1.tld'/>");
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  ASSERT_TRUE(half.receiver.tls);
  EXPECT_EQ(half.receiver.tls->error().reason, Reason::tls_injection);
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_injection);
  EXPECT_EQ(half.receiver.received, kStartTls);
}

TEST(StartTls, BytesInTheKernelBeforeProceed_EndTheConnection) {  // AB-040, TLS-04
  HalfRaw half(HalfRaw::Ours::accepted);
  half.receiver.when_bytes = [&](std::string_view) {
    if (half.receiver.received != kStartTls) return;
    half.send("\x16\x03\x01");  // even the start of a handshake: it was sent before our <proceed/>
    half.ours->write(kProceed);
    half.ours->start_tls({Role::receiving, std::nullopt, "", ""});
  };
  half.send(kStartTls);
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_injection);
}

TEST(StartTls, BytesBehindProceed_EndTheConnection) {  // AB-040, TLS-04
  HalfRaw half(HalfRaw::Ours::dialled);
  follow_proceed(half.receiver, *half.ours);
  half.send(std::string(kProceed) + "<stream:features/>");
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_EQ(half.receiver.tls->error().reason, Reason::tls_injection);
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_injection);
  EXPECT_EQ(half.receiver.received, kProceed);
  half.run_until_ended();
  EXPECT_EQ(half.arrived, "");  // not a byte of a ClientHello
}

TEST(StartTls, BytesHeldBackByAPause_AreInjectionToo) {  // AB-040
  HalfRaw half(HalfRaw::Ours::accepted);
  half.receiver.when_bytes = [&](std::string_view) { half.ours->pause_reading(); };
  half.send(std::string(kStartTls) + " ");
  run_until(half.loop, [&] { return half.receiver.received == kStartTls; });
  half.ours->start_tls({Role::receiving, std::nullopt, "", ""});
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_injection);
}

TEST(StartTls, DirectTls_ClientHelloThatIsThereAlready_IsNoInjection) {  // DTLS-01
  HalfRaw half(HalfRaw::Ours::accepted);
  test::RawTls client(test::RawTls::Side::client);
  half.send(client.feed(""));
  half.ours->start_tls({Role::receiving, std::nullopt, "", ""});
  half.run_until_arrived([&] {
    half.send(client.feed(std::exchange(half.arrived, {})));
    return client.is_established();
  });
  run_until(half.loop, [&] { return half.receiver.is_secure(); });
  EXPECT_EQ((*half.receiver.tls)->peer_chain, nullptr);  // AB-049
}

TEST(StartTls, GarbageInsteadOfAHandshake_FailsAndIsNotEchoed) {  // AB-041, AB-017
  // Text is no record at all: the connection ends. A record of garbage is answered by an alert, not cut off by a reset.
  for (const std::string& garbage : {std::string("<stream:stream xmlns='jabber:server' to='target1.tld'>"),
                                     std::string("\x16\x03\x01\x00\x20", 5) + std::string(32, 'g')}) {
    HalfRaw half(HalfRaw::Ours::accepted);
    answer_starttls(half.receiver, *half.ours);
    half.send(kStartTls);
    half.run_until_arrived([&] { return half.arrived == kProceed; });
    half.arrived.clear();
    half.send(garbage);
    run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
    ASSERT_TRUE(half.receiver.tls);
    EXPECT_EQ(half.receiver.tls->error().reason, Reason::tls_failed);
    EXPECT_EQ(half.receiver.closed->reason, Reason::tls_failed);
    half.run_until_ended();
    if (garbage[0] == '<') {
      EXPECT_EQ(half.arrived, "");
    } else {
      ASSERT_EQ(half.arrived.size(), 7u);
      EXPECT_EQ(half.arrived[0], 21);
    }
  }
}

TEST(StartTls, SilenceInsteadOfAHandshake_TimesOut) {  // AB-041
  HalfRaw half(HalfRaw::Ours::accepted, 20ms);
  answer_starttls(half.receiver, *half.ours);
  half.send(kStartTls);
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  ASSERT_TRUE(half.receiver.tls);
  EXPECT_EQ(half.receiver.tls->error().reason, Reason::tls_timeout);
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_timeout);
}

TEST(StartTls, HandshakeOnTime_LeavesNoTimerBehind) {
  Joined both;
  both.secure();
  EXPECT_EQ(both.loop.clock().waiting(), 0u);
}

TEST(StartTls, PeerThatLeavesDuringTheHandshake_IsAFailure) {
  HalfRaw half(HalfRaw::Ours::dialled);
  half.ours->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
  half.raw.shutdown(test::Socket::shutdown_send);
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_EQ(half.receiver.tls->error().reason, Reason::tls_failed);
  EXPECT_THAT(half.receiver.tls->error().detail, HasSubstr("during the TLS handshake"));
}

TEST(StartTls, OldClient_IsToldByAnAlert) {  // AB-043
  HalfRaw half(HalfRaw::Ours::accepted);
  test::RawTls client(test::RawTls::Side::client, [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_1_VERSION); });
  half.ours->start_tls({Role::receiving, std::nullopt, "", ""});
  half.send(client.feed(""));
  half.run_until_ended();
  ASSERT_GE(half.arrived.size(), 7u);
  EXPECT_EQ(half.arrived[0], 21);
  EXPECT_EQ(half.arrived[6], 70);  // protocol_version
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_failed);
}

TEST(StartTls, WithoutAnyCertificate_FailsInsteadOfGoingOn) {
  HalfRaw half(HalfRaw::Ours::dialled);
  half.loop.set_certificates(nullptr);
  half.ours->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
  half.ours->write("secret");
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_EQ(half.receiver.tls->error().reason, Reason::tls_failed);
  half.run_until_ended();
  EXPECT_EQ(half.arrived, "");
}

TEST(StartTls, BytesWrittenForASessionThatFails_NeverLeave) {
  HalfRaw half(HalfRaw::Ours::dialled);
  half.ours->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
  half.ours->write("secret");
  half.send("no handshake");
  half.run_until_ended();
  EXPECT_THAT(half.arrived, ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_failed);
}

TEST(StartTls, CloseDuringTheHandshake_SendsNothingInClear) {
  HalfRaw half(HalfRaw::Ours::dialled);
  half.ours->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
  half.ours->write("secret");
  half.ours->close(20ms);
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  half.run_until_ended();
  EXPECT_THAT(half.arrived, ::testing::Not(HasSubstr("secret")));
  EXPECT_FALSE(half.receiver.tls);
}

// STR-07, EXT-01: some judge our certificate in the handshake, and end the connection without an alert.
TEST(StartTls, EndWhereOurCertificateWasToBeJudged_IsARefusalOfIt) {
  for (const bool is_asked : {true, false}) {
    HalfRaw half(HalfRaw::Ours::dialled);
    static const test::MadeCertificate shown = test::make_self_signed({"target1.tld"});
    test::RawTls server(test::RawTls::Side::server, [&](SSL_CTX* c) {
      SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
      if (is_asked) SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
      SSL_CTX_set_cert_verify_callback(
          c, +[](X509_STORE_CTX*, void*) { return 1; }, nullptr);
      test::show(c, shown);
    });
    half.ours->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
    half.run_until_arrived([&] {
      const std::string answer = server.feed(std::exchange(half.arrived, {}));
      if (server.is_established()) return true;  // what would tell us so stays here
      half.send(answer);
      return false;
    });
    half.raw.close();
    run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
    ASSERT_TRUE(half.receiver.tls);
    EXPECT_EQ(half.receiver.tls->error().reason, is_asked ? Reason::external_refused : Reason::tls_failed);
    EXPECT_EQ(half.receiver.closed->reason, half.receiver.tls->error().reason);
  }
}

TEST(StartTls, KeyUpdateFlood_EndsTheConnection) {  // AB-044
  HalfRaw half(HalfRaw::Ours::accepted);
  test::RawTls client(test::RawTls::Side::client);
  half.ours->start_tls({Role::receiving, std::nullopt, "", ""});
  half.send(client.feed(""));
  half.run_until_arrived([&] {
    half.send(client.feed(std::exchange(half.arrived, {})));
    return client.is_established();
  });
  std::string flood;
  for (int i = 0; i < 100; ++i) {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    flood += client.write("x");
  }
  half.send(flood);
  run_until(half.loop, [&] { return half.receiver.closed.has_value(); });
  EXPECT_TRUE(half.receiver.is_secure());
  EXPECT_EQ(half.receiver.closed->reason, Reason::tls_failed);
  EXPECT_THAT(half.receiver.closed->detail, HasSubstr("KeyUpdate"));
}

}  // namespace
}  // namespace ligase::net
