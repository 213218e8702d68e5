// TLS sessions without sockets: two of ours with each other, and ours with a raw end that misbehaves.
#include "tls/session.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

#include "proof/certificate.hpp"
#include "support/raw_tls.hpp"

namespace ligase::tls {
namespace {

using seams::TlsRequest;
using test::RawTls;
using ::testing::HasSubstr;

const WallTime kNow = test::day(2026, 11, 24);
const Instant t0{1h};

struct World {
  test::MadeCertificate root = test::make_root();
  test::MadeCertificate middle = test::make_intermediate(root);
  test::MadeCertificate gateway = test::make_leaf(middle, {"gw.tld"});
  test::MadeCertificate own = test::make_leaf(root, {"target1.tld"});
  std::shared_ptr<const Contexts> contexts = make(MinimumVersion::tls12);

  std::shared_ptr<const Contexts> make(MinimumVersion minimum) const {
    return *Contexts::make({gateway.pem + middle.pem, gateway.key_pem, "gw.pem"},
                           {{{*Domain::parse("target1.tld")}, {own.pem, own.key_pem, "target1.pem"}}}, minimum);
  }
};
const World& world() {
  static const World made;
  return made;
}

TlsRequest as_client(std::string sni = "target1.tld", std::string alpn = "") {
  return {Role::initiating, std::nullopt, std::move(sni), std::move(alpn)};
}
TlsRequest as_server(std::optional<Domain> identity = std::nullopt) {
  return {Role::receiving, std::move(identity), "", ""};
}

// One of our sessions with the strings around it.
struct End {
  explicit End(const TlsRequest& request, std::shared_ptr<const Contexts> contexts = world().contexts)
      : session(*Session::make(std::move(contexts), request)) {}

  // Feeds everything; what must be sent is returned.
  std::string feed(std::string_view bytes, Instant now = t0) {
    std::string out;
    Session::State before;
    do {
      before = session->state();
      session->feed(bytes, now, out, block, [&](std::string_view plain) {
        received += plain;
        return true;
      });
    } while (session->state() != before);
    return out;
  }
  std::string write(std::string_view plain) {
    std::string out;
    EXPECT_TRUE(session->write(plain, out));
    return out;
  }

