// Our questions answered, and our answers' readers fed, by the openssl program: another reading of RFC 6960 and RFC 5280 than
// the tests' own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "node/materials.hpp"
#include "proof/revocation_list.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"

namespace ligase::node {
namespace {

using proof::RevocationAnswer;
using Status = RevocationAnswer::Status;

class OpensslProgram : public testing::Test {
 protected:
  OpensslProgram() {
    write("ca.pem", root.pem);
    write("ca.key", root.key_pem);
    write("request.der", proof::make_ocsp_request(*issued));
  }
  std::string path(const std::string& name) const { return folder / name; }
  void write(const std::string& name, const std::string& text) const { folder.put(name, text, 0600); }
  std::string read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }
  void run(const std::string& words) const {
    const std::string command = "cd '" + folder.text() + "' && openssl " + words + " >log 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << words << "\n" << read("log");
  }
  // The authority's books: one line, the leaf's.
  void keep_books(const std::string& state, const std::string& revoked) const {
    write("index.txt", state + "\t460101000000Z\t" + revoked + "\t0ABC\tunknown\t/CN=test\n");
  }

  static test::MadeCertificate made(bool is_ca, const test::MadeCertificate* issuer) {
    test::CertificateSpec spec;
    spec.common_name = is_ca ? "authority" : "leaf";
    spec.is_ca = is_ca;
    spec.dns = {"xmpp1.tld"};
    spec.serial = is_ca ? 1 : 0x0abc;
    spec.not_before = wall_now() - std::chrono::days(1);
    return test::make_certificate(spec, issuer);
  }
  test::Folder folder;
  const test::MadeCertificate root = made(true, nullptr), leaf = made(false, &root);
  const std::shared_ptr<const proof::Issued> issued =
      proof::Issued::find(*proof::Chain::parse({leaf.der}).value(), *proof::TrustAnchors::parse_pem(root.pem).value(),
                          wall_now())
          .value();
};

TEST_F(OpensslProgram, AnswersOurRequest) {  // REV-02
  const auto ask = [&] {
    run("ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -reqin request.der -respout response.der -ndays "
        "1");
    return proof::read_ocsp(*issued, read("response.der"), proof::OcspOrigin::asked, wall_now());
  };
  keep_books("V", "");
  EXPECT_EQ(ask().status, Status::good) << ask().evidence;
  keep_books("R", "251120000000Z,keyCompromise");
  const RevocationAnswer revoked = ask();
  EXPECT_EQ(revoked.status, Status::revoked) << revoked.evidence;
  EXPECT_EQ(revoked.evidence, "OCSP says revoked since 2025-11-20T00:00:00Z (keyCompromise)");
}

TEST_F(OpensslProgram, ItsListsAreRead) {  // REV-02
  write("ca.cnf",
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=1\ncertificate=ca.pem\n"
        "private_key=ca.key\n");
  const auto list = [&] {
    run("ca -config ca.cnf -gencrl -out list.pem");
    return proof::look_up(proof::RevocationList::parse(read("list.pem")).value(), *issued, wall_now());
  };
  keep_books("V", "");
  EXPECT_EQ(list().status, Status::good) << list().evidence;
  keep_books("R", "251120000000Z,keyCompromise");
  EXPECT_EQ(list().status, Status::revoked) << list().evidence;
  run("crl -in list.pem -outform DER -out list.der");
  EXPECT_EQ(proof::RevocationList::parse(read("list.der"))->size(), 1u);
}

}  // namespace
}  // namespace ligase::node
