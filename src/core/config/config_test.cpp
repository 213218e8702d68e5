// A configuration is whole or refused, with every fault of it at once (AB-163, AB-164, LIM-01).
#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <map>

#include "config/text.hpp"

namespace ligase::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A key and its self-signed certificate, made once.
struct KeyPair {
  std::string certificate, key;
};

std::string taken(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

KeyPair make_pair() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* certificate_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_bio, certificate);
  BIO* key_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {taken(certificate_bio), taken(key_bio)};
}

const KeyPair& pair_one() {
  static const KeyPair pair = make_pair();
  return pair;
}

class FakeFiles final : public Files {
 public:
  std::map<std::string, FileFacts> files;

  tl::expected<FileFacts, std::string> read(const std::string& path) const override {
    const auto found = files.find(path);
    if (found == files.end()) return tl::unexpected(std::string("No such file or directory"));
    return found->second;
  }
};

constexpr std::string_view kGateway = "[gateway]\nhostname = \"xmpp1.receiving.tld\"\n";
constexpr std::string_view kTls = "[tls]\ncertificate = \"xmpp1.pem\"\nprivate_key = \"xmpp1.key\"\n";
constexpr std::string_view kListen = "[[listen]]\nkind = \"s2s\"\naddress = \"[::]:5269\"\n";
constexpr std::string_view kDomain =
    "[[listen]]\nkind = \"component\"\naddress = \"127.0.0.1:5347\"\n"
    "[[domain]]\nname = \"target1.tld\"\nvia = \"component\"\nsecret = \"s3cret-of-target1\"\n";

class Configuration : public testing::Test {
 protected:
  Configuration() {
    files.files["etc/xmpp1.pem"] = {pair_one().certificate, 0644};
    files.files["etc/xmpp1.key"] = {pair_one().key, 0640};
    files.files["/usr/share/dns/root.key"] = {". IN DS 20326 8 2 E06D", 0644};
  }
  Parsed read(const std::string& text) {
    files.files["etc/gw.toml"] = {text, 0640};
    return parse("etc/gw.toml", files);
  }
  // What a configuration that is whole but for `extra` is told.
  std::vector<std::string> faults_of(const std::string& extra) { return texts(read(whole() + extra).faults); }
  std::vector<std::string> warnings_of(const std::string& extra) { return texts(read(whole() + extra).warnings); }

  static std::string whole() {
    return std::string(kGateway) + std::string(kTls) + std::string(kListen) + std::string(kDomain);
  }
  static std::vector<std::string> texts(const std::vector<Fault>& faults) {
    std::vector<std::string> all;
    for (const Fault& fault : faults) all.push_back(fault.text());
    return all;
  }
  FakeFiles files;
};

// whole() has 15 lines: what is appended begins in line 16.

TEST_F(Configuration, Smallest_IsWholeWithTheContractsDefaults) {
  const Parsed parsed = read(whole());
  ASSERT_TRUE(parsed.config) << testing::PrintToString(texts(parsed.faults));
  EXPECT_THAT(parsed.warnings, IsEmpty());
  const Config& config = *parsed.config;
  EXPECT_EQ(config.hostname.text(), "xmpp1.receiving.tld");
  EXPECT_EQ(config.state_dir, "/var/lib/ligase");
  EXPECT_EQ(config.control, "/var/lib/ligase/control.sock");
  EXPECT_EQ(config.credential.certificate_file, "etc/xmpp1.pem");
  EXPECT_EQ(config.trust_anchors, "system");
  EXPECT_EQ(config.revocation, Revocation::soft);
  EXPECT_EQ(config.dns_trust_anchor, "/usr/share/dns/root.key");
  EXPECT_EQ(config.policy.defaults.proofs.size(), proof::kProofTypes);
  EXPECT_EQ(config.policy.defaults.encryption, Encryption::required);
  EXPECT_FALSE(config.policy.internal);
  ASSERT_EQ(config.listen.size(), 2u);
  EXPECT_EQ(config.listen[0].kind, ListenKind::s2s);
  ASSERT_EQ(config.links.size(), 1u);
  const auto& link = std::get<ComponentLink>(config.links[0]);
  EXPECT_EQ(link.secret.bytes, "s3cret-of-target1");
  EXPECT_EQ(link.domains[0].text(), "target1.tld");
}

