// Keys in the contract's order; numbers are written plainly (0.0153, never 1.53e-2).
#include "lab/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ligase::lab {

std::uint64_t Report::live_entries() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [proof, count] : proofs) sum += count;
  return sum;
}

bool Report::is_fine() const noexcept {
  return sent > 0 && delivered == sent && lost == 0 && bounced == 0 && live_entries() == 2 * pairs && faults.empty();
}

std::string to_json(const Report& report) {
  std::string proofs;
  for (const auto& [proof, count] : report.proofs)
    proofs += fmt::format("{}\"{}\":{}", proofs.empty() ? "" : ",", proof, count);
  return fmt::format(
      "{{\"domains\":[{},{}],\"pairs\":{},"
      "\"connections\":{{\"one_per_pair_and_direction\":{},\"measured\":{}}},"
      "\"stanzas\":{{\"sent\":{},\"delivered\":{},\"lost\":{},\"bounced\":{}}},\"proofs\":{{{}}},"
      "\"seconds\":{{\"setup\":{:.6f},\"first_connect\":{:.6f},\"subsequent_pair_median\":{:.6f},\"all_pairs\":{:.6f}}}"
      ","
      "\"certificates_with_customer_names\":{}}}\n",
      report.domains.one, report.domains.two, report.pairs, report.pairs, report.connections, report.sent,
      report.delivered, report.lost, report.bounced, proofs, report.setup, report.first_connect,
      report.subsequent_pair_median, report.all_pairs, report.certificates_with_customer_names);
}

std::string to_table(const Report& report) {
  std::string proofs;
  for (const auto& [proof, count] : report.proofs)
    proofs += fmt::format("{}{} {}", proofs.empty() ? "" : ", ", proof, count);
  std::string text = fmt::format(
      "two providers, {} and {} domains, {} pairs (each direction counts), proof {}\n\n"
      "  connections      {:>8}  one for each pair and direction would be {}\n"
      "  certificates     {:>8}  that name a customer\n"
      "  stanzas sent     {:>8}\n"
      "          delivered{:>8}\n"
      "          lost     {:>8}\n"
      "          bounced  {:>8}\n"
      "  proofs in force  {:>8}  {} (each pair has one at each gateway: {})\n"
      "  setup            {:>8.3f} s\n"
      "  first connect    {:>8.3f} s  first stanza written to its arrival\n"
      "  subsequent pair  {:>8.3f} s  median, {} pairs asked for at once\n"
      "  all pairs        {:>8.3f} s  until the last of them had its stanza\n",
      report.domains.one, report.domains.two, report.pairs, name_of(report.way), report.connections, report.pairs,
      report.certificates_with_customer_names, report.sent, report.delivered, report.lost, report.bounced,
      report.live_entries(), proofs.empty() ? "none" : proofs, 2 * report.pairs, report.setup, report.first_connect,
      report.subsequent_pair_median, report.pairs - std::min<std::uint64_t>(report.pairs, 1), report.all_pairs);
  if (!report.faults.empty()) text += "\nwrong:\n";
  for (const std::string& fault : report.faults) text += "  " + fault + "\n";
  return text;
}

}  // namespace ligase::lab
