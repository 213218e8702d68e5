// DER and PEM to Chain, and the names of its leaf. What a name form does not allow is left out, never mended.
#include "proof/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "proof/native.hpp"

namespace ligase::proof {
namespace {

constexpr std::size_t kMostCertificates = 10;  // AB-049
constexpr std::size_t kMostBytes = 64 * 1024;  // AB-049
constexpr std::size_t kMostNames = 1000;       // AB-063: of the forms that count, the rest as if not there
constexpr std::size_t kMostAnchors = 10000;
constexpr std::string_view kSrvPrefix = "_xmpp-server.";

struct Freed {
  void operator()(BIO* p) const noexcept { BIO_free_all(p); }
  void operator()(GENERAL_NAMES* p) const noexcept { GENERAL_NAMES_free(p); }
  void operator()(ASN1_OBJECT* p) const noexcept { ASN1_OBJECT_free(p); }
  void operator()(TLS_FEATURE* p) const noexcept { TLS_FEATURE_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

std::string_view text_of(const ASN1_STRING* string) noexcept {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

bool is_ascii(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// RFC 9525 §6.3: a wildcard is the whole left-most label, and below it stands more than a top-level domain.
std::optional<PresentedId> read_dns_name(std::string_view text) {
  const bool is_wildcard = text.starts_with("*.");
  if (is_wildcard) text.remove_prefix(2);
  if (text.ends_with('.') || (is_wildcard && text.find('.') == std::string_view::npos)) return std::nullopt;
  const Result<HostName> host = HostName::parse(text);
  if (!host) return std::nullopt;
  return PresentedId{NameForm::dns, is_wildcard, std::string(host->text())};
}

// RFC 4985: "_Service.Name"; only our service, and no wildcard, as a domain has none.
std::optional<PresentedId> read_srv_name(std::string_view text) {
  if (!is_ascii(text) || text.ends_with('.') || !lower(text).starts_with(kSrvPrefix)) return std::nullopt;
  const Result<Domain> domain = Domain::parse(text.substr(kSrvPrefix.size()));
  if (!domain) return std::nullopt;
  return PresentedId{NameForm::srv, false, std::string(domain->text())};
}

// RFC 6120 §13.7.1.4: the JID of a server is a bare domain.
std::optional<PresentedId> read_xmpp_addr(std::string_view text) {
  const Result<Domain> domain = Domain::parse(text);
  if (!domain) return std::nullopt;
  return PresentedId{NameForm::xmpp_addr, false, std::string(domain->text())};
}

std::vector<PresentedId> read_names(const X509& certificate) {
  static const Owned<ASN1_OBJECT> srv_name(OBJ_txt2obj("1.3.6.1.5.5.7.8.7", 1));   // RFC 4985
  static const Owned<ASN1_OBJECT> xmpp_addr(OBJ_txt2obj("1.3.6.1.5.5.7.8.5", 1));  // RFC 6120 §13.7.1.4
  std::vector<PresentedId> names;
  const Owned<GENERAL_NAMES> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::size_t looked_at = 0;
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()) && looked_at < kMostNames; ++i) {
    const GENERAL_NAME& name = *sk_GENERAL_NAME_value(all.get(), i);
    std::optional<PresentedId> id;
    if (name.type == GEN_DNS) {
      id = read_dns_name(text_of(name.d.dNSName));
    } else if (name.type == GEN_OTHERNAME) {
      const ASN1_TYPE& value = *name.d.otherName->value;
      if (OBJ_cmp(name.d.otherName->type_id, srv_name.get()) == 0 && value.type == V_ASN1_IA5STRING)
        id = read_srv_name(text_of(value.value.ia5string));
      else if (OBJ_cmp(name.d.otherName->type_id, xmpp_addr.get()) == 0 && value.type == V_ASN1_UTF8STRING)
        id = read_xmpp_addr(text_of(value.value.utf8string));
    } else {
      continue;
    }
    ++looked_at;
    if (id) names.push_back(*std::move(id));
  }
  return names;
}

// RFC 7633 §4: a TLS feature that the server promises to answer; 17 is RFC 6961's, which asks for no less.
bool promises_staple(const X509& certificate) {
  constexpr long kStatusRequest = 5, kStatusRequestV2 = 17;
  const Owned<TLS_FEATURE> features(
      static_cast<TLS_FEATURE*>(X509_get_ext_d2i(&certificate, NID_tlsfeature, nullptr, nullptr)));
  for (int i = 0; features && i < sk_ASN1_INTEGER_num(features.get()); ++i) {
    const long feature = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i));
    if (feature == kStatusRequest || feature == kStatusRequestV2) return true;
  }
  return false;
}

bool matches(const PresentedId& id, std::string_view name) noexcept {
  if (!id.is_wildcard) return id.name == name;
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && name.substr(dot + 1) == id.name;
}

// A file that asks for a password must not make the library ask on the terminal.
int no_password(char*, int, int, void*) { return -1; }

std::vector<CertificatePtr> read_pem(std::string_view pem, std::size_t most) {
  std::vector<CertificatePtr> all;
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(pem.size(), 1u << 30))));
  while (bio && all.size() < most) {
    CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (!certificate) break;
    all.push_back(std::move(certificate));
  }
  // Not at the file's end: something in it is no certificate.
  const unsigned long last = ERR_peek_last_error();
  const bool is_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (all.size() < most && !is_end) all.clear();
  return all;
}