  std::unique_ptr<Session> session;
  std::string received;
  std::array<char, 65536> block;
};

// Carries bytes until both are silent. `A`, `B`: End or RawTls; `a` speaks first.
template <class A, class B>
void converse(A& a, B& b) {
  std::string bytes = a.feed("");
  while (!bytes.empty()) {
    const std::string answer = b.feed(bytes);
    bytes = answer.empty() ? std::string() : a.feed(answer);
  }
}

TEST(TlsSession, BothShowCertificates_ChainsAreKept) {  // TLS-02, TLS-03, TLS-06
  End client(as_client()), server(as_server());
  converse(client, server);
  ASSERT_EQ(client.session->state(), Session::State::established);
  ASSERT_EQ(server.session->state(), Session::State::established);
  for (const seams::TlsFacts& facts : {client.session->facts(), server.session->facts()}) {
    EXPECT_EQ(facts.version, "TLSv1.3");
    EXPECT_EQ(facts.cipher, "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(facts.group, "X25519");
    EXPECT_EQ(facts.sni, "target1.tld");
    EXPECT_EQ(facts.alpn, "");
    ASSERT_TRUE(facts.peer_chain);
  }
  // The server's by SNI (target1.tld has its own), the client's with its intermediate, leaf first.
  EXPECT_EQ(client.session->facts().peer_chain->der(0), world().own.der);
  ASSERT_EQ(server.session->facts().peer_chain->size(), 2u);
  EXPECT_EQ(server.session->facts().peer_chain->der(0), world().gateway.der);
  EXPECT_EQ(server.session->facts().peer_chain->der(1), world().middle.der);
}

TEST(TlsSession, Staple_IsServedAndTakenInBothVersions) {  // REV-01, REV-02
  const auto staples = std::make_shared<Staples>();
  const Credential gateway{world().gateway.pem + world().middle.pem, world().gateway.key_pem, "gw.pem"};
  const Credential own{world().own.pem, world().own.key_pem, "target1.pem"};
  const auto contexts =
      *Contexts::make(gateway, {{{*Domain::parse("target1.tld")}, own}}, MinimumVersion::tls12, staples);
  const auto fingerprint = [](const test::MadeCertificate& of) {
    return proof::Chain::parse({of.der}).value()->fingerprint();
  };
  const auto staple_for = [&](const char* name, long version) {
    End server(as_server(), contexts);
    RawTls limited(RawTls::Side::client, [&](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, version); });
    SSL_set_tlsext_host_name(limited.ssl(), name);
    SSL_set_tlsext_status_type(limited.ssl(), TLSEXT_STATUSTYPE_ocsp);
    converse(limited, server);
    EXPECT_TRUE(limited.is_established());
    const unsigned char* staple = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(limited.ssl(), &staple);
    return size <= 0 ? std::string()
                     : std::string(reinterpret_cast<const char*>(staple), static_cast<std::size_t>(size));
  };
  for (const long version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    staples->set(fingerprint(world().gateway), "");
    staples->set(fingerprint(world().own), "");
    EXPECT_EQ(staple_for("gw.tld", version), "");
    staples->set(fingerprint(world().gateway), "gateway's");  // at run time, without new contexts
    staples->set(fingerprint(world().own), "target1's");
    EXPECT_EQ(staple_for("gw.tld", version), "gateway's");
    EXPECT_EQ(staple_for("target1.tld", version), "target1's");  // chosen by SNI
    staples->set(fingerprint(world().gateway), "newer");
    EXPECT_EQ(staple_for("gw.tld", version), "newer");
  }
  // Ours asks and takes it.
  End client(as_client("gw.tld"), contexts), server(as_server(), contexts);
  converse(client, server);
  EXPECT_EQ(client.session->facts().ocsp_response, "newer");
  EXPECT_EQ(server.session->facts().ocsp_response, "");
  EXPECT_EQ(client.session->take_facts().ocsp_response, "newer");
}

TEST(TlsSession, StapleOfARawServer_IsTakenWithinItsBound) {  // AB-066
  static std::string staple;
  for (const long version : {TLS1_2_VERSION, TLS1_3_VERSION})
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{15000}, std::size_t{64 * 1024 + 1}}) {
      staple = std::string(size, 'x');
      RawTls server(RawTls::Side::server, [&](SSL_CTX* context) {
        test::show(context, world().gateway);
        SSL_CTX_set_max_proto_version(context, version);
        SSL_CTX_set_tlsext_status_cb(
            context, +[](SSL* ssl, void*) -> int {
              if (staple.empty()) return SSL_TLSEXT_ERR_NOACK;
              SSL_set_tlsext_status_ocsp_resp(ssl,
                                              static_cast<unsigned char*>(OPENSSL_memdup(staple.data(), staple.size())),
                                              static_cast<long>(staple.size()));
              return SSL_TLSEXT_ERR_OK;
            });
      });
      End client(as_client());
      converse(client, server);
      if (size > 64 * 1024 && client.session->state() == Session::State::failed) continue;  // past the library's bound
      ASSERT_EQ(client.session->state(), Session::State::established) << size;
      EXPECT_EQ(client.session->facts().ocsp_response.size(), size > 64 * 1024 ? 0 : size);
    }
}

TEST(TlsSession, IdentityOfTheRequest_GoesBeforeSni) {  // TLS-02
  End client(as_client("gw.tld")), server(as_server(*Domain::parse("target1.tld")));
  converse(client, server);
  EXPECT_EQ(client.session->facts().peer_chain->der(0), world().own.der);
}

TEST(TlsSession, UnknownOrNoServerName_GetsTheGatewaysOwn) {  // TLS-02
  for (const char* name : {"target9.tld", ""}) {
    End client(as_client(name)), server(as_server());
    converse(client, server);
    EXPECT_EQ(client.session->facts().peer_chain->der(0), world().gateway.der) << name;
    EXPECT_EQ(server.session->facts().sni, name);
  }
}

