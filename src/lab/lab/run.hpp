// One run of the lab, step by step, from nothing to a report. It prints nothing but progress.
#pragma once
#include <memory>
#include <string>

#include "lab/exchange.hpp"
#include "lab/loop.hpp"
#include "lab/own_network.hpp"
#include "lab/progress.hpp"
#include "lab/report.hpp"
#include "lab/scene.hpp"

namespace ligase::lab {

class Run {
 public:
  // `network`: where this process is now.
  Run(Options options, Network network);
  ~Run();  // everything the run made is gone

  // Errors: cancelled (a signal), setup_timeout, or what could not be set up. A run that loses stanzas is no error: its
  // report says so.
  Result<Report> go();
  // Waits for a signal while everything goes on; says on standard error if a gateway ends by itself.
  void stay();
  // How to look at what runs: commands and files, a line each.
  std::string how_to_look() const;

 private:
  Result<void> set_up();
  Result<void> start_scene();
  Result<void> wait_for_components();
  Result<void> do_harm();  // what is broken at this moment, between the first connections and the first stanza
  Result<void> wait_for_expiry();
  Result<void> forge();
  Result<void> restart_peer();
  Result<void> exchange_all();
  std::chrono::steady_clock::duration rest_patience() const;
  Result<void> wait(const std::function<bool()>& is_done, std::chrono::steady_clock::duration patience);
  Result<Report> make_report();
  Result<void> inspect(Report& report);
  Result<void> judge(Report& report, std::vector<PairEntry> of_one);
  void find_faults(Report& report) const;

  Options options_;
  Network network_;
  std::chrono::steady_clock::time_point started_;
  Loop loop_;
  Progress progress_;
  std::unique_ptr<Scene> scene_;
  std::unique_ptr<Exchange> exchange_;
  double setup_ = 0;
  std::optional<Seconds> others_took_;   // Harm::slow_customer: until all that was for others had arrived
  std::uint64_t under_way_to_slow_ = 0;  // then
};

}  // namespace ligase::lab