Bytes der_of(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace

void FreeCertificate::operator()(x509_st* certificate) const noexcept { X509_free(certificate); }
void FreeStore::operator()(x509_store_st* store) const noexcept { X509_STORE_free(store); }

CertificatePtr read_certificate(BytesView der) {
  const unsigned char* at = der.data();
  CertificatePtr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (certificate && at != der.data() + der.size()) return nullptr;
  return certificate;
}

std::optional<WallTime> read_time(const asn1_string_st* time) {
  std::tm civil{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &civil) != 1) return std::nullopt;
  const auto date = std::chrono::year(civil.tm_year + 1900) / (civil.tm_mon + 1) / civil.tm_mday;
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(civil.tm_hour) + std::chrono::minutes(civil.tm_min) +
         std::chrono::seconds(civil.tm_sec);
}

Bytes public_key_of(const x509_st& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  ERR_clear_error();
  if (size <= 0) return {};
  Bytes key(der, der + size);
  OPENSSL_free(der);
  return key;
}

namespace {
std::string line_of(const X509_name_st& name) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio) return {};
  X509_NAME_print_ex(bio.get(), &name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  ERR_clear_error();
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? escaped({data, static_cast<std::size_t>(size)}) : std::string();
}

}  // namespace

std::string subject_of(const x509_st& certificate) { return line_of(*X509_get_subject_name(&certificate)); }

WallTime not_after_of(const x509_st& certificate) {
  return read_time(X509_get0_notAfter(&certificate)).value_or(WallTime::min());
}

WallTime not_before_of(const x509_st& certificate) {
  return read_time(X509_get0_notBefore(&certificate)).value_or(WallTime::max());
}

Chain::Chain() : native_(std::make_unique<Native>()) {}
Chain::~Chain() = default;

Result<std::shared_ptr<const Chain>> Chain::parse(const std::vector<Bytes>& der) {
  if (der.empty()) return fail(Reason::certificate_none, "no certificate was shown");
  if (der.size() > kMostCertificates) return fail(Reason::pkix_chain, "more than 10 certificates were shown");
  std::size_t bytes = 0;
  for (const Bytes& one : der) bytes += one.size();
  if (bytes > kMostBytes) return fail(Reason::pkix_chain, "the certificates shown are larger than 64 KiB");
  const std::shared_ptr<Chain> chain(new Chain);
  for (const Bytes& one : der) {
    CertificatePtr certificate = read_certificate(one);
    if (!certificate)
      return fail(Reason::pkix_chain,
                  "certificate " + std::to_string(chain->native_->der.size() + 1) + " of the chain cannot be read");
    chain->native_->certificates.push_back(std::move(certificate));
    chain->native_->der.push_back(one);
  }
  const X509& leaf = *chain->native_->certificates.front();
  chain->native_->names = read_names(leaf);
  chain->native_->not_before = not_before_of(leaf);
  chain->native_->not_after = not_after_of(leaf);
  chain->native_->must_staple = promises_staple(leaf);
  ERR_clear_error();
  return chain;
}

