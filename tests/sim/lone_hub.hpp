// A gateway's hub without listeners or domains, and one CA: for procedures that are tried by themselves.
#pragma once
#include <gtest/gtest.h>

#include "hub.hpp"
#include "sim/web_server.hpp"
#include "support/certificates.hpp"

namespace ligase::sim {

struct LoneHub : testing::Test {
  LoneHub() {
    hub = make_hub();
    world.chains[*Address::parse("192.0.2.1")] = issue("xmpp1.tld");
  }
  ~LoneHub() override {
    hub->shut_down();
    world.run_for(60s);  // what still waits for a time comes to its end while the seams are there
  }

  std::shared_ptr<Hub> make_hub(std::vector<seams::Memo> memos = {}) {
    return std::make_shared<Hub>(Settings{.version = "sim",
                                          .hostname = *Domain::parse("xmpp1.tld"),
                                          .limits = {},
                                          .policy = {},
                                          .links = {},
                                          .anchors = *proof::TrustAnchors::parse_pem(root.pem),
                                          .dialback_secret = std::string(32, 's'),
                                          .memos = std::move(memos)},
                                 ligase::World{world.executor(), clock, random, resolver, dialer, log, store});
  }
  std::shared_ptr<const proof::Chain> issue(const std::string& name) const {
    return *proof::Chain::parse({test::make_leaf(root, {name}).der});
  }

  // What the task comes to; it must be over by `limit` of virtual time.
  template <class T>
  T run(Task<T> task, Duration limit) {
    std::optional<T> came;
    const auto wait = [](Task<T> what, std::optional<T>* into) -> Task<void> { *into = co_await std::move(what); };
    hub->spawn(wait(std::move(task), &came));
    EXPECT_TRUE(world.run_until([&] { return came.has_value(); }, limit)) << "it is not over at its deadline";
    if (!came) throw std::runtime_error("no end");
    return *std::move(came);
  }

  World world{7};
  test::MadeCertificate root = test::make_root();
  SimClock clock{world};
  SimRandom random{1};
  SimResolver resolver{world};
  SimDialer dialer{world, *Address::parse("192.0.2.1")};
  SimLog log;
  SimStore store;
  std::shared_ptr<Hub> hub;
};

}  // namespace ligase::sim
