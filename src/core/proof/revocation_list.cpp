// The frame of a CRL is taken apart by hand, its fields by the library. Everything is checked to its end when it is parsed;
// the signature when the list is first asked.
#include "proof/revocation_list.hpp"

#include <fmt/format.h>
#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "proof/native.hpp"
#include "proof/revocation_native.hpp"

namespace ligase::proof {
namespace {

using Status = RevocationAnswer::Status;

struct Freed {
  void operator()(ASN1_BIT_STRING* p) const noexcept { ASN1_BIT_STRING_free(p); }  // every ASN1_STRING
  void operator()(ASN1_TYPE* p) const noexcept { ASN1_TYPE_free(p); }
  void operator()(BIO* p) const noexcept { BIO_free_all(p); }
  void operator()(CRL_DIST_POINTS* p) const noexcept { CRL_DIST_POINTS_free(p); }
  void operator()(ISSUING_DIST_POINT* p) const noexcept { ISSUING_DIST_POINT_free(p); }
  void operator()(X509_ALGOR* p) const noexcept { X509_ALGOR_free(p); }
  void operator()(X509_EXTENSIONS* p) const noexcept { sk_X509_EXTENSION_pop_free(p, X509_EXTENSION_free); }
  void operator()(X509_NAME* p) const noexcept { X509_NAME_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

constexpr std::uint8_t kInteger = 0x02, kUtcTime = 0x17, kGeneralizedTime = 0x18, kSequence = 0x30, kExtensions = 0xa0;

// DER values one behind the other. Lengths are definite and in their shortest form (X.690 §10.1).
class Der {
 public:
  explicit Der(BytesView bytes) : rest_(bytes) {}
  struct Value {
    std::uint8_t tag = 0;
    BytesView whole, content;
  };
  bool is_at_end() const noexcept { return rest_.empty(); }
  bool next_is(std::uint8_t tag) const noexcept { return !rest_.empty() && rest_[0] == tag; }
  bool next_is_time() const noexcept { return next_is(kUtcTime) || next_is(kGeneralizedTime); }
  // nullopt: not there whole. Nothing is taken then.
  std::optional<Value> take() noexcept {
    if (rest_.size() < 2) return std::nullopt;
    std::size_t length = rest_[1], head = 2;
    if (length >= 0x80) {
      const std::size_t digits = length & 0x7f;
      if (digits == 0 || digits > 4 || rest_.size() < head + digits) return std::nullopt;
      length = 0;
      for (; digits + 2 > head; ++head) length = length << 8 | rest_[head];
      if (length < 0x80 || length >> (8 * (digits - 1)) == 0) return std::nullopt;
    }
    if (rest_.size() - head < length) return std::nullopt;
    const Value value{rest_[0], rest_.first(head + length), rest_.subspan(head, length)};
    rest_ = rest_.subspan(head + length);
    return value;
  }
  std::optional<Value> take(std::uint8_t tag) noexcept { return next_is(tag) ? take() : std::nullopt; }

 private:
  BytesView rest_;
};

// A library type from exactly these bytes.
template <class T, T* (*Read)(T**, const unsigned char**, long)>
Owned<T> read_whole(BytesView der) {
  const unsigned char* at = der.data();
  Owned<T> value(Read(nullptr, &at, static_cast<long>(der.size())));
  return value && at == der.data() + der.size() ? std::move(value) : nullptr;
}

struct Entry {
  BytesView serial;  // content octets
  BytesView date, extensions;
};
std::optional<Entry> read_entry(BytesView content) {
  Der fields(content);
  const auto serial = fields.take(kInteger);
  if (!serial || serial->content.empty() || !fields.next_is_time()) return std::nullopt;
  const auto date = fields.take();
  const auto extensions = fields.take(kSequence);
  if (!date || !fields.is_at_end()) return std::nullopt;
  return Entry{serial->content, date->whole, extensions ? extensions->whole : BytesView()};
}

int reason_of(BytesView extensions) {
  if (extensions.empty()) return -1;
  const auto all = read_whole<X509_EXTENSIONS, d2i_X509_EXTENSIONS>(extensions);
  const Owned<ASN1_BIT_STRING> reason(
      all ? static_cast<ASN1_STRING*>(X509V3_get_d2i(all.get(), NID_crl_reason, nullptr, nullptr)) : nullptr);
  return reason ? static_cast<int>(ASN1_ENUMERATED_get(reason.get())) : -1;
}

Bytes serial_of(const x509_st& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(&certificate), &der);
  if (size <= 0) return {};
  const Bytes whole(der, der + size);
  OPENSSL_free(der);
  const auto value = Der(whole).take(kInteger);
  return value ? Bytes(value->content.begin(), value->content.end()) : Bytes();
}

// Does the certificate say that this part of its issuer's list is the one that would list it (RFC 5280 §6.3.3 b 2 i)?
bool is_its_part(const DIST_POINT_NAME& part, const x509_st& certificate) {
  if (part.type != 0) return false;
  const Owned<CRL_DIST_POINTS> points(
      static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(&certificate, NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
    const DIST_POINT& point = *sk_DIST_POINT_value(points.get(), i);
    if (point.distpoint == nullptr || point.distpoint->type != 0) continue;
    for (int j = 0; j < sk_GENERAL_NAME_num(point.distpoint->name.fullname); ++j)
      for (int k = 0; k < sk_GENERAL_NAME_num(part.name.fullname); ++k)
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(point.distpoint->name.fullname, j),
                             sk_GENERAL_NAME_value(part.name.fullname, k)) == 0)
          return true;
  }
  return false;
}

}  // namespace

struct RevocationList::Native {
  std::string der;  // what the views lie in
  BytesView tbs, entries;
  std::size_t count = 0;
  Owned<X509_ALGOR> algorithm;
  Owned<ASN1_BIT_STRING> signature;
  Owned<X509_NAME> issuer;
  Owned<ASN1_BIT_STRING> this_update, next_update;  // ASN1_TIME; the second null: absent
  Owned<X509_EXTENSIONS> extensions;
  Bytes checked_key;  // of the issuer that was held against it last
  bool is_signed = false;

