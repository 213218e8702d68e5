// A good document is written by the program's own writer; a wrong one by hand, since that writer makes none.
#include "lab/pages.hpp"

#include <fmt/format.h>

#include "proof/posh.hpp"

namespace ligase::lab {
namespace {

constexpr std::string_view kPath = "/.well-known/posh/xmpp-server.json";
constexpr auto kExpires = 24h;

Result<std::string> document_for(const Identity& identity) {
  const auto chain = proof::Chain::parse_pem(identity.certificate);
  if (!chain) return fail(chain.error());
  return proof::write_posh({proof::posh_descriptor(**chain)}, kExpires);
}

std::string url_of(const std::string& host, std::string_view path) { return fmt::format("https://{}{}", host, path); }

// The broken domain's; empty: nothing is wrong with it.
Result<std::vector<Page>> wrong_pages(const Plan& plan, const Identities& identities) {
  const std::string& host = plan.broken_domain();
  if (plan.has(Harm::posh_loop))
    return std::vector{
        Page{host, std::string(kPath), proof::write_posh_reference(url_of(host, "/again.json"), kExpires)},
        Page{host, "/again.json", proof::write_posh_reference(url_of(host, kPath), kExpires)}};
  if (plan.has(Harm::posh_expired)) {
    auto good = document_for(identities.own);
    if (!good) return fail(good.error());
    const std::string mark = R"("expires":)";
    const std::size_t at = good->find(mark);
    if (at == std::string::npos) return fail(Reason::internal, "a POSH document without an expiry");
    const std::size_t from = at + mark.size(), to = good->find_first_of(",}", from);
    return std::vector{Page{host, std::string(kPath), good->replace(from, to - from, "0")}};
  }
  if (plan.has(Harm::posh_mismatch)) {
    auto other = document_for(*identities.broken);
    if (!other) return fail(other.error());
    return std::vector{Page{host, std::string(kPath), std::move(*other)}};
  }
  return std::vector<Page>{};
}

}  // namespace

std::vector<std::string> web_hosts(const Plan& plan) {
  std::vector<std::string> hosts;
  for (const Provider& provider : plan.providers)
    for (std::size_t i = 0; i < provider.customers.size(); ++i)
      if (plan.way_of(i) == Way::posh) hosts.push_back(provider.customers[i]);
  return hosts;
}

Result<std::vector<Page>> make_pages(const Plan& plan, const std::array<Identities, 2>& identities) {
  auto pages = wrong_pages(plan, identities[1]);
  if (!pages) return pages;
  const bool is_broken = !pages->empty();
  for (std::size_t which = 0; which < plan.providers.size(); ++which) {
    const auto document = document_for(identities[which].own);
    if (!document) return fail(document.error());
    const Provider& provider = plan.providers[which];
    for (std::size_t i = 0; i < provider.customers.size(); ++i)
      if (plan.way_of(i) == Way::posh && !(is_broken && provider.customers[i] == plan.broken_domain()))
        pages->push_back({provider.customers[i], std::string(kPath), *document});
  }
  return pages;
}

}  // namespace ligase::lab
