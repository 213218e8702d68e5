// Dialling and listening on loopback: each way it can fail, and what an operator reads.
#include "net/dialer.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "net/listener.hpp"
#include "support/connections.hpp"

namespace ligase::net {
namespace {

using test::Recorder;
using test::run_until;
using test::settle;
using ::testing::HasSubstr;
using Dialled = Result<std::unique_ptr<seams::Connection>>;

AddressGuard loopback_guard() { return {{*AddressRange::parse("127.0.0.0/8"), *AddressRange::parse("::1")}, {}}; }
Endpoint at(const char* text) { return *Endpoint::parse(text); }

struct World {
  Loop loop;
  TcpDialer dialer{loop, loopback_guard()};
  boost::asio::cancellation_signal cancel;

  void dial(const Endpoint& endpoint, Duration patience, std::optional<Dialled>& result) {
    boost::asio::co_spawn(
        loop.context(), dialer.connect(endpoint, loop.clock().now() + patience, Ports::usual),
        boost::asio::bind_cancellation_slot(cancel.slot(), [&result](std::exception_ptr failed, Dialled dialled) {
          EXPECT_FALSE(failed);
          result = std::move(dialled);
        }));
  }
  Dialled dial(const Endpoint& endpoint, Duration patience = 10s) {
    std::optional<Dialled> result;
    dial(endpoint, patience, result);
    run_until(loop, [&] { return result.has_value(); });
    return std::move(*result);
  }
};

TEST(Dialer, ConnectsToAListener_BothKnowTheAddresses) {
  World world;
  auto listener = *Listener::open(world.loop, at("127.0.0.1:0"));
  std::unique_ptr<seams::Connection> accepted;
  listener->start({[&](auto connection) { accepted = std::move(connection); }, {}, {}});
  const auto dialled = world.dial(listener->local());
  ASSERT_TRUE(dialled);
  run_until(world.loop, [&] { return accepted != nullptr; });
  EXPECT_EQ((*dialled)->remote(), listener->local());
  EXPECT_EQ(accepted->remote(), (*dialled)->local());
  Recorder receiver, other;
  accepted->start(receiver);
  (*dialled)->start(other);
  (*dialled)->write("hello");
  run_until(world.loop, [&] { return receiver.received == "hello"; });
}

TEST(Dialer, NothingListens_IsRefused) {
  World world;
  auto listener = *Listener::open(world.loop, at("127.0.0.1:0"));
  const Endpoint free = listener->local();
  listener.reset();
  const auto dialled = world.dial(free);
  ASSERT_FALSE(dialled);
  EXPECT_EQ(dialled.error().reason, Reason::connect_refused);
  EXPECT_THAT(dialled.error().detail, HasSubstr(free.text()));
}

TEST(Dialer, ForbiddenAddress_IsNotEvenTried) {  // ADDR-01, AB-143, AB-151
  World world;
  auto listener = *Listener::open(world.loop, at("127.0.0.1:0"));
  int accepted = 0;
  listener->start({[&](auto) { ++accepted; }, {}, {}});
  world.dialer.set_guard({});
  EXPECT_EQ(world.dial(listener->local()).error().reason, Reason::address_forbidden);
  Endpoint mapped = listener->local();  // the same address in its IPv6 form
  mapped.address = *Address::parse("::ffff:127.0.0.1");
  EXPECT_EQ(world.dial(mapped).error().reason, Reason::address_forbidden);
  AddressGuard own = loopback_guard();
  own.own_listeners = {listener->local()};
  world.dialer.set_guard(own);
  EXPECT_EQ(world.dial(listener->local()).error().reason, Reason::address_forbidden);
  settle(world.loop);
  EXPECT_EQ(accepted, 0);
}

// A listening socket whose queue is full drops further handshakes: the address does not answer.
struct Unanswering {
  explicit Unanswering(Loop& loop) : acceptor(loop.context()) {
    acceptor.open(boost::asio::ip::tcp::v4());
    acceptor.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
    acceptor.listen(0);
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back(loop.context());
      waiting.back().async_connect(acceptor.local_endpoint(), [](boost::system::error_code) {});
    }
    settle(loop);
    endpoint = at(("127.0.0.1:" + std::to_string(acceptor.local_endpoint().port())).c_str());
  }
  boost::asio::ip::tcp::acceptor acceptor;
  std::vector<test::Socket> waiting;
  Endpoint endpoint;
};

TEST(Dialer, NoAnswerByTheDeadline_IsATimeout) {
  World world;
  Unanswering silent(world.loop);
  const auto dialled = world.dial(silent.endpoint, 20ms);
  ASSERT_FALSE(dialled);
  EXPECT_EQ(dialled.error().reason, Reason::connect_timeout);
}

TEST(Dialer, Cancelled_SaysSoAndLeavesNothing) {
  World world;
  Unanswering silent(world.loop);
  std::optional<Dialled> result;
  world.dial(silent.endpoint, 1h, result);
  settle(world.loop);
  ASSERT_FALSE(result);
  world.cancel.emit(boost::asio::cancellation_type::terminal);
  run_until(world.loop, [&] { return result.has_value(); });
  EXPECT_EQ(result->error().reason, Reason::cancelled);
}

TEST(Dialer, LoopThatEndsWhileDialling_IsSafe) {
  std::optional<Dialled> result;
  {
    World world;
    Unanswering silent(world.loop);
    world.dial(silent.endpoint, 1h, result);
    settle(world.loop);
  }
  EXPECT_FALSE(result);
}

TEST(Listener, AnyIpv6Address_TakesBothFamilies) {
  World world;
  auto opened = Listener::open(world.loop, at("[::]:0"));
  if (!opened) GTEST_SKIP() << "this machine has no IPv6: " << opened.error().detail;
  std::vector<Address> from;
  (*opened)->start({[&](auto connection) { from.push_back(connection->remote().address); }, {}, {}});
  const std::string port = std::to_string((*opened)->local().port);
  ASSERT_TRUE(world.dial(at(("127.0.0.1:" + port).c_str())));
  ASSERT_TRUE(world.dial(at(("[::1]:" + port).c_str())));
  run_until(world.loop, [&] { return from.size() == 2; });
  EXPECT_EQ(from[0].text(), "127.0.0.1");  // one form, not ::ffff:127.0.0.1
  EXPECT_EQ(from[1].text(), "::1");
}

TEST(Listener, AddressInUse_SaysWhatAndWhatToDo) {
  World world;
  auto first = *Listener::open(world.loop, at("127.0.0.1:0"));
  const auto second = Listener::open(world.loop, first->local());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, Reason::config_invalid);
  EXPECT_THAT(second.error().detail,
              HasSubstr("cannot listen on " + first->local().text() + ": Address already in use"));
  EXPECT_THAT(second.error().detail, HasSubstr("ss -ltnp"));
  EXPECT_FALSE(Listener::open(world.loop, at("203.0.113.1:0")));  // not this machine's
}