TEST_F(Configuration, EverythingOfTheContract_IsTaken) {
  files.files["etc/target3.pem"] = files.files["etc/xmpp1.pem"];
  files.files["etc/target3.key"] = {pair_one().key, 0600};
  files.files["etc/target1.secret"] = {"s3cret-of-target1\n", 0600};
  files.files["etc/customers.txt"] = {"# those of the backend\nCustomer1.tld\n\n  customer2.tld # the second\n", 0644};
  const Parsed parsed = read(R"([gateway]
hostname = "xmpp1.receiving.tld"
state_dir = "state"
control = "/run/ligase/control.sock"
[log]
format = "json"
level = "debug"
[tls]
certificate = "xmpp1.pem"
private_key = "xmpp1.key"
trust_anchors = "xmpp1.pem"
revocation = "hard"
crl = ["xmpp1.pem"]
minimum = "1.3"
[[tls.for]]
domains = ["target3.tld"]
certificate = "target3.pem"
private_key = "target3.key"
[dns]
trust_anchor = "/usr/share/dns/root.key"
forward = ["127.0.0.1@5353", "::1"]
allow_addresses = ["127.0.0.0/8", "fd00::/8"]
[[listen]]
kind = "s2s"
address = "[::]:5269"
[[listen]]
kind = "s2s-tls"
address = "[::]:5270"
[[listen]]
kind = "component"
address = "127.0.0.1:5347"
[[listen]]
kind = "backend"
address = "unix:backend.sock"
[[listen]]
kind = "dns-view"
address = "127.0.0.1:5359"
[[listen]]
kind = "http"
address = "127.0.0.1:9269"
[[domain]]
names = ["target1.tld", "target3.tld"]
via = "component"
secret_file = "target1.secret"
[[domain]]
names_file = "customers.txt"
via = "backend"
address = "127.0.0.1:15269"
[policy]
proofs = ["dialback", "dane"]
encryption = "preferred"
multiplex = false
bidi = false
internal = true
[[policy.peer]]
domains = ["bank.tld", "*.bank.tld"]
proofs = ["dane"]
encryption = "required"
[[policy.peer]]
domains = ["spam.tld"]
block = true
[limits]
unproven_timeout = "250s"
stanza_size = "256KiB"
depth = 64
)");
  ASSERT_TRUE(parsed.config) << testing::PrintToString(texts(parsed.faults));
  const Config& config = *parsed.config;
  EXPECT_EQ(config.state_dir, "etc/state");
  EXPECT_EQ(config.control, "/run/ligase/control.sock");
  EXPECT_EQ(config.log_format, LogFormat::json);
  EXPECT_EQ(config.log_level, report::Level::debug);
  EXPECT_EQ(config.tls_minimum, "1.3");
  EXPECT_EQ(config.revocation, Revocation::hard);
  EXPECT_THAT(config.crl, ElementsAre("etc/xmpp1.pem"));
  EXPECT_THAT(config.dns_forward, ElementsAre("127.0.0.1@5353", "::1@53"));
  EXPECT_EQ(config.allow_addresses.size(), 2u);
  ASSERT_EQ(config.listen.size(), 6u);
  EXPECT_EQ(config.listen[3].unix_path, "etc/backend.sock");
  EXPECT_EQ(config.listen[5].endpoint.port, 9269);
  EXPECT_EQ(std::get<ComponentLink>(config.links[0]).secret.bytes, "s3cret-of-target1");
  const auto& backend = std::get<BackendLink>(config.links[1]);
  ASSERT_EQ(backend.domains.size(), 2u);
  EXPECT_EQ(backend.domains[0].text(), "customer1.tld");
  EXPECT_EQ(backend.domains[1].text(), "customer2.tld");
  EXPECT_EQ(backend.address.port, 15269);
  EXPECT_TRUE(config.policy.internal);
  EXPECT_EQ(config.limits.unproven_timeout, 250s);
  EXPECT_EQ(config.limits.stanza_size, 256u * 1024);
  EXPECT_EQ(config.limits.depth, 64u);
  EXPECT_EQ(config.limits.attributes, 256u);
}

