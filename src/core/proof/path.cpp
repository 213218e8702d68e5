// Paths from a shown leaf to an anchor (RFC 5280 §6). The library builds and checks them at the time it is told; what it
// does not know is checked here: usages of both TLS roles (D-05), and name constraints on XMPP's name forms (D-14).
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "proof/native.hpp"

namespace ligase::proof {
namespace {

constexpr int kDepth = 8;          // intermediates, PKIX-02
constexpr int kSecurityLevel = 2;  // RSA >= 2048, no SHA-1
constexpr int kLargestRsa = 8192;  // AB-063: more would only cost us time
constexpr int kLargestExponent = 64;
constexpr std::size_t kMostComparisons = 1u << 20;  // AB-063: names by constraints

struct Freed {
  void operator()(X509_STORE_CTX* p) const noexcept { X509_STORE_CTX_free(p); }
  void operator()(NAME_CONSTRAINTS* p) const noexcept { NAME_CONSTRAINTS_free(p); }
  void operator()(ASN1_OBJECT* p) const noexcept { ASN1_OBJECT_free(p); }
  void operator()(BIGNUM* p) const noexcept { BN_free(p); }
  void operator()(STACK_OF(X509) * p) const noexcept { sk_X509_free(p); }  // the stack alone
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

Reason reason_of(int code) noexcept {
  switch (code) {  // the library's numbers, an open set
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
      return Reason::pkix_expired;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
      return Reason::pkix_constraints;
    case X509_V_ERR_INVALID_PURPOSE:
      return Reason::pkix_purpose;
  }
  return Reason::pkix_chain;
}

// What a certificate's extended key usage leaves possible; absent or any: both TLS roles.
unsigned roles_of(X509& certificate) {
  const std::uint32_t usage = X509_get_extended_key_usage(&certificate);
  if (usage == UINT32_MAX || (usage & XKU_ANYEKU) != 0) return XKU_SSL_SERVER | XKU_SSL_CLIENT;
  return usage & (XKU_SSL_SERVER | XKU_SSL_CLIENT);
}

// The TLS roles that the whole path leaves, at least one.
Result<unsigned> check_purpose(const std::vector<CertificatePtr>& path) {
  X509& leaf = *path.front();
  const std::uint32_t key_usage = X509_get_key_usage(&leaf);
  if (key_usage != UINT32_MAX && (key_usage & (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) == 0)
    return fail(Reason::pkix_purpose, "the certificate's key usage does not allow TLS");
  unsigned roles = XKU_SSL_SERVER | XKU_SSL_CLIENT;
  // The anchor is trusted as it is; where it is the leaf itself, its usage counts.
  for (std::size_t i = 0; i < std::max<std::size_t>(1, path.size() - 1); ++i) {
    roles &= roles_of(*path[i]);
    if (roles == 0)
      return fail(Reason::pkix_purpose, fmt::format("the extended key usage of {} excludes TLS", subject_of(*path[i])));
  }
  return roles;
}

// RFC 5280 §4.2.1.10: the base itself and everything below it; ".base" leaves out the base, "" is everything.
bool is_within(std::string_view name, std::string_view base) noexcept {
  if (base.empty()) return true;
  if (name.size() < base.size()) return false;
  const std::string_view tail = name.substr(name.size() - base.size());
  const bool is_equal = std::ranges::equal(
      tail, base, [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b); });
  if (!is_equal) return false;
  return name.size() == base.size() || base.front() == '.' || name[name.size() - base.size() - 1] == '.';
}

struct DnsConstraints {
  std::vector<std::string_view> permitted, excluded;  // kept by the NAME_CONSTRAINTS
};

std::vector<std::string_view> dns_bases(const STACK_OF(GENERAL_SUBTREE) * subtrees) {
  std::vector<std::string_view> bases;
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); ++i) {
    const GENERAL_NAME& base = *sk_GENERAL_SUBTREE_value(subtrees, i)->base;
    if (base.type != GEN_DNS) continue;
    bases.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(base.d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(base.d.dNSName)));
  }
  return bases;
}

bool constrains_xmpp_names(const STACK_OF(GENERAL_SUBTREE) * subtrees) {
  static const Owned<ASN1_OBJECT> srv_name(OBJ_txt2obj("1.3.6.1.5.5.7.8.7", 1));
  static const Owned<ASN1_OBJECT> xmpp_addr(OBJ_txt2obj("1.3.6.1.5.5.7.8.5", 1));
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); ++i) {
    const GENERAL_NAME& base = *sk_GENERAL_SUBTREE_value(subtrees, i)->base;
    if (base.type != GEN_OTHERNAME) continue;
    const ASN1_OBJECT* const type = base.d.otherName->type_id;
    if (OBJ_cmp(type, srv_name.get()) == 0 || OBJ_cmp(type, xmpp_addr.get()) == 0) return true;
  }
  return false;
}

