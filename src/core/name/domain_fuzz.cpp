// Fuzz target of names and addresses. A domain that exists is its own canonical form, whatever it was spelt as (AB-026);
// what an address or JID is parsed from is what it says.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "name/address.hpp"
#include "name/domain.hpp"

namespace {
void require(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ligase;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<Domain> domain = Domain::parse(text)) {
    require(!domain->text().empty() && domain->text().size() <= 253);
    for (const char c : domain->text())
      require((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.');
    const Result<Domain> again = Domain::parse(domain->text());
    require(again && *again == *domain);
    require(HostName::parse(domain->text()).has_value());
    require(!Address::parse(domain->text()));
    // What is written into addresses is the same name (NAME-01).
    const Result<Domain> written = Domain::parse(domain->unicode());
    require(written && *written == *domain && written->unicode() == domain->unicode());
    (void)domain->is_special_use();
  } else {
    require(domain.error().reason == Reason::name_invalid && !domain.error().detail.empty());
  }
  const JidParts jid = split_jid(text);
  if (!jid.domain.empty()) {
    std::string whole = jid.local.empty() ? std::string() : std::string(jid.local) + "@";
    whole += jid.domain;
    if (!jid.resource.empty()) whole += "/" + std::string(jid.resource);
    require(whole == text);
  }
  if (const Result<HostName> host = HostName::parse(text)) require(HostName::parse(host->text()) == *host);
  if (const Result<Address> address = Address::parse(text)) {
    require(Address::parse(address->text()) == *address);
    (void)is_globally_routable(*address);
  }
  if (const Result<Endpoint> endpoint = Endpoint::parse(text)) {
    require(Endpoint::parse(endpoint->text()) == *endpoint);
    (void)AddressGuard{}.check(*endpoint);
  }
  if (const Result<AddressRange> range = AddressRange::parse(text)) require(range->contains(range->network));
  return 0;
}