TEST(Listener, AddressThatIsNotAdmitted_IsClosedUnheard) {
  World world;
  auto listener = *Listener::open(world.loop, at("127.0.0.1:0"));
  int taken = 0;
  listener->start({[&](auto) { ++taken; }, [](const Address&) { return false; }, {}});
  const auto dialled = world.dial(listener->local());
  ASSERT_TRUE(dialled);
  Recorder receiver;
  (*dialled)->start(receiver);
  run_until(world.loop, [&] { return receiver.closed.has_value(); });
  EXPECT_EQ(taken, 0);
}

TEST(Listener, BeforeStart_KeepsConnectionsWaiting_AfterStopTakesNone) {
  World world;
  auto listener = *Listener::open(world.loop, at("127.0.0.1:0"));
  const auto early = world.dial(listener->local());
  ASSERT_TRUE(early);
  int taken = 0;
  listener->start({[&](auto) {
                     ++taken;
                     listener->stop();  // from inside
                   },
                   {},
                   {}});
  run_until(world.loop, [&] { return taken == 1; });
  EXPECT_EQ(world.dial(listener->local()).error().reason, Reason::connect_refused);
  listener.reset();
}

// The soft limit of open files, lowered for one test.
class FewDescriptors {
 public:
  explicit FewDescriptors(int further) {
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest_free + further);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Listener, NoDescriptorsLeft_PausesSaysSoOnce_AndRecovers) {  // AB-160
  World world;
  auto listener = *Listener::open(world.loop, at("127.0.0.1:0"));
  const auto waiting = world.dial(listener->local());
  ASSERT_TRUE(waiting);
  std::vector<Error> exhausted;
  std::unique_ptr<seams::Connection> accepted;
  int resumed = 0;
  listener->start({[&](auto connection) { accepted = std::move(connection); },
                   {},
                   [&](const Error& error) { exhausted.push_back(error); },
                   [&] { ++resumed; }});
  {
    const FewDescriptors none(0);
    run_until(world.loop, [&] { return !exhausted.empty(); });
    settle(world.loop);  // would not return if it tried again and again
    EXPECT_EQ(world.loop.clock().waiting(), 1u);
    run_until(world.loop, [&] { return world.loop.clock().waiting() == 0; });  // the pause is over,
    run_until(world.loop, [&] { return world.loop.clock().waiting() == 1; });  // and the next one begins
    EXPECT_EQ(accepted, nullptr);
  }
  run_until(world.loop, [&] { return accepted != nullptr; });
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(exhausted.size(), 1u);
  EXPECT_EQ(exhausted[0].reason, Reason::limit_reached);
  EXPECT_THAT(exhausted[0].detail, HasSubstr("LimitNOFILE"));
}

TEST(Listener, ReservedDescriptors_AreLeftToOthers) {  // AB-160
  World world;
  auto listener = *Listener::open(world.loop, at("127.0.0.1:0"), {10s, 8});
  const auto dialled = world.dial(listener->local());
  ASSERT_TRUE(dialled);
  Recorder receiver;
  (*dialled)->start(receiver);
  int exhausted = 0, taken = 0;
  listener->start({[&](auto) { ++taken; }, {}, [&](const Error&) { ++exhausted; }});
  const FewDescriptors some(8);
  run_until(world.loop, [&] { return receiver.closed.has_value(); });
  EXPECT_EQ(exhausted, 1);
  EXPECT_EQ(taken, 0);
}

}  // namespace
}  // namespace ligase::net