Result<void> check_constraints_of(X509& authority, const std::vector<PresentedId>& names) {
  int critical = 0;
  const Owned<NAME_CONSTRAINTS> constraints(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(&authority, NID_name_constraints, &critical, nullptr)));
  if (!constraints) {
    if (critical == -1) return {};  // absent
    return fail(Reason::pkix_constraints,
                fmt::format("the name constraints of {} cannot be read", subject_of(authority)));
  }
  if (constrains_xmpp_names(constraints->permittedSubtrees) || constrains_xmpp_names(constraints->excludedSubtrees))
    return fail(Reason::pkix_constraints,
                fmt::format("{} constrains SRVName or XmppAddr, which cannot be checked", subject_of(authority)));
  const auto permitted = dns_bases(constraints->permittedSubtrees), excluded = dns_bases(constraints->excludedSubtrees);
  if ((permitted.size() + excluded.size()) * names.size() > kMostComparisons)
    return fail(Reason::pkix_constraints, "too many names and name constraints");
  for (const PresentedId& id : names) {
    if (id.form == NameForm::dns) continue;  // the library's part
    const auto is_over = [&](std::string_view base) { return is_within(id.name, base); };
    if (std::ranges::any_of(excluded, is_over) || (!permitted.empty() && std::ranges::none_of(permitted, is_over)))
      return fail(Reason::pkix_constraints,
                  fmt::format("{} may not vouch for {}", subject_of(authority), escaped(id.name)));
  }
  return {};
}

Result<void> check_constraints(const std::vector<CertificatePtr>& path, const std::vector<PresentedId>& names) {
  for (std::size_t i = 1; i < path.size(); ++i)
    if (Result<void> checked = check_constraints_of(*path[i], names); !checked) return checked;
  return {};
}

std::vector<CertificatePtr> path_of(X509_STORE_CTX& context) {
  std::vector<CertificatePtr> path;
  STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(&context);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* const certificate = sk_X509_value(chain, i);
    X509_up_ref(certificate);
    path.emplace_back(certificate);
  }
  return path;
}

Error error_of(X509_STORE_CTX& context) {
  const int code = X509_STORE_CTX_get_error(&context);
  X509* const at = X509_STORE_CTX_get_current_cert(&context);
  std::string detail = X509_verify_cert_error_string(code);
  if (at != nullptr) {
    detail +=
        fmt::format(" (certificate {} of the path, {}", X509_STORE_CTX_get_error_depth(&context) + 1, subject_of(*at));
    if (code == X509_V_ERR_CERT_HAS_EXPIRED) detail += ", until " + rfc3339(not_after_of(*at));
    detail += ")";
  }
  return Error{reason_of(code), std::move(detail)};
}

Result<Path> build(const Chain& chain, X509_STORE& store, unsigned long flags, WallTime now) {
  const Chain::Native& native = chain.native();
  const Owned<STACK_OF(X509)> helpers(sk_X509_new_null());
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!helpers || !context) return fail(Reason::memory);
  for (std::size_t i = 0; i < native.certificates.size(); ++i) {
    if (is_costly(*native.certificates[i])) return fail(Reason::pkix_chain, "an RSA key of the chain is too large");
    if (i > 0 && sk_X509_push(helpers.get(), native.certificates[i].get()) <= 0) return fail(Reason::memory);
  }
  ERR_clear_error();
  if (X509_STORE_CTX_init(context.get(), &store, native.certificates.front().get(), helpers.get()) != 1)
    return fail(Reason::memory);
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, now.time_since_epoch().count());
  X509_VERIFY_PARAM_set_depth(rules, kDepth);
  X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
  X509_VERIFY_PARAM_set_flags(rules, flags);
  const int verdict = X509_verify_cert(context.get());
  ERR_clear_error();
  if (verdict != 1) return fail(error_of(*context));
  Path path{path_of(*context), WallTime::min(), WallTime::max(), false};
  if (path.certificates.empty()) return fail(Reason::pkix_chain, "no path was built");
  const Result<unsigned> roles = check_purpose(path.certificates);
  if (!roles) return fail(roles.error());
  path.may_serve = (*roles & XKU_SSL_SERVER) != 0;
  if (Result<void> checked = check_constraints(path.certificates, native.names); !checked) return fail(checked.error());
  for (const CertificatePtr& certificate : path.certificates) {
    path.begins = std::max(path.begins, not_before_of(*certificate));
    path.expires = std::min(path.expires, not_after_of(*certificate));
  }
  ERR_clear_error();
  return path;
}

}  // namespace

bool is_costly(X509& certificate) {
  EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  if (key == nullptr || EVP_PKEY_is_a(key, "RSA") != 1) return false;
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return true;
  const Owned<BIGNUM> owner(exponent);
  return EVP_PKEY_get_bits(key) > kLargestRsa || BN_num_bits(exponent) > kLargestExponent;
}

Result<Path> find_path(const Chain& chain, const TrustAnchors::Native& anchors, WallTime now) {
  return build(chain, *anchors.store, 0, now);
}

Result<Path> find_path_to(const Chain& chain, x509_st& anchor, WallTime now) {
  const StorePtr store(X509_STORE_new());
  if (!store || X509_STORE_add_cert(store.get(), &anchor) != 1) return fail(Reason::memory);
  return build(chain, *store, X509_V_FLAG_PARTIAL_CHAIN, now);
}

Result<void> check_role(const Path& path, Role shown_by) {
  if (shown_by == Role::initiating || path.may_serve) return {};
  return fail(Reason::pkix_purpose,
              fmt::format("the extended key usage of {} is for clients alone, and a server showed it",
                          subject_of(*path.certificates.front())));
}

Result<WallTime> verify_path(const Chain& chain, const TrustAnchors& anchors, Role shown_by, WallTime now) {
  const Result<Path> path = find_path(chain, anchors.native(), now);
  if (!path) return fail(path.error());
  if (Result<void> checked = check_role(*path, shown_by); !checked) return fail(checked.error());
  return path->expires;
}

}  // namespace ligase::proof
