// DNS with a DNSSEC verdict, from outside (DNS-01).
#pragma once
#include <string>

#include "proof/dns.hpp"
#include "task.hpp"

namespace ligase::seams {

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Follows aliases (<= 8). Never fails as such: what goes wrong is in the answer's `security` and `why`.
  // `name`: lower case, no trailing dot. Takes at most 5 s (DNS-06). Resumes on the caller's executor.
  virtual Task<proof::Answer> ask(std::string name, proof::RrType type) = 0;
  // The answer is at hand, or on its way already: asking now costs nobody a packet.
  virtual bool knows(const std::string& /*name*/, proof::RrType /*type*/) const { return false; }
};

// What is between us and DNS, tried out.
class ResolverTrial {
 public:
  // Asks for the keys of the trust anchor past every cache: whether the answer failed says whether the resolver can be used.
  // If it can, and could not before, what ask() uses is made anew, since it remembers failures by itself. Some 2 s at the most.
  virtual Task<proof::Answer> try_out() = 0;

 protected:
  ~ResolverTrial() = default;
};

}  // namespace ligase::seams
