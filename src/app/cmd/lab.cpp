// The command as a whole: what can be refused is refused before anything starts, and whatever happens is told in the form
// that was asked for.
#include "cmd/lab.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "base/bytes.hpp"
#include "cmd/failure.hpp"
#include "lab/breakage.hpp"
#include "lab/own_network.hpp"
#include "lab/plan.hpp"
#include "lab/run.hpp"
#include "lab/web.hpp"

namespace ligase::cmd {
namespace {

using namespace lab;

constexpr std::uint64_t kMostStanzasInAll = 20'000'000;

Failure usage(std::string what, std::string why, std::string advice = "see ligase lab --help") {
  return {Exit::usage, Reason::config_invalid, "ligase lab " + std::move(what), "", std::move(why), std::move(advice)};
}

std::optional<Failure> refuse_break(const Options& options) {
  if (!options.break_what) return std::nullopt;
  const Breakage* breakage = find_breakage(*options.break_what);
  if (breakage == nullptr)
    return usage("--break", "\"" + escaped(*options.break_what, 40) + "\" is nothing that can be broken",
                 "ligase lab --break list names what can be");
  const std::string name(breakage->name), way(name_of(breakage->way));
  if (options.proof && *options.proof != breakage->way)
    return usage("--break " + name, "it is about what --proof " + way + " stands on",
                 "take that, or leave --proof out for the policy that ligase has by default");
  if (breakage->harm == Harm::peer_restart && options.stanzas < 2)
    return usage("--break " + name, "it needs a stanza before and one after", "take --stanzas 2 or more");
  return std::nullopt;
}

std::optional<Failure> refuse(const Options& options) {
  const std::string most_domains = std::to_string(kMostDomains), most_stanzas = std::to_string(kMostStanzas);
  for (const unsigned count : {options.domains_one, options.domains_two})
    if (count < 1 || count > kMostDomains) return usage("--domains", "it is two numbers from 1 to " + most_domains);
  if (options.stanzas < 1 || options.stanzas > kMostStanzas)
    return usage("--stanzas", "it is a number from 1 to " + most_stanzas);
  if (2ull * options.domains_one * options.domains_two * options.stanzas > kMostStanzasInAll)
    return usage("--stanzas",
                 "more than " + std::to_string(kMostStanzasInAll) + " in all; take fewer domains or stanzas");
  return refuse_break(options);
}

Failure failure_of(const Error& error) {
  if (error.reason == Reason::cancelled)
    return {Exit::could_not_tell, error.reason, "the lab was interrupted", "", "", ""};
  if (error.reason == Reason::config_invalid)
    return {Exit::failed, error.reason, "the lab cannot be set up here", "", error.detail, ""};
  const Exit code = error.reason == Reason::setup_timeout ? Exit::could_not_tell : Exit::failed;
  return {code, error.reason, "the lab did not come to its end", "", error.detail, "if that repeats, please report it"};
}

// A connection to each component here, and those and the streams in the children, which inherit the limit.
void allow_open_files(const Options& options) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = 2ul * (options.domains_one + options.domains_two) + 256;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);  // if it cannot be, connecting says so
}

bool print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

}  // namespace

int run_lab(const Options& options) {
  const auto output = options.json ? Output::json : Output::text;
  if (options.break_what == "list")
    return static_cast<int>(print(options.json ? breakage_document() : breakage_list()) ? Exit::fine : Exit::failed);
  if (const auto refusal = refuse(options)) return fail(*refusal, output);
  allow_open_files(options);
  auto network = Network::of_the_machine;
  if (make_plan(options).needs_web()) {  // before there is a thread
    const auto found = network_with(kHttpsPort);
    if (!found) return fail(failure_of(found.error()), output);
    network = *found;
  }
  Run lab(options, network);
  const auto report = lab.go();
  if (!report) return fail(failure_of(report.error()), output);
  const bool is_printed = print(options.json ? to_json(*report) : to_table(*report));
  if (options.json)
    for (const std::string& fault : report->faults)
      fail({Exit::failed, Reason::internal, "the lab found a fault", "", fault, ""}, Output::text);
  if (options.keep && is_printed) {
    std::fputs(lab.how_to_look().c_str(), options.json ? stderr : stdout);
    std::fflush(stdout);
    lab.stay();
  }
  return static_cast<int>(report->is_fine() && is_printed ? Exit::fine : Exit::failed);
}

}  // namespace ligase::cmd
