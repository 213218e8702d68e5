// What procedures stand on, without a gateway, and one CA: for those that are tried by themselves.
#pragma once
#include <gtest/gtest.h>

#include "ground/ground.hpp"
#include "sim/web_server.hpp"
#include "support/certificates.hpp"

namespace ligase::sim {

struct LoneGround : testing::Test {
  LoneGround()
      : ground({world.executor(), clock, random, resolver, dialer, log, store},
               {.anchors = *proof::TrustAnchors::parse_pem(root.pem)}) {
    world.chains[*Address::parse("192.0.2.1")] = issue("xmpp1.tld");
  }
  ~LoneGround() override {
    ground.scope.close();
    world.run_for(60s);  // what still waits for a time comes to its end while the seams are there
  }

  std::shared_ptr<const proof::Chain> issue(const std::string& name) const {
    return *proof::Chain::parse({test::make_leaf(root, {name}).der});
  }

  // What the task comes to; it must be over by `limit` of virtual time.
  template <class T>
  T run(Task<T> task, Duration limit) {
    std::optional<T> came;
    const auto wait = [](Task<T> what, std::optional<T>* into) -> Task<void> { *into = co_await std::move(what); };
    ground.spawn(wait(std::move(task), &came));
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
  ground::Ground ground;
};

}  // namespace ligase::sim