  bool read_frame();
  bool read_list(BytesView content);
  bool read_entries();
};

bool RevocationList::Native::read_frame() {
  Der file(as_bytes(der));
  const auto list = file.take(kSequence);
  if (!list || !file.is_at_end()) return false;
  Der parts(list->content);
  const auto body = parts.take(kSequence), how = parts.take(kSequence), bits = parts.take(V_ASN1_BIT_STRING);
  if (!body || !how || !bits || !parts.is_at_end()) return false;
  tbs = body->whole;
  algorithm = read_whole<X509_ALGOR, d2i_X509_ALGOR>(how->whole);
  signature = read_whole<ASN1_BIT_STRING, d2i_ASN1_BIT_STRING>(bits->whole);
  return algorithm && signature && read_list(body->content);
}

bool RevocationList::Native::read_list(BytesView content) {
  Der fields(content);
  if (fields.next_is(kInteger)) {
    const auto version = fields.take();
    if (!version || version->content.size() != 1 || version->content[0] != 1) return false;  // v2
  }
  const auto how = fields.take(kSequence), who = fields.take(kSequence);
  if (!how || !who || !fields.next_is_time()) return false;
  const auto inner = read_whole<X509_ALGOR, d2i_X509_ALGOR>(how->whole);
  if (!inner || X509_ALGOR_cmp(inner.get(), algorithm.get()) != 0) return false;  // RFC 5280 §5.1.1.2
  issuer = read_whole<X509_NAME, d2i_X509_NAME>(who->whole);
  const auto from = fields.take();
  this_update = from ? read_whole<ASN1_TIME, d2i_ASN1_TIME>(from->whole) : nullptr;
  if (fields.next_is_time()) {
    const auto until = fields.take();
    next_update = until ? read_whole<ASN1_TIME, d2i_ASN1_TIME>(until->whole) : nullptr;
    if (!next_update) return false;
  }
  if (const auto listed = fields.take(kSequence)) entries = listed->content;
  if (const auto tagged = fields.take(kExtensions)) {
    extensions = read_whole<X509_EXTENSIONS, d2i_X509_EXTENSIONS>(tagged->content);
    if (!extensions) return false;
  }
  return issuer && this_update && fields.is_at_end() && read_entries();
}

bool RevocationList::Native::read_entries() {
  Der all(entries);
  for (; !all.is_at_end(); ++count) {
    const auto entry = all.take(kSequence);
    if (!entry || !read_entry(entry->content)) return false;
  }
  return true;
}

RevocationList::RevocationList() : native_(std::make_unique<Native>()) {}
RevocationList::~RevocationList() = default;
std::size_t RevocationList::size() const noexcept { return native_->der.size(); }
std::size_t RevocationList::entries() const noexcept { return native_->count; }

Result<std::shared_ptr<RevocationList>> RevocationList::read(std::string der) {
  std::shared_ptr<RevocationList> list(new RevocationList);
  list->native_->der = std::move(der);
  const bool is_whole = list->native_->read_frame();
  ERR_clear_error();
  if (!is_whole) return fail(Reason::file_unreadable, "it is no certificate revocation list");
  return list;
}

Result<std::vector<std::shared_ptr<RevocationList>>> RevocationList::parse(std::string_view bytes) {
  if (bytes.size() > kLargestList) return fail(Reason::file_unreadable, "the revocation list is larger than 10 MiB");
  std::vector<std::shared_ptr<RevocationList>> lists;
  // A sequence of more than 127 bytes: no text begins so.
  if (bytes.size() > 1 && bytes[0] == '\x30' && (bytes[1] & 0x80) != 0) {
    auto one = read(std::string(bytes));
    if (!one) return fail(one.error());
    lists.push_back(std::move(*one));
    return lists;
  }
  const Owned<BIO> bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  char *name = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    const bool is_list = std::string_view(name) == PEM_STRING_X509_CRL;
    auto one = is_list ? read(std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)))
                       : fail(Reason::file_unreadable, "the PEM text holds something else than revocation lists");
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (!one) return fail(one.error());
    lists.push_back(std::move(*one));
  }
  const unsigned long last = ERR_peek_last_error();
  const bool is_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (lists.empty() || !is_end) return fail(Reason::file_unreadable, "the PEM text cannot be read to its end");
  return lists;
}

