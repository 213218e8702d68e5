// Is there a resolver, and does it pass DNSSEC data on (AB-227)? It stands before the cache, tries the resolver out at the
// start, when answers fail, and while they do, and puts the blame for failures where it lies: a resolver that strips
// signatures makes every zone of the world look broken.
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "dns/caching_resolver.hpp"

namespace ligase::dns {

// One loop's object.
class Watch final : public seams::Resolver {
 public:
  // Each change: why the resolver is unfit, or that it is fit (nullopt). Fit again: what failed meanwhile is forgotten by then.
  using Told = std::function<void(const std::optional<Error>& unfit)>;
  // All outlive it, and are not touched after it is gone.
  Watch(CachingResolver& cache, seams::ResolverTrial& trial, seams::Clock& clock, Executor executor, Told told);
  ~Watch() override;

  void start();  // tries it out for the first time

  Task<proof::Answer> ask(std::string name, proof::RrType type) override;
  bool knows(const std::string& name, proof::RrType type) const override { return cache_.knows(name, type); }

 private:
  struct State;
  CachingResolver& cache_;
  std::shared_ptr<State> state_;
};

// What a trial's answer says of the resolver; nullopt: it is fit.
std::optional<Error> judge_trial(const proof::Answer& answer);

}  // namespace ligase::dns
