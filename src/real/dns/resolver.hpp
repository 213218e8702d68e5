// The validating resolver: libunbound with our own trust anchor (DNS-01), in a thread of its own. Nobody else's AD bit
// is ever believed, a failure is never an absence, and whoever asks is answered within its patience, whatever the
// network does (DNS-06). It keeps libunbound's own caches; ours, with its bounds, is flow's CachingResolver.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "seams/resolver.hpp"

namespace ligase::dns {

struct ResolverOptions {
  std::string trust_anchor;  // DS or DNSKEY records, the text of a file; "": no DNSSEC, all is insecure (DNS-07)
  std::vector<std::string> forwarders;  // "addr@port"; none: those of resolv_conf; {"root"}: from the root down
  std::string resolv_conf = "/etc/resolv.conf";  // a path; not readable: the local host is asked
  Duration patience = 5s;                        // for one question, from ask() on
  std::size_t most_in_flight = 500;
  std::size_t most_waiting = 10'000;  // beyond those in flight; more are indeterminate at once
};

class UnboundResolver final : public seams::Resolver, public seams::ResolverTrial {
 public:
  // config_invalid: an anchor or a forwarder that cannot work. internal: libunbound does not come up.
  static Result<std::unique_ptr<UnboundResolver>> create(const ResolverOptions& options);

  // Questions still open end as indeterminate, through their callers' executors: those loops must still exist.
  ~UnboundResolver() override;

  // A cancelled wait ends at once, as indeterminate.
  Task<proof::Answer> ask(std::string name, proof::RrType type) override;
  // libunbound remembers for a minute that a trust anchor's keys did not come, so each trial has a context of its own, with
  // resolv.conf as it is now; it takes the place of one that does not get over it. One at a time. Without a trust anchor the
  // root's keys are asked for, and any answer will do.
  Task<proof::Answer> try_out() override;

 private:
  class Impl;
  struct State;
  explicit UnboundResolver(std::shared_ptr<State> state);
  static Task<proof::Answer> try_out(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // a trial may end after the resolver is gone
};

}  // namespace ligase::dns
