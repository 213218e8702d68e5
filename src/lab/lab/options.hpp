// What may be asked of `ligase lab` (contract, section 7): two providers, their customers, signed zones, a CA and the
// Internet between them, on loopback. It needs no root and no other program, and leaves nothing behind.
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

}  // namespace ligase::lab