TEST_F(Configuration, PeerRules_TheFirstMatchWins) {
  const Parsed parsed = read(whole() + R"([policy]
encryption = "preferred"
[[policy.peer]]
domains = ["bank.tld", "*.bank.tld"]
proofs = ["dane"]
multiplex = false
[[policy.peer]]
domains = ["*.tld"]
block = true
)");
  ASSERT_TRUE(parsed.config) << testing::PrintToString(texts(parsed.faults));
  const Policy& policy = parsed.config->policy;
  const auto towards = [&](const char* name) { return policy.towards(*Domain::parse(name)); };
  EXPECT_THAT(towards("bank.tld").proofs, ElementsAre(proof::ProofType::dane));
  EXPECT_THAT(towards("a.b.bank.tld").proofs, ElementsAre(proof::ProofType::dane));
  EXPECT_FALSE(towards("a.bank.tld").may_multiplex);
  EXPECT_FALSE(towards("a.bank.tld").is_blocked);
  EXPECT_EQ(towards("bank.tld").encryption, Encryption::preferred);
  EXPECT_TRUE(towards("snowbank.tld").is_blocked);  // not below bank.tld
  EXPECT_FALSE(towards("bank.example").is_blocked);
  EXPECT_EQ(towards("bank.example").proofs.size(), proof::kProofTypes);
}

// AB-163
TEST_F(Configuration, UnknownKey_IsRefusedWithLineAndNearestKey) {
  EXPECT_THAT(faults_of("[policy]\nencrypton = \"preferred\"\n"),
              ElementsAre("etc/gw.toml:17: unknown key \"encrypton\" in [policy]; did you mean \"encryption\"?"));
  EXPECT_THAT(faults_of("[polcy]\nencryption = \"preferred\"\n"),
              ElementsAre("etc/gw.toml:16: unknown key \"polcy\"; did you mean \"policy\"?"));
  EXPECT_THAT(faults_of("[log]\ncolour = true\n"),
              ElementsAre("etc/gw.toml:17: unknown key \"colour\" in [log]; known here: \"format\", \"level\""));
}

// AB-163
TEST_F(Configuration, WrongType_IsRefusedWithAnExample) {
  EXPECT_THAT(
      faults_of("[policy]\nmultiplex = \"yes\"\nproofs = \"dane\"\nencryption = true\n"),
      ElementsAre("etc/gw.toml:17: [policy] multiplex is a string, not true or false; write multiplex = true",
                  "etc/gw.toml:18: [policy] proofs is a string, not an array of strings; write proofs = [\"…\"]",
                  "etc/gw.toml:19: [policy] encryption is true or false, not a string; write encryption = \"…\""));
  EXPECT_THAT(
      faults_of("[limits]\nqueue_age = 60\ndepth = \"64\"\nstanza_size = 1e5\n"),
      ElementsAre("etc/gw.toml:17: [limits] queue_age is a whole number, not a duration; write queue_age = \"1m\"",
                  "etc/gw.toml:18: [limits] depth is a string, not a whole number; write depth = 1",
                  "etc/gw.toml:19: [limits] stanza_size is a fraction, not a size; write stanza_size = \"512KiB\""));
  EXPECT_THAT(faults_of("log = 1\n"), Not(IsEmpty()));
}

// AB-163
TEST_F(Configuration, DomainWithTwoOwners_IsRefusedNamingBoth) {
  files.files["etc/customers.txt"] = {"other.tld\nTARGET1.tld.\n", 0644};
  EXPECT_THAT(
      faults_of("[[domain]]\nnames_file = \"customers.txt\"\nvia = \"backend\"\naddress = \"127.0.0.1:15269\"\n"),
      ElementsAre("etc/customers.txt:2: target1.tld has two owners: it is named in etc/gw.toml:13 already; "
                  "name each domain once"));
}

// AB-163
TEST_F(Configuration, EmptyFile_IsToldEverythingThatIsMissing) {
  EXPECT_THAT(texts(read("").faults), ElementsAre("etc/gw.toml: [gateway] has no hostname; add hostname = \"…\"",
                                                  "etc/gw.toml: [tls] has no certificate; add certificate = \"…\"",
                                                  "etc/gw.toml: [tls] has no private_key; add private_key = \"…\""));
}

