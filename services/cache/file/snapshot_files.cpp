// The file: 8 bytes "WLSNAP1\n", then the pieces one after the other, then the manifest as text (a head line and the
// list of pieces), then its length as u64 and the XXH3 of the text in 32 digits. What was not written whole has no end.
#include "cache/file/snapshot_files.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/strings.h"
#include "cache/manifest.h"
#include "domain/error.h"

namespace warmline::cache::file {
namespace {

using application::LoadedSnapshot;
using application::SnapshotInfo;

constexpr std::string_view kMagic = "WLSNAP1\n";
constexpr char kUnfinished[] = ".new";
constexpr std::size_t kEndBytes = sizeof(std::uint64_t) + 32;

absl::Status Failed(const std::string& path) {
  return domain::MakeError(errno == ENOSPC ? domain::ErrorReason::kStoreFull : domain::ErrorReason::kStoreUnavailable,
                           absl::StrCat("cannot write ", path, " (", std::strerror(errno), ")"));
}

// A file in memory, for reading. Empty when there is none.
class Map {
 public:
  explicit Map(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (file < 0) return;
    if (fstat(file, &about) == 0 && about.st_size > 0) {
      size_ = static_cast<std::size_t>(about.st_size);
      at_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
      if (at_ == MAP_FAILED) size_ = 0;
    }
    close(file);
    if (size_ > 0) madvise(at_, size_, MADV_SEQUENTIAL);
  }
  ~Map() {
    if (size_ > 0) munmap(at_, size_);
  }
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;
  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(at_), size_}; }

 private:
  void* at_ = nullptr;
  std::size_t size_ = 0;
};

std::string HeadOf(const Manifest& m) {
  return absl::StrCat(m.format, " ", m.history, " ", m.revision, " ", m.generation, " ", m.statistics_generation, " ",
                      m.members, " ", m.made_ms, "\n");
}

// DATA_LOSS when the file is no whole snapshot.
absl::StatusOr<Manifest> ReadManifest(std::string_view file) {
  const auto damaged = [] { return absl::DataLossError("the snapshot's file is not whole"); };
  if (file.size() < kMagic.size() + kEndBytes || file.substr(0, kMagic.size()) != kMagic) return damaged();
  std::uint64_t length = 0;
  std::memcpy(&length, file.data() + file.size() - kEndBytes, sizeof length);
  if (length > file.size() - kMagic.size() - kEndBytes) return damaged();
  const std::string_view text = file.substr(file.size() - kEndBytes - length, length);
  if (HashOf(text) != file.substr(file.size() - 32)) return damaged();
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::vector<std::string> head = absl::StrSplit(base::AbslView(text.substr(0, line)), ' ');
  Manifest m;
  if (head.size() != 7 || !absl::SimpleAtoi(head[0], &m.format) || !absl::SimpleAtoi(head[1], &m.history) ||
      !absl::SimpleAtoi(head[2], &m.revision) || !absl::SimpleAtoi(head[3], &m.generation) ||
      !absl::SimpleAtoi(head[4], &m.statistics_generation) || !absl::SimpleAtoi(head[5], &m.members) ||
      !absl::SimpleAtoi(head[6], &m.made_ms))
    return damaged();
  auto pieces = PiecesFromText(text.substr(std::min(line + 1, text.size())));
  if (!pieces.ok()) return pieces.status();
  m.pieces = *std::move(pieces);
  if (m.bytes() != file.size() - kMagic.size() - kEndBytes - length) return damaged();
  return m;
}

