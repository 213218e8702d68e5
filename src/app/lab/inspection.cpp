// Reads documents and certificates; whatever cannot be read is an error, never a zero.
#include "lab/inspection.hpp"

#include <fmt/format.h>

#include <algorithm>
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

Result<void> count_pairs(std::string_view document, PairCount& count) {
  boost::system::error_code error;
  const auto value = boost::json::parse(boost::json::string_view(document.data(), document.size()), error);
  if (error || !value.is_array()) return fail(Reason::internal, "the gateway's list of pairs is not a JSON array");
  for (const auto& item : value.get_array()) {
    if (!item.is_object()) return fail(Reason::internal, "an entry of the gateway's list of pairs is no object");
    const auto& entry = item.get_object();
    const std::string state = text_of(entry, "state");
    if (state == "proven") {
      ++count.proven[text_of(entry, "proof")];
      continue;
    }
    const std::string why = text_of(entry, "last_error");
    const std::string other = why.empty() ? state : fmt::format("{}: {}", state, why);
    if (count.others.size() < kMostOthers || count.others.contains(other)) ++count.others[other];
  }
  return {};
}

Result<std::uint64_t> count_naming_customers(const std::vector<std::string>& certificates, const Plan& plan) {
  std::uint64_t count = 0;
  for (const std::string& pem : certificates) {
    const auto chain = proof::Chain::parse_pem(pem);
    if (!chain) return fail(chain.error());
    const bool names_one = std::ranges::any_of(plan.providers, [&](const Provider& provider) {
      return std::ranges::any_of(provider.customers, [&](const std::string& customer) {
        const auto domain = Domain::parse(customer);
        return domain && (*chain)->names_domain(*domain);
      });
    });
    count += names_one ? 1 : 0;
  }
  return count;
}

}  // namespace ligase::lab
