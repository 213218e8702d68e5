// Each step of a start, tried and taken back. Nothing that was there before is changed.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "base/bytes.hpp"
#include "dns/resolver.hpp"
#include "dns/watch.hpp"
#include "http/client.hpp"
#include "net/listener.hpp"
#include "node/materials.hpp"
#include "node/node.hpp"
#include "os/files.hpp"
#include "os/libraries.hpp"
#include "os/process.hpp"

namespace ligase::node {
namespace {

class Trial {
 public:
  Trial(const config::Config& config, config::Parsed& findings) : config_(config), findings_(findings) {}

  void folders() {
    if (const Result<void> made = os::try_private_folder(config_.state_dir); !made)
      fault(config_.state_dir_line.number, "[gateway] state_dir: " + made.error().detail, "");
  }

  void control() {
    const unsigned line = config_.control_line.number;
    const std::string& path = config_.control;
    struct stat facts {};
    if (path.size() >= sizeof(sockaddr_un{}.sun_path))
      return fault(line, "[gateway] control: a socket's path has at most 107 bytes", "choose a shorter one");
    if (::lstat(path.c_str(), &facts) == 0) {
      if (!S_ISSOCK(facts.st_mode))
        return fault(line, fmt::format("[gateway] control: {} is there, and is no socket", path),
                     "choose another name");
      if (http::get(path, "/healthz", 2s))
        warn(line, fmt::format("[gateway] control: a gateway answers at {} already", path),
             "that is as it must be if it is this one");
      return;
    }
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (folder == std::filesystem::path(config_.state_dir)) return;  // tried above
    if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
      fault(line, fmt::format("[gateway] control: the folder of {}: {}", path, std::generic_category().message(errno)),
            "make it, owned by the user ligase runs as");
  }

  void listeners() {
    for (const config::Listen& listen : config_.listen) {
      if (!listen.unix_path.empty() || listen.endpoint.port == 0) continue;
      const std::error_code error = net::Listener::try_open(listen.endpoint);
      if (!error) continue;
      const std::string what = fmt::format("cannot listen on {}: {}", listen.endpoint.text(), error.message());
      if (error == std::errc::address_in_use) {
        warn(listen.line.number, what, "if that is not this gateway, already running: end it, or choose another port");
      } else if (error == std::errc::permission_denied) {
        fault(listen.line.number, what,
              "a port below 1024 needs root at the start, or CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=)");
      } else {
        fault(listen.line.number, what, "bind it to an address of this machine");
      }
    }
  }

  void reload(const std::vector<std::string>& read) {
    if (!os::is_root()) return;
    const Result<os::Account> account = os::unprivileged_account();
    if (!account) return fault(0, account.error().detail, "");
    for (const std::string& path : os::unreadable_for(*account, read))
      warn(0,
           fmt::format("{} is not readable for the user {}, whom ligase becomes: a reload will be refused", path,
                       account->name),
           fmt::format("chgrp {} {} && chmod g+r {}", account->name, path, path));
    if (const std::string closed = os::closed_above(config_.state_dir, *account); !closed.empty())
      warn(config_.state_dir_line.number, closed_state(account->name, closed), std::string(kStateAdvice));
  }

 private:
  void fault(unsigned line, std::string what, std::string advice) {
    findings_.faults.push_back({config_.file, line, std::move(what), std::move(advice)});
  }
  void warn(unsigned line, std::string what, std::string advice) {
    findings_.warnings.push_back({config_.file, line, std::move(what), std::move(advice)});
  }

  const config::Config& config_;
  config::Parsed& findings_;
};

}  // namespace

void try_out(const config::Config& config, const std::vector<std::string>& read, config::Parsed& findings) {
  Trial trial(config, findings);
  trial.folders();
  trial.control();
  trial.listeners();
  trial.reload(read);
}

std::string closed_state(const std::string& user, const std::string& folder) {
  return fmt::format(
      "[gateway] state_dir: {} is closed to the user {}, whom ligase becomes: what it learns about peers is not kept",
      folder, user);
}

void try_resolver(const config::Config& config, const config::Files& files, config::Parsed& findings) {
  const auto found = [&](std::string what, std::string advice) {
    findings.warnings.push_back({config.file, 0, "[dns] " + std::move(what), std::move(advice)});
  };
  dns::ResolverOptions options;
  options.forwarders = config.dns_forward;
  if (Result<std::string> anchor = read_dns_anchor(config, files)) options.trust_anchor = std::move(*anchor);
  boost::asio::io_context loop{1};
  const auto resolver = dns::UnboundResolver::create(options);
  if (!resolver) return found(resolver.error().detail, "");
  proof::Answer answer;
  const auto take = [](dns::UnboundResolver& of, proof::Answer& into) -> Task<void> { into = co_await of.try_out(); };
  boost::asio::co_spawn(loop, take(**resolver, answer), boost::asio::detached);
  loop.run();
  if (const std::optional<Error> unfit = dns::judge_trial(answer))
    found(reason_text(*unfit), std::string(describe(unfit->reason).what_to_do));
}

std::vector<std::string> unreadable(const config::Files& files, const std::vector<std::string>& read) {
  std::vector<std::string> found;
  for (const std::string& path : read)
    if (!files.read(path)) found.push_back(path);
  return found;
}

void judge_libraries(config::Parsed& findings) {
  for (const os::LibraryFinding& finding : os::judge(os::libraries()))
    (finding.is_fatal ? findings.faults : findings.warnings)
        .push_back({"this machine", 0, finding.what, finding.advice});
}

}  // namespace ligase::node
