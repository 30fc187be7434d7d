#include "cache/manifest.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <xxhash.h>

#include <cstring>

#include "base/strings.h"
#include "codec/records.h"

namespace warmline::cache {
namespace {

constexpr std::size_t kNeedsPerPiece = 4096;
// More than any index has: a hundred million helpers make some twenty thousand.
constexpr std::size_t kMaxPieces = 1'000'000;

absl::Status Damaged(const char* what) { return absl::DataLossError(absl::StrCat("the snapshot's ", what)); }

void AppendRecord(std::string& out, const std::string& record) {
  const auto size = static_cast<std::uint32_t>(record.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(record);
}

// Calls each(bytes) for every record.
absl::Status ReadRecords(std::string_view bytes, const std::function<absl::Status(const std::string&)>& each) {
  while (!bytes.empty()) {
    std::uint32_t size = 0;
    if (bytes.size() < sizeof size) return Damaged("record is cut");
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (bytes.size() < size) return Damaged("record is cut");
    if (auto status = each(std::string(bytes.substr(0, size))); !status.ok()) return status;
    bytes.remove_prefix(size);
  }
  return absl::OkStatus();
}

Piece MakePiece(std::uint8_t section, std::uint32_t segment, std::uint32_t part, std::string_view bytes) {
  return {section, segment, part, bytes.size(), HashOf(bytes)};
}

std::uint8_t SectionOf(std::string_view name) {
  for (int section = 1; section <= kNeedsSection; ++section) {
    if (name == SectionName(static_cast<std::uint8_t>(section))) return static_cast<std::uint8_t>(section);
  }
  return 0;
}

}  // namespace

std::uint64_t Manifest::bytes() const {
  std::uint64_t all = 0;
  for (const Piece& piece : pieces) all += piece.bytes;
  return all;
}

std::string HashOf(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return absl::BytesToHexString({reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest});
}

const char* SectionName(std::uint8_t section) {
  if (section == kPoolSection) return "pool";
  if (section == kNeedsSection) return "needs";
  return index::NameOf(static_cast<index::Section>(section));
}

std::string PiecesToText(const std::vector<Piece>& pieces) {
  std::string text;
  for (const Piece& p : pieces)
    absl::StrAppend(&text, SectionName(p.section), " ", p.segment, " ", p.part, " ", p.bytes, " ", p.hash, "\n");
  return text;
}

absl::StatusOr<std::vector<Piece>> PiecesFromText(std::string_view text) {
  std::vector<Piece> pieces;
  for (const auto line : absl::StrSplit(base::AbslView(text), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    Piece piece;
    if (fields.size() != 5 || !absl::SimpleAtoi(fields[1], &piece.segment) ||
        !absl::SimpleAtoi(fields[2], &piece.part) || !absl::SimpleAtoi(fields[3], &piece.bytes) ||
        fields[4].size() != 32 || pieces.size() >= kMaxPieces)
      return Damaged("list of pieces cannot be read");
    piece.section = SectionOf(fields[0]);
    piece.hash = fields[4];
    if (piece.section == 0) return Damaged("list of pieces names an unknown section");
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::string RetiredToText(const Manifest& manifest) {
  std::string text;
  for (const auto& [hash, until_ms] : manifest.retired) absl::StrAppend(&text, hash, " ", until_ms, "\n");
  return text;
}

void RetiredFromText(std::string_view text, Manifest& manifest) {
  for (const auto line : absl::StrSplit(base::AbslView(text), '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> fields = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    std::int64_t until_ms = 0;
    if (fields.first.size() == 32 && absl::SimpleAtoi(fields.second, &until_ms))
      manifest.retired.emplace_back(fields.first, until_ms);
  }
}

Manifest ManifestOf(const index::SnapshotSource& source, std::uint64_t history, absl::Time now) {
  Manifest manifest;
  manifest.history = history;
  manifest.revision = source.revision();
  manifest.statistics_generation = source.statistics_generation();
  manifest.members = source.members();
  manifest.made_ms = absl::ToUnixMillis(now);
  return manifest;
}

absl::Status WritePieces(const index::SnapshotSource& source, const PieceSink& sink) {
  const auto give = [&](std::uint8_t section, std::uint32_t segment, std::uint32_t part, std::string bytes) {
    const Piece piece = MakePiece(section, segment, part, bytes);
    return sink(piece, std::move(bytes));
  };
  std::string pool;
  AppendRecord(pool, codec::Encode(source.pool()));
  if (auto status = give(kPoolSection, 0, 0, std::move(pool)); !status.ok()) return status;
  auto status = source.Write([&](const index::PieceId& id, std::string bytes) {
    return give(static_cast<std::uint8_t>(id.section), id.segment, id.part, std::move(bytes));
  });
  if (!status.ok()) return status;
  const auto& needs = source.needs();
  for (std::size_t at = 0; at < needs.size(); at += kNeedsPerPiece) {
    std::string bytes;
    for (std::size_t i = at; i < std::min(needs.size(), at + kNeedsPerPiece); ++i)
      AppendRecord(bytes, codec::Encode(source.pool().id, *needs[i]));
    if (auto given = give(kNeedsSection, 0, static_cast<std::uint32_t>(at / kNeedsPerPiece), std::move(bytes));
        !given.ok())
      return given;
  }
  return absl::OkStatus();
}

absl::Status Assembler::Add(const Piece& piece, std::string_view bytes) {
  if (bytes.size() != piece.bytes || HashOf(bytes) != piece.hash)
    return Damaged("piece has other bytes than it should");
  if (piece.section == kPoolSection) {
    return ReadRecords(bytes, [&](const std::string& record) -> absl::Status {
      auto pool = codec::DecodePool(record);
      if (!pool.ok() || pool->id != pool_) return Damaged("record of the pool cannot be read");
      restorer_ = std::make_unique<index::SnapshotRestorer>(*pool);
      restorer_->Reserve(static_cast<std::uint32_t>(manifest_.members));
      return absl::OkStatus();
    });
  }
  if (restorer_ == nullptr) return Damaged("first piece is not the pool's record");
  if (piece.section == kNeedsSection) {
    return ReadRecords(bytes, [&](const std::string& record) -> absl::Status {
      auto need = codec::DecodeNeed(pool_, record);
      if (!need.ok()) return Damaged("needs cannot be read");
      restorer_->AddNeed(*need);
      return absl::OkStatus();
    });
  }
  return restorer_->Add({static_cast<index::Section>(piece.section), piece.segment, piece.part},
                        {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

application::LoadedSnapshot Assembler::Take() {
  return {std::move(restorer_), manifest_.revision, manifest_.statistics_generation};
}

}  // namespace warmline::cache
