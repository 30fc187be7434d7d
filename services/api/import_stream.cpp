#include "api/import_stream.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <mutex>

#include "api/errors.h"
#include "api/stream_read.h"
#include "api/stream_turn.h"
#include "api/validation.h"
#include "application/import_rows.h"
#include "application/refresh_statistics.h"
#include "codec/resources.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

// A row's record, or everything that is wrong with it.
template <typename Message>
application::ImportRow ReadRecord(const std::string& pool, const Message& message, const char* prefix) {
  domain::Violations violations;
  auto record = codec::FromProto(pool, message, prefix, violations);
  Complete(record, prefix, violations);
  if (!violations.empty()) return violations.ToStatus();
  return record;
}

application::ImportRow ReadRow(const std::string& pool, const pb::Row& row) {
  switch (row.row_case()) {
    case pb::Row::kMember:
      return ReadRecord(pool, row.member(), "member.");
    case pb::Row::kConnection:
      return ReadRecord(pool, row.connection(), "connection.");
    case pb::Row::kBlock:
      return ReadRecord(pool, row.block(), "block.");
    case pb::Row::kNeed:
      return ReadRecord(pool, row.need(), "need.");
    case pb::Row::ROW_NOT_SET:
      break;
  }
  domain::Violations violations;
  violations.Add("row", "is empty: give a member, connection, block or need");
  return violations.ToStatus();
}

class ImportReactor final : public grpc::ServerReadReactor<pb::ImportRequest> {
 public:
  ImportReactor(Environment& environment, grpc::CallbackServerContext* context, pb::ImportResponse* response)
      : environment_(environment),
        call_(Call::Start(environment, context, "warmline.v1.MemberService/Import")),
        response_(response) {
    if (call_->error().ok()) {
      PrepareRead(request_);
      StartRead(&request_);
    } else {
      End(call_->error());
    }
  }

  void OnReadDone(bool ok) override {
    if (ok) {
      TakeTurn(*call_, alarm_, [this](const absl::Status& turn) { Queue(turn); });
      return;
    }
    const auto mutex = mutex_;  // outlives this: once the call is finished, another thread may delete it
    const std::lock_guard lock(*mutex);
    input_ended_ = true;
    // A cancelled call reads nothing either: it has the first word.
    for (const absl::Status& status : {call_->StillWanted(), EndOfStream(request_)})
      if (failed_.ok()) failed_ = status;
    Continue();
  }

  void OnDone() override { delete this; }

 private:
  // Rows are read on a thread of the matching pool, since a message of them takes milliseconds.
  void Queue(absl::Status turn) {
    if (turn.ok()) {
      turn = environment_.matching.Submit(call_->Order(admission::WorkClass::kReadRows),
                                          [this](const absl::Status& admitted) { Taken(admitted); });
    }
    if (!turn.ok()) Taken(turn);
  }

  void Taken(const absl::Status& admitted) {
    const auto mutex = mutex_;  // outlives this: once the call is finished, another thread may delete it
    const std::lock_guard lock(*mutex);
    if (failed_.ok()) failed_ = admitted.ok() ? TakeMessage() : admitted;
    if (!failed_.ok()) input_ended_ = true;  // what follows is not read
    Continue();
  }

  // Checks and queues the message just read.
  absl::Status TakeMessage() {
    if (first_) {
      const Target target = call_->PoolTarget(request_.parent(), "parent");
      if (!call_->Authorize(request_.actor(), target.pool)) return call_->error();
      if (auto status = application::RequireOperator(call_->caller(), "importing"); !status.ok()) return status;
      pool_ = target.pool;
      options_.vouch = request_.vouch();
      validate_only_ = request_.validate_only();
      first_ = false;
    }
    if (request_.rows_size() > kMaxRowsPerMessage) {
      domain::Violations violations;
      violations.Add("rows", absl::StrCat("has ", request_.rows_size(), " rows: at most ", kMaxRowsPerMessage,
                                          " a message; send more messages"));
      return violations.ToStatus();
    }
    auto rows = std::make_shared<std::vector<application::ImportRow>>();
    for (const pb::Row& row : request_.rows()) rows->push_back(ReadRow(pool_, row));
    const std::int64_t first_row = rows_;
    rows_ += request_.rows_size();
    auto refused = std::make_shared<std::vector<application::RefusedRow>>();

    application::WriteJob job;
    job.pool = pool_;
    for (const application::ImportRow& row : *rows) AddReads(row, job.reads);
    job.validate_only = validate_only_;
    job.order = call_->Order(admission::WorkClass::kWriteRows);
    job.cancelled = [call = call_] { return !call->StillWanted().ok(); };
    job.run = [this, rows, refused, first_row](application::WriteTransaction& tx, absl::Time now) -> absl::Status {
      auto result = application::ImportRows(tx, pool_, *rows, first_row, options_, now);
      if (!result.ok()) return result.status();
      *refused = *std::move(result);
      return absl::OkStatus();
    };
    job.done = [this, rows, refused](const absl::Status& status) { Written(status, rows->size(), *refused); };
    if (auto status = environment_.writes.Submit(std::move(job)); !status.ok()) return status;
    ++queued_;
    return absl::OkStatus();
  }

