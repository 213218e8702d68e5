// What the lab asks of the gateways and of their files once everything has been sent.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lab/plan.hpp"

namespace ligase::lab {

struct PairCount {
  std::map<std::string, std::uint64_t> proven;  // live entries, by proof
  std::map<std::string, std::uint64_t> others;  // "refused: dns.bogus: …" and how many; at most 10 different ones
};

// Adds the entries of one gateway's `pairs` document. internal: it is none.
Result<void> count_pairs(std::string_view document, PairCount& count);

// How many of these certificates (PEM) name a domain of a customer, in any form.
Result<std::uint64_t> count_naming_customers(const std::vector<std::string>& certificates, const Plan& plan);

}  // namespace ligase::lab
