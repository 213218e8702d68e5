// Keys in the contract's order; numbers are written plainly (0.0153, never 1.53e-2).
#include "lab/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/json.hpp"

namespace ligase::lab {
namespace {

// What the customers of each fifth publish, and who vouches for it.
std::string_view basis_of(std::string_view proof) {
  if (proof == "dane") return "signed zone, TLSA at its host";
  if (proof == "dnssec") return "signed zone; the certificate names its host";
  if (proof == "pkix") return "SRVName in the certificate of a private CA";
  if (proof == "posh") return "unsigned zone, a document on its web server";
  return "unsigned zone, nothing else";
}

std::string proof_table(const PairCount& proofs) {
  std::string text = "\n  proof      entries  nearest expiry        of whom\n";
  for (const auto& [proof, count] : proofs.proven)
    text += fmt::format("  {:<9}{:>9}  {:<20}  {}\n", proof, count, proofs.nearest_expiry.at(proof), basis_of(proof));
  return text;
}

std::string outcome_text(const Outcome& outcome) {
  std::string text = fmt::format("\nbroken ({}): {}\nexpected: {}\nthe gateway says: {}\n", outcome.what,
                                 outcome.meaning, outcome.expected, outcome.says.empty() ? "nothing" : outcome.says);
  text += outcome.is_right() ? "that is right\n" : "that is not right:\n";
  for (const std::string& wrong : outcome.wrong) text += "  " + wrong + "\n";
  return text;
}

std::optional<std::string> or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string outcome_document(const Outcome& outcome) {
  report::JsonWriter json;
  json.begin_object()
      .field("what", outcome.what)
      .field("meaning", outcome.meaning)
      .field("domain", outcome.domain)
      .field("expected", outcome.expected)
      .field("says", outcome.says)
      .field("reason", or_null(outcome.reason))
      .field("proof", or_null(outcome.proof))
      .field("is_right", outcome.is_right())
      .key("wrong")
      .begin_array();
  for (const std::string& wrong : outcome.wrong) json.value(wrong);
  return json.end_array().end_object().take();
}

std::string live_document(const std::vector<PairEntry>& live) {
  report::JsonWriter json;
  json.begin_array();
  for (const PairEntry& entry : live)
    json.begin_object()
        .field("local", entry.local)
        .field("remote", entry.remote)
        .field("direction", entry.direction)
        .field("proof", entry.proof)
        .field("expires_at", entry.expires_at)
        .end_object();
  return json.end_array().take();
}

}  // namespace

std::uint64_t Report::live_entries() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [proof, count] : proofs.proven) sum += count;
  return sum;
}

bool Report::is_fine() const noexcept {
  return sent > 0 && delivered + to_be_bounced == sent && lost == 0 && bounced == to_be_bounced &&
         live_entries() + to_be_refused == 2 * pairs && faults.empty() && (!outcome || outcome->is_right());
}

std::string to_json(const Report& report) {
  std::string proofs;
  for (const auto& [proof, count] : report.proofs.proven)
    proofs += fmt::format("{}\"{}\":{}", proofs.empty() ? "" : ",", proof, count);
  std::string text = fmt::format(
      "{{\"domains\":[{},{}],\"pairs\":{},"
      "\"connections\":{{\"one_per_pair_and_direction\":{},\"measured\":{}}},"
      "\"stanzas\":{{\"sent\":{},\"delivered\":{},\"lost\":{},\"bounced\":{}}},\"proofs\":{{{}}},"
      "\"seconds\":{{\"setup\":{:.6f},\"first_connect\":{:.6f},\"subsequent_pair_median\":{:.6f},\"all_pairs\":{:.6f}}}"
      ","
      "\"certificates_with_customer_names\":{},\"certificates_with_customer_names_for_xmpp_only\":{}",
      report.domains.one, report.domains.two, report.pairs, report.pairs, report.connections, report.sent,
      report.delivered, report.lost, report.bounced, proofs, report.setup, report.first_connect,
      report.subsequent_pair_median, report.all_pairs, report.naming.in_any_form, report.naming.for_xmpp_only);
  if (!report.live.empty()) text += ",\"pair_proofs\":" + live_document(report.live);
  if (report.outcome) text += ",\"break\":" + outcome_document(*report.outcome);
  return text + "}\n";
}

std::string to_table(const Report& report) {
  std::string proofs;
  for (const auto& [proof, count] : report.proofs.proven)
    proofs += fmt::format("{}{} {}", proofs.empty() ? "" : ", ", proof, count);
  const std::string_view good_for =
      report.naming.for_xmpp_only > 0 && report.naming.for_xmpp_only == report.naming.in_any_form
          ? ", by SRVName: good for XMPP and nothing else"
          : "";
  std::string text = fmt::format(
      "two providers, {} and {} domains, {} pairs (each direction counts), proof {}\n\n"
      "  connections      {:>8}  one for each pair and direction would be {}\n"
      "  certificates     {:>8}  that name a customer{}\n"
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
      report.naming.in_any_form, good_for, report.sent, report.delivered, report.lost, report.bounced,
      report.live_entries(), proofs.empty() ? "none" : proofs, 2 * report.pairs, report.setup, report.first_connect,
      report.subsequent_pair_median, report.pairs - std::min<std::uint64_t>(report.pairs, 1), report.all_pairs);
  if (report.way == Way::mixed) text += proof_table(report.proofs);
  if (report.outcome) text += outcome_text(*report.outcome);
  if (!report.faults.empty()) text += "\nwrong:\n";
  for (const std::string& fault : report.faults) text += "  " + fault + "\n";
  return text;
}

}  // namespace ligase::lab
