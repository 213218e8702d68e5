// Record data of strangers: SRV, addresses and TLSA decode to what they are, or to nothing (AB-135, AB-132).
#include <cstdlib>

#include "base/bytes.hpp"
#include "proof/certificate.hpp"
#include "proof/dns.hpp"
#include "proof/sample_for_fuzz.hpp"

using namespace ligase;
using namespace ligase::proof;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// First byte: security and denial; then records, each behind two bytes of length.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Answer answer;
  answer.security = static_cast<Security>(data[0] % 4);
  answer.ttl = std::chrono::seconds(data[0]);
  BytesView input{data + 1, size - 1};
  while (input.size() >= 2 && answer.rdata.size() < 600) {
    const std::size_t length =
        std::min<std::size_t>(static_cast<std::size_t>(input[0] << 8 | input[1]), input.size() - 2);
    answer.rdata.emplace_back(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(length));
    input = input.subspan(2 + length);
  }
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
  static const Domain domain = Domain::parse("target1.tld").value();
  const Delegation delegation = read_delegation(domain, answer, now);
  must(delegation.targets.size() <= 16);
  for (const SrvTarget& target : delegation.targets) must(target.port != 0 && !target.host.text().empty());
  const bool is_failed = answer.security == Security::bogus || answer.security == Security::indeterminate;
  must(!is_failed || (delegation.kind == Delegation::Kind::failed && delegation.targets.empty()));
  must(delegation.kind != Delegation::Kind::fallback || answer.is_denial());
  must((delegation.kind == Delegation::Kind::failed) ==
       (delegation.failure && delegation.failure->reason != Reason::dns_no_service));
  must(order_targets(delegation.targets, [](std::uint32_t most) { return most / 2; }).size() ==
       delegation.targets.size());
  for (const Address& address : read_addresses(answer)) must(!address.text().empty());
  const TlsaSet tlsa = read_tlsa("_5269._tcp.target1.tld", answer, now);
  must(tlsa.usable.size() <= 32 && (tlsa.usable.empty() || answer.security == Security::secure));
  for (const TlsaRecord& record : tlsa.usable) must(record.text().size() < 40);
  // Held against a certificate: only a record of its own bytes may match.
  static const std::shared_ptr<const Chain> chain = [] {
    Bytes der;
    must(from_base64(kSampleRoot, der));
    return Chain::parse({der}).value();
  }();
  static const auto anchors = TrustAnchors::parse_pem(sample_root_pem()).value();
  const Result<DaneMatch> match = match_dane(*chain, tlsa, *anchors, Role::receiving, true, now);
  must(!match || std::ranges::find(tlsa.usable, match->record) != tlsa.usable.end());
  return 0;
}
