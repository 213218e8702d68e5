// What `ligase lab --break` can make wrong: one thing, for customers of provider two, and what the gateway of provider one
// must make of it by the truth tables (requirements, sections 2 and 3). A table: everything else of the lab asks it.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/reason.hpp"
#include "lab/options.hpp"

namespace ligase::lab {

enum class Harm : std::uint8_t {
  tlsa,
  rrsig,
  srv_bogus,
  cert_expired,
  cert_wrong_name,
  cert_revoked,
  no_eku,
  posh_loop,
  posh_expired,
  posh_mismatch,
  dialback_forged,
  nameserver_silent,
  peer_restart,
  slow_customer,
};

struct Breakage {
  Harm harm;
  std::string_view name;     // as --break takes it
  std::string_view meaning;  // "{}" is the domain it happens to
  Way way;                   // what proves everybody, and would prove this one too
  // Under the policy that ligase has by default: what still proves the domain, nullopt: nothing may.
  std::optional<Way> still;
  std::optional<Reason> reason;  // why not by `way`; nullopt: by that, all the same
  // The same of the domain's claims at gateway one; nullopt: any reason, since another certificate may be shown there.
  std::optional<Reason> reason_of_claim;
  std::string_view words;  // that the gateway's own sentence must have, so that it is about this and nothing else
  std::string_view rows;   // of the truth tables, or the requirement
};

std::span<const Breakage> all_breakages() noexcept;
const Breakage* find_breakage(std::string_view name) noexcept;  // null: there is none of that name

// Name and meaning of each, one a line, as `--break list` prints it; `as_json`: an array of objects.
std::string breakage_list();
std::string breakage_document();

// The meaning, told of this domain: "target20.tld publishes …".
std::string told_of(const Breakage& breakage, std::string_view domain);

// What must come of it at gateway one, in the policy that the run has: only `breakage.way`, or everything by default.
struct Expected {
  std::optional<Way> proof;                          // nullopt: refused
  std::optional<Reason> reason;                      // why not by breakage.way
  std::string text(const Breakage& breakage) const;  // "refused with dane.mismatch (O-11, I-04)"
};
Expected expected_of(const Breakage& breakage, bool only_its_way) noexcept;

}  // namespace ligase::lab
