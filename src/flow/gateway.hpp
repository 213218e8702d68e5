// The gateway: pairs, the streams they ride, the links behind them, and the procedures that prove. One object, one
// loop; it knows no socket and no clock of its own (flow/seams/), so it runs in the simulated world as in the real one.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "ground/world.hpp"
#include "proof/revocation_list.hpp"
#include "report/event.hpp"
#include "report/explanation.hpp"
#include "report/snapshot.hpp"

namespace ligase {

struct RevocationSettings {  // [tls] revocation, crl; and what our own certificates need
  proof::RevocationMode mode = proof::RevocationMode::off;
  std::vector<std::shared_ptr<proof::RevocationList>> lists;  // from files
  // Certificates of ours, to be stapled: each with its issuer, where a trust anchor is not it. `set_staple` is told the leaf's
  // fingerprint and the DER to serve from now on; "": none.
  std::vector<std::shared_ptr<const proof::Chain>> own;
  std::function<void(const std::string& fingerprint, std::string der)> set_staple;
};

struct Settings {
  std::string version;  // the program's
  Domain hostname;      // [gateway] hostname
  config::Limits limits;
  config::Policy policy;
  std::vector<config::HostedLink> links;
  std::shared_ptr<const proof::TrustAnchors> anchors;
  std::string dialback_secret;  // >= 32 bytes (DB-01)
  bool dnssec_is_on = true;     // false: trust_anchor = ""
  RevocationSettings revocation{};
  std::map<Domain, std::size_t> own_certificates{};  // a domain with a certificate by [[tls.for]]: which, from 1
  std::vector<seams::Memo> memos;                    // what World::store kept, expired ones left out; bounded by it
};

class Gateway final : public report::Observable {
 public:
  Gateway(Settings settings, ground::World world);
  ~Gateway() override;

  // A listener took a connection; the Gateway owns it from here on.
  void accept_s2s(std::unique_ptr<seams::Connection> connection);
  void accept_component(std::unique_ptr<seams::Connection> connection);

  // Every listener is bound and the resolver usable; shown by status().
  void set_ready(std::vector<std::string> not_ready);
  // The resolver can be used again: what DNS failed at is tried with the next stanza, however long it should rest (AB-227).
  void dns_is_back();

  // Another policy from now on. Every pair is judged by it: those at work before their next stanza passes, the others within
  // a minute; what it does not allow ends, with the reason (P13, AB-179).
  void set_policy(config::Policy policy);
  void set_own_certificates(std::map<Domain, std::size_t> own_certificates);  // as in Settings

  // What [tls] crl holds and which certificates are ours, from now on. Before set_policy(), which judges every pair.
  void set_revocation(std::vector<std::shared_ptr<proof::RevocationList>> lists,
                      std::vector<std::shared_ptr<const proof::Chain>> own);

  // Drain (AB-167): accepts nothing new, hands on what it holds, closes streams properly; `done` is called once,
  // at the latest after drain_timeout. What could not be handed on was bounced or counted.
  void stop(std::function<void()> done);

  // As in seams::Control.
  Task<Result<report::Explanation>> explain(Domain local, Domain remote, bool may_dial);
  Result<void> close_stream(const std::string& id);
  Result<void> close_pair(const Domain& local, const Domain& remote);

  // The whole state is what it must be, or the process ends: for tests, which ask after each event.
  void check() const;
  // What is still taken or waited for, by name; at rest nothing is. For tests as well.
  std::vector<std::string> left_at_work() const;

  report::Status status() const override;
  std::vector<report::StreamRow> streams() const override;
  std::vector<report::PairRow> pairs() const override;
  std::vector<report::LinkRow> links() const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ligase
