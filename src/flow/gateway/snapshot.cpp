// The house's state as the rows of `ligase ctl`.
#include <fmt/format.h>

#include <unordered_set>

#include "gateway/house.hpp"

namespace ligase::gateway {
namespace {

std::optional<std::string> text(std::string_view value) {
  return value.empty() ? std::nullopt : std::optional<std::string>(value);
}

void fill(report::PairRow& row, const pair::Life& life, WallTime now) {
  row.state = life.state_name();
  if (const auto* proven = life.as<pair::Life::Proven>()) {
    if (proven->proof.expires <= now) row.state = life.is_being_proven() ? "proving" : "expired";
    row.stream = std::to_string(proven->stream.number);
    row.proof = proof::name_of(proven->proof.type);
    row.evidence = proven->proof.evidence;
    row.proven_at = proven->since;
    row.expires_at = proven->proof.expires;
  } else if (const auto* refused = life.as<pair::Life::Refused>()) {
    row.last_error = reason_text(refused->why);
  }
}

}  // namespace

// The inverse of this pair lives by the pair's own proof, on the stream that carries both (BIDI-03).
bool House::comes_in_reverse(const pairs::OutPair& pair) const {
  const auto* proven = pair.life.as<pair::Life::Proven>();
  if (proven == nullptr || ground_.proof_in_reverse(pair.life, proven->stream) == nullptr) return false;
  const auto rides = streams_.all().find(proven->stream);
  return rides != streams_.all().end() && rides->second->machine.is_bidi();
}

std::optional<std::string> House::waits_for(pairs::OutPair& pair) const {
  if (!pair.backlog) return std::nullopt;
  if (pair.life.draining()) return "stream";
  const auto* proven = pair.life.as<pair::Life::Proven>();
  const auto rides = proven != nullptr ? streams_.all().find(proven->stream) : streams_.all().end();
  if (rides == streams_.all().end()) return "proof";
  if (rides->second->without_credit.contains(&pair)) return "credit";
  return rides->second->turns.has(&pair) ? "turn" : "proof";
}

std::size_t House::live_pairs() const {
  const WallTime now = wall();
  std::size_t live = 0;
  for (const auto& [key, pair] : out_pairs_.all()) {
    const auto* proven = pair->life.as<pair::Life::Proven>();
    if (proven != nullptr && proven->proof.expires > now) ++live;
  }
  std::unordered_set<pairs::PairView, pairs::PairHash, pairs::PairEqual> inbound;
  for (const auto& [ref, session] : streams_.all()) {
    if (session->is_ending) continue;
    for (const auto& [key, pair] : session->in_pairs)
      if (ground_.live_proof(pair.life, ref) != nullptr) inbound.insert(key);
  }
  for (const auto& [key, pair] : out_pairs_.all())
    if (comes_in_reverse(*pair) && !inbound.contains(pairs::PairView{key.target.unicode(), key.sender.unicode()}))
      ++live;
  return live + inbound.size();
}

report::Status House::status() const {
  report::Status status;
  status.version = version_;
  status.hostname = hostname_.text();
  status.started_at = started_at_;
  status.ready = is_ready_ && !is_stopping_;
  status.not_ready = not_ready_;
  if (is_stopping_) status.not_ready.emplace_back("stopping");
  for (const auto& [ref, session] : streams_.all()) ++(session->is_ours() ? status.streams_out : status.streams_in);
  const std::uint64_t live = status.pairs = live_pairs();
  for (const auto& [name, domain] : hosted_.all()) status.links += domain->session != nullptr ? 1 : 0;
  const std::uint64_t open = status.streams_in + status.streams_out;
  status.connections_saved = live > open ? live - open : 0;
  status.stanzas_per_s = rate();
  status.bounced = router_.bounced().counts();
  status.dropped = dropped_.counts();
  return status;
}

std::vector<report::StreamRow> House::stream_rows() const {
  std::vector<report::StreamRow> rows;
  for (const auto& [ref, session] : streams_.all()) {
    const stream::Machine& machine = session->machine;
    report::StreamRow row;
    row.id = session->number();
    row.direction = session->is_ours() ? "out" : "in";
    row.bidi = machine.is_bidi();
    row.flow = machine.flow().has_value();
    row.kind = "s2s";
    row.address = session->connection->remote().text();
    row.peer_host = text(session->peer_host);
    if (machine.is_encrypted())
      row.tls = report::TlsRow{
          session->facts.version, session->facts.cipher, text(session->facts.alpn),
          session->facts.peer_chain ? std::optional(session->facts.peer_chain->fingerprint()) : std::nullopt};
    row.features = machine.features().names;
    row.pairs = session->riding.size() + session->in_pairs.size();
    row.stanzas_in = session->stanzas_in;
    row.stanzas_out = session->stanzas_out;
    row.bytes_in = session->bytes_in;
    row.bytes_out = session->bytes_out;
    row.queued_bytes = session->connection->queued();
    row.opened_at = session->opened_at;
    rows.push_back(std::move(row));
  }
  for (const auto& [number, link] : links_) {
    report::StreamRow row;
    row.id = std::to_string(number);
    row.direction = "in";
    row.kind = "component";
    row.address = link->connection->remote().text();
    if (link->machine.domain()) row.peer_host = std::string(link->machine.domain()->text());
    row.stanzas_in = link->stanzas_in;
    row.stanzas_out = link->stanzas_out;
    row.queued_bytes = link->connection->queued();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<report::PairRow> House::pair_rows() const {
  const WallTime now = wall();
  std::vector<report::PairRow> rows;
  for (const auto& [key, pair] : out_pairs_.all()) {
    report::PairRow row;
    row.local = key.sender.text();
    row.remote = key.target.text();
    row.direction = "out";
    fill(row, pair->life, now);
    row.queued = pair->backlog ? pair->backlog->queue.count() : 0;
    row.waits_for = waits_for(*pair);
    row.stanzas = pair->stanzas;
    if (pair->last_error && !row.last_error) row.last_error = reason_text(*pair->last_error);
    rows.push_back(std::move(row));
  }
  // A pair may be proven on two streams at once (MUX-10): it is one pair, shown on the newer one.
  std::map<pairs::PairKey, report::PairRow> inbound;
  for (const auto& [ref, session] : streams_.all()) {
    if (session->is_ending) continue;
    for (const auto& [key, pair] : session->in_pairs) {
      report::PairRow row;
      row.local = key.target.text();
      row.remote = key.sender.text();
      row.direction = "in";
      fill(row, pair.life, now);
      row.queued = pair.held ? pair.held->queue.count() : 0;
      row.stanzas = pair.stanzas;
      auto& slot = inbound[key];
      row.stanzas += slot.stanzas;
      slot = std::move(row);
    }
    for (const pairs::PairKey& key : session->claims) {
      if (inbound.contains(key)) continue;
      report::PairRow row;
      row.local = key.target.text();
      row.remote = key.sender.text();
      row.direction = "in";
      row.state = "proving";
      row.stream = session->number();
      inbound.emplace(key, std::move(row));
    }
  }
  for (const auto& [key, pair] : out_pairs_.all()) {
    const pairs::PairKey in = key.reversed();
    if (!comes_in_reverse(*pair) || inbound.contains(in)) continue;
    report::PairRow row;
    row.local = key.sender.text();
    row.remote = key.target.text();
    row.direction = "in";
    fill(row, pair->life, now);
    row.stanzas = pair->stanzas_in_reverse;
    inbound.emplace(in, std::move(row));
  }
  for (const auto& [key, refused] : refusals_.all()) {
    if (inbound.contains(key)) continue;
    report::PairRow row;
    row.local = key.target.text();
    row.remote = key.sender.text();
    row.direction = "in";
    row.state = "refused";
    row.last_error = reason_text(refused.why);
    inbound.emplace(key, std::move(row));
  }
  for (auto& [key, row] : inbound) rows.push_back(std::move(row));
  return rows;
}

std::vector<report::LinkRow> House::link_rows() const {
  std::vector<report::LinkRow> rows;
  for (const auto& [name, hosted] : hosted_.all()) {
    report::LinkRow row;
    row.kind = hosted_.is_component(*hosted) ? "component" : "backend";
    row.id = fmt::format("{}:{}", row.kind, name);
    row.domains.emplace_back(name);
    row.up = hosted->session != nullptr;
    if (row.up) row.address = hosted->session->connection->remote().text();
    row.stanzas_in = hosted->stanzas_out;  // from the component to us
    row.stanzas_out = hosted->stanzas_in;
    row.queued_bytes =
        (hosted->waiting ? hosted->waiting->queue.bytes() : 0) + (row.up ? hosted->session->connection->queued() : 0);
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return rows;
}

}  // namespace ligase::gateway
