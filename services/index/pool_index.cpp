#include "index/pool_index.h"

#include <algorithm>

#include "base/rcu.h"
#include "domain/interest.h"

namespace warmline::index {
namespace {

// Rows of ties that stand beside the CSR before it is rewritten: this many, or an eighth of the members.
constexpr std::size_t kMaxReplacedRows = 4096;
// Facts moved back to their eight bytes by one batch: more than one batch makes, so that the others are caught up with.
constexpr int kMaxSettledPerBatch = 4096;

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

// Adds a value to a sorted list, or takes it out once.
void AddTimes(std::vector<std::uint32_t>& sorted, std::uint32_t value, int times) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), value);
  if (times > 0) sorted.insert(at, value);
  if (times < 0 && at != sorted.end() && *at == value) sorted.erase(at);
}

// What a need takes, but for its rare parts.
std::int64_t BytesOf(const domain::Need* need) {
  if (need == nullptr) return 0;
  std::size_t bytes = sizeof(domain::Need) + need->interests.capacity() * sizeof(domain::Interest);
  const auto add = [&](const std::string& text) { bytes += text.capacity() > 15 ? text.capacity() + 1 : 0; };
  for (const domain::Interest& interest : need->interests) {
    add(interest.typed);
    add(interest.canonical);
  }
  for (const std::string& id : need->constraints.exclude_members) {
    bytes += sizeof(std::string);
    add(id);
  }
  if (need->showcase) add(need->showcase->description);
  return static_cast<std::int64_t>(bytes);
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
  const domain::Offer& offer = *member.offer;
  row.member = number;
  std::vector<std::string> preferences;
  for (const domain::Interest& i : offer.seeker_interests) preferences.push_back(policy.Resolve(i.canonical));
  row.filter.attributes = CombinationOf({SetOf(offer.languages), SetOf(offer.places), SetOf(std::move(preferences))});
  for (const auto kind : offer.help_kinds) row.filter.help_kinds |= domain::BitOf(kind);
  for (const auto reach : offer.open_to)
    row.filter.open_to = static_cast<std::uint8_t>(row.filter.open_to | domain::BitOf(reach));
  SetFlag(row.filter.flags, kFlagOrganization, member.kind == domain::MemberKind::kOrganization);
  SetFlag(row.filter.flags, kFlagRemote, offer.remote);
  SetFlag(row.filter.flags, kFlagPaused, offer.paused || member.suspended);
  SetFlag(row.filter.flags, kFlagConfirmed, offer.IsConfirmed());
  row.open_capacity = static_cast<std::uint16_t>(offer.capacity.open_asks);
  row.week_capacity = static_cast<std::uint16_t>(offer.capacity.asks_per_week);
  row.involvement = static_cast<std::uint8_t>(offer.involvement);
  row.evidence = ranking::SumEvidence(member.evidence, policy);
  for (const domain::Interest& i : member.interests) {
    const std::string& canonical = policy.Resolve(i.canonical);
    const std::uint32_t term = TermOf(canonical);
    const std::uint8_t level = domain::DilutedLevel(i.strength, member.interests.size());
    const auto same =
        std::find_if(row.terms.begin(), row.terms.end(), [&](const HelperTerm& t) { return t.term == term; });
    if (same != row.terms.end()) {
      same->level = std::max(same->level, level);
    } else {
      row.terms.push_back({term, level});
    }
    if (row.profession == kNone && domain::FacetOf(canonical) == "profession") row.profession = term;
  }
  return row;
}

void PoolIndex::KillDocument(Batch& batch, std::uint32_t member, bool erased) {
  for (const SegmentState& state : batch.next.segments) {
    const auto doc = state.segment->Find(member);
    if (!doc) continue;
    state.segment->Kill(*doc, batch.sequence);
    if (erased) state.segment->MarkErased(*doc);
  }
  std::erase_if(batch.rows, [&](const HelperRow& row) { return row.member == member; });
}

void PoolIndex::EditFacts(Batch& batch, std::uint32_t member, const std::function<void(network::MemberFacts&)>& edit) {
  auto& versions = tables_.members.facts(member);
  network::MemberFacts facts = versions.Newest();
  edit(facts);
  const auto* old = versions.Write(std::move(facts), batch.sequence);
  if (old != nullptr) batch.retire.emplace_back([old] { delete old; });
  if (versions.HasVersion()) batch.edited.push_back(member);
}

// Facts that every view sees go back to the eight bytes that they need.
void PoolIndex::SettleFacts(Batch& batch) {
  std::uint64_t passed = 0;  // asking goes through every reader, so each stamp is asked about once
  for (int i = 0; i < kMaxSettledPerBatch && !unsettled_.empty(); ++i) {
    const Unsettled& next = unsettled_.front();
    if (next.stamp != passed && !base::RcuHasPassed(next.stamp)) return;
    passed = next.stamp;
    const auto* old = tables_.members.facts(next.member).Settle(next.sequence);
    if (old != nullptr) batch.retire.emplace_back([old] { delete old; });
    unsettled_.pop_front();
  }
}

