#include "cache/redis/snapshots.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <future>
#include <random>

#include "base/strings.h"
#include "cache/redis/block.h"

namespace warmline::cache::redis {
namespace {

using application::LoadedSnapshot;
using application::SnapshotInfo;

// Blocks that go in one pipeline: at most so many, and so many bytes.
constexpr std::size_t kBatchBlocks = 32;
constexpr std::size_t kBatchBytes = std::size_t{16} << 20;
constexpr absl::Duration kBetweenRefreshes = absl::Hours(1);

// Takes or renews a lease. KEYS: lease, counter of fencing numbers. ARGV: who, time to live in ms. The value of the
// lease ("who:number") when it is ours, and nothing when somebody else holds it.
constexpr char kLease[] = R"lua(
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1] + 1) == ARGV[1] .. ':' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return held
end
if held then return false end
local value = ARGV[1] .. ':' .. redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return value
)lua";

// Gives a lease back. KEYS: lease. ARGV: its value.
constexpr char kGiveBack[] = R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua";

// Swaps a manifest. KEYS: manifest, lease. ARGV: the lease's value, history, revision, fencing number, time to live in
// ms, then fields and values, the format first. Only who holds the lease now may, and only forward where the format is
// the same.
constexpr char kSwap[] = R"lua(
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'LEASE_LOST' end
local old = redis.call('HMGET', KEYS[1], 'history', 'revision', 'generation', 'fence', 'format')
local generation = 1
if old[1] == ARGV[2] and old[5] == ARGV[7] then
  if tonumber(old[2] or '0') >= tonumber(ARGV[3]) then return 'NOT_NEWER' end
  if tonumber(old[4] or '0') > tonumber(ARGV[4]) then return 'FENCED' end
  generation = tonumber(old[3] or '0') + 1
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'history', ARGV[2], 'revision', ARGV[3], 'fence', ARGV[4], 'generation', generation)
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'OK'
)lua";

// Deletes a manifest that is of this revision. KEYS: manifest. ARGV: revision.
constexpr char kDrop[] = R"lua(
if redis.call('HGET', KEYS[1], 'revision') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua";

// Everything in a manifest that a reader depends on, but for the generation, which the swap gives it.
std::string SumOf(const Manifest& m) {
  return HashOf(absl::StrCat(m.format, " ", m.history, " ", m.revision, " ", m.statistics_generation, " ", m.members,
                             " ", m.made_ms, "\n", PiecesToText(m.pieces)));
}

std::string Ms(absl::Duration d) { return absl::StrCat(absl::ToInt64Milliseconds(d)); }

std::string NameOfThisProcess() {
  std::random_device random;
  return absl::StrCat("replica-", absl::Hex(std::uint64_t{random()} << 32 | random(), absl::kZeroPad16), "-", getpid());
}

// Somebody put something else under a key of ours.
bool IsWrongType(const Reply& reply) {
  return reply.IsError() && absl::StartsWith(base::AbslView(reply.text()), "WRONGTYPE");
}

absl::Status AsStatus(const Reply& reply) {
  return reply.IsError() ? absl::UnavailableError(absl::StrCat("Redis: ", std::string(reply.text())))
                         : absl::OkStatus();
}

}  // namespace

// Pieces that wait to be sent.
struct Snapshots::Batch {
  std::vector<std::pair<Piece, std::string>> pieces;
  std::size_t bytes = 0;
  std::int64_t sent = 0;  // of all batches
};

Snapshots::Snapshots(const Config& config, const application::Clock& clock, application::Metrics& metrics,
                     const SnapshotsOptions& options)
    : options_(options),
      clock_(clock),
      metrics_(metrics),
      me_(NameOfThisProcess()),
      client_(config, "cache", clock, metrics) {}

Snapshots::~Snapshots() {
  // So that another process need not wait for their ends.
  for (const auto& [pool, lease] : leases_) (void)client_.Do({"EVAL", kGiveBack, "1", PoolKey(pool, "lease"), lease});
}

std::string Snapshots::PoolKey(const std::string& pool, const char* what) const {
  return client_.Key(absl::StrCat("{", pool, "}:", what));
}

std::string Snapshots::BlockKey(const std::string& pool, const std::string& hash) const {
  return client_.Key(absl::StrCat("block:", pool, ":", hash));
}

