// The state of a running gateway as rows, as `ligase ctl` and the API show it (contract, section 5).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "report/tally.hpp"

namespace ligase::report {

struct Status {
  std::string version, hostname;
  std::optional<WallTime> started_at;
  bool ready = false;
  std::uint64_t streams_in = 0, streams_out = 0, pairs = 0, links = 0, connections_saved = 0;
  double stanzas_per_s = 0;
  std::vector<std::string> not_ready;
  Counts bounced, dropped;
};

struct TlsRow {
  std::string version, cipher;
  std::optional<std::string> alpn, peer_sha256;
};
struct StreamRow {
  std::string id, direction, kind, address;
  std::optional<std::string> peer_host;
  std::optional<TlsRow> tls;
  std::vector<std::string> features;
  bool bidi = false, sm = false, flow = false;
  std::uint64_t pairs = 0, stanzas_in = 0, stanzas_out = 0, bytes_in = 0, bytes_out = 0, queued_bytes = 0;
  std::optional<WallTime> opened_at;
};
struct PairRow {
  std::string local, remote, direction, state;
  std::optional<std::string> stream, proof, evidence;
  std::optional<WallTime> proven_at, expires_at;
  std::uint64_t queued = 0, stanzas = 0;
  std::optional<std::string> last_error;
  std::optional<std::string> waits_for;  // while something is queued: proof, stream, turn, credit
};
struct LinkRow {
  std::string id, kind;
  std::vector<std::string> domains;
  std::optional<std::string> address;
  bool up = false;
  std::uint64_t stanzas_in = 0, stanzas_out = 0, queued_bytes = 0;
};

// Whoever can be asked. Called on the gateway's own loop.
class Observable {
 public:
  virtual ~Observable() = default;
  virtual Status status() const = 0;
  virtual std::vector<StreamRow> streams() const = 0;
  virtual std::vector<PairRow> pairs() const = 0;
  virtual std::vector<LinkRow> links() const = 0;
};

// The JSON of contract.schema.json, keys in the contract's order.
std::string to_json(const Status& status);
std::string to_json(const std::vector<StreamRow>& streams);
std::string to_json(const std::vector<PairRow>& pairs);
std::string to_json(const std::vector<LinkRow>& links);

}  // namespace ligase::report
