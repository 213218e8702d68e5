// Our own cache in front of a resolver (DNS-05): bounded in time by TTL and signatures, in size by what the answers hold (AB-226), and one
// question in flight serves all who ask the same. Failures are kept too, for a while that grows, so that a broken zone
// is not asked again by every stanza. It never keeps an answer past the end of a signature it rests on.
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "seams/clock.hpp"
#include "seams/resolver.hpp"

namespace ligase::dns {

struct CacheLimits {
  std::size_t most_bytes = 64 << 20;    // then those that expire soonest give way
  std::size_t most_in_flight = 20'000;  // different questions; more are indeterminate at once
};

// One loop's object. An answer's `ttl` is how long this cache keeps it from now on: within 5 s and 1 day, a denial at
// most 300 s, a failure 5, 10, 20, then 30 s, and never past the first signature's end.
class CachingResolver final : public seams::Resolver {
 public:
  // `inner` and `clock` outlive it, and are not touched after it is gone.
  CachingResolver(seams::Resolver& inner, seams::Clock& clock, Executor executor, CacheLimits limits = {});
  ~CachingResolver() override;  // who still waits gets an indeterminate answer, through the loop

  Task<proof::Answer> ask(std::string name, proof::RrType type) override;
  bool knows(const std::string& name, proof::RrType type) const override;

  // What failed is asked anew; what is on its way, and fails, is not kept.
  void forget_failures();

  std::size_t size() const noexcept;   // answers
  std::size_t bytes() const noexcept;  // that they are charged
  std::size_t in_flight() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ligase::dns
