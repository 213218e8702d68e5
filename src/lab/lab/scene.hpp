// Everything a run needs, set up on disk and in the kernel: folder, ports, zones with their name server, documents
// with their web server, certificates, configurations, and the two gateways on them. When a Scene goes, all of that is gone, whatever state it was in.
#pragma once
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "lab/child.hpp"
#include "lab/dns/server.hpp"
#include "lab/dns/tree.hpp"
#include "lab/folder.hpp"
#include "lab/loop.hpp"
#include "lab/plan.hpp"
#include "lab/ports.hpp"
#include "lab/web.hpp"

namespace ligase::lab {

class Authority;
struct Identities;
struct ZoneText;

class Scene {
 public:
  // All but the gateways: the name server answers, the files lie there. Takes well under a second. A certificate that is
  // to expire does so `broken_lifetime` from now.
  static Result<std::unique_ptr<Scene>> set(Plan plan, Duration broken_lifetime = std::chrono::seconds(2));

  // Starts both gateways (`program` serve --config …) and waits until both are ready. Errors: one ended (with the end of
  // its log) or is not ready in time; cancelled: a signal came.
  Result<void> start_gateways(const std::string& program, Loop& loop);
  // The same for one of them that runs: ended in order, then started again.
  Result<void> restart_gateway(std::size_t which, const std::string& program, Loop& loop,
                               std::chrono::steady_clock::duration patience);
  // Asks both to end, waits for that at most `patience`, then kills. Not interrupted by signals that came before.
  void end_gateways(Loop& loop, std::chrono::steady_clock::duration patience);
  // "gateway two ended: signal 11", with the end of its log; nullopt: both run.
  std::optional<std::string> dead_gateway();

  const Plan& plan() const noexcept { return plan_; }
  // Those that its gateway shows.
  std::vector<std::string> certificate_files(const Provider& provider) const;
  // When the certificate expires that is to expire in this run; nullopt: none is.
  std::optional<WallTime> broken_expires() const noexcept { return broken_expires_; }
  std::string log_file(const Provider& provider) const { return provider.file("ligase.log"); }
  std::string control_socket(const Provider& provider) const { return provider.file("control.sock"); }

 private:
  Scene(Plan plan, Folder folder) : plan_(std::move(plan)), folder_(std::move(folder)) {}
  Result<void> build(Duration broken_lifetime);
  Result<void> open_web(const Authority& authority, const std::array<Identities, 2>& identities);
  Result<void> plant_zones(const std::vector<ZoneText>& zones);
  Result<void> write_provider(const Provider& provider, const Identities& identities);
  Result<void> start_gateway(const Provider& provider, const std::string& program);
  Result<void> wait_until_ready(Loop& loop);

  // Destroyed from the last to the first: gateways, web and name server, ports, folder.
  Plan plan_;
  Folder folder_;
  std::vector<HeldPort> ports_;
  dns::Tree tree_;
  std::unique_ptr<dns::Server> name_server_;
  std::unique_ptr<WebServer> web_server_;  // null: nobody publishes on the web
  std::vector<std::unique_ptr<Child>> gateways_;
  std::optional<WallTime> broken_expires_;
};

}  // namespace ligase::lab