// AB-163
TEST_F(Configuration, SeveralFaults_AreAllReportedInOneRunInTheOrderOfTheFile) {
  const Parsed parsed = read(
      "[gateway]\nhostnam = \"x.tld\"\n[log]\nlevel = \"loud\"\n[tls]\ncertificate = \"none.pem\"\n"
      "private_key = \"xmpp1.key\"\n[[listen]]\nkind = \"s2z\"\naddress = \"5269\"\n");
  EXPECT_FALSE(parsed.config);
  EXPECT_THAT(
      texts(parsed.faults),
      ElementsAre(
          "etc/gw.toml:1: [gateway] has no hostname; add hostname = \"…\"",
          "etc/gw.toml:2: unknown key \"hostnam\" in [gateway]; did you mean \"hostname\"?",
          "etc/gw.toml:4: [log] level cannot be \"loud\"; known here: \"debug\", \"info\", \"warning\", \"error\"",
          "etc/gw.toml:6: cannot read the certificate \"none.pem\": No such file or directory; check the "
          "path and its modes",
          "etc/gw.toml:9: [[listen]] kind cannot be \"s2z\"; did you mean \"s2s\"?"));
}

// AB-163
TEST_F(Configuration, BrokenToml_IsRefusedWithItsLine) {
  const Parsed parsed = read("[gateway]\nhostname = xmpp1\n");
  ASSERT_EQ(parsed.faults.size(), 1u);
  EXPECT_EQ(parsed.faults[0].line, 2u);
  EXPECT_THAT(parsed.faults[0].text(), HasSubstr("etc/gw.toml:2: no valid TOML: "));
  EXPECT_FALSE(read("a = 1\na = 2\n").config);
  EXPECT_FALSE(read("\xff\xfe").config);
}

TEST_F(Configuration, MissingFile_IsRefused) {
  EXPECT_THAT(
      texts(parse("etc/none.toml", files).faults),
      ElementsAre(
          "etc/none.toml: cannot read the configuration: No such file or directory; check the path and its modes"));
}

// AB-164
TEST_F(Configuration, KeyOpenToAll_IsRefused) {
  for (const unsigned mode : {0644u, 0604u, 0660u, 0777u}) {
    files.files["etc/xmpp1.key"].mode = mode;
    EXPECT_EQ(faults_of("").size(), 1u) << mode;
  }
  files.files["etc/xmpp1.key"].mode = 0644;
  EXPECT_THAT(
      faults_of(""),
      ElementsAre("etc/gw.toml:5: the private key \"xmpp1.key\" has mode 0644, open to all; chmod 640 xmpp1.key"));
  for (const unsigned mode : {0600u, 0640u, 0400u, 0440u}) {
    files.files["etc/xmpp1.key"].mode = mode;
    EXPECT_THAT(faults_of(""), IsEmpty()) << mode;
  }
}

// AB-164
TEST_F(Configuration, KeyThatIsUnreadableForeignEncryptedOrNone_IsRefused) {
  files.files["etc/xmpp1.key"].text = make_pair().key;
  EXPECT_THAT(faults_of(""),
              ElementsAre(HasSubstr("etc/gw.toml:5: \"xmpp1.key\" is not the key of the first certificate")));
  files.files["etc/xmpp1.key"].text = "hello";
  EXPECT_THAT(faults_of(""), ElementsAre(HasSubstr("etc/gw.toml:5: \"xmpp1.key\" holds no PEM private key")));
  EVP_PKEY* key = EVP_EC_gen("P-256");
  BIO* bio = BIO_new(BIO_s_mem());
  char passphrase[] = "secret";
  PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), nullptr, 0, nullptr, passphrase);
  EVP_PKEY_free(key);
  files.files["etc/xmpp1.key"].text = taken(bio);
  EXPECT_THAT(faults_of(""), ElementsAre(HasSubstr("etc/gw.toml:5: \"xmpp1.key\" is encrypted")));
  files.files.erase("etc/xmpp1.key");
  EXPECT_THAT(faults_of(""),
              ElementsAre(HasSubstr("etc/gw.toml:5: cannot read the private key \"xmpp1.key\": No such file")));
}

// AB-164
TEST_F(Configuration, CertificateFileWithoutCertificate_IsRefused) {
  files.files["etc/xmpp1.pem"].text = "-----BEGIN NONSENSE-----\n";
  EXPECT_THAT(faults_of(""), ElementsAre(HasSubstr("etc/gw.toml:4: \"xmpp1.pem\" holds no PEM certificate")));
}

