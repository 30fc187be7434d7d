#include "index/pool_index.h"

#include <algorithm>

#include "base/rcu.h"
#include "domain/interest.h"

namespace warmline::index {
namespace {

// Rows of ties that stand beside the CSR before it is rewritten: this many, or an eighth of the members.
constexpr std::size_t kMaxReplacedRows = 4096;

template <typename Flag>
void SetFlag(std::uint8_t& flags, Flag flag, bool on) {
  if (on) flags = static_cast<std::uint8_t>(flags | flag);
}

void Toggle(std::vector<std::uint32_t>& sorted, std::uint32_t value, bool present) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), value);
  const bool there = at != sorted.end() && *at == value;
  if (present && !there) sorted.insert(at, value);
  if (!present && there) sorted.erase(at);
}

}  // namespace

std::shared_ptr<const domain::Need> FindNeed(const View& view, std::string_view id) {
  const auto number = view.tables->need_ids.Find(id);
  if (!number) return nullptr;
  const auto* need = view.tables->needs[*number].Read(view.sequence);
  return need == nullptr ? nullptr : *need;
}

PoolIndex::PoolIndex(const domain::Pool& pool, std::int64_t epoch_hour) {
  auto* first = new View;
  first->tables = &tables_;
  first->epoch_hour = epoch_hour;
  first->pool = std::make_shared<domain::Pool>(pool);
  first->statistics = std::make_shared<StatisticsTable>();
  first->ties = std::make_shared<network::Csr>();
  view_.store(first);
}

PoolIndex::~PoolIndex() { delete view_.load(); }

bool PoolIndex::NeedsRebuild(const domain::Policy& before, const domain::Policy& after) {
  return before.half_life_hours != after.half_life_hours || before.synonyms != after.synonyms;
}

HelperRow PoolIndex::MakeRow(std::uint32_t number, const domain::Member& member, const domain::Policy& policy) {
  HelperRow row;
  HelperDocument& d = row.document;
  const domain::Offer& offer = *member.offer;
  d.member = number;
  d.languages = tables_.sets.Intern(offer.languages);
  d.places = tables_.sets.Intern(offer.places);
  std::vector<std::string> preferences;
  for (const domain::Interest& i : offer.seeker_interests) preferences.push_back(policy.Resolve(i.canonical));
  d.preferences = tables_.sets.Intern(std::move(preferences));
  for (const auto kind : offer.help_kinds) d.help_kinds |= domain::BitOf(kind);
  for (const auto reach : offer.open_to) d.open_to = static_cast<std::uint8_t>(d.open_to | domain::BitOf(reach));
  d.open_capacity = static_cast<std::uint16_t>(offer.capacity.open_asks);
  d.week_capacity = static_cast<std::uint16_t>(offer.capacity.asks_per_week);
  SetFlag(d.flags, kFlagOrganization, member.kind == domain::MemberKind::kOrganization);
  SetFlag(d.flags, kFlagRemote, offer.remote);
  SetFlag(d.flags, kFlagPaused, offer.paused);
  SetFlag(d.flags, kFlagConfirmed,
          offer.confirmation == domain::Confirmation::kSelfConfirmed ||
              offer.confirmation == domain::Confirmation::kVouched);
  d.involvement = static_cast<std::uint8_t>(offer.involvement);
  d.evidence = ranking::SumEvidence(member.evidence, policy);
  for (const domain::Interest& i : member.interests) {
    const std::string& canonical = policy.Resolve(i.canonical);
    const std::uint32_t term = tables_.terms.Intern(canonical);
    const std::uint8_t level = domain::DilutedLevel(i.strength, member.interests.size());
    const auto same =
        std::find_if(row.terms.begin(), row.terms.end(), [&](const HelperTerm& t) { return t.term == term; });
    if (same != row.terms.end()) {
      same->level = std::max(same->level, level);
    } else {
      row.terms.push_back({term, level});
    }
    if (d.profession == kNone && domain::FacetOf(canonical) == "profession") d.profession = term;
  }
  return row;
}

void PoolIndex::KillDocument(Batch& batch, std::uint32_t member) {
  for (const SegmentState& state : batch.next.segments) {
    if (const auto doc = state.segment->Find(member)) state.segment->Kill(*doc, batch.sequence);
  }
  std::erase_if(batch.rows, [&](const HelperRow& row) { return row.document.member == member; });
}

