// The order of a life: files, binding, giving up root, resolver, gateway, ready; and all of it backwards.
#include "node/node.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <list>
#include <map>

#include "dns/caching_resolver.hpp"
#include "dns/resolver.hpp"
#include "dns/watch.hpp"
#include "gateway.hpp"
#include "http/api.hpp"
#include "net/dialer.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "node/materials.hpp"
#include "node/notify.hpp"
#include "node/reload.hpp"
#include "os/files.hpp"
#include "os/log.hpp"
#include "os/process.hpp"
#include "os/random.hpp"
#include "store/sqlite_store.hpp"

namespace ligase::node {
namespace {

using config::ListenKind;
using report::Event;
using report::Level;
constexpr std::size_t kReservedDescriptors = 64;     // for dial-backs, links, the control socket (AB-160)
constexpr auto kNearExpiry = std::chrono::days(14);  // PKIX-06
constexpr Duration kDay = std::chrono::hours(24);

std::string_view kind_name(ListenKind kind) noexcept {
  switch (kind) {
    case ListenKind::s2s:
      return "s2s";
    case ListenKind::s2s_tls:
      return "s2s-tls";
    case ListenKind::component:
      return "component";
    case ListenKind::backend:
      return "backend";
    case ListenKind::dns_view:
      return "dns-view";
    case ListenKind::http:
      return "http";
  }
  return "";
}

class Node final : public seams::Control {
 public:
  Node(const config::Config& config, const config::Files& files, std::vector<std::string> read)
      : config_(config),
        files_(files),
        read_(std::move(read)),
        log_(STDERR_FILENO, config.log_format, config.log_level) {}

  Result<void> start(const std::vector<config::Fault>& warnings) {
    log_.write(Event(Level::info, "start")
                   .with("version", LIGASE_VERSION)
                   .with("hostname", config_.hostname.text())
                   .with("config", config_.file));
    for (const config::Fault& warning : warnings)
      log_.write(Event(Level::warning, "config_warning").with("text", warning.text()));
    for (const auto step :
         {&Node::prepare_process, &Node::read_materials, &Node::bind, &Node::give_up_root, &Node::make_gateway}) {
      Result<void> done = (this->*step)();
      if (done) continue;
      log_.write(Event(Level::error, "start_failed")
                     .with("reason", name_of(done.error().reason))
                     .with("text", done.error().detail));
      return done;
    }
    go();
    return {};
  }

  void run() {
    loop_.run();
    log_.write(Event(Level::info, "stopped"));
  }

  // seams::Control
  Task<Result<report::Explanation>> explain(Domain local, Domain remote, bool may_dial) override {
    return gateway_->explain(std::move(local), std::move(remote), may_dial);
  }
  Result<void> close_stream(const std::string& id) override { return gateway_->close_stream(id); }
  Result<void> close_pair(const Domain& local, const Domain& remote) override {
    return gateway_->close_pair(local, remote);
  }
  std::vector<std::string> reload() override {
    const Reloaded reloaded = read_again(config_, files_, wall_now(), staples_);
    if (!reloaded.faults.empty()) {
      for (const std::string& fault : reloaded.faults)
        log_.write(Event(Level::error, "reload_refused").with("text", fault));
      return reloaded.faults;
    }
    config_.policy = reloaded.config->policy;
    config_.credential = reloaded.config->credential;
    config_.tls_for = reloaded.config->tls_for;
    loop_.set_certificates(reloaded.contexts);
    gateway_->set_revocation(reloaded.crl, reloaded.own);
    certificate_expires_ = reloaded.certificate_expires;
    gateway_->set_own_certificates(own_certificates());
    gateway_->set_policy(config_.policy);
    log_.write(Event(Level::info, "reloaded").with("config", config_.file));
    return {};
  }
  void drain() override {
    if (!is_stopping_) stop("drain");
  }

 private:
  struct Bound {
    ListenKind kind;
    Endpoint endpoint;
    std::unique_ptr<net::Listener> listener;  // s2s, component
    std::unique_ptr<http::Server> server;     // http
  };

  Result<void> prepare_process() {
    std::signal(SIGPIPE, SIG_IGN);
    os::refuse_core_dumps();
    os::raise_open_files();
    return {};
  }

  Result<void> read_materials() {
    if (Result<void> made = os::make_private_folder(config_.state_dir); !made) return made;
    Result<std::string> secret = os::read_or_create_secret(secret_file());
    if (!secret) return fail(secret.error());
    dialback_secret_ = std::move(*secret);
    auto anchors = read_anchors(config_, files_);
    if (!anchors) return fail(anchors.error());
    anchors_ = std::move(*anchors);
    auto contexts = read_contexts(config_, files_, staples_);
    if (!contexts) return fail(contexts.error());
    loop_.set_certificates(std::move(*contexts));
    auto lists = read_all_revocation_lists(config_, files_);
    if (!lists) return fail(lists.error());
    lists_ = std::move(*lists);
    Result<std::string> anchor = read_dns_anchor(config_, files_);
    if (!anchor) return fail(anchor.error());
    dns_anchor_ = std::move(*anchor);
    certificate_expires_ = own_certificate_expiry(config_, files_).value_or(wall_now());
    return {};
  }

