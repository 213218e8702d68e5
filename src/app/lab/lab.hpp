// `ligase lab` (contract, section 7): two providers, their customers, signed zones, a CA and the Internet between them,
// on loopback. It starts two real gateways, sends stanzas for every pair in both directions, and reports what it
// measured. It needs no root and no other program, and leaves nothing behind.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ligase::lab {

// What proves the customers' domains in this run. `mixed`: each customer another one.
enum class Way : std::uint8_t { dane, dnssec, pkix, posh, dialback, mixed };
std::string_view name_of(Way way) noexcept;
std::optional<Way> parse_way(std::string_view name) noexcept;

// How many customers the two providers have.
struct Domains {
  unsigned one = 20, two = 20;
  bool operator==(const Domains&) const = default;
};
constexpr unsigned kMostDomains = 1000;    // of one provider
constexpr unsigned kMostStanzas = 100000;  // of one pair and direction

// "20x20": two numbers from 1 to kMostDomains. Error: config_invalid, with what is wrong in a sentence.
Result<Domains> parse_domains(std::string_view text);

struct Options {
  unsigned domains_one = 20, domains_two = 20;
  std::optional<Way> proof = std::nullopt;  // nullopt: dnssec, or what break_what is about, under the default policy
  unsigned stanzas = 2;                     // for each pair and direction, 1 to kMostStanzas
  bool keep = false, json = false;
  std::optional<std::string> break_what = std::nullopt;  // "list": print what there is
  std::string program = {};  // path of the `ligase` to start as `serve`: this very executable
};

// The whole command: prints the report on stdout (`json`: the document `lab` of the contract, or `error`), progress and
// errors on stderr. Returns the exit code: 0 every stanza arrived and every pair is proven, or, where something was broken,
// the gateway did what the truth tables say; 2 not so or not possible, 3 interrupted or out of time before there was
// anything to report, 64 options out of range.
int run(const Options& options);

}  // namespace ligase::lab