TEST(TlsSession, ClientWithIdentity_ShowsItsOwnCertificate) {  // TLS-03
  auto request = as_client();
  request.identity = *Domain::parse("target1.tld");
  End client(request), server(as_server());
  converse(client, server);
  EXPECT_EQ(server.session->facts().peer_chain->der(0), world().own.der);
}

TEST(TlsSession, ClientThatIsNobody_ShowsNoCertificate) {
  for (const MinimumVersion version : {MinimumVersion::tls12, MinimumVersion::tls13}) {
    auto request = as_client();
    request.shows_certificate = false;
    End client(request, world().make(version)), server(as_server());
    converse(client, server);
    ASSERT_EQ(server.session->state(), Session::State::established);
    EXPECT_FALSE(server.session->facts().peer_chain);
    EXPECT_TRUE(client.session->facts().peer_chain);
  }
}

// EXT-01, STR-07: a server that judges our certificate itself, in either version, says so by an alert; where none was asked for, or
// none shown, no alert is about it.
TEST(TlsSession, ServerThatRefusesOurCertificate_IsTold) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    for (const int mode : {SSL_VERIFY_NONE, SSL_VERIFY_PEER, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT})
      for (const bool shows : {true, false}) {
        RawTls server(RawTls::Side::server, [&](SSL_CTX* c) {
          SSL_CTX_set_max_proto_version(c, version);
          SSL_CTX_set_verify(c, mode, nullptr);  // and knows no CA at all
          test::show(c, world().gateway, {world().middle});
        });
        TlsRequest request = as_client();
        request.shows_certificate = shows;
        End client(request);
        converse(client, server);
        client.feed(server.output());
        const bool is_asked = mode != SSL_VERIFY_NONE;
        SCOPED_TRACE(fmt::format("TLS {:x}, mode {}, shows {}", version, mode, shows));
        EXPECT_EQ(client.session->has_shown_certificate(), is_asked && shows);
        const bool is_demanded = mode == (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
        const bool fails = is_asked && (shows || is_demanded);
        ASSERT_EQ(client.session->state(), fails ? Session::State::failed : Session::State::established);
        if (!fails) continue;
        EXPECT_EQ(client.session->error().reason, shows ? Reason::external_refused : Reason::tls_failed);
        EXPECT_THAT(client.session->error().detail, HasSubstr("the peer sent the alert"));
        EXPECT_EQ(client.session->error().detail.find("refuses our certificate") != std::string::npos, shows);
      }
}

TEST(TlsSession, Version12_WorksInBothRoles) {  // TLS-01
  RawTls old_client(RawTls::Side::client, [](SSL_CTX* c) {
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
    test::show(c, world().gateway, {world().middle});
  });
  End server(as_server());
  converse(old_client, server);
  ASSERT_EQ(server.session->state(), Session::State::established);
  EXPECT_EQ(server.session->facts().version, "TLSv1.2");
  EXPECT_EQ(server.session->facts().cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(server.session->facts().group, "X25519");
  EXPECT_EQ(server.session->facts().peer_chain->size(), 2u);
  EXPECT_EQ(SSL_session_reused(old_client.ssl()), 0);

  RawTls old_server(RawTls::Side::server, [](SSL_CTX* c) {
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set1_groups_list(c, "P-256");
    test::show(c, world().gateway, {world().middle});
  });
  End client(as_client());
  converse(client, old_server);
  ASSERT_EQ(client.session->state(), Session::State::established);
  EXPECT_EQ(client.session->facts().version, "TLSv1.2");
  EXPECT_EQ(client.session->facts().group, "P-256");
  EXPECT_EQ(client.session->facts().peer_chain->der(0), world().gateway.der);
  EXPECT_EQ(old_server.feed(client.write("hello")), "");
  EXPECT_EQ(old_server.received, "hello");
}

TEST(TlsSession, MinimumOf13_RefusesA12Client) {  // TLS-01
  RawTls client(RawTls::Side::client, [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); });
  End server(as_server(), world().make(MinimumVersion::tls13));
  converse(client, server);
  EXPECT_EQ(server.session->state(), Session::State::failed);
}

