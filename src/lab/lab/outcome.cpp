// Gateway one's entries of the domain are held against what is expected; nothing here knows how a proof is made.
#include "lab/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ligase::lab {
namespace {

std::string advice_of(std::string_view reason, const std::string& domain) {
  constexpr std::string_view kAny = "DOMAIN";  // as the table of reasons writes it
  for (const ReasonText& text : all_reasons()) {
    if (text.name != reason) continue;
    std::string advice(text.what_to_do);
    if (const std::size_t at = advice.find(kAny); at != std::string::npos) advice.replace(at, kAny.size(), domain);
    return advice;
  }
  return {};
}

// "dns.bogus: no signature" as its two halves.
struct Told {
  std::string reason, detail;
};
Told told(const std::string& last_error) {
  const std::size_t colon = last_error.find(": ");
  if (colon == std::string::npos) return {last_error, ""};
  return {last_error.substr(0, colon), last_error.substr(colon + 2)};
}

// The last record of this event in which `key` has `value`; "": there is none.
std::string_view last_record(std::string_view log, std::string_view event, std::string_view key,
                             std::string_view value) {
  std::string_view found;
  const std::string mark = fmt::format(" event={} ", event);
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    const std::string_view record = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (record.find(mark) != std::string_view::npos && value_in_record(record, key) == value) found = record;
  }
  return found;
}

class Judgement {
 public:
  Judgement(const Plan& plan, const Seen& seen)
      : plan_(plan), seen_(seen), expected_(expected_of(*plan.breakage, plan.only_that)) {
    outcome_.what = plan.breakage->name;
    outcome_.domain = plan.broken_domain();
    outcome_.meaning = told_of(*plan.breakage, outcome_.domain);
    outcome_.expected = expected_.text(*plan.breakage);
  }

  Outcome make() {
    const PairEntry* out = nullptr;
    std::size_t count = 0;
    for (const PairEntry& entry : seen_.entries) {
      if (entry.remote != outcome_.domain) continue;
      ++count;
      check(entry);
      if (entry.direction == "out" && entry.local == plan_.providers[0].customers.front()) out = &entry;
    }
    if (count < 2 * plan_.providers[0].customers.size())
      wrong("only {} of {} pairs with {} are known to the gateway", count, 2 * plan_.providers[0].customers.size(),
            outcome_.domain);
    check_stanzas();
    if (out != nullptr) say(*out);
    if (outcome_.says.find(plan_.breakage->words) == std::string::npos)
      wrong("what the gateway says is not about \"{}\"", plan_.breakage->words);
    return std::move(outcome_);
  }

 private:
  template <class... Values>
  void wrong(fmt::format_string<Values...> format, Values&&... values) {
    constexpr std::size_t kMostWrong = 8;
    if (outcome_.wrong.size() < kMostWrong)
      outcome_.wrong.push_back(fmt::format(format, std::forward<Values>(values)...));
  }

  void check(const PairEntry& entry) {
    const auto pair = fmt::format("{} {} {}", entry.direction, entry.local, entry.remote);
    if (expected_.proof) {
      if (entry.state != "proven" || entry.proof != name_of(*expected_.proof))
        wrong("{} is {} {}", pair, entry.state, entry.state == "proven" ? entry.proof : entry.last_error);
      return;
    }
    const std::optional<Reason> must_be = entry.direction == "out" ? expected_.reason : plan_.breakage->reason_of_claim;
    if (entry.state != "refused" || (must_be && told(entry.last_error).reason != ligase::name_of(*must_be)))
      wrong("{} is {} {}", pair, entry.state, entry.state == "proven" ? entry.proof : entry.last_error);
  }

  // Refused: each comes back to its sender. Else each arrives.
  void check_stanzas() {
    std::uint64_t otherwise = 0;
    for (std::size_t i = 0; i < seen_.ledger.flows(); ++i) {
      const Flow flow = seen_.ledger.flow(i);
      if (seen_.ledger.sender(flow) != outcome_.domain && seen_.ledger.target(flow) != outcome_.domain) continue;
      // Whom it does not read in time has his own stanzas back, by their age.
      if (plan_.has(Harm::slow_customer) && seen_.ledger.target(flow) == outcome_.domain) continue;
      otherwise += expected_.proof ? seen_.ledger.bounced(i) : seen_.ledger.delivered(i);
    }
    if (otherwise != 0)
      wrong("{} stanzas from or to {} {}", otherwise, outcome_.domain,
            expected_.proof ? "came back" : "were delivered, though it is not proven");
  }

