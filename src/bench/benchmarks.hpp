// What `ligase-bench` can measure. Each is bounded in count and time, uses loopback only, and leaves nothing behind.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "figure.hpp"
#include "lab/loop.hpp"

namespace ligase::bench {

struct Context {
  std::string program;  // the `ligase` under test
  lab::Loop& loop;
  unsigned runs = 7;
};
using Figures = Result<std::vector<Figure>>;

Figures measure_pairs(const Context& context);
Figures measure_pair_memory(const Context& context);
Figures measure_stream_memory(const Context& context);
Figures measure_out(const Context& context);
Figures measure_in(const Context& context);
Figures measure_proofs(const Context& context);
Figures measure_parts(const Context& context);

struct Benchmark {
  std::string_view name, what;
  Figures (*measure)(const Context& context);
};
inline constexpr Benchmark kBenchmarks[] = {
    {"pairs", "400 pairs between two gateways, all asked for at once", measure_pairs},
    {"pair-memory", "what a gateway keeps for a pair at rest", measure_pair_memory},
    {"stream-memory", "what a gateway keeps for a stream at rest, TLS included", measure_stream_memory},
    {"proofs", "what each prooftype costs: a first connection, and one more domain at the same peer", measure_proofs},
    {"out", "200-byte messages, component in, TLS s2s out, one core", measure_out},
    {"in", "200-byte messages, TLS s2s in, component out, one core", measure_in},
    {"parts", "the parser, a judgement, a connection, each by itself", measure_parts},
};

}  // namespace ligase::bench