  Result<void> bind() {
    const auto api = [this](http::Access access) -> http::Handler {  // the gateway comes later than its listeners
      return [this, access](http::Request request) {
        return http::make_api(*gateway_, *this, access)(std::move(request));
      };
    };
    const http::Handler reading = api(http::Access::read);
    auto control = http::Server::on_unix(loop_.context(), config_.control, api(http::Access::control));
    if (!control) return fail(control.error());
    control_ = std::move(*control);
    for (const config::Listen& listen : config_.listen) {
      Bound bound{listen.kind, listen.endpoint, nullptr, nullptr};
      if (listen.kind == ListenKind::http) {
        auto server = listen.unix_path.empty() ? http::Server::on_tcp(loop_.context(), listen.endpoint, reading)
                                               : http::Server::on_unix(loop_.context(), listen.unix_path, reading);
        if (!server) return fail(server.error());
        bound.server = std::move(*server);
        if (listen.unix_path.empty()) bound.endpoint = bound.server->local();
      } else {
        net::Listener::Settings settings;
        settings.handshake_timeout = config_.limits.tls_handshake_timeout;
        settings.reserved_descriptors = listen.kind == ListenKind::s2s ? kReservedDescriptors : 0;
        auto listener = net::Listener::open(loop_, listen.endpoint, settings);
        if (!listener) return fail(listener.error());
        bound.listener = std::move(*listener);
        bound.endpoint = bound.listener->local();
      }
      const std::string place = listen.unix_path.empty() ? bound.endpoint.text() : listen.unix_path;
      log_.write(Event(Level::info, "listening").with("kind", kind_name(listen.kind)).with("address", place));
      bound_.push_back(std::move(bound));
    }
    return {};
  }

  // SEC-01: before the first outside byte. What was made as root becomes the account's.
  Result<void> give_up_root() {
    if (!os::is_root()) return {};
    const Result<os::Account> account = os::unprivileged_account();
    if (!account) return fail(account.error());
    for (const std::string& path : {config_.state_dir, secret_file(), config_.control})
      if (Result<void> handed = os::hand_over(path, *account); !handed) return handed;
    if (Result<void> handed = os::hand_over_files(config_.state_dir, *account); !handed) return handed;
    if (Result<void> became = os::become(*account); !became) return became;
    os::refuse_core_dumps();  // a change of user allows them again
    log_.write(Event(Level::info, "root_given_up").with("user", account->name));
    if (const std::string closed = os::closed_above(config_.state_dir); !closed.empty())
      log_.write(Event(Level::warning, "config_warning")
                     .with("text", fmt::format("{}; {}", closed_state(account->name, closed), kStateAdvice)));
    for (const std::string& path : unreadable(files_, read_))
      log_.write(Event(Level::warning, "reload_impossible")
                     .with("file", path)
                     .with("user", account->name)
                     .with("advice", fmt::format("chgrp {} {} && chmod g+r {}", account->name, path, path)));
    return {};
  }

  Result<void> make_gateway() {
    dns::ResolverOptions options;
    options.trust_anchor = dns_anchor_;
    options.forwarders = config_.dns_forward;
    auto resolver = dns::UnboundResolver::create(options);
    if (!resolver) return fail(resolver.error());
    resolver_ = std::move(*resolver);
    cache_ = std::make_unique<dns::CachingResolver>(*resolver_, loop_.clock(), loop_.executor());
    watch_ = std::make_unique<dns::Watch>(*cache_, *resolver_, loop_.clock(), loop_.executor(),
                                          [this](const std::optional<Error>& unfit) { on_resolver(unfit); });
    AddressGuard guard{config_.allow_addresses, {}};
    for (const Bound& bound : bound_) guard.own_listeners.push_back(bound.endpoint);
    dialer_ = std::make_unique<net::TcpDialer>(loop_, std::move(guard), config_.limits.tls_handshake_timeout);
    store_ = std::make_unique<store::SqliteStore>(store_file(), loop_.clock().wall(), log_);
    Settings settings{.version = LIGASE_VERSION,
                      .hostname = config_.hostname,
                      .limits = config_.limits,
                      .policy = config_.policy,
                      .links = config_.links,
                      .anchors = anchors_,
                      .dialback_secret = dialback_secret_,
                      .dnssec_is_on = !config_.dns_trust_anchor.empty(),
                      .revocation = revocation_settings(),
                      .own_certificates = own_certificates(),
                      .memos = store_->take_memos()};
    ground::World world{loop_.executor(), loop_.clock(), random_, *watch_, *dialer_, log_, *store_};
    gateway_ = std::make_unique<Gateway>(std::move(settings), world);
    return {};
  }

  std::map<Domain, std::size_t> own_certificates() const {
    std::map<Domain, std::size_t> numbers;
    for (std::size_t i = 0; i < config_.tls_for.size(); ++i)
      for (const Domain& domain : config_.tls_for[i].domains) numbers.emplace(domain, i + 1);
    return numbers;
  }

