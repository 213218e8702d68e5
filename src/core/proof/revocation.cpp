// OCSP (RFC 6960) with the library's structures and our own rules: the library's check of dates reads the wall clock, and
// its check of the signer builds paths to anchors, where the issuer's own word is enough and all that counts.
#include "proof/revocation.hpp"

#include <fmt/format.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "proof/native.hpp"
#include "proof/revocation_native.hpp"

namespace ligase::proof {
namespace {

using Status = RevocationAnswer::Status;

constexpr std::size_t kMostPlaces = 4;
constexpr int kMostNames = 100;  // looked at for places

struct Freed {
  void operator()(AUTHORITY_INFO_ACCESS* p) const noexcept { AUTHORITY_INFO_ACCESS_free(p); }
  void operator()(CRL_DIST_POINTS* p) const noexcept { CRL_DIST_POINTS_free(p); }
  void operator()(OCSP_REQUEST* p) const noexcept { OCSP_REQUEST_free(p); }
  void operator()(OCSP_RESPONSE* p) const noexcept { OCSP_RESPONSE_free(p); }
  void operator()(OCSP_BASICRESP* p) const noexcept { OCSP_BASICRESP_free(p); }
  void operator()(OCSP_CERTID* p) const noexcept { OCSP_CERTID_free(p); }
  void operator()(ASN1_OBJECT* p) const noexcept { ASN1_OBJECT_free(p); }
  void operator()(STACK_OF(X509) * p) const noexcept { sk_X509_free(p); }  // the stack alone
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

void add_place(const GENERAL_NAME& name, std::vector<Url>& places) {
  if (name.type != GEN_URI || places.size() >= kMostPlaces) return;
  const ASN1_IA5STRING* const text = name.d.uniformResourceIdentifier;
  const Result<Url> url = Url::parse(
      {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))});
  if (url && std::ranges::find(places, *url) == places.end()) places.push_back(*url);
}

std::vector<Url> responders_of(const X509& certificate) {
  std::vector<Url> places;
  const Owned<AUTHORITY_INFO_ACCESS> access(
      static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(&certificate, NID_info_access, nullptr, nullptr)));
  for (int i = 0; access && i < std::min(kMostNames, sk_ACCESS_DESCRIPTION_num(access.get())); ++i) {
    const ACCESS_DESCRIPTION& one = *sk_ACCESS_DESCRIPTION_value(access.get(), i);
    if (OBJ_obj2nid(one.method) == NID_ad_OCSP) add_place(*one.location, places);
  }
  return places;
}