// AB-106
TEST_F(Configuration, ComponentListenerOffLoopback_IsAWarning) {
  EXPECT_THAT(faults_of("[[listen]]\nkind = \"component\"\naddress = \"0.0.0.0:5348\"\n"), IsEmpty());
  EXPECT_THAT(
      warnings_of("[[listen]]\nkind = \"component\"\naddress = \"0.0.0.0:5348\"\n"),
      ElementsAre("etc/gw.toml:18: the component listener 0.0.0.0:5348 is reachable from other machines; bind it to "
                  "127.0.0.1 or ::1, or keep strangers out by a firewall"));
}

// AB-114
TEST_F(Configuration, HttpListenerOffLoopback_IsRefused) {
  for (const char* address : {"0.0.0.0:9269", "[::]:9269", "192.0.2.1:9269", "10.0.0.1:9269"}) {
    EXPECT_THAT(faults_of(std::string("[[listen]]\nkind = \"http\"\naddress = \"") + address + "\"\n"),
                ElementsAre(HasSubstr("is reachable from other machines, and asks nobody for a password")))
        << address;
  }
  EXPECT_THAT(faults_of("[[listen]]\nkind = \"http\"\naddress = \"[::1]:9269\"\n"), IsEmpty());
}

TEST_F(Configuration, BackendListener_OnlyOnLoopbackPrivateOrUnix) {
  const auto with = [&](const char* address) {
    return faults_of(std::string("[[listen]]\nkind = \"backend\"\naddress = \"") + address + "\"\n");
  };
  for (const char* address :
       {"127.0.0.1:1", "10.1.2.3:1", "172.31.0.1:1", "192.168.0.1:1", "[fd00::1]:1", "[::1]:1", "unix:b.sock"})
    EXPECT_THAT(with(address), IsEmpty()) << address;
  for (const char* address : {"0.0.0.0:1", "[::]:1", "172.32.0.1:1", "192.0.2.1:1", "[2001:db8::1]:1"})
    EXPECT_THAT(with(address), ElementsAre(HasSubstr("is neither loopback nor private"))) << address;
}

TEST_F(Configuration, ListenersOnOneAddress_AreRefusedExceptWithPortZero) {
  EXPECT_THAT(
      faults_of("[[listen]]\nkind = \"s2s\"\naddress = \"[::]:5269\"\n"),
      ElementsAre(
          "etc/gw.toml:18: [::]:5269 is taken by the [[listen]] of line 8; give each listener an address of its own"));
  EXPECT_THAT(faults_of("[[listen]]\nkind = \"s2s\"\naddress = \"127.0.0.1:0\"\n[[listen]]\nkind = \"s2s\"\naddress = "
                        "\"127.0.0.1:0\"\n"),
              IsEmpty());
}

TEST_F(Configuration, DomainWithoutNameSecretOrVia_IsRefused) {
  EXPECT_THAT(faults_of("[[domain]]\n"),
              ElementsAre(HasSubstr("etc/gw.toml:16: [[domain]] has none of name, names, names_file"),
                          HasSubstr("etc/gw.toml:16: [[domain]] has no via")));
  EXPECT_THAT(faults_of("[[domain]]\nname = \"b.tld\"\nnames = [\"c.tld\"]\nvia = \"component\"\n"),
              ElementsAre(HasSubstr("has more than one of name, names, names_file"),
                          HasSubstr("has neither secret nor secret_file")));
  EXPECT_THAT(faults_of("[[domain]]\nname = \"b.tld\"\nvia = \"component\"\nsecret = \"\"\n"),
              ElementsAre(HasSubstr("secret is empty")));
  EXPECT_THAT(faults_of("[[domain]]\nname = \"b..tld\"\nvia = \"backend\"\n"),
              ElementsAre(HasSubstr("has no address"), HasSubstr("\"b..tld\" is no domain name")));
}

