// DER of strangers: parsing, names and path checks end, whatever the bytes (AB-063). One file is a chain: each certificate
// behind its length.
#include <cstdlib>

#include "proof/certificate.hpp"
#include "proof/sample_for_fuzz.hpp"

using namespace ligase;
using namespace ligase::proof;

namespace {

// Per certificate two bytes of length, then the DER.
std::vector<Bytes> cut(BytesView input) {
  std::vector<Bytes> out;
  while (input.size() > 2 && out.size() < 12) {
    const std::size_t size =
        std::min<std::size_t>(static_cast<std::size_t>(input[0] << 8 | input[1]), input.size() - 2);
    out.emplace_back(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(size));
    input = input.subspan(2 + size);
  }
  return out;
}

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto chain = Chain::parse(cut({data, size}));
  if (!chain) return 0;
  static const Domain domain = Domain::parse("target1.tld").value();
  static const HostName host = HostName::parse("xmpp1.receiving.tld").value();
  for (const PresentedId& id : (*chain)->names()) {
    must(!id.name.empty() && id.name.size() <= 253);
    must(id.name.find_first_of(std::string_view("*@/ \0", 5)) == std::string::npos);
    must(id.form == NameForm::dns || !id.is_wildcard);
  }
  must((*chain)->names().size() <= 1000);
  (void)(*chain)->names_domain(domain);
  (void)(*chain)->names_host(host);
  must((*chain)->subject().find('\n') == std::string::npos);
  (void)(*chain)->not_after();
  // The chain's last certificate as the only TLSA record: every path of DANE-TA runs over bytes that a peer chose.
  Answer answer;
  answer.security = Security::secure;
  answer.rdata.push_back({2, 0, 0});
  const Bytes& last = (*chain)->der((*chain)->size() - 1);
  answer.rdata.back().insert(answer.rdata.back().end(), last.begin(), last.end());
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
  static const auto anchors = TrustAnchors::parse_pem(sample_root_pem()).value();
  (void)match_dane(**chain, read_tlsa("_5269._tcp.target1.tld", answer, now), *anchors, Role::receiving, true, now);
  (void)verify_path(**chain, *anchors, Role::receiving, now);
  return 0;
}