void PoolIndex::EditFacts(Batch& batch, std::uint32_t member, const std::function<void(network::MemberFacts&)>& edit) {
  auto& versions = tables_.members.facts(member);
  const network::MemberFacts* now = versions.Newest();
  network::MemberFacts facts = now == nullptr ? network::MemberFacts{} : *now;
  edit(facts);
  const auto* old = versions.Write(std::move(facts), batch.sequence);
  if (old != nullptr) batch.retire.emplace_back([old] { delete old; });
}

void PoolIndex::WriteNeed(Batch& batch, std::string_view id, std::shared_ptr<const domain::Need> need) {
  tables_.needs.Grow(tables_.need_ids.size() + std::size_t{1});
  auto& versions = tables_.needs[tables_.need_ids.Intern(id)];
  const auto* now = versions.Newest();
  const auto open = [](const auto& n) { return n != nullptr && n->state == domain::NeedState::kOpen ? 1 : 0; };
  open_need_count_ += open(need) - (now == nullptr ? 0 : open(*now));
  const auto* old = versions.Write(std::move(need), batch.sequence);
  if (old != nullptr) batch.retire.emplace_back([old] { delete old; });
}

void PoolIndex::Apply(Batch& batch, const domain::Member& member) {
  const std::uint32_t number = tables_.members.Intern(member.id);
  KillDocument(batch, number);
  EditFacts(batch, number, [&](network::MemberFacts& facts) {
    if (!facts.exists) ++member_count_;
    facts.exists = true;
    facts.introduces = member.introduces;
    facts.conflict_set = tables_.sets.Intern(member.conflict_keys);
  });
  tables_.members.SetLoad(number, member.load);
  if (member.offer) batch.rows.push_back(MakeRow(number, member, batch.next.pool->policy));
}

void PoolIndex::Apply(Batch& batch, const domain::MemberErased& erased) {
  const auto number = tables_.members.Find(erased.id);
  if (!number) return;
  KillDocument(batch, *number);
  std::vector<std::uint32_t> neighbours;
  const network::TieList ties(*batch.next.ties, tables_.members, *number, UINT64_MAX);
  for (std::size_t i = 0; i < ties.size(); ++i) neighbours.push_back(ties[i].to);
  for (const std::uint32_t n : neighbours) graph_.SetTie(*batch.next.ties, *number, n, 0, batch.sequence, batch.retire);
  network::MemberFacts last;
  EditFacts(batch, *number, [&](network::MemberFacts& facts) {
    if (facts.exists) --member_count_;
    last = facts;
    facts = {};
  });
  for (const std::uint32_t n : last.blocks) EditFacts(batch, n, [&](auto& f) { Toggle(f.blocked_by, *number, false); });
  for (const std::uint32_t n : last.blocked_by) EditFacts(batch, n, [&](auto& f) { Toggle(f.blocks, *number, false); });
  batch.erased.push_back(*number);
}

void PoolIndex::Apply(Batch& batch, const domain::Connection& connection) {
  const std::uint32_t a = tables_.members.Intern(connection.a);
  const std::uint32_t b = tables_.members.Intern(connection.b);
  const bool counts = connection.state == domain::ConnectionState::kConfirmed;
  graph_.SetTie(*batch.next.ties, a, b, counts ? domain::StrengthLevel(connection.strength) : 0, batch.sequence,
                batch.retire);
}

void PoolIndex::Apply(Batch& batch, const domain::ConnectionDeleted& deleted) {
  const auto a = tables_.members.Find(deleted.a);
  const auto b = tables_.members.Find(deleted.b);
  if (a && b) graph_.SetTie(*batch.next.ties, *a, *b, 0, batch.sequence, batch.retire);
}

void PoolIndex::Apply(Batch& batch, const domain::Block& block) {
  const std::uint32_t blocker = tables_.members.Intern(block.blocker);
  const std::uint32_t blocked = tables_.members.Intern(block.blocked);
  EditFacts(batch, blocker, [&](auto& facts) { Toggle(facts.blocks, blocked, true); });
  EditFacts(batch, blocked, [&](auto& facts) { Toggle(facts.blocked_by, blocker, true); });
}