// DNS-07
TEST_F(Configuration, PolicyThatNeedsDnssecWithoutAnchor_IsRefused) {
  const std::string off = "[dns]\ntrust_anchor = \"\"\n";
  EXPECT_THAT(faults_of(off), IsEmpty());
  EXPECT_THAT(warnings_of(off), ElementsAre(HasSubstr("every DNS answer counts as insecure")));
  EXPECT_THAT(
      faults_of(off + "[policy]\nproofs = [\"dane\", \"dnssec\"]\n"),
      ElementsAre("etc/gw.toml:19: [policy] proofs demands DNSSEC, and [dns] trust_anchor is empty; name a trust "
                  "anchor, or allow pkix, posh or dialback"));
  EXPECT_THAT(faults_of(off + "[[policy.peer]]\ndomains = [\"bank.tld\"]\nproofs = [\"dane\"]\n"),
              ElementsAre(HasSubstr("etc/gw.toml:20: [[policy.peer]] proofs demands DNSSEC")));
  EXPECT_THAT(faults_of(off + "[policy]\nproofs = [\"dane\", \"pkix\"]\n"), IsEmpty());
}

TEST_F(Configuration, ProofNames_AreChecked) {
  EXPECT_THAT(faults_of("[policy]\nproofs = [\"dnsec\", \"pkix\", \"pkix\"]\n"),
              ElementsAre("etc/gw.toml:17: [policy] proofs cannot hold \"dnsec\"; did you mean \"dnssec\"?",
                          "etc/gw.toml:17: [policy] proofs holds \"pkix\" twice; name it once"));
  EXPECT_THAT(faults_of("[policy]\nproofs = []\n"), ElementsAre(HasSubstr("nothing could ever be proven")));
}

// LIM-01
TEST_F(Configuration, Limits_HaveBoundsAndFitTogether) {
  EXPECT_THAT(
      faults_of("[limits]\nstanza_size_unproven = \"9999B\"\nunproven_timeout = \"1\"\npairs_total = -1\n"),
      ElementsAre(
          "etc/gw.toml:17: [limits] stanza_size_unproven cannot be \"9999B\"; choose between \"10000B\" and \"16MiB\"",
          HasSubstr("etc/gw.toml:18: [limits] unproven_timeout cannot be \"1\"; write a whole number and a unit"),
          "etc/gw.toml:19: [limits] pairs_total cannot be -1; choose between 1 and 100000000"));
  EXPECT_THAT(faults_of("[limits]\nkeep_alive = \"2m\"\ndead_after = \"90s\"\n"),
              ElementsAre(HasSubstr("dead_after 90s is not above keep_alive 2m")));
  EXPECT_THAT(faults_of("[limits]\nkeep_alive = \"2m\"\n"), IsEmpty());
  EXPECT_THAT(faults_of("[limits]\nqueue_per_pair = \"64KiB\"\n"),
              ElementsAre(HasSubstr("the biggest stanza could never wait")));
  EXPECT_THAT(faults_of("[limits]\nunproven_timeot = \"30s\"\n"),
              ElementsAre(HasSubstr("did you mean \"unproven_timeout\"?")));
}

// AB-163: what a socket on [::] takes is not left for another one.
TEST_F(Configuration, ListenersThatTakeEachOthersPort_AreRefused) {
  const auto listen = [](const std::string& address) {
    return "[[listen]]\nkind = \"s2s\"\naddress = \"" + address + "\"\n";
  };
  EXPECT_THAT(
      faults_of(listen("0.0.0.0:5269")),
      ElementsAre("etc/gw.toml:18: 0.0.0.0:5269 and [::]:5269 of line 8 take each other's port; [::] takes IPv4 "
                  "as well: leave the narrower one out, or give it another port"));
  EXPECT_THAT(faults_of(listen("127.0.0.1:5269")), ElementsAre(HasSubstr("take each other's port")));
  EXPECT_THAT(faults_of(listen("0.0.0.0:5347")), ElementsAre(HasSubstr("127.0.0.1:5347 of line 11")));
  EXPECT_THAT(faults_of(listen("[::1]:5347") + listen("0.0.0.0:5270")), IsEmpty());
}

