// The audit log's file: whole lines, members under pseudonyms, and what becomes of it when the disk or an operator
// interferes.
#include "telemetry/audit_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "telemetry/prometheus_metrics.h"

namespace warmline::telemetry {
namespace {

using ::testing::HasSubstr;

application::AuditEntry Entry(const std::string& grant = "portal") {
  application::AuditEntry entry;
  entry.at = absl::FromUnixMillis(1'700'000'000'123);
  entry.took = absl::Microseconds(1'500);
  entry.method = "warmline.v1.MemberService/UpdateMember";
  entry.grant = grant;
  entry.peer = "ipv4:10.0.0.1:5";
  entry.audience = domain::Audience::kOperator;
  entry.acting_member = "pools/p/members/amina";
  entry.pool = "p";
  entry.resource = "pools/p/members/joost";
  entry.code = "OK";
  return entry;
}

std::vector<std::string> LinesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

class AuditFiles : public ::testing::Test {
 protected:
  AuditFiles() : directory_(::testing::TempDir() + "audit-XXXXXX") { EXPECT_NE(mkdtemp(directory_.data()), nullptr); }
  ~AuditFiles() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string Path(const std::string& name = "audit.log") const { return directory_ + "/" + name; }
  [[nodiscard]] std::unique_ptr<AuditFile> Open(const std::string& path) {
    auto opened = AuditFile::Open(path, "a-key-of-the-audit-log", metrics_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  std::string directory_;
  PrometheusMetrics metrics_{"test"};
};

TEST_F(AuditFiles, ALineSaysWhoDidWhatWithoutNamingAMember) {
  const std::string line = AuditLine(Entry(), "a-key-of-the-audit-log");
  EXPECT_EQ(line.find("amina"), std::string::npos);
  EXPECT_EQ(line.find("joost"), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(json["call"], "warmline.v1.MemberService/UpdateMember");
  EXPECT_EQ(json["by"], "portal");
  EXPECT_EQ(json["audience"], "OPERATOR");
  EXPECT_EQ(json["pool"], "p");
  EXPECT_EQ(json["code"], "OK");
  EXPECT_EQ(json["took_us"], 1'500);
  EXPECT_EQ(json["resource"], Pseudonym("a-key-of-the-audit-log", "pools/p/members/joost"));
  EXPECT_NE(json["resource"], json["acting_member"]);
  // As docs/security.md says to look for one.
  FILE* pipe = popen("printf %s pools/p/members/joost | openssl dgst -sha256 -hmac a-key-of-the-audit-log", "r");
  std::array<char, 256> text{};
  ASSERT_NE(fgets(text.data(), text.size(), pipe), nullptr);
  pclose(pipe);
  EXPECT_THAT(std::string(text.data()), HasSubstr("= " + json["resource"].get<std::string>()));
  const auto without_key = nlohmann::json::parse(AuditLine(Entry(), ""));
  EXPECT_FALSE(without_key.contains("resource"));
  EXPECT_FALSE(without_key.contains("acting_member"));
  auto odd = Entry();
  odd.pool = "\xff\n\"";
  EXPECT_EQ(AuditLine(odd, "").find('\n'), std::string::npos) << "nobody writes a line of their own";
}

TEST_F(AuditFiles, EntriesOfManyThreadsAreAllThereWholeAndForTheOwnerAlone) {
  {
    const auto audit = Open(Path());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) audit->Record(Entry("t" + std::to_string(t)));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  const auto lines = LinesOf(Path());
  ASSERT_EQ(lines.size(), 2'000U);
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_THAT(metrics_.Text(), HasSubstr("warmline_audit_entries_total{result=\"written\"} 2000"));
  EXPECT_EQ(std::filesystem::status(Path()).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(AuditFiles, AFileThatWasMovedAwayIsMadeAnewAndOneThatIsThereIsGoneOnWith) {
  {
    const auto audit = Open(Path());
    audit->Record(Entry("first"));
    while (LinesOf(Path()).empty()) std::this_thread::yield();
    std::filesystem::rename(Path(), Path("audit.log.1"));
    audit->Record(Entry("second"));
  }
  EXPECT_EQ(LinesOf(Path("audit.log.1")).size(), 1U);
  ASSERT_EQ(LinesOf(Path()).size(), 1U);
  EXPECT_THAT(LinesOf(Path())[0], HasSubstr("second"));
  Open(Path())->Record(Entry("third"));
  EXPECT_EQ(LinesOf(Path()).size(), 2U);
}

TEST_F(AuditFiles, WhoTriesTokensCannotFillTheDisk) {
  {
    const auto audit = Open(Path());
    for (int i = 0; i < 500; ++i) audit->Record(Entry(""));  // all at one moment
    audit->Record(Entry("portal"));
    auto huge = Entry("portal");
    huge.pool = std::string(1'000'000, 'x');
    audit->Record(huge);
  }
  const auto lines = LinesOf(Path());
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(kMaxUnknownAudits) + 2);
  EXPECT_LT(lines.back().size(), 1'000U);
  EXPECT_THAT(metrics_.Text(), HasSubstr("warmline_audit_entries_total{result=\"lost\"} 400"));
}

TEST_F(AuditFiles, ADashIsTheStandardOutput) {
  ::testing::internal::CaptureStdout();
  Open("-")->Record(Entry("to-the-collector"));
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("\"by\":\"to-the-collector\""));
}

TEST_F(AuditFiles, WhatTheDiskDoesNotTakeIsCounted) {
  { Open("/dev/full")->Record(Entry()); }
  EXPECT_THAT(metrics_.Text(), HasSubstr("warmline_audit_entries_total{result=\"lost\"} 1"));
  const auto refused = AuditFile::Open(directory_, "", metrics_);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("audit-file: cannot write"));
}

}  // namespace
}  // namespace warmline::telemetry
