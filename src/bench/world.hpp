// The lab's scene for a benchmark: zones, certificates, configurations, and one or both gateways on them as child
// processes. All of it is gone with the object, whatever state it was in.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "lab/child.hpp"
#include "lab/loop.hpp"
#include "lab/scene.hpp"
#include "process.hpp"

namespace ligase::bench {

struct Setting {
  unsigned domains_one = 1, domains_two = 1;
  lab::Way way = lab::Way::dnssec;
  std::string more_of_one = {}, more_of_two = {};  // appended to a configuration, whose last section is [policy]
  bool is_two_ours = false;                        // provider two is played by the benchmark itself
};

class World {
 public:
  // `program`: the `ligase` to run. Both gateways are ready when this returns.
  static Result<std::unique_ptr<World>> start(const Setting& setting, const std::string& program, lab::Loop& loop);
  ~World();

  const lab::Plan& plan() const noexcept { return scene_->plan(); }
  lab::Loop& loop() noexcept { return loop_; }
  Result<Usage> usage(std::size_t provider) const { return usage_of(gateways_[provider].pid()); }
  Result<double> cpu(std::size_t provider) const { return cpu_of(gateways_[provider].pid()); }  // seconds
  std::string control_socket(std::size_t provider) const {
    return scene_->control_socket(scene_->plan().providers[provider]);
  }
  // How a gateway ended, with the end of its log; nullopt: all run.
  std::optional<std::string> dead_gateway();
  // Waits until `is_done`; an error if a gateway died, a signal came, or `patience` ran out: what did not happen is `what`.
  Result<void> wait(const std::function<bool()>& is_done, std::chrono::steady_clock::duration patience,
                    const std::string& what);
  // Connections between the gateways, from the kernel's table.
  Result<std::size_t> connections() const;

 private:
  World(std::unique_ptr<lab::Scene> scene, lab::Loop& loop) : scene_(std::move(scene)), loop_(loop) {}

  std::unique_ptr<lab::Scene> scene_;
  lab::Loop& loop_;
  std::vector<lab::Child> gateways_;
};

}  // namespace ligase::bench