absl::StatusOr<std::optional<Manifest>> Snapshots::ReadManifest(const std::string& pool) {
  auto reply = client_.Do({"HGETALL", PoolKey(pool, "manifest")});
  if (!reply.ok()) return reply.status();
  const auto discard = [&] {
    metrics_.SnapshotDamaged(name(), "manifest");
    (void)client_.Do({"DEL", PoolKey(pool, "manifest")});  // so that a new one takes its place
    return std::optional<Manifest>();
  };
  if (IsWrongType(*reply)) return discard();
  if (auto status = AsStatus(*reply); !status.ok()) return status;
  if (reply->size() == 0) return std::optional<Manifest>();
  absl::flat_hash_map<std::string, std::string> fields;
  for (std::size_t i = 0; i + 1 < reply->size(); i += 2)
    fields[std::string((*reply)[i].text())] = std::string((*reply)[i + 1].text());
  Manifest m;
  const bool read = absl::SimpleAtoi(fields["format"], &m.format) && absl::SimpleAtoi(fields["history"], &m.history) &&
                    absl::SimpleAtoi(fields["revision"], &m.revision) &&
                    absl::SimpleAtoi(fields["generation"], &m.generation) &&
                    absl::SimpleAtoi(fields["statistics_generation"], &m.statistics_generation) &&
                    absl::SimpleAtoi(fields["members"], &m.members) && absl::SimpleAtoi(fields["made_ms"], &m.made_ms);
  auto pieces = PiecesFromText(fields["pieces"]);
  if (!read || !pieces.ok() || m.members < 0 || m.members > UINT32_MAX) return discard();
  m.pieces = *std::move(pieces);
  if (SumOf(m) != fields["sum"]) return discard();
  RetiredFromText(fields["retired"], m);
  return std::optional<Manifest>(std::move(m));
}

void Snapshots::Damaged(const std::string& pool, const Manifest& manifest, const char* what) {
  metrics_.SnapshotDamaged(name(), what);
  auto dropped = client_.Do({"EVAL", kDrop, "1", PoolKey(pool, "manifest"), absl::StrCat(manifest.revision)});
  if (!dropped.ok() || dropped->integer() != 1) return;
  std::vector<std::string> hashes;
  for (const Piece& piece : manifest.pieces) hashes.push_back(piece.hash);
  for (const auto& [hash, until_ms] : manifest.retired) hashes.push_back(hash);
  DeleteBlocks(pool, hashes);
}

absl::StatusOr<std::optional<LoadedSnapshot>> Snapshots::Load(const std::string& pool, std::uint64_t history) {
  const std::lock_guard lock(mutex_);
  auto manifest = ReadManifest(pool);
  if (!manifest.ok()) return manifest.status();
  if (!manifest->has_value() || (*manifest)->format != index::kSnapshotFormat || (*manifest)->history != history)
    return std::optional<LoadedSnapshot>();
  const Manifest& m = **manifest;
  Assembler assembler(pool, m);
  const auto fetch = [&](std::size_t begin, std::size_t end) {
    std::vector<Arguments> commands;
    for (std::size_t i = begin; i < end; ++i) commands.push_back({"GET", BlockKey(pool, m.pieces[i].hash)});
    return client_.Pipeline(commands);
  };
  // The next batch is fetched while one is put together.
  const auto end_of = [&](std::size_t begin) { return std::min(m.pieces.size(), begin + kBatchBlocks); };
  auto coming = std::async(std::launch::async, fetch, std::size_t{0}, end_of(0));
  for (std::size_t begin = 0; begin < m.pieces.size(); begin = end_of(begin)) {
    auto replies = coming.get();
    const std::size_t end = end_of(begin);
    if (end < m.pieces.size() && replies.ok()) coming = std::async(std::launch::async, fetch, end, end_of(end));
    if (!replies.ok()) return replies.status();
    for (std::size_t i = begin; i < end; ++i) {
      const Reply& reply = (*replies)[i - begin];
      const Piece& piece = m.pieces[i];
      auto bytes =
          reply.IsNil() || reply.IsError() ? absl::NotFoundError("missing") : UnpackBlock(reply.text(), piece.bytes);
      if (bytes.ok() && assembler.Add(piece, *bytes).ok()) continue;
      if (coming.valid()) coming.wait();
      Damaged(pool, m, absl::IsNotFound(bytes.status()) ? "missing" : "corrupt");
      return std::optional<LoadedSnapshot>();
    }
  }
  return std::optional<LoadedSnapshot>(assembler.Take());
}