// AB-206
TEST_F(Configuration, PeerBlockThatNothingReaches_IsAWarning) {
  const auto block = [](const std::string& domains) {
    return "[[policy.peer]]\ndomains = [" + domains + "]\nblock = true\n";
  };
  EXPECT_THAT(
      warnings_of(block("\"*.x.tld\"") + block("\"a.x.tld\"")),
      ElementsAre("etc/gw.toml:20: \"a.x.tld\" is named by the [[policy.peer]] of line 17 already, and the first "
                  "match wins: this block does nothing for it; put the narrower block before the wider one, or "
                  "take it out"));
  EXPECT_THAT(warnings_of(block("\"*.x.tld\"") + block("\"*.a.x.tld\"")), ElementsAre(HasSubstr("\"*.a.x.tld\"")));
  EXPECT_THAT(warnings_of(block("\"x.tld\"") + block("\"X.tld\"")), ElementsAre(HasSubstr("\"x.tld\" is named by")));
  EXPECT_THAT(warnings_of(block("\"a.x.tld\"") + block("\"*.x.tld\"")), IsEmpty());  // the narrower one first
  EXPECT_THAT(warnings_of(block("\"*.x.tld\", \"a.x.tld\"") + block("\"x.tld\", \"*.tld.x\"")), IsEmpty());
}

// AB-206
TEST_F(Configuration, SecretThatOthersReadOrGuess_IsAWarning) {
  EXPECT_THAT(warnings_of("[[domain]]\nname = \"b.tld\"\nvia = \"component\"\nsecret = \"a\"\n"),
              ElementsAre(HasSubstr("etc/gw.toml:19: the component's secret has 1 bytes")));
  files.files["etc/gw.toml"] = {whole(), 0644};
  EXPECT_THAT(texts(parse("etc/gw.toml", files).warnings),
              ElementsAre("etc/gw.toml:15: a secret stands in etc/gw.toml, which has mode 0644, open to all; chmod 640 "
                          "etc/gw.toml, or name a secret_file"));
}

// AB-163: what is refused later is refused with its line.
TEST_F(Configuration, KeysThatDoNothing_AreKeptWithTheirLines) {
  const Parsed parsed = read(whole() + "[limits]\ndead_after = \"90s\"\n");
  ASSERT_TRUE(parsed.config);
  std::vector<std::string> keys;
  for (const InVain& key : parsed.config->in_vain) keys.push_back(key.key + " " + std::to_string(key.line));
  EXPECT_THAT(keys, ElementsAre("[limits] dead_after 17"));
}

TEST_F(Configuration, MissingListenersOrTheirWrongAddress_AreRefused) {
  EXPECT_THAT(texts(read(std::string(kGateway) + std::string(kTls)).faults),
              ElementsAre(HasSubstr("there is no [[listen]]")));
  EXPECT_THAT(faults_of("[[listen]]\nkind = \"s2s\"\naddress = \"localhost:5269\"\n"),
              ElementsAre(HasSubstr("etc/gw.toml:18: [[listen]] address cannot be \"localhost:5269\"")));
}

TEST(ConfigText, Durations_AreWholeNumbersWithAUnit) {
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("2d"), 48h);
  for (const char* text : {"", "30", "s", "-1s", "1.5s", " 30s", "30 s", "30S", "99999999999999999999s", "9999999d"})
    EXPECT_FALSE(parse_duration(text)) << text;
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(1h), "1h");
}

TEST(ConfigText, Sizes_AreWholeNumbersWithAUnit) {
  EXPECT_EQ(parse_size("512KiB"), 512u * 1024);
  EXPECT_EQ(parse_size("16MiB"), 16u << 20);
  EXPECT_EQ(parse_size("1GiB"), 1u << 30);
  EXPECT_EQ(parse_size("10000B"), 10000u);
  for (const char* text : {"", "512", "512kib", "512KB", "-1KiB", "99999999999GiB"})
    EXPECT_FALSE(parse_size(text)) << text;
  EXPECT_EQ(size_text(16u << 20), "16MiB");
  EXPECT_EQ(size_text(10000), "10000B");
}

TEST(ConfigText, Nearest_FindsSlipsOfTheHandOnly) {
  constexpr std::string_view known[] = {"hostname", "state_dir", "control"};
  EXPECT_EQ(nearest("hostnam", known), "hostname");
  EXPECT_EQ(nearest("hsotname", known), "hostname");
  EXPECT_EQ(nearest("statedir", known), "state_dir");
  EXPECT_FALSE(nearest("banana", known));
  EXPECT_FALSE(nearest(std::string(100000, 'x'), known));
}

}  // namespace
}  // namespace ligase::config
