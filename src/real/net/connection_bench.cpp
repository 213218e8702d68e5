// What a connection costs: memory at rest, and 200-byte writes gathered into TLS records. Both ends run in this one
// thread, so a figure per stanza is the sum of sending, the kernel's loopback, and receiving.
#include "net/connection.hpp"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <vector>

#include "net/endpoint.hpp"
#include "support/certificates.hpp"

namespace ligase::net {
namespace {

using boost::asio::ip::tcp;

struct Sink final : seams::Receiver {
  void on_bytes(std::string_view bytes) override { received += bytes.size(); }
  void on_tls(const Result<seams::TlsFacts>& facts) override {
    is_secure = facts.has_value();
    if (is_secure && keeps_chain) chain = facts->peer_chain;
  }
  void on_writable() override { is_full = false; }
  void on_closed(const Error&) override { is_closed = true; }
  std::size_t received = 0;
  bool keeps_chain = false;
  std::shared_ptr<const proof::Chain> chain;
  bool is_secure = false, is_full = false, is_closed = false;
};

struct Pair {
  Pair(Loop& loop, tcp::acceptor& acceptor) {
    tcp::socket dialled(loop.context());
    dialled.connect(acceptor.local_endpoint());
    tcp::socket accepted = acceptor.accept();
    const Endpoint to = from_asio(dialled.remote_endpoint()), from = from_asio(accepted.remote_endpoint());
    client = std::make_unique<TcpConnection>(loop, std::move(dialled), to);
    server = std::make_unique<TcpConnection>(loop, std::move(accepted), from);
    client->start(at_client);
    server->start(at_server);
  }
  void secure(Loop& loop) {
    client->start_tls({Role::initiating, std::nullopt, "target1.tld", ""});
    server->start_tls({Role::receiving, std::nullopt, "", ""});
    while (!at_client.is_secure || !at_server.is_secure) loop.context().run_one();
  }
  Sink at_client, at_server;
  std::unique_ptr<TcpConnection> client, server;
};

struct World {
  World() {
    const auto root = test::make_root();
    const auto leaf = test::make_leaf(root, {"gw.tld"});
    loop.set_certificates(
        *tls::Contexts::make({leaf.pem + root.pem, leaf.key_pem, "gw.pem"}, {}, tls::MinimumVersion::tls12));
  }
  Loop loop;
  tcp::acceptor acceptor{loop.context(), {boost::asio::ip::make_address("127.0.0.1"), 0}};
};

void small_writes(benchmark::State& state, bool with_tls) {
  World world;
  Pair pair(world.loop, world.acceptor);
  if (with_tls) pair.secure(world.loop);
  const std::string stanza(200, 's');
  constexpr int kBatch = 500;  // written in one turn: what a link's receive block holds
  std::size_t written = 0;
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) pair.client->write(stanza);
    written += kBatch * stanza.size();
    while (pair.client->queued() > seams::kLowMark) world.loop.context().run_one();
  }
  while (pair.at_server.received < written) world.loop.context().run_one();
  state.SetItemsProcessed(static_cast<std::int64_t>(written / stanza.size()));
  state.SetBytesProcessed(static_cast<std::int64_t>(written));
}
void BM_SmallWrites_Clear(benchmark::State& state) { small_writes(state, false); }
void BM_SmallWrites_Tls(benchmark::State& state) { small_writes(state, true); }
BENCHMARK(BM_SmallWrites_Clear);
BENCHMARK(BM_SmallWrites_Tls);

void BM_Handshake(benchmark::State& state) {  // mutual, TLS 1.3, chain of two, TCP included
  World world;
  for (auto _ : state) {
    Pair pair(world.loop, world.acceptor);
    pair.secure(world.loop);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_Handshake);

// Per side: heap, without the kernel's socket; with 1, the parsed chain of two that the gateway keeps to judge by.
void BM_IdleTlsMemory(benchmark::State& state) {
  constexpr int kPairs = 200;
  for (auto _ : state) {
    World world;
    std::vector<std::unique_ptr<Pair>> pairs;
    const auto add = [&] {
      pairs.push_back(std::make_unique<Pair>(world.loop, world.acceptor));
      pairs.back()->at_client.keeps_chain = pairs.back()->at_server.keeps_chain = state.range(0) == 1;
      pairs.back()->secure(world.loop);
      pairs.back()->client->write("<stream:stream>");  // has worked, and rests
      pairs.back()->server->write("<stream:stream>");
      while (pairs.back()->at_client.received == 0 || pairs.back()->at_server.received == 0)
        world.loop.context().run_one();
    };
    for (int i = 0; i < 10; ++i) add();  // what is allocated once
    const auto before = mallinfo2();
    for (int i = 0; i < kPairs; ++i) add();
    const auto after = mallinfo2();
    state.counters["KiB_per_side"] =
        static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / 1024 / (2 * kPairs);
  }
}
BENCHMARK(BM_IdleTlsMemory)->Arg(0)->Arg(1)->Iterations(1);

}  // namespace
}  // namespace ligase::net
