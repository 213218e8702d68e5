// The hub's state as the rows of `ligase ctl`.
#include <fmt/format.h>

#include <unordered_set>

#include "hub.hpp"
#include "snapshot.hpp"

namespace ligase {
namespace {

std::optional<std::string> text(std::string_view value) {
  return value.empty() ? std::nullopt : std::optional<std::string>(value);
}

void fill(report::PairRow& row, const pair::PairState& state, WallTime now) {
  row.state = pair::name_of(state);
  if (const auto* proven = std::get_if<pair::Proven>(&state)) {
    if (proven->proof.expires <= now) row.state = "expired";
    row.stream = std::to_string(proven->stream.number);
    row.proof = proof::name_of(proven->proof.type);
    row.evidence = proven->proof.evidence;
    row.proven_at = proven->since;
    row.expires_at = proven->proof.expires;
  } else if (const auto* refused = std::get_if<pair::Refused>(&state)) {
    row.last_error = reason_text(refused->why);
  }
}

}  // namespace

std::size_t live_pairs(const Hub& hub) {
  const WallTime now = hub.wall();
  std::size_t live = 0;
  for (const auto& [key, pair] : hub.out_pairs) {
    const auto* proven = std::get_if<pair::Proven>(&pair->state);
    if (proven != nullptr && proven->proof.expires > now) ++live;
  }
  std::unordered_set<PairView, PairHash, PairEqual> inbound;
  for (const auto& [ref, session] : hub.sessions) {
    if (session->is_ending) continue;
    for (const auto& [key, pair] : session->in_pairs)
      if (pair::live_proof(pair.state, ref, hub.ground.rules.epoch(), now) != nullptr) inbound.insert(key);
  }
  return live + inbound.size();
}

std::vector<report::StreamRow> stream_rows(const Hub& hub) {
  std::vector<report::StreamRow> rows;
  for (const auto& [ref, session] : hub.sessions) {
    const stream::Machine& machine = session->machine;
    report::StreamRow row;
    row.id = session->number();
    row.direction = machine.role() == Role::initiating ? "out" : "in";
    row.kind = "s2s";
    row.address = session->connection->remote().text();
    row.peer_host = text(session->peer_host);
    if (machine.is_encrypted())
      row.tls = report::TlsRow{
          session->facts.version, session->facts.cipher, text(session->facts.alpn),
          session->facts.peer_chain ? std::optional(session->facts.peer_chain->fingerprint()) : std::nullopt};
    row.features = machine.features().names;
    row.pairs = machine.role() == Role::initiating ? session->riding.size() : session->in_pairs.size();
    row.stanzas_in = session->stanzas_in;
    row.stanzas_out = session->stanzas_out;
    row.bytes_in = session->bytes_in;
    row.bytes_out = session->bytes_out;
    row.queued_bytes = session->connection->queued();
    row.opened_at = session->opened_at;
    rows.push_back(std::move(row));
  }
  for (const auto& [number, link] : hub.links) {
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

std::vector<report::PairRow> pair_rows(const Hub& hub) {
  const WallTime now = hub.wall();
  std::vector<report::PairRow> rows;
  for (const auto& [key, pair] : hub.out_pairs) {
    report::PairRow row;
    row.local = key.sender.text();
    row.remote = key.target.text();
    row.direction = "out";
    fill(row, pair->state, now);
    row.queued = pair->queue ? pair->queue->count() : 0;
    row.stanzas = pair->stanzas;
    if (pair->last_error && !row.last_error) row.last_error = reason_text(*pair->last_error);
    rows.push_back(std::move(row));
  }
  // A pair may be proven on two streams at once (MUX-10): it is one pair, shown on the newer one.
  std::map<PairKey, report::PairRow> inbound;
  for (const auto& [ref, session] : hub.sessions) {
    if (session->is_ending) continue;
    for (const auto& [key, pair] : session->in_pairs) {
      report::PairRow row;
      row.local = key.target.text();
      row.remote = key.sender.text();
      row.direction = "in";
      fill(row, pair.state, now);
      row.queued = pair.held ? pair.held->count() : 0;
      row.stanzas = pair.stanzas;
      auto& slot = inbound[key];
      row.stanzas += slot.stanzas;
      slot = std::move(row);
    }
    for (const PairKey& key : session->claims) {
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
  for (const auto& [key, refused] : hub.refused_claims) {
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

std::vector<report::LinkRow> link_rows(const Hub& hub) {
  std::vector<report::LinkRow> rows;
  for (const auto& [name, hosted] : hub.hosted_domains) {
    report::LinkRow row;
    row.kind =
        std::holds_alternative<config::ComponentLink>(hub.settings.links[hosted->link]) ? "component" : "backend";
    row.id = fmt::format("{}:{}", row.kind, name);
    row.domains.emplace_back(name);
    row.up = hosted->session != nullptr;
    if (row.up) row.address = hosted->session->connection->remote().text();
    row.stanzas_in = hosted->stanzas_out;  // from the component to us
    row.stanzas_out = hosted->stanzas_in;
    row.queued_bytes =
        (hosted->waiting ? hosted->waiting->bytes() : 0) + (row.up ? hosted->session->connection->queued() : 0);
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return rows;
}

}  // namespace ligase