// Those of the issuer itself, with every reason: a list of somebody else's, or of some reasons, could not say "good".
std::vector<Url> lists_of(const X509& certificate) {
  std::vector<Url> places;
  const Owned<CRL_DIST_POINTS> points(
      static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(&certificate, NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; points && i < std::min(kMostNames, sk_DIST_POINT_num(points.get())); ++i) {
    const DIST_POINT& point = *sk_DIST_POINT_value(points.get(), i);
    if (point.distpoint == nullptr || point.distpoint->type != 0 || point.CRLissuer != nullptr ||
        point.reasons != nullptr)
      continue;
    const GENERAL_NAMES* const names = point.distpoint->name.fullname;
    for (int j = 0; j < std::min(kMostNames, sk_GENERAL_NAME_num(names)); ++j)
      add_place(*sk_GENERAL_NAME_value(names, j), places);
  }
  return places;
}

Result<Path> find_any_path(const Chain& chain, const TrustAnchors& anchors, WallTime now) {
  Result<Path> path = find_path(chain, anchors.native(), now);
  if (path) return path;
  const std::vector<CertificatePtr>& shown = chain.native().certificates;
  for (std::size_t i = 1; i < shown.size(); ++i) {
    const bool is_issuer = X509_check_issued(shown[i].get(), shown.front().get()) == X509_V_OK;
    ERR_clear_error();
    if (!is_issuer) continue;
    if (Result<Path> own = find_path_to(chain, *shown[i], now)) return own;
  }
  return path;
}

// --- an OCSP response

// Why a response counts for nothing; "" where it counts.
using Fault = std::string;

// The one whose name or key the response gives, found among the issuer and what it brings along. Null: neither.
X509* find_signer(OCSP_BASICRESP& response, X509& issuer) {
  const Owned<STACK_OF(X509)> known(sk_X509_new_null());
  if (!known || sk_X509_push(known.get(), &issuer) <= 0) return nullptr;
  X509* signer = nullptr;
  return OCSP_resp_get0_signer(&response, &signer, known.get()) == 1 ? signer : nullptr;
}

// RFC 6960 §4.2.2.2: made a responder by the issuer itself, directly.
Fault check_delegate(X509& signer, X509& issuer, WallTime now) {
  if (is_costly(signer)) return "the responder's RSA key is too large";
  const std::uint32_t usage = X509_get_extended_key_usage(&signer);
  if (usage == UINT32_MAX || (usage & XKU_OCSP_SIGN) == 0) return "its signer may not sign OCSP responses";
  if ((X509_get_extension_flags(&signer) & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0)
    return "its signer's certificate has an extension that is not understood";
  if (now < not_before_of(signer) || not_after_of(signer) < now)
    return "its signer's certificate is not within its dates";
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, &signer);
  if (algorithm == nullptr || is_weak(*algorithm)) return "its signer's certificate is signed weakly";
  if (X509_check_issued(&issuer, &signer) != X509_V_OK || X509_verify(&signer, X509_get0_pubkey(&issuer)) != 1)
    return "its signer was not made a responder by the certificate's issuer";
  return {};
}

Fault check_signature(OCSP_BASICRESP& response, X509& issuer, WallTime now) {
  X509* const signer = find_signer(response, issuer);
  if (signer == nullptr) return "it is signed by somebody else";
  const X509_ALGOR* const algorithm = OCSP_resp_get0_tbs_sigalg(&response);
  if (algorithm == nullptr || is_weak(*algorithm)) return "it is signed weakly";
  if (signer != &issuer)
    if (Fault fault = check_delegate(*signer, issuer, now); !fault.empty()) return fault;
  const Owned<STACK_OF(X509)> signers(sk_X509_new_null());
  if (!signers || sk_X509_push(signers.get(), signer) <= 0) return "no memory";
  if (OCSP_basic_verify(&response, signers.get(), nullptr, OCSP_NOVERIFY) != 1) return "its signature is wrong";
  return {};
}

// The certificate as the issuer calls it, under the digest that the response uses.
bool is_about(const OCSP_CERTID& id, const Issued::Native& issued) {
  ASN1_OBJECT* digest = nullptr;
  if (OCSP_id_get0_info(nullptr, &digest, nullptr, nullptr, const_cast<OCSP_CERTID*>(&id)) != 1) return false;
  const EVP_MD* type = nullptr;
  switch (OBJ_obj2nid(digest)) {  // SHA-1 is a name here, not a signature
    case NID_sha1:
      type = EVP_sha1();
      break;
    case NID_sha256:
      type = EVP_sha256();
      break;
    case NID_sha384:
      type = EVP_sha384();
      break;
    case NID_sha512:
      type = EVP_sha512();
      break;
    default:
      return false;
  }
  const Owned<OCSP_CERTID> own(OCSP_cert_to_id(type, &issued.leaf(), &issued.issuer()));
  return own && OCSP_id_cmp(own.get(), &id) == 0;
}

OCSP_SINGLERESP* find_single(OCSP_BASICRESP& response, const Issued::Native& issued) {
  OCSP_SINGLERESP* found = nullptr;
  for (int i = 0; i < OCSP_resp_count(&response); ++i) {
    OCSP_SINGLERESP* const single = OCSP_resp_get0(&response, i);
    if (!is_about(*OCSP_SINGLERESP_get0_id(single), issued)) continue;
    if (found == nullptr || OCSP_single_get0_status(single, nullptr, nullptr, nullptr, nullptr) ==
                                V_OCSP_CERTSTATUS_REVOKED)  // the worst of several
      found = single;
  }
  return found;
}

std::string origin_text(OcspOrigin origin) {
  return origin == OcspOrigin::stapled ? "the stapled OCSP response" : "OCSP";
}

RevocationAnswer read_single(OCSP_BASICRESP& response, OCSP_SINGLERESP& single, const Issued::Native& issued,
                             OcspOrigin origin, WallTime now) {
  const std::string whose = origin_text(origin);
  ASN1_GENERALIZEDTIME *revoked_at = nullptr, *this_update = nullptr, *next_update = nullptr;
  int reason = -1;
  const int status = OCSP_single_get0_status(&single, &reason, &revoked_at, &this_update, &next_update);
  const Validity validity = read_validity(this_update, next_update, now);
  if (!validity.fault.empty()) return not_known(fmt::format("{} {}", whose, validity.fault));
  if (OCSP_BASICRESP_get_ext_by_critical(&response, 1, -1) >= 0 ||
      OCSP_SINGLERESP_get_ext_by_critical(&single, 1, -1) >= 0)
    return not_known(fmt::format("{} has an extension that is not understood", whose));
  if (Fault fault = check_signature(response, issued.issuer(), now); !fault.empty())
    return not_known(fmt::format("{} does not count: {}", whose, fault));
  switch (status) {
    case V_OCSP_CERTSTATUS_GOOD:
      return {Status::good, validity.expires,
              fmt::format("{} says good, until {}", whose, rfc3339(validity.next_update)), validity.next_update};
    case V_OCSP_CERTSTATUS_REVOKED:
      return {Status::revoked, validity.expires,
              fmt::format("{} says revoked{}", whose, revocation_text(revoked_at, reason)), validity.next_update};
    default:
      return not_known(fmt::format("{} does not know the certificate", whose));
  }
}

}  // namespace

RevocationAnswer not_known(std::string why) { return {Status::unknown, {}, std::move(why)}; }

Issued::Issued() : native_(std::make_unique<Native>()) {}
Issued::~Issued() = default;