  RevocationSettings revocation_settings() const {
    return {.mode = config_.revocation,
            .lists = lists_,
            .own = read_own_chains(config_, files_),
            .set_staple = [staples = staples_](const std::string& fingerprint, std::string der) {
              staples->set(fingerprint, std::move(der));
            }};
  }

  void go() {
    for (Bound& bound : bound_)
      if (bound.listener) bound.listener->start(handlers(bound.kind));
    loop_.on_fault(
        [this](std::string_view what) { log_.write(Event(Level::error, "internal_fault").with("detail", what)); });
    loop_.on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int signal) { on_signal(signal); });
    gateway_->set_ready({"dns: the resolver is being tried out"});
    watch_->start();
    check_expiry();
    log_.write(Event(Level::info, "ready").with("listeners", std::to_string(bound_.size())));
    notify_service_manager("READY=1");
  }

  // AB-138, AB-139, AB-227: at the start, and each change.
  void on_resolver(const std::optional<Error>& unfit) {
    if (!unfit) {
      gateway_->set_ready({});
      gateway_->dns_is_back();
      log_.write(Event(Level::info, "resolver_fit"));
      return;
    }
    gateway_->set_ready({fmt::format("dns: {}: {}", name_of(unfit->reason), describe(unfit->reason).what_to_do)});
    log_.write(Event(Level::error, "resolver_unfit")
                   .with("reason", name_of(unfit->reason))
                   .with("detail", unfit->detail)
                   .with("advice", describe(unfit->reason).what_to_do));
  }

  net::Listener::Handlers handlers(ListenKind kind) {
    const bool is_component = kind == ListenKind::component;
    return {
        .take =
            [this, is_component](std::unique_ptr<seams::Connection> connection) {
              if (is_component) {
                gateway_->accept_component(std::move(connection));
              } else {
                gateway_->accept_s2s(std::move(connection));
              }
            },
        .admit = {},
        .on_exhausted =
            [this, kind](const Error& error) {
              log_.write(Event(Level::warning, "accept_paused")
                             .with("kind", kind_name(kind))
                             .with("reason", name_of(error.reason))
                             .with("text", error.detail));
            },
        .on_resumed = [this, kind] { log_.write(Event(Level::info, "accept_resumed").with("kind", kind_name(kind))); }};
  }

  void on_signal(int signal) {
    if (signal == SIGHUP) {
      (void)reload();  // logged there
      return;
    }
    stop(signal == SIGINT ? "SIGINT" : "SIGTERM");
  }

  void stop(std::string_view asked_by) {
    log_.write(Event(Level::info, "stop").with("signal", asked_by));
    if (is_stopping_) return loop_.stop();  // asked twice: at once (AB-167)
    is_stopping_ = true;
    notify_service_manager("STOPPING=1");
    for (Bound& bound : bound_)
      if (bound.listener) bound.listener->stop();
    gateway_->stop([this] { loop_.stop(); });
  }

  // PKIX-06: at start and daily.
  void check_expiry() {
    loop_.clock().call_at(loop_.clock().now() + kDay, [this] { check_expiry(); });
    const WallTime now = loop_.clock().wall();
    if (certificate_expires_ < now + kNearExpiry) {
      log_.write(Event(Level::warning, "certificate_expiring")
                     .with("file", config_.credential.certificate_file)
                     .with("expires", rfc3339(certificate_expires_)));
    }
  }

  std::string secret_file() const { return config_.state_dir + "/dialback.secret"; }
  std::string store_file() const { return config_.state_dir + "/learned.sqlite"; }

  config::Config config_;  // as in force
  const config::Files& files_;
  const std::vector<std::string> read_;  // what a reload reads again
  os::LogSink log_;
  os::SystemRandom random_;
  net::Loop loop_;
  std::string dialback_secret_, dns_anchor_;
  std::shared_ptr<const proof::TrustAnchors> anchors_;
  std::shared_ptr<tls::Staples> staples_ = std::make_shared<tls::Staples>();
  std::vector<std::shared_ptr<proof::RevocationList>> lists_;  // [tls] crl
  WallTime certificate_expires_{};
  std::unique_ptr<dns::UnboundResolver> resolver_;
  std::unique_ptr<dns::CachingResolver> cache_;
  std::unique_ptr<dns::Watch> watch_;
  std::unique_ptr<net::TcpDialer> dialer_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<Gateway> gateway_;
  std::vector<Bound> bound_;
  std::unique_ptr<http::Server> control_;
  bool is_stopping_ = false;
};

}  // namespace

void log_faults(config::LogFormat format, const std::vector<config::Fault>& faults) {
  os::LogSink log(STDERR_FILENO, format, Level::error);
  for (const config::Fault& fault : faults)
    log.write(
        Event(Level::error, "start_failed").with("reason", name_of(Reason::config_invalid)).with("text", fault.text()));
}

Result<void> run(const config::Config& config, const config::Files& files, const std::vector<config::Fault>& warnings,
                 const std::vector<std::string>& read) {
  Node node(config, files, read);
  if (Result<void> started = node.start(warnings); !started) return started;
  node.run();
  return {};
}

}  // namespace ligase::node
