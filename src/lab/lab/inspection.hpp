// What the lab asks of the gateways and of their files once everything has been sent.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lab/plan.hpp"

namespace ligase::lab {

// One row of `ctl pairs`, as the gateway says it; empty where it says null.
struct PairEntry {
  std::string local = {}, remote = {}, direction = {}, state = {}, proof = {}, evidence = {}, expires_at = {},
              last_error = {};
};

// Each entry of one gateway's `pairs` document, in its order. internal: it is none.
Result<void> for_each_pair(std::string_view document, const std::function<void(const PairEntry&)>& visit);

struct PairCount {
  std::map<std::string, std::uint64_t> proven;        // live entries, by proof
  std::map<std::string, std::string> nearest_expiry;  // of those, RFC 3339
  std::map<std::string, std::uint64_t> others;  // "refused: dns.bogus: …" and how many; at most 10 different ones

  void add(const PairEntry& entry);
};

// How many of these certificates (PEM) name a domain of a customer, in any form; and of those, how many by SRVName or
// XmppAddr alone, so that they are good for XMPP and for nothing else.
struct NamingCount {
  std::uint64_t in_any_form = 0, for_xmpp_only = 0;
  bool operator==(const NamingCount&) const = default;
};
Result<NamingCount> count_naming_customers(const std::vector<std::string>& certificates, const Plan& plan);

}  // namespace ligase::lab