  void say(const PairEntry& out) {
    outcome_.proof = out.proof;
    switch (plan_.breakage->harm) {
      case Harm::dialback_forged:
        return say_of_forger();
      case Harm::peer_restart:
        return say_of_restart();
      case Harm::slow_customer:
        return say_of_slow();
      default:
        break;
    }
    if (out.state != "proven") {
      const Told why = told(out.last_error);
      outcome_.reason = why.reason;
      outcome_.says = fmt::format("{} is refused ({}): {}; {}", outcome_.domain, why.reason, why.detail,
                                  advice_of(why.reason, outcome_.domain));
    } else if (expected_.reason) {
      outcome_.reason = ligase::name_of(*expected_.reason);
      outcome_.says = fmt::format("{} is proven by {} only: {}; {}", outcome_.domain, out.proof, out.evidence,
                                  advice_of(outcome_.reason, outcome_.domain));
    } else {
      // D-05: the one thing that is wrong and does not matter.
      outcome_.says = fmt::format(
          "{} is proven by {} all the same, for a certificate without clientAuth is judged as if "
          "it had it: {}; nothing needs to be done",
          outcome_.domain, out.proof, out.evidence);
    }
  }

  void say_of_forger() {
    const auto name = ligase::name_of(Reason::dialback_invalid);
    const std::string_view record = last_record(seen_.log, "pair_refused", "reason", name);
    if (record.empty()) return wrong("the log of gateway one has no pair_refused with {}", name);
    outcome_.reason = name;
    outcome_.says = fmt::format("a claim to be {} from {} is refused ({}): {}; {}", value_in_record(record, "remote"),
                                value_in_record(record, "address"), name, value_in_record(record, "detail"),
                                advice_of(name, outcome_.domain));
  }

  void say_of_restart() {
    const std::string_view record = last_record(seen_.log, "stream_closed", "reason", name_of(Reason::stream_error));
    if (record.empty())
      return wrong("the log of gateway one has no stream_closed that {} caused", plan_.providers[1].host);
    outcome_.reason = value_in_record(record, "reason");
    outcome_.says = fmt::format(
        "{} ended the stream ({}: {}), and {} is proven by {} anew on another; nothing needs to "
        "be done",
        plan_.providers[1].host, outcome_.reason, value_in_record(record, "detail"), outcome_.domain, outcome_.proof);
  }

  void say_of_slow() {
    if (!seen_.others_took)
      return wrong("not everything for the others had arrived before the end, so they waited for {}", outcome_.domain);
    outcome_.says = fmt::format(
        "{} reads 10 kB a second: all that was for others had arrived after {:.2f} s, with {} stanzas for it still "
        "under "
        "way; who writes to it waits, and nobody else",
        outcome_.domain, seen_.others_took->count(), seen_.under_way_to_slow);
  }

  const Plan& plan_;
  const Seen& seen_;
  Expected expected_;
  Outcome outcome_;
};

}  // namespace

std::string value_in_record(std::string_view record, std::string_view key) {
  const std::string mark = fmt::format(" {}=", key);
  std::size_t at = record.find(mark);
  if (at == std::string_view::npos) return {};
  std::string_view rest = record.substr(at + mark.size());
  if (!rest.starts_with('"')) return std::string(rest.substr(0, rest.find(' ')));
  std::string value;
  for (at = 1; at < rest.size() && rest[at] != '"'; ++at) {
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    value += rest[at];
  }
  return value;
}

Way proof_due(const Plan& plan, const PairEntry& entry) {
  if (plan.breakage != nullptr && entry.remote == plan.broken_domain())
    return expected_of(*plan.breakage, plan.only_that).proof.value_or(plan.way);
  for (const Provider& provider : plan.providers) {
    const auto found = std::ranges::find(provider.customers, entry.remote);
    if (found != provider.customers.end())
      return plan.way_of(static_cast<std::size_t>(found - provider.customers.begin()));
  }
  return plan.way;
}

bool may_be_refused(const Plan& plan, std::string_view local, std::string_view remote) {
  if (plan.breakage == nullptr || expected_of(*plan.breakage, plan.only_that).proof) return false;
  return local == plan.broken_domain() || remote == plan.broken_domain();
}

Outcome judge_outcome(const Plan& plan, const Seen& seen) { return Judgement(plan, seen).make(); }

}  // namespace ligase::lab