bool RevocationList::is_signed_by(x509_st& issuer) {
  Bytes key(SHA256_DIGEST_LENGTH);
  unsigned size = 0;
  if (X509_pubkey_digest(&issuer, EVP_sha256(), key.data(), &size) != 1) return false;
  if (native_->checked_key == key) return native_->is_signed;
  native_->checked_key = std::move(key);
  // ANY keeps the encoding of what it holds, so the library hashes the very bytes.
  const auto body = read_whole<ASN1_TYPE, d2i_ASN1_TYPE>(native_->tbs);
  native_->is_signed = body && !is_weak(*native_->algorithm) &&
                       ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), native_->algorithm.get(), native_->signature.get(),
                                        body.get(), X509_get0_pubkey(&issuer)) == 1;
  ERR_clear_error();
  return native_->is_signed;
}

bool RevocationList::is_of_issuer(const Issued& issued, std::size_t i) const noexcept {
  return X509_NAME_cmp(native_->issuer.get(), X509_get_subject_name(issued.native().path[i + 1].get())) == 0;
}

// RFC 5280 §5.2, §6.3.3: why this list says nothing of that certificate; "" where it may.
std::string RevocationList::cannot_speak_of(const Issued& issued, std::size_t i) const {
  const std::vector<CertificatePtr>& path = issued.native().path;
  X509& issuer = *path[i + 1];
  if (!is_of_issuer(issued, i)) return "is another issuer's";
  const std::uint32_t usage = X509_get_key_usage(&issuer);
  if (usage != UINT32_MAX && (usage & KU_CRL_SIGN) == 0) return "is of an issuer that may not sign lists";
  const X509_EXTENSIONS* const extensions = native_->extensions.get();
  if (X509v3_get_ext_by_NID(extensions, NID_delta_crl, -1) >= 0) return "is of changes only";
  for (int at = -1; (at = X509v3_get_ext_by_critical(extensions, 1, at)) >= 0;)
    if (OBJ_obj2nid(X509_EXTENSION_get_object(X509v3_get_ext(extensions, at))) != NID_issuing_distribution_point)
      return "has an extension that is not understood";
  int critical = -1;
  const Owned<ISSUING_DIST_POINT> part(
      static_cast<ISSUING_DIST_POINT*>(X509V3_get_d2i(extensions, NID_issuing_distribution_point, &critical, nullptr)));
  if (!part) return critical == -1 ? "" : "has a scope that cannot be read";
  if (part->indirectCRL != 0 || part->onlysomereasons != nullptr || part->onlyattr != 0)
    return "is not for all that its issuer revokes";
  if ((i == 0 && part->onlyCA != 0) || (i > 0 && part->onlyuser != 0)) return "is for certificates of another kind";
  if (part->distpoint != nullptr && !is_its_part(*part->distpoint, *path[i])) return "is another part of its issuer's";
  return {};
}

RevocationAnswer RevocationList::look_up(const Issued& issued, std::size_t i, WallTime now) {
  const std::vector<CertificatePtr>& path = issued.native().path;
  if (std::string why = cannot_speak_of(issued, i); !why.empty()) return not_known("the CRL " + why);
  const Validity validity = read_validity(native_->this_update.get(), native_->next_update.get(), now);
  if (!validity.fault.empty()) return not_known("the CRL " + validity.fault);
  if (!is_signed_by(*path[i + 1])) return not_known("the CRL does not count: its signature is wrong, or weak");
  const Bytes serial = serial_of(*path[i]);
  const std::string whose = i == 0 ? "the CRL" : fmt::format("the CRL for {}", subject_of(*path[i]));
  Der all(native_->entries);
  for (auto next = all.take(kSequence); next; next = all.take(kSequence)) {
    const auto entry = read_entry(next->content);
    if (!entry || !std::ranges::equal(entry->serial, serial)) continue;
    const auto date = read_whole<ASN1_TIME, d2i_ASN1_TIME>(entry->date);
    RevocationAnswer answer{
        Status::revoked, validity.expires,
        fmt::format("{} says revoked{}", whose, revocation_text(date.get(), reason_of(entry->extensions))),
        validity.next_update};
    ERR_clear_error();
    return answer;
  }
  return {Status::good, validity.expires, fmt::format("{} says good, until {}", whose, rfc3339(validity.next_update)),
          validity.next_update};
}

RevocationAnswer look_up(std::span<const std::shared_ptr<RevocationList>> lists, const Issued& issued, WallTime now) {
  RevocationAnswer best = not_known("no CRL of its issuer is at hand");
  for (std::size_t i = 0; i + 1 < issued.native().path.size(); ++i) {
    for (const std::shared_ptr<RevocationList>& list : lists) {
      if (!list->is_of_issuer(issued, i)) continue;
      RevocationAnswer answer = list->look_up(issued, i, now);
      if (answer.status == Status::revoked) return answer;
      if (i == 0 && best.status != Status::good) best = std::move(answer);
    }
  }
  return best;
}

}  // namespace ligase::proof