absl::StatusOr<bool> Snapshots::Refresh(const std::string& pool, const Manifest& manifest) {
  std::vector<Arguments> commands = {{"PEXPIRE", PoolKey(pool, "manifest"), Ms(options_.time_to_live)}};
  for (const Piece& piece : manifest.pieces)
    commands.push_back({"PEXPIRE", BlockKey(pool, piece.hash), Ms(options_.time_to_live)});
  auto replies = client_.Pipeline(commands);
  if (!replies.ok()) return replies.status();
  for (const Reply& reply : *replies) {
    if (reply.integer() != 1) return false;
  }
  return true;
}

absl::StatusOr<std::optional<SnapshotInfo>> Snapshots::Newest(const std::string& pool, std::uint64_t history) {
  const std::lock_guard lock(mutex_);
  auto manifest = ReadManifest(pool);
  if (!manifest.ok()) return manifest.status();
  if (!manifest->has_value() || (*manifest)->history != history || (*manifest)->format != index::kSnapshotFormat)
    return std::optional<SnapshotInfo>();
  const Manifest& m = **manifest;
  const absl::Time now = clock_.Now();
  if (leases_.contains(pool) && now - refreshed_[pool] >= kBetweenRefreshes) {
    auto whole = Refresh(pool, m);
    if (!whole.ok()) return whole.status();
    refreshed_[pool] = now;
    if (!*whole) {
      Damaged(pool, m, "missing");
      return std::optional<SnapshotInfo>();
    }
  }
  return std::optional<SnapshotInfo>({m.revision, m.generation, absl::FromUnixMillis(m.made_ms)});
}

bool Snapshots::MayWrite(const std::string& pool) {
  const std::lock_guard lock(mutex_);
  auto reply =
      client_.Do({"EVAL", kLease, "2", PoolKey(pool, "lease"), PoolKey(pool, "fence"), me_, Ms(options_.lease)});
  if (!reply.ok() || reply->IsError() || reply->text().empty()) {
    leases_.erase(pool);
    return false;
  }
  leases_[pool] = std::string(reply->text());
  return true;
}

absl::Status Snapshots::SendMissing(const std::string& pool, Batch& batch) {
  std::vector<Arguments> asks;
  for (const auto& [piece, bytes] : batch.pieces)
    asks.push_back({"PEXPIRE", BlockKey(pool, piece.hash), Ms(options_.time_to_live)});
  auto there = client_.Pipeline(asks);
  if (!there.ok()) return there.status();
  std::vector<Arguments> sends;
  for (std::size_t i = 0; i < batch.pieces.size(); ++i) {
    const auto& [piece, bytes] = batch.pieces[i];
    if ((*there)[i].integer() == 1) continue;
    sends.push_back({"SET", BlockKey(pool, piece.hash), PackBlock(bytes), "PX", Ms(options_.time_to_live)});
    batch.sent += static_cast<std::int64_t>(sends.back()[2].size());
  }
  batch.pieces.clear();
  batch.bytes = 0;
  if (sends.empty()) return absl::OkStatus();
  auto sent = client_.Pipeline(sends);
  if (!sent.ok()) return sent.status();
  for (const Reply& reply : *sent) {
    if (auto status = AsStatus(reply); !status.ok()) return status;  // out of memory, for example
  }
  return absl::OkStatus();
}

absl::Status Snapshots::Swap(const std::string& pool, const Manifest& manifest) {
  const std::string& lease = leases_[pool];
  const std::string fence = lease.substr(lease.rfind(':') + 1);
  auto reply = client_.Do({"EVAL",
                           kSwap,
                           "2",
                           PoolKey(pool, "manifest"),
                           PoolKey(pool, "lease"),
                           lease,
                           absl::StrCat(manifest.history),
                           absl::StrCat(manifest.revision),
                           fence,
                           Ms(options_.time_to_live),
                           "format",
                           absl::StrCat(manifest.format),
                           "statistics_generation",
                           absl::StrCat(manifest.statistics_generation),
                           "members",
                           absl::StrCat(manifest.members),
                           "made_ms",
                           absl::StrCat(manifest.made_ms),
                           "writer",
                           me_,
                           "bytes",
                           absl::StrCat(manifest.bytes()),
                           "pieces",
                           PiecesToText(manifest.pieces),
                           "sum",
                           SumOf(manifest),
                           "retired",
                           RetiredToText(manifest)});
  if (!reply.ok()) return reply.status();
  if (auto status = AsStatus(*reply); !status.ok()) return status;
  if (reply->text() == "OK") return absl::OkStatus();
  if (reply->text() == "LEASE_LOST") leases_.erase(pool);
  return absl::FailedPreconditionError(absl::StrCat("the manifest was not swapped: ", std::string(reply->text())));
}