TEST(TlsSession, OldVersionsAndWeakSuites_GetAnAlert) {  // AB-043
  struct Row {
    const char* what;
    std::function<void(SSL_CTX*)> configure;
  };
  const auto suite = [](const char* name) {
    return [name](SSL_CTX* c) {
      SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
      ASSERT_EQ(SSL_CTX_set_cipher_list(c, name), 1) << name;
    };
  };
  const Row rows[] = {
      {"TLS 1.0", [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_VERSION); }},
      {"TLS 1.1", [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_1_VERSION); }},
      {"no encryption", suite("NULL-SHA256:@SECLEVEL=0")},
      {"anonymous", suite("ADH-AES128-GCM-SHA256:AECDH-AES128-SHA:@SECLEVEL=0")},
      {"no forward secrecy", suite("AES128-GCM-SHA256:@SECLEVEL=0")},
      {"no AEAD", suite("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")},
      {"SHA-1 signatures",
       [](SSL_CTX* c) {
         SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
         SSL_CTX_set1_sigalgs_list(c, "ECDSA+SHA1:RSA+SHA1");
       }},
      {"an unwanted group", [](SSL_CTX* c) { SSL_CTX_set1_groups_list(c, "P-521"); }},
  };
  for (const Row& row : rows) {
    RawTls client(RawTls::Side::client, row.configure);
    End server(as_server());
    const std::string answer = server.feed(client.feed(""));
    EXPECT_EQ(server.session->state(), Session::State::failed) << row.what;
    EXPECT_FALSE(server.session->error().detail.empty()) << row.what;
    ASSERT_GE(answer.size(), 7u) << row.what;
    EXPECT_EQ(answer[0], 21) << row.what;  // an alert record
    EXPECT_EQ(answer[5], 2) << row.what;   // fatal
  }
}

TEST(TlsSession, WeakKeyInThePeersCertificate_FailsTheHandshake) {  // AB-043
  test::CertificateSpec spec;
  spec.key = test::MadeKey::rsa1024;
  spec.dns = {"weak.tld"};
  const auto weak = test::make_certificate(spec);
  RawTls client(RawTls::Side::client, [&](SSL_CTX* c) { test::show(c, weak); });
  End server(as_server());
  converse(client, server);
  EXPECT_EQ(server.session->state(), Session::State::failed);
  EXPECT_THAT(server.session->error().detail, HasSubstr("weaker than RSA 2048"));
}

TEST(TlsSession, ClientWithoutCertificate_IsTakenWithoutChain) {  // AB-049, TLS-02
  RawTls client(RawTls::Side::client);
  End server(as_server());
  converse(client, server);
  ASSERT_EQ(server.session->state(), Session::State::established);
  EXPECT_EQ(server.session->facts().peer_chain, nullptr);
}

TEST(TlsSession, UntrustedAndExpiredCertificates_AreKeptForTheJudge) {  // TLS-02
  test::CertificateSpec spec;
  spec.dns = {"old.tld"};
  spec.not_before = test::day(2020, 1, 1);
  spec.not_after = test::day(2020, 2, 1);
  const auto expired = test::make_certificate(spec);
  RawTls client(RawTls::Side::client, [&](SSL_CTX* c) { test::show(c, expired); });
  End server(as_server());
  converse(client, server);
  ASSERT_EQ(server.session->state(), Session::State::established);
  EXPECT_EQ(server.session->facts().peer_chain->der(0), expired.der);
}

std::vector<test::MadeCertificate> copies(std::size_t count) {
  return std::vector<test::MadeCertificate>(count, world().middle);
}

TEST(TlsSession, ChainOverTenCertificates_FailsTheHandshake) {  // AB-049
  for (const std::size_t further : {9u, 10u}) {
    RawTls client(RawTls::Side::client, [&](SSL_CTX* c) { test::show(c, world().gateway, copies(further)); });
    End server(as_server());
    converse(client, server);
    EXPECT_EQ(server.session->state() == Session::State::established, further == 9) << further;
    EXPECT_THAT(server.session->error().detail, HasSubstr(further == 10 ? "more than 10 certificates" : ""));
  }
}