void PoolIndex::Apply(Batch& batch, const domain::BlockDeleted& deleted) {
  const auto blocker = tables_.members.Find(deleted.blocker);
  const auto blocked = tables_.members.Find(deleted.blocked);
  if (!blocker || !blocked) return;
  EditFacts(batch, *blocker, [&](auto& facts) { Toggle(facts.blocks, *blocked, false); });
  EditFacts(batch, *blocked, [&](auto& facts) { Toggle(facts.blocked_by, *blocker, false); });
}

void PoolIndex::Apply(Batch& batch, const domain::Need& need) {
  WriteNeed(batch, need.id, std::make_shared<domain::Need>(need));
}

void PoolIndex::Apply(Batch& batch, const domain::NeedDeleted& deleted) {
  if (tables_.need_ids.Find(deleted.id)) WriteNeed(batch, deleted.id, nullptr);
}

void PoolIndex::Apply(Batch& batch, const domain::Pool& pool) {
  const bool new_parts = pool.policy.version != batch.next.pool->policy.version;
  batch.next.pool = std::make_shared<domain::Pool>(pool);
  if (!new_parts) return;
  for (SegmentState& state : batch.next.segments) state = WithParts(state.segment, pool.policy, batch.next.epoch_hour);
}

void PoolIndex::Apply(Batch& batch, const domain::Statistics& statistics) {
  batch.next.statistics = std::make_shared<StatisticsTable>(statistics, tables_.terms);
}

void PoolIndex::Apply(std::span<const domain::Change> changes) {
  Batch batch;
  {
    const base::RcuReadGuard guard;
    batch.next = view();
    batch.sequence = ++batch.next.sequence;
    for (const domain::Change& change : changes) {
      batch.next.revision = std::max(batch.next.revision, change.revision);
      std::visit([&](const auto& body) { Apply(batch, body); }, change.body);
    }
    AddSegment(batch);
    MergeSegments(batch);
  }
  if (graph_.replaced().size() > std::max<std::size_t>(kMaxReplacedRows, tables_.members.size() / 8)) {
    // Readers of older views may still read the replaced rows through the old CSR: they are cleared once those readers
    // are gone.
    batch.next.ties = graph_.Compact(*batch.next.ties);
    Publish(batch);
    base::RcuSynchronize();
    std::vector<std::function<void()>> retire;
    graph_.DropReplaced(retire);
    for (auto& free : retire) base::RcuRetire(std::move(free));
    return;
  }
  Publish(batch);
}

void PoolIndex::AddSegment(Batch& batch) {
  if (batch.rows.empty()) return;
  batch.next.segments.push_back(
      WithParts(std::make_shared<Segment>(std::move(batch.rows)), batch.next.pool->policy, batch.next.epoch_hour));
}

// Sizes fall by at least half from one segment to the next, so a pool of n helpers has at most log2(n) of them,
// and a document is copied at most as often (O'Neil et al. 1996, "The log-structured merge-tree").
void PoolIndex::MergeSegments(Batch& batch) const {
  auto& segments = batch.next.segments;
  const auto living = [](const SegmentState& s) { return s.segment->size() - s.segment->dead(); };
  std::erase_if(segments, [&](const SegmentState& s) { return living(s) == 0; });
  for (SegmentState& state : segments) {
    if (state.segment->dead() * std::size_t{2} > state.segment->size()) {
      state = WithParts(Segment::Merge(*state.segment, Segment(std::vector<HelperRow>())), batch.next.pool->policy,
                        batch.next.epoch_hour);
    }
  }
  while (segments.size() > 1 && living(segments[segments.size() - 2]) < 2 * std::size_t{living(segments.back())}) {
    auto merged = Segment::Merge(*segments[segments.size() - 2].segment, *segments.back().segment);
    segments.pop_back();
    segments.back() = WithParts(std::move(merged), batch.next.pool->policy, batch.next.epoch_hour);
  }
}

SegmentState PoolIndex::WithParts(std::shared_ptr<Segment> segment, const domain::Policy& policy,
                                  std::int64_t epoch_hour) {
  auto parts = std::make_shared<EpochParts>(segment->size());
  for (std::uint32_t doc = 0; doc < segment->size(); ++doc) {
    (*parts)[doc] = ranking::PartsAt(segment->document(doc).evidence, policy, epoch_hour);
  }
  auto bounds = std::make_shared<StaticBounds>(MakeStaticBounds(*segment, *parts));
  return {std::move(segment), std::move(parts), std::move(bounds)};
}

