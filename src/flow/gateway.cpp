// The gateway's face: what the program may ask of the hub behind it.
#include "gateway.hpp"

#include "explain.hpp"
#include "hub.hpp"
#include "snapshot.hpp"
#include "web/staples.hpp"

namespace ligase {

class Gateway::Impl {
 public:
  std::unique_ptr<Hub> hub;
};

Gateway::Gateway(Settings settings, ground::World world)
    : impl_(std::make_unique<Impl>(Impl{std::make_unique<Hub>(std::move(settings), world)})) {
  impl_->hub->started_at = impl_->hub->wall();
  impl_->hub->staples.keep(std::exchange(impl_->hub->settings.revocation.own, {}));
}
Gateway::~Gateway() {
  Hub* hub = impl_->hub.release();
  hub->shut_down();
  hub->ground.scope.join([hub] { delete hub; });  // when its last procedure is over, perhaps now
}

void Gateway::accept_s2s(std::unique_ptr<seams::Connection> connection) {
  impl_->hub->accept_s2s(std::move(connection));
}
void Gateway::accept_component(std::unique_ptr<seams::Connection> connection) {
  impl_->hub->accept_component(std::move(connection));
}
void Gateway::set_ready(std::vector<std::string> not_ready) {
  impl_->hub->is_ready = not_ready.empty();
  impl_->hub->not_ready = std::move(not_ready);
}
void Gateway::set_revocation(std::vector<std::shared_ptr<proof::RevocationList>> lists,
                             std::vector<std::shared_ptr<const proof::Chain>> own) {
  impl_->hub->revocation.take_lists(std::move(lists));
  impl_->hub->staples.keep(std::move(own));
}
void Gateway::stop(std::function<void()> done) { impl_->hub->stop(std::move(done)); }

void Gateway::set_policy(config::Policy policy) { impl_->hub->take_policy(std::move(policy)); }
void Gateway::set_own_certificates(std::map<Domain, std::size_t> own_certificates) {
  impl_->hub->ground.rules.take_own_certificates(std::move(own_certificates));
}
Task<Result<report::Explanation>> Gateway::explain(Domain local, Domain remote, bool may_dial) {
  return explain_pair(impl_->hub.get(), std::move(local), std::move(remote), may_dial);
}
Result<void> Gateway::close_stream(const std::string& id) { return impl_->hub->close_stream(id); }
Result<void> Gateway::close_pair(const Domain& local, const Domain& remote) {
  return impl_->hub->close_pair({local, remote});
}

report::Status Gateway::status() const {
  const Hub& hub = *impl_->hub;
  report::Status status;
  status.version = hub.settings.version;
  status.hostname = hub.settings.hostname.text();
  status.started_at = hub.started_at;
  status.ready = hub.is_ready && !hub.is_stopping;
  status.not_ready = hub.not_ready;
  if (hub.is_stopping) status.not_ready.emplace_back("stopping");
  for (const auto& [ref, session] : hub.sessions)
    ++(session->machine.role() == Role::initiating ? status.streams_out : status.streams_in);
  const std::uint64_t live = status.pairs = live_pairs(hub);
  for (const auto& [name, domain] : hub.hosted_domains) status.links += domain->session != nullptr ? 1 : 0;
  const std::uint64_t open = status.streams_in + status.streams_out;
  status.connections_saved = live > open ? live - open : 0;
  status.stanzas_per_s = hub.rate();
  return status;
}
std::vector<report::StreamRow> Gateway::streams() const { return stream_rows(*impl_->hub); }
std::vector<report::PairRow> Gateway::pairs() const { return pair_rows(*impl_->hub); }
std::vector<report::LinkRow> Gateway::links() const { return link_rows(*impl_->hub); }

}  // namespace ligase