void PoolIndex::WriteNeed(Batch& batch, std::string_view id, std::shared_ptr<const domain::Need> need) {
  tables_.needs.Grow(tables_.need_ids.size() + std::size_t{1});
  const std::uint32_t number = tables_.need_ids.Intern(id);
  auto& versions = tables_.needs[number];
  const auto* now = versions.Newest();
  if (need == nullptr) batch.deleted_needs.push_back(number);
  CountNeed(number, now == nullptr ? nullptr : now->get(), need.get());
  const auto open = [](const auto& n) { return n != nullptr && n->state == domain::NeedState::kOpen ? 1 : 0; };
  open_need_count_ += open(need) - (now == nullptr ? 0 : open(*now));
  need_bytes_ += BytesOf(need.get()) - (now == nullptr ? 0 : BytesOf(now->get()));
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
    facts.conflict_set = SetOf(member.conflict_keys);
  });
  tables_.members.SetLoad(number, member.load);
  if (member.offer) batch.rows.push_back(MakeRow(number, member, batch.next.pool->policy));
}

void PoolIndex::Apply(Batch& batch, const domain::MemberErased& erased) {
  EraseNeedsOf(batch, erased.id);
  const auto number = tables_.members.Find(erased.id);
  if (!number) return;
  KillDocument(batch, *number, true);
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
  for (const std::uint32_t bar : last.barred)
    EditFacts(batch, network::HelperOf(bar), [&](auto& f) { AddTimes(f.barred_by, *number, -1); });
  for (const std::uint32_t n : last.barred_by)
    EditFacts(batch, n,
              [&](auto& f) { std::erase_if(f.barred, [&](auto b) { return network::HelperOf(b) == *number; }); });
  batch.erased.push_back(*number);
}

void PoolIndex::Apply(Batch& batch, const domain::Connection& connection) {
  // A tie that is only proposed counts for nothing, and may name somebody who is not there.
  if (connection.state != domain::ConnectionState::kConfirmed) {
    Apply(batch, domain::ConnectionDeleted{connection.a, connection.b});
    return;
  }
  const std::uint32_t a = tables_.members.Intern(connection.a);
  const std::uint32_t b = tables_.members.Intern(connection.b);
  graph_.SetTie(*batch.next.ties, a, b, domain::StrengthLevel(connection.strength), batch.sequence, batch.retire);
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
  Revalue(batch);
}

void PoolIndex::Apply(Batch& batch, const domain::Statistics& statistics) {
  batch.next.statistics = std::make_shared<StatisticsTable>(statistics, tables_.terms);
}

void PoolIndex::Apply(Batch& batch, const domain::IntroductionChanged& changed) {
  const auto seeker = tables_.members.Find(changed.seeker);
  const auto helper = tables_.members.Find(changed.helper);
  if (!seeker || !helper) return;  // one of them was erased
  if (changed.more_open == 0 && changed.more_cooling == 0) return;
  EditFacts(batch, *seeker, [&](auto& facts) {
    AddTimes(facts.barred, network::AskBar(*helper, true), changed.more_open);
    AddTimes(facts.barred, network::AskBar(*helper, false), changed.more_cooling);
  });
  if (const int more = changed.more_open + changed.more_cooling; more != 0)
    EditFacts(batch, *helper, [&](auto& facts) { AddTimes(facts.barred_by, *seeker, more); });
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
    MergeInline(batch);
    SettleFacts(batch);
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

void PoolIndex::Publish(Batch& batch) {
  const View* old = view_.exchange(new View(std::move(batch.next)), std::memory_order_seq_cst);
  base::RcuRetireObject(old);
  if (!batch.retire.empty()) {
    base::RcuRetire([frees = std::move(batch.retire)] {
      for (const auto& free : frees) free();
    });
  }
  batch.retire.clear();
  if (!batch.edited.empty()) {
    const std::uint64_t stamp = base::RcuStamp();
    for (const std::uint32_t member : batch.edited) unsettled_.push_back({stamp, batch.sequence, member});
  }
  ForgetErased(batch);
}

// Frees the numbers of members and needs that no view names any longer.
void PoolIndex::ForgetErased(const Batch& batch) {
  if (batch.erased.empty() && batch.deleted_needs.empty()) return;
  base::RcuSynchronize();
  for (const std::uint32_t member : batch.erased) {
    if (!tables_.members.facts(member).Newest().exists) tables_.members.Forget(member);
  }
  for (const std::uint32_t number : batch.deleted_needs) {
    const auto* need = tables_.needs[number].Newest();
    if (need == nullptr || *need != nullptr) continue;  // gone already, or made again in the same batch
    base::RcuRetireObject(tables_.needs[number].Clear());
    tables_.need_ids.Forget(number);
  }
}

}  // namespace warmline::index