std::vector<std::string> Snapshots::Retire(const std::optional<Manifest>& before, bool purge, Manifest& after) const {
  std::vector<std::string> gone;
  if (!before) return gone;
  absl::flat_hash_set<std::string> live;
  for (const Piece& piece : after.pieces) live.insert(piece.hash);
  const std::int64_t now_ms = absl::ToUnixMillis(clock_.Now());
  const auto retire = [&](const std::string& hash, std::int64_t until_ms) {
    if (live.contains(hash)) return;
    if (purge || until_ms <= now_ms) {
      gone.push_back(hash);
    } else {
      after.retired.emplace_back(hash, until_ms);
    }
  };
  for (const auto& [hash, until_ms] : before->retired) retire(hash, until_ms);
  for (const Piece& piece : before->pieces) retire(piece.hash, now_ms + absl::ToInt64Milliseconds(options_.grace));
  return gone;
}

void Snapshots::DeleteBlocks(const std::string& pool, const std::vector<std::string>& hashes) {
  std::vector<Arguments> commands;
  commands.reserve(hashes.size());
  for (const std::string& hash : hashes) commands.push_back({"UNLINK", BlockKey(pool, hash)});
  if (!commands.empty()) (void)client_.Pipeline(commands);  // what stays, dies with its time to live
}

absl::Status Snapshots::Save(const std::string& pool, std::uint64_t history, const index::SnapshotSource& source,
                             bool purge) {
  const std::lock_guard lock(mutex_);
  if (!leases_.contains(pool)) return absl::FailedPreconditionError("another process writes this pool's snapshots");
  auto before = ReadManifest(pool);
  if (!before.ok()) return before.status();
  Manifest manifest = ManifestOf(source, history, clock_.Now());
  Batch batch;
  auto status = WritePieces(source, [&](const Piece& piece, std::string bytes) -> absl::Status {
    manifest.pieces.push_back(piece);
    batch.bytes += bytes.size();
    batch.pieces.emplace_back(piece, std::move(bytes));
    if (batch.pieces.size() < kBatchBlocks && batch.bytes < kBatchBytes) return absl::OkStatus();
    return SendMissing(pool, batch);
  });
  if (status.ok()) status = SendMissing(pool, batch);
  const std::vector<std::string> gone = Retire(*before, purge, manifest);
  if (status.ok()) status = Swap(pool, manifest);
  if (!status.ok()) return status;
  refreshed_[pool] = clock_.Now();
  DeleteBlocks(pool, gone);
  if (purge) {
    // What was told of the member stands in the feed, too; also in the entry that ends at this very revision.
    (void)client_.Do({"XTRIM", client_.Key(absl::StrCat("{", pool, "}:feed:", absl::Hex(history))), "MINID",
                      absl::StrCat(manifest.revision + 1)});
  }
  metrics_.SnapshotSaved(name(), static_cast<std::int64_t>(manifest.bytes()), batch.sent);
  return absl::OkStatus();
}

absl::Status Snapshots::Drop(const std::string& pool) {
  const std::lock_guard lock(mutex_);
  if (!leases_.contains(pool)) return absl::FailedPreconditionError("another process writes this pool's snapshots");
  auto manifest = ReadManifest(pool);
  if (!manifest.ok()) return manifest.status();
  if (!manifest->has_value()) return absl::OkStatus();
  auto dropped = client_.Do({"EVAL", kDrop, "1", PoolKey(pool, "manifest"), absl::StrCat((*manifest)->revision)});
  if (!dropped.ok()) return dropped.status();
  if (auto status = AsStatus(*dropped); !status.ok()) return status;
  std::vector<std::string> hashes;
  for (const Piece& piece : (*manifest)->pieces) hashes.push_back(piece.hash);
  for (const auto& [hash, until_ms] : (*manifest)->retired) hashes.push_back(hash);
  DeleteBlocks(pool, hashes);
  return absl::OkStatus();
}

}  // namespace warmline::cache::redis