// A file that is written under another name and takes its place at the end. Errors are kept until then.
class Replacement {
 public:
  explicit Replacement(std::string path) : path_(std::move(path)), temporary_(path_ + kUnfinished) {
    file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  ~Replacement() {
    if (file_ >= 0) close(file_);
    unlink(temporary_.c_str());  // gone already when it took the place
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  absl::Status Write(std::string_view bytes) {
    if (file_ < 0) return Failed(temporary_);
    while (!bytes.empty()) {
      const ssize_t written = write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) return Failed(temporary_);
      bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return absl::OkStatus();
  }
  absl::Status TakePlace() {
    if (file_ < 0 || fsync(file_) != 0 || rename(temporary_.c_str(), path_.c_str()) != 0) return Failed(path_);
    const int directory = open(std::filesystem::path(path_).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = directory >= 0 && fsync(directory) == 0;
    if (directory >= 0) close(directory);
    return synced ? absl::OkStatus() : Failed(path_);
  }

 private:
  const std::string path_;
  const std::string temporary_;
  int file_ = -1;
};

}  // namespace

SnapshotFiles::SnapshotFiles(std::string directory, const application::Clock& clock, application::Metrics& metrics)
    : directory_(std::move(directory)), clock_(clock), metrics_(metrics) {
  std::error_code ignored;  // Save says what is wrong
  std::filesystem::create_directories(directory_, ignored);
  // What a process that was killed had begun to write may name who is erased meanwhile.
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    if (entry.path().extension() == kUnfinished) std::filesystem::remove(entry.path(), ignored);
  }
}

absl::StatusOr<std::optional<LoadedSnapshot>> SnapshotFiles::Load(const std::string& pool, std::uint64_t history) {
  const Map map(PathOf(pool));
  if (map.bytes().empty()) return std::optional<LoadedSnapshot>();
  auto manifest = ReadManifest(map.bytes());
  if (!manifest.ok()) {
    Discard(pool, "manifest");
    return std::optional<LoadedSnapshot>();
  }
  if (manifest->format != index::kSnapshotFormat || manifest->history != history)
    return std::optional<LoadedSnapshot>();
  Assembler assembler(pool, *manifest);
  std::size_t at = kMagic.size();
  for (const Piece& piece : manifest->pieces) {
    if (!assembler.Add(piece, map.bytes().substr(at, piece.bytes)).ok()) {
      Discard(pool, "corrupt");
      return std::optional<LoadedSnapshot>();
    }
    at += piece.bytes;
  }
  return std::optional<LoadedSnapshot>(assembler.Take());
}

void SnapshotFiles::Discard(const std::string& pool, const char* what) {
  metrics_.SnapshotDamaged(name(), what);
  unlink(PathOf(pool).c_str());
}

absl::StatusOr<std::optional<SnapshotInfo>> SnapshotFiles::Newest(const std::string& pool, std::uint64_t history) {
  const Map map(PathOf(pool));
  const auto manifest = ReadManifest(map.bytes());
  if (!manifest.ok() || manifest->history != history || manifest->format != index::kSnapshotFormat)
    return std::optional<SnapshotInfo>();
  return std::optional<SnapshotInfo>(
      {manifest->revision, manifest->generation, absl::FromUnixMillis(manifest->made_ms)});
}

absl::Status SnapshotFiles::Save(const std::string& pool, std::uint64_t history, const index::SnapshotSource& source,
                                 bool) {
  const std::lock_guard lock(writing_);
  const auto before = Newest(pool, history);
  if (before.ok() && before->has_value() && (*before)->revision > source.revision())
    return absl::AbortedError("a newer snapshot is there already");
  Manifest manifest = ManifestOf(source, history, clock_.Now());
  manifest.generation = before.ok() && before->has_value() ? (*before)->generation + 1 : 1;
  Replacement file(PathOf(pool));
  if (auto status = file.Write(kMagic); !status.ok()) return status;
  auto status = WritePieces(source, [&](const Piece& piece, const std::string& bytes) {
    manifest.pieces.push_back(piece);
    return file.Write(bytes);
  });
  if (!status.ok()) return status;
  const std::string text = HeadOf(manifest) + PiecesToText(manifest.pieces);
  const std::uint64_t length = text.size();
  status = file.Write(text);
  if (status.ok()) status = file.Write({reinterpret_cast<const char*>(&length), sizeof length});
  if (status.ok()) status = file.Write(HashOf(text));
  if (status.ok()) status = file.TakePlace();
  if (status.ok())
    metrics_.SnapshotSaved(name(), static_cast<std::int64_t>(manifest.bytes()),
                           static_cast<std::int64_t>(manifest.bytes()));
  return status;
}

absl::Status SnapshotFiles::Drop(const std::string& pool) {
  const std::lock_guard lock(writing_);
  const std::string path = PathOf(pool);
  return unlink(path.c_str()) == 0 || errno == ENOENT ? absl::OkStatus() : Failed(path);
}

}  // namespace warmline::cache::file