Result<std::shared_ptr<const Issued>> Issued::find(const Chain& chain, const TrustAnchors& anchors, WallTime now) {
  Result<Path> path = find_any_path(chain, anchors, now);
  if (!path) return fail(path.error());
  if (path->certificates.size() < 2)
    return fail(Reason::pkix_chain, "the certificate is its own anchor: nobody can revoke it");
  const std::shared_ptr<Issued> issued(new Issued);
  issued->native_->path = std::move(path->certificates);
  issued->responders_ = responders_of(issued->native_->leaf());
  issued->lists_ = lists_of(issued->native_->leaf());
  ERR_clear_error();
  return issued;
}

std::string make_ocsp_request(const Issued& issued) {
  const Owned<OCSP_REQUEST> request(OCSP_REQUEST_new());
  Owned<OCSP_CERTID> id(
      OCSP_cert_to_id(EVP_sha1(), &issued.native().leaf(), &issued.native().issuer()));  // RFC 5019 §2.1.1
  if (!request || !id || OCSP_request_add0_id(request.get(), id.get()) == nullptr) return {};
  (void)id.release();  // the request's now
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_REQUEST(request.get(), &der);
  ERR_clear_error();
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

RevocationAnswer read_ocsp(const Issued& issued, std::string_view der, OcspOrigin origin, WallTime now) {
  const std::string whose = origin_text(origin);
  if (der.size() > kLargestOcsp) return not_known(fmt::format("{} is larger than 64 KiB", whose));
  const unsigned char* at = as_bytes(der).data();
  const Owned<OCSP_RESPONSE> response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const bool is_whole = response && at == as_bytes(der).data() + der.size();
  const int status = is_whole ? OCSP_response_status(response.get()) : -1;
  if (is_whole && status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return not_known(fmt::format("{} is the error {}", whose, OCSP_response_status_str(status)));
  const Owned<OCSP_BASICRESP> basic(is_whole ? OCSP_response_get1_basic(response.get()) : nullptr);
  OCSP_SINGLERESP* const single = basic ? find_single(*basic, issued.native()) : nullptr;
  RevocationAnswer answer;
  if (!basic)
    answer = not_known(fmt::format("{} cannot be read", whose));
  else if (origin == OcspOrigin::asked && OCSP_BASICRESP_get_ext_by_NID(basic.get(), NID_id_pkix_OCSP_Nonce, -1) >= 0)
    answer = not_known(fmt::format("{} holds a nonce that was not sent", whose));
  else if (single == nullptr)
    answer = not_known(fmt::format("{} is about another certificate", whose));
  else
    answer = read_single(*basic, *single, issued.native(), origin, now);
  ERR_clear_error();
  return answer;
}

// --- what OCSP and CRLs share

Validity read_validity(const asn1_string_st* this_update, const asn1_string_st* next_update, WallTime now) {
  const std::optional<WallTime> from = read_time(this_update);
  const std::optional<WallTime> until = next_update == nullptr ? std::nullopt : read_time(next_update);
  if (!from || (next_update != nullptr && !until)) return {{}, {}, "has a date that cannot be read"};
  if (*from > now + kClockSkew) return {{}, {}, fmt::format("is of the future, {}", rfc3339(*from))};
  // Without nextUpdate there is always something newer (RFC 6960 §2.4): a day is the longest that it is taken for news.
  const WallTime end = until.value_or(*from + kLongestAnswer);
  if (end <= now) return {{}, {}, fmt::format("is over since {}", rfc3339(end))};
  return {std::min(end, now + kLongestAnswer), end, {}};
}

std::string revocation_text(const asn1_string_st* revoked_at, int reason) {
  const std::optional<WallTime> at = read_time(revoked_at);
  return fmt::format("{}{}", at ? fmt::format(" since {}", rfc3339(*at)) : "",
                     reason >= 0 ? fmt::format(" ({})", OCSP_crl_reason_str(reason)) : "");
}

bool is_weak(const X509_algor_st& algorithm) {
  constexpr int kLeastDigest = 28;  // bytes: 112 bits against collisions
  const ASN1_OBJECT* object = nullptr;
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(&object, &type, &value, &algorithm);
  const int nid = OBJ_obj2nid(object);
  if (nid == NID_ED25519 || nid == NID_ED448) return false;
  int digest = NID_undef;
  if (nid == NID_rsassaPss) {
    RSA_PSS_PARAMS* const parameters =
        type == V_ASN1_SEQUENCE ? static_cast<RSA_PSS_PARAMS*>(ASN1_item_unpack(static_cast<const ASN1_STRING*>(value),
                                                                                ASN1_ITEM_rptr(RSA_PSS_PARAMS)))
                                : nullptr;
    // Absent, the digest is SHA-1 (RFC 4055 §3.1).
    if (parameters != nullptr && parameters->hashAlgorithm != nullptr)
      digest = OBJ_obj2nid(parameters->hashAlgorithm->algorithm);
    RSA_PSS_PARAMS_free(parameters);
  } else if (OBJ_find_sigid_algs(nid, &digest, nullptr) != 1) {
    digest = NID_undef;
  }
  const EVP_MD* const known = digest == NID_undef ? nullptr : EVP_get_digestbynid(digest);
  return known == nullptr || EVP_MD_get_size(known) < kLeastDigest;
}

}  // namespace ligase::proof
