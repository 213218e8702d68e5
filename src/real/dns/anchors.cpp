#include "dns/anchors.hpp"

#include <cstdio>

#include "dns/ldns_handles.hpp"

namespace ligase::dns {
namespace {

std::uint8_t number(const ldns_rr* record, std::size_t field) {
  return ldns_rdf2native_int8(ldns_rr_rdf(record, field));
}

bool is_known_algorithm(std::uint8_t algorithm) {  // RSASHA256, RSASHA512, the two ECDSAs, Ed25519, Ed448
  return algorithm == 8 || algorithm == 10 || (algorithm >= 13 && algorithm <= 16);
}

std::size_t digest_length(std::uint8_t digest_type) {  // 0: not in use; SHA-1 is not
  return digest_type == 2 ? 32 : digest_type == 4 ? 48 : 0;
}

// Empty if the record can serve as a trust anchor, otherwise why it cannot.
std::string fault(const ldns_rr* record) {
  switch (ldns_rr_get_type(record)) {
    case LDNS_RR_TYPE_DS: {
      if (ldns_rr_rd_count(record) != 4) return "a DS record has four fields";
      const std::uint8_t algorithm = number(record, 1), digest_type = number(record, 2);
      const std::size_t length = ldns_rdf_size(ldns_rr_rdf(record, 3));
      if (!is_known_algorithm(algorithm)) return "algorithm " + std::to_string(algorithm) + " does not validate";
      if (digest_length(digest_type) == 0) return "digest type " + std::to_string(digest_type) + " does not validate";
      if (length == digest_length(digest_type)) return "";
      return "the digest has " + std::to_string(length) + " bytes, its type has " +
             std::to_string(digest_length(digest_type));
    }
    case LDNS_RR_TYPE_DNSKEY: {
      if (ldns_rr_rd_count(record) != 4) return "a DNSKEY record has four fields";
      const std::uint16_t flags = ldns_rdf2native_int16(ldns_rr_rdf(record, 0));
      if ((flags & LDNS_KEY_ZONE_KEY) == 0) return "the key is no zone key (flags " + std::to_string(flags) + ")";
      if ((flags & LDNS_KEY_REVOKE_KEY) != 0) return "the key is revoked";
      if (number(record, 1) != 3) return "a DNSKEY's protocol is 3";
      const std::uint8_t algorithm = number(record, 2);
      if (!is_known_algorithm(algorithm)) return "algorithm " + std::to_string(algorithm) + " does not validate";
      return ldns_rdf_size(ldns_rr_rdf(record, 3)) < 32 ? "the key is cut short" : "";
    }
    default:
      return "it is neither DS nor DNSKEY";
  }
}

struct CloseFile {
  void operator()(FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

Result<std::vector<std::string>> read_trust_anchors(std::string_view text) {
  constexpr std::size_t kMostBytes = 1 << 20;
  if (text.size() > kMostBytes) return fail(Reason::config_invalid, "the trust anchor is larger than 1 MiB");
  const auto nothing = [] {
    return fail(Reason::config_invalid,
                "the trust anchor holds no DS or DNSKEY record; an empty trust_anchor turns DNSSEC off");
  };
  if (text.empty()) return nothing();
  std::string copy(text);
  const std::unique_ptr<FILE, CloseFile> file(fmemopen(copy.data(), copy.size(), "r"));
  std::vector<std::string> lines;
  for (int line = 0; file && !std::feof(file.get());) {
    ldns_rr* parsed = nullptr;
    std::uint32_t ttl = 3600;
    ldns_rdf* origin = nullptr;
    ldns_rdf* previous = nullptr;
    const ldns_status status = ldns_rr_new_frm_fp_l(&parsed, file.get(), &ttl, &origin, &previous, &line);
    const Rr record(parsed);
    const Rdf own_origin(origin), own_previous(previous);
    if (status == LDNS_STATUS_SYNTAX_EMPTY || status == LDNS_STATUS_SYNTAX_TTL || status == LDNS_STATUS_SYNTAX_ORIGIN) {
      continue;
    }
    const std::string why = status != LDNS_STATUS_OK
                                ? std::string("it is no DNS record (") + ldns_get_errorstr_by_id(status) + ")"
                                : fault(record.get());
    if (!why.empty()) {
      return fail(Reason::config_invalid, "trust anchor, line " + std::to_string(line) + ": " + why);
    }
    char* clean = ldns_rr2str(record.get());
    lines.emplace_back(clean);
    std::free(clean);
    while (!lines.back().empty() && lines.back().back() == '\n') lines.back().pop_back();
  }
  if (lines.empty()) return nothing();
  return lines;
}

}  // namespace ligase::dns