TEST(TlsSession, ChainOver64Kibibytes_FailsTheHandshake) {  // AB-049
  test::CertificateSpec spec;
  for (int i = 0; i < 3000; ++i) spec.dns.push_back("name-number-" + std::to_string(i) + ".very-long-domain.tld");
  const auto huge = test::make_certificate(spec);
  ASSERT_GT(huge.der.size(), 65536u);
  RawTls client(RawTls::Side::client, [&](SSL_CTX* c) { test::show(c, huge); });
  End server(as_server());
  converse(client, server);
  EXPECT_EQ(server.session->state(), Session::State::failed);
}

TEST(TlsSession, Alpn_IsAnsweredIfOursIsOffered_RefusedIfOnlyOthersAre) {  // AB-046, DTLS-01
  End client(as_client("target1.tld", "xmpp-server")), server(as_server());
  converse(client, server);
  EXPECT_EQ(client.session->facts().alpn, "xmpp-server");
  EXPECT_EQ(server.session->facts().alpn, "xmpp-server");

  const auto offers = [](std::string_view wire) {
    return
        [wire](SSL_CTX* c) { SSL_CTX_set_alpn_protos(c, as_bytes(wire).data(), static_cast<unsigned>(wire.size())); };
  };
  RawTls both(RawTls::Side::client, offers("\x08http/1.1\x0bxmpp-server"));
  End server2(as_server());
  converse(both, server2);
  EXPECT_EQ(server2.session->facts().alpn, "xmpp-server");

  for (const std::string_view wire : {"\x08http/1.1", "\x02h2", "\x0bxmpp-client"}) {
    RawTls other(RawTls::Side::client, offers(wire));
    End refusing(as_server());
    const std::string answer = refusing.feed(other.feed(""));
    EXPECT_EQ(refusing.session->state(), Session::State::failed);
    ASSERT_GE(answer.size(), 7u);
    EXPECT_EQ(answer[6], 120);  // no_application_protocol (RFC 7301 §3.2)
  }
}

TEST(TlsSession, ServerThatAnswersAnotherProtocol_IsRefused) {  // AB-046
  RawTls server(RawTls::Side::server, [](SSL_CTX* c) {
    test::show(c, world().gateway);
    SSL_CTX_set_alpn_select_cb(
        c,
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned int, void*) {
          static const unsigned char h2[] = {'h', '2'};
          *out = h2;
          *size = 2;
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
  });
  End client(as_client("target1.tld", "xmpp-server"));
  converse(client, server);
  EXPECT_EQ(client.session->state(), Session::State::failed);
}

TEST(TlsSession, KeyUpdateFlood_EndsTheSession_OneASecondDoesNot) {  // AB-044
  RawTls client(RawTls::Side::client);
  End server(as_server());
  converse(client, server);
  Instant now = t0;
  const auto update = [&] {
    EXPECT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    return client.write("x");
  };
  for (int i = 0; i < 100; ++i) server.feed(update(), now += 1s);
  ASSERT_EQ(server.session->state(), Session::State::established);
  EXPECT_EQ(server.received.size(), 100u);
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += update();
  server.feed(flood, now);
  EXPECT_EQ(server.session->state(), Session::State::failed);
  EXPECT_THAT(server.session->error().detail, HasSubstr("KeyUpdate"));
  EXPECT_LT(server.received.size(), 120u);
}

TEST(TlsSession, Renegotiation_IsRefused) {  // AB-044
  RawTls client(RawTls::Side::client, [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); });
  End server(as_server());
  converse(client, server);
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  const std::string before = client.feed("");
  ASSERT_FALSE(before.empty());
  const std::string answer = server.feed(before);
  client.feed(answer);
  EXPECT_EQ(SSL_num_renegotiations(client.ssl()), 1);  // asked for,
  EXPECT_FALSE(client.is_established());               // and never finished
}

