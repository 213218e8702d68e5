// Answers of strangers: OCSP responses and CRLs end in good, revoked or not known, whatever the bytes (AB-066). The first byte
// chooses: even, an OCSP response; odd, a CRL.
#include <cstdlib>

#include "proof/revocation_list.hpp"

using namespace ligase;
using namespace ligase::proof;

namespace {

// Made once, and read from here so that the target needs no file. What they sign in the corpus counts; what a fuzzer makes
// of it must not become a better answer: a "good" that nobody signed would be a forged signature.
constexpr const char* kRoot = R"(-----BEGIN CERTIFICATE-----
MIIBWTCCAQCgAwIBAgICA+kwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJdGVzdCBy
b290MB4XDTI2MDEwMTAwMDAwMFoXDTQ2MDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
dGVzdCByb290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE39LLMrI5EthqN/2K
h5LUZFS7qcKkQxQ89dkBG5QWC3mxDV4jsrRhjc5n7qlYwAYYqMTDjxm6AljOb3x9
p6g6nqNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0O
BBYEFH3CTBbc+ilrCJ9pKOdmcSpjyS8HMAoGCCqGSM49BAMCA0cAMEQCIBOKF+HN
9ME8dqe9rdvZxQSLbFlRrv84SqSF/rPxBNfeAiBL2P1qscf3iGued2PfaF0c7d9F
YAedebF+FGhlKkUZlg==
-----END CERTIFICATE-----
)";
constexpr const char* kLeaf = R"(-----BEGIN CERTIFICATE-----
MIIBeDCCAR+gAwIBAgICA+owCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJdGVzdCBy
b290MB4XDTI2MDEwMTAwMDAwMFoXDTQ2MDEwMTAwMDAwMFowDzENMAsGA1UEAwwE
bGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAfKfIGoh1XgsIg5BwphI1W/
f09Jw88IimCAFsoo5qtiloviOl6ssraKLniDWgOwU0NFdwzWozNZQRXb4XQrYCaj
ZjBkMAwGA1UdEwEB/wQCMAAwHQYDVR0OBBYEFCEnfbS8gYM8PGXsYRhV6ESkbxof
MB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjAWBgNVHREEDzANggt0YXJn
ZXQxLnRsZDAKBggqhkjOPQQDAgNHADBEAiBiPat5YKX1RUKrh1jh+KlE+sUtYZTa
DwqneAER2D6yWgIgaurkJKHOkG+ZYWT8OmZpXZH+hNaRxgvTW0rxLmqnWSs=
-----END CERTIFICATE-----
)";

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const RevocationAnswer& answer, WallTime now) {
  const bool is_known = answer.status != RevocationAnswer::Status::unknown;
  must(!answer.evidence.empty() && answer.evidence.find('\n') == std::string::npos);
  must(!is_known || (answer.expires > now && answer.expires <= now + kLongestAnswer));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);
  static const auto anchors = TrustAnchors::parse_pem(kRoot).value();
  static const auto issued = Issued::find(*Chain::parse_pem(kLeaf).value(), *anchors, now).value();
  if (size == 0) return 0;
  const std::string_view bytes = as_text({data + 1, size - 1});
  if (data[0] % 2 == 0) {
    check(read_ocsp(*issued, bytes, OcspOrigin::stapled, now), now);
    check(read_ocsp(*issued, bytes, OcspOrigin::asked, now), now);
    return 0;
  }
  const auto lists = RevocationList::parse(bytes);
  if (!lists) return 0;
  must(!lists->empty());
  for (const auto& list : *lists) must(list->size() <= kLargestList && list->entries() <= list->size());
  check(look_up(*lists, *issued, now), now);
  return 0;
}