Result<std::shared_ptr<const Chain>> Chain::parse_pem(std::string_view pem) {
  std::vector<Bytes> der;
  for (const CertificatePtr& certificate : read_pem(pem, kMostCertificates + 1)) der.push_back(der_of(*certificate));
  if (der.empty()) return fail(Reason::certificate_none, "the text holds no readable PEM certificate");
  return parse(der);
}

std::size_t Chain::size() const noexcept { return native_->der.size(); }
const Bytes& Chain::der(std::size_t i) const noexcept { return native_->der[i]; }
const std::vector<PresentedId>& Chain::names() const noexcept { return native_->names; }
WallTime Chain::not_before() const noexcept { return native_->not_before; }
WallTime Chain::not_after() const noexcept { return native_->not_after; }
bool Chain::must_staple() const noexcept { return native_->must_staple; }
std::string Chain::subject() const { return subject_of(*native_->certificates.front()); }

std::string Chain::fingerprint() const {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(native_->der.front().data(), native_->der.front().size(), digest.data());
  return hex(digest);
}

std::string Chain::key_fingerprint() const {
  const Bytes key = public_key_of(*native_->certificates.front());
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(key.data(), key.size(), digest.data());
  return hex(digest);
}

std::string Chain::issuer() const {
  const X509_name_st& name = *X509_get_issuer_name(native_->certificates.front().get());
  const int at = X509_NAME_get_index_by_NID(&name, NID_organizationName, -1);
  if (at < 0) return line_of(name);
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(&name, at)));
  const std::unique_ptr<unsigned char, decltype([](unsigned char* bytes) { OPENSSL_free(bytes); })> owner(text);
  ERR_clear_error();
  return size > 0 ? escaped({reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)}) : line_of(name);
}

std::string Chain::chain_fingerprint() const {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  Bytes digests;
  for (const Bytes& one : native_->der) {
    SHA256(one.data(), one.size(), digest.data());
    digests.insert(digests.end(), digest.begin(), digest.end());
  }
  SHA256(digests.data(), digests.size(), digest.data());
  return hex(digest);
}

bool Chain::names_domain(const Domain& domain) const noexcept {
  return std::ranges::any_of(native_->names, [&](const PresentedId& id) { return matches(id, domain.text()); });
}

bool Chain::names_host(const HostName& host) const noexcept {
  return std::ranges::any_of(
      native_->names, [&](const PresentedId& id) { return id.form == NameForm::dns && matches(id, host.text()); });
}

TrustAnchors::TrustAnchors() : native_(std::make_unique<Native>()) {}
TrustAnchors::~TrustAnchors() = default;

Result<std::shared_ptr<const TrustAnchors>> TrustAnchors::parse_pem(std::string_view pem) {
  const std::vector<CertificatePtr> all = read_pem(pem, kMostAnchors);
  if (all.empty()) return fail(Reason::file_unreadable, "the text holds no readable PEM certificate");
  const std::shared_ptr<TrustAnchors> anchors(new TrustAnchors);
  anchors->native_->store.reset(X509_STORE_new());
  if (!anchors->native_->store) return fail(Reason::memory);
  for (const CertificatePtr& certificate : all)
    if (X509_STORE_add_cert(anchors->native_->store.get(), certificate.get()) != 1) return fail(Reason::memory);
  anchors->native_->size = all.size();
  ERR_clear_error();
  return anchors;
}

std::size_t TrustAnchors::size() const noexcept { return native_->size; }

}  // namespace ligase::proof