  void AddReads(const application::ImportRow& row, std::vector<application::RecordKey>& reads) const {
    std::visit(
        [&](const auto& record) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(record)>, absl::Status>) {
            const auto keys = application::ReadsOf(pool_, record);
            reads.insert(reads.end(), keys.begin(), keys.end());
          }
        },
        row);
  }

  void Written(const absl::Status& status, std::size_t rows, const std::vector<application::RefusedRow>& refused) {
    const auto mutex = mutex_;  // outlives this: once the call is finished, another thread may delete it
    const std::lock_guard lock(*mutex);
    --queued_;
    if (!status.ok()) {
      if (failed_.ok()) failed_ = status;
      input_ended_ = input_ended_ || !reading_;
    } else {
      imported_ += static_cast<std::int64_t>(rows - refused.size());
      refused_ += static_cast<std::int64_t>(refused.size());
      environment_.metrics.RowsImported(static_cast<std::int64_t>(rows - refused.size()),
                                        static_cast<std::int64_t>(refused.size()));
      for (const auto& row : refused) AddRefused(row);
    }
    ContinueAfterWrite();
  }

  void AddRefused(const application::RefusedRow& row) {
    if (response_->refused_rows_size() >= kMaxRefusedRowsListed) return;
    pb::RowResult* result = response_->add_refused_rows();
    result->set_row(row.row);
    result->set_reason(ReasonName(row.error));
    const auto violations = domain::ViolationsOf(row.error);
    for (const auto& violation : violations) {
      auto* v = result->add_violations();
      v->set_field(violation.field);
      v->set_description(violation.description);
    }
    if (violations.empty()) result->add_violations()->set_description(std::string(row.error.message()));
  }

  // After a read: read on while there is room, or end.
  void Continue() {
    reading_ = false;
    if (!input_ended_ && queued_ < kMaxQueuedMessages) {
      reading_ = true;
      PrepareRead(request_);
      StartRead(&request_);
    } else if (input_ended_ && queued_ == 0) {
      Conclude();
    }
  }

  void ContinueAfterWrite() {
    if (!reading_) Continue();
  }

  // All rows are written: new statistics, then the reply.
  void Conclude() {
    if (!failed_.ok() || validate_only_ || imported_ == 0) {
      End(failed_);
      return;
    }
    application::WriteJob job;
    job.pool = pool_;
    job.run = [this](application::WriteTransaction& tx, absl::Time) -> absl::Status {
      auto revision = application::RefreshStatistics(tx, environment_.pools, pool_);
      if (!revision.ok()) return revision.status();
      response_->set_revision(call_->Token(*revision));
      return absl::OkStatus();
    };
    job.done = [this](const absl::Status& status) { End(status); };
    if (auto status = environment_.writes.Submit(std::move(job)); !status.ok()) End(status);
  }

  void End(const absl::Status& status) {
    response_->set_rows(rows_);
    response_->set_imported(imported_);
    response_->set_refused(refused_);
    call_->Ended(status);
    Finish(ToGrpc(status));
  }

  Environment& environment_;
  std::shared_ptr<Call> call_;
  pb::ImportResponse* response_;
  pb::ImportRequest request_;
  grpc::Alarm alarm_;
  // Guards everything below, and is held wherever a function above says nothing else.
  const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
  std::string pool_;
  application::ImportOptions options_;
  bool validate_only_ = false;
  bool first_ = true;
  bool reading_ = true;
  bool input_ended_ = false;
  int queued_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t imported_ = 0;
  std::int64_t refused_ = 0;
  absl::Status failed_;
};

}  // namespace

grpc::ServerReadReactor<pb::ImportRequest>* StartImport(Environment& environment, grpc::CallbackServerContext* context,
                                                        pb::ImportResponse* response) {
  return new ImportReactor(environment, context, response);
}

}  // namespace warmline::api