void PoolIndex::Publish(Batch& batch) {
  const View* old = view_.exchange(new View(std::move(batch.next)), std::memory_order_seq_cst);
  base::RcuRetireObject(old);
  for (auto& free : batch.retire) base::RcuRetire(std::move(free));
  batch.retire.clear();
  if (batch.erased.empty()) return;
  base::RcuSynchronize();
  for (const std::uint32_t member : batch.erased) {
    const auto* facts = tables_.members.facts(member).Newest();
    if (facts == nullptr || !facts->exists) tables_.members.Forget(member);
  }
}

void PoolIndex::AdvanceEpoch(std::int64_t epoch_hour) {
  Batch batch;
  {
    const base::RcuReadGuard guard;
    batch.next = view();
  }
  batch.next.epoch_hour = epoch_hour;
  for (SegmentState& state : batch.next.segments) state = WithParts(state.segment, batch.next.pool->policy, epoch_hour);
  Publish(batch);
}

IndexState PoolIndex::State() const {
  const base::RcuReadGuard guard;
  const View& v = view();
  IndexState state;
  state.members = member_count_;
  state.open_needs = open_need_count_;
  state.interests = tables_.terms.size();
  state.segments = static_cast<std::int64_t>(v.segments.size());
  for (const SegmentState& s : v.segments) {
    state.helpers += s.segment->size() - s.segment->dead();
    state.dead_documents += s.segment->dead();
    state.document_bytes += static_cast<std::int64_t>(
        s.segment->bytes() + s.parts->size() * (sizeof(ranking::EvidenceParts) + sizeof(std::uint32_t)));
  }
  state.directed_ties = static_cast<std::int64_t>(v.ties->to.size());
  for (const std::uint32_t member : graph_.replaced()) {
    const auto row = static_cast<std::int64_t>(network::TieList(*v.ties, tables_.members, member, v.sequence).size());
    const bool in_csr = member + std::size_t{1} < v.ties->offset.size();
    state.directed_ties +=
        row - (in_csr ? static_cast<std::int64_t>(v.ties->offset[member + 1] - v.ties->offset[member]) : 0);
    state.tie_bytes += row * static_cast<std::int64_t>(sizeof(network::Tie));
  }
  state.tie_bytes += static_cast<std::int64_t>(v.ties->bytes());
  state.member_bytes = static_cast<std::int64_t>(tables_.members.slot_bytes());
  state.id_bytes = static_cast<std::int64_t>(tables_.members.id_bytes());
  state.dictionary_bytes =
      static_cast<std::int64_t>(tables_.terms.bytes() + tables_.sets.bytes() + v.statistics->bytes());
  return state;
}

void PoolIndex::Loader::Add(const domain::Member& member) {
  Batch batch;  // nothing was published yet: no reader holds an older version
  batch.sequence = 0;
  batch.next.pool = index_.view().pool;
  index_.Apply(batch, member);
  std::move(batch.rows.begin(), batch.rows.end(), std::back_inserter(rows_));
  for (auto& free : batch.retire) free();
}

void PoolIndex::Loader::Add(const domain::Connection& connection) {
  const std::uint32_t a = index_.tables_.members.Intern(connection.a);
  const std::uint32_t b = index_.tables_.members.Intern(connection.b);
  if (connection.state == domain::ConnectionState::kConfirmed)
    edges_.push_back({a, b, domain::StrengthLevel(connection.strength)});
}

void PoolIndex::Loader::Add(const domain::Block& block) {
  Batch batch;
  index_.Apply(batch, block);
  for (auto& free : batch.retire) free();
}

void PoolIndex::Loader::Add(const domain::Need& need) {
  Batch batch;
  index_.WriteNeed(batch, need.id, std::make_shared<domain::Need>(need));
  for (auto& free : batch.retire) free();
}

void PoolIndex::Loader::Set(const domain::Statistics& statistics) {
  statistics_ = std::make_shared<StatisticsTable>(statistics, index_.tables_.terms);
}

void PoolIndex::Loader::Finish(std::int64_t revision) {
  Batch batch;
  {
    const base::RcuReadGuard guard;
    batch.next = index_.view();
  }
  batch.sequence = ++batch.next.sequence;
  batch.next.revision = revision;
  if (statistics_ != nullptr) batch.next.statistics = statistics_;
  batch.next.ties = index_.graph_.Build(edges_);
  batch.rows = std::move(rows_);
  index_.AddSegment(batch);
  index_.Publish(batch);
}

}  // namespace warmline::index
