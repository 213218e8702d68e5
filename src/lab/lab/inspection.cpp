// Reads documents and certificates; whatever cannot be read is an error, never a zero.
#include "lab/inspection.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "name/domain.hpp"
#include "proof/certificate.hpp"

namespace ligase::lab {
namespace {

constexpr std::size_t kMostOthers = 10;

std::string text_of(const boost::json::object& entry, std::string_view key) {
  const auto* value = entry.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

Result<void> for_each_pair(std::string_view document, const std::function<void(const PairEntry&)>& visit) {
  boost::system::error_code error;
  const auto value = boost::json::parse(boost::json::string_view(document.data(), document.size()), error);
  if (error || !value.is_array()) return fail(Reason::internal, "the gateway's list of pairs is not a JSON array");
  for (const auto& item : value.get_array()) {
    if (!item.is_object()) return fail(Reason::internal, "an entry of the gateway's list of pairs is no object");
    const auto& entry = item.get_object();
    visit({.local = text_of(entry, "local"),
           .remote = text_of(entry, "remote"),
           .direction = text_of(entry, "direction"),
           .state = text_of(entry, "state"),
           .proof = text_of(entry, "proof"),
           .evidence = text_of(entry, "evidence"),
           .expires_at = text_of(entry, "expires_at"),
           .last_error = text_of(entry, "last_error")});
  }
  return {};
}

void PairCount::add(const PairEntry& entry) {
  if (entry.state == "proven") {
    ++proven[entry.proof];
    std::string& nearest = nearest_expiry[entry.proof];  // of one form and in UTC, so that text sorts as time does
    if (nearest.empty() || entry.expires_at < nearest) nearest = entry.expires_at;
    return;
  }
  const std::string other =
      entry.last_error.empty() ? entry.state : fmt::format("{}: {}", entry.state, entry.last_error);
  if (others.size() < kMostOthers || others.contains(other)) ++others[other];
}

Result<NamingCount> count_naming_customers(const std::vector<std::string>& certificates, const Plan& plan) {
  NamingCount count;
  for (const std::string& pem : certificates) {
    const auto chain = proof::Chain::parse_pem(pem);
    if (!chain) return fail(chain.error());
    bool names_one = false, by_dns_name = false;
    for (const Provider& provider : plan.providers)
      for (const std::string& customer : provider.customers) {
        const auto domain = Domain::parse(customer);
        const auto host = HostName::parse(customer);
        names_one = names_one || (domain && (*chain)->names_domain(*domain));
        by_dns_name = by_dns_name || (host && (*chain)->names_host(*host));
      }
    count.in_any_form += names_one ? 1 : 0;
    count.for_xmpp_only += names_one && !by_dns_name ? 1 : 0;
  }
  return count;
}

}  // namespace ligase::lab