TEST(TlsSession, NoTicketsAreGiven_NothingIsResumed) {  // AB-044, TLS-05
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_SESSION* offered = nullptr;
    for (int round = 0; round < 2; ++round) {
      RawTls client(RawTls::Side::client, [&](SSL_CTX* c) {
        SSL_CTX_set_max_proto_version(c, version);
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT);
      });
      if (offered != nullptr) SSL_set_session(client.ssl(), offered);
      End server(as_server());
      converse(client, server);
      ASSERT_EQ(server.session->state(), Session::State::established);
      EXPECT_EQ(SSL_session_reused(client.ssl()), 0);
      if (offered == nullptr) offered = SSL_get1_session(client.ssl());
      EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get0_session(client.ssl())), 0);
    }
    SSL_SESSION_free(offered);
  }
}

TEST(TlsSession, EarlyDataIsNotOffered) {  // AB-044
  RawTls client(RawTls::Side::client);
  End server(as_server());
  converse(client, server);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(SSL_get0_session(client.ssl())), 0u);
  EXPECT_EQ(SSL_get_current_compression(client.ssl()), nullptr);  // AB-047
}

TEST(TlsSession, GarbageInsteadOfAHandshake_Fails) {  // AB-041
  for (const std::string& garbage :
       {std::string("<stream:stream xmlns='jabber:server'>"), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string(4096, '\xFF'), std::string("\x16\x03\x01\xFF\xFF", 5) + std::string(70000, 'a')}) {
    End server(as_server());
    server.feed(garbage);
    EXPECT_EQ(server.session->state(), Session::State::failed);
    EXPECT_EQ(server.session->error().reason, Reason::tls_failed);
  }
}

TEST(TlsSession, HandshakeInSingleBytes_Works) {  // AB-041
  RawTls client(RawTls::Side::client);
  End server(as_server());
  std::string bytes = client.feed("");
  while (!bytes.empty()) {
    std::string answer;
    for (const char byte : bytes) answer += server.feed({&byte, 1});
    bytes = client.feed(answer);
  }
  EXPECT_EQ(server.session->state(), Session::State::established);
}

TEST(TlsSession, AlteredRecord_FailsTheSession) {
  End client(as_client()), server(as_server());
  converse(client, server);
  std::string sealed = client.write("<message/>");
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  server.feed(sealed);
  EXPECT_EQ(server.session->state(), Session::State::failed);
  EXPECT_EQ(server.received, "");
}

TEST(TlsSession, CloseNotify_EndsIt_AndIsSentOnce) {  // AB-048
  End client(as_client()), server(as_server());
  converse(client, server);
  std::string out = client.write("last");
  client.session->close(out);
  const std::size_t size = out.size();
  client.session->close(out);
  EXPECT_EQ(out.size(), size);
  server.feed(out + "bytes behind the end");
  EXPECT_EQ(server.received, "last");
  EXPECT_EQ(server.session->state(), Session::State::ended);
  // The other half may still speak.
  client.feed(server.write("answer"));
  EXPECT_EQ(client.received, "answer");
}

TEST(TlsSession, TakerThatIsFull_StopsTheReading_NothingIsLost) {
  End client(as_client()), server(as_server());
  converse(client, server);
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i);
  const std::string sealed = client.write(text);
  std::string_view rest = sealed;
  std::string out, received;
  std::array<char, 1000> small;  // smaller than a record: the session holds the rest of one
  int calls = 0;
  while (received.size() < text.size()) {
    const int before = calls;
    server.session->feed(rest, t0, out, small, [&](std::string_view plain) {
      ++calls;
      received += plain;
      return false;
    });
    ASSERT_EQ(calls, before + 1);
  }
  EXPECT_EQ(received, text);
}

TEST(TlsSession, FullRecords_AreMadeOfALargeWrite) {
  End client(as_client()), server(as_server());
  converse(client, server);
  const std::string sealed = client.write(std::string(64 * 1024, 'x'));
  EXPECT_EQ(sealed.size(), 64u * 1024 + 4 * 22);  // 5 header, 1 type, 16 tag a record (RFC 8446 §5.2)
  server.feed(sealed);
  EXPECT_EQ(server.received.size(), 64u * 1024);
}

TEST(TlsSession, UnusableServerName_IsAnError) {
  const auto made = Session::make(world().contexts, as_client(std::string(300, 'a')));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().reason, Reason::tls_failed);
}

}  // namespace
}  // namespace ligase::tls
