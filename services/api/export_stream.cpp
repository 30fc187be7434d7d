#include "api/export_stream.h"

#include "api/errors.h"
#include "application/pools.h"
#include "codec/resources.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

constexpr int kRowsPerPage = 500;

class ExportReactor final : public grpc::ServerWriteReactor<pb::ExportResponse> {
 public:
  ExportReactor(Environment& environment, grpc::CallbackServerContext* context, const pb::ExportRequest* request)
      : environment_(environment), call_(Call::Start(environment, context, "warmline.v1.MemberService/Export")) {
    const Target target = call_->PoolTarget(request->parent(), "parent");
    pool_ = target.pool;
    if (call_->Authorize(request->actor(), pool_))
      call_->SetError(application::RequireOperator(call_->caller(), "exporting"));
    if (call_->error().ok()) {
      QueuePage();
    } else {
      End(call_->error());
    }
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      QueuePage();
    } else {
      End(call_->StillWanted());
    }
  }

  void OnDone() override { delete this; }

 private:
  enum class Kind { kMembers, kConnections, kBlocks, kNeeds, kDone };

  void QueuePage() {
    const auto queued = environment_.reads.Submit(call_->Order(admission::WorkClass::kExportPage),
                                                  [this](const absl::Status& admitted) {
                                                    if (admitted.ok()) {
                                                      SendPage();
                                                    } else {
                                                      End(admitted);
                                                    }
                                                  });
    if (!queued.ok()) End(queued);
  }

  void SendPage() {
    if (auto status = call_->StillWanted(); !status.ok()) {
      End(status);
      return;
    }
    page_.Clear();
    absl::Status status;
    {
      auto reader = environment_.store.Read();
      status = reader.ok() ? application::RequirePool(**reader, pool_) : reader.status();
      while (status.ok() && kind_ != Kind::kDone && page_.rows_size() == 0) status = FillPage(**reader);
    }
    if (!status.ok() || page_.rows_size() == 0) {
      End(status);
    } else {
      StartWrite(&page_);
    }
  }

  // One page of the kind at hand; a short one moves on to the next kind.
  absl::Status FillPage(application::RecordReader& reader) {
    switch (kind_) {
      case Kind::kMembers:
        return Fill(
            reader.ListMembers(pool_, after_.first, kRowsPerPage), [](pb::Row* row) { return row->mutable_member(); },
            [](const domain::Member& m) { return std::pair(m.id, std::string()); });
      case Kind::kConnections:
        return Fill(
            reader.ListConnections(pool_, after_, kRowsPerPage), [](pb::Row* row) { return row->mutable_connection(); },
            [](const domain::Connection& c) { return std::pair(c.a, c.b); });
      case Kind::kBlocks:
        return Fill(
            reader.ListBlocks(pool_, after_, kRowsPerPage), [](pb::Row* row) { return row->mutable_block(); },
            [](const domain::Block& b) { return std::pair(b.blocker, b.blocked); });
      case Kind::kNeeds:
        return Fill(
            reader.ListNeeds(pool_, "", after_.first, kRowsPerPage), [](pb::Row* row) { return row->mutable_need(); },
            [](const domain::Need& n) { return std::pair(n.id, std::string()); });
      case Kind::kDone:
        break;
    }
    return absl::OkStatus();
  }

  template <typename Records, typename Field, typename Key>
  absl::Status Fill(const Records& records, Field field, Key key) {
    if (!records.ok()) return records.status();
    for (const auto& record : *records) {
      if constexpr (std::is_same_v<std::decay_t<decltype(record)>, domain::Connection>) {
        *field(page_.add_rows()) = codec::ToProto(pool_, record, true);
      } else {
        *field(page_.add_rows()) = codec::ToProto(pool_, record);
      }
    }
    if (records->size() < static_cast<std::size_t>(kRowsPerPage)) {
      kind_ = static_cast<Kind>(static_cast<int>(kind_) + 1);
      after_ = {};
    } else {
      after_ = key(records->back());
    }
    return absl::OkStatus();
  }

  void End(const absl::Status& status) {
    call_->Ended(status);
    Finish(ToGrpc(status));
  }

  Environment& environment_;
  std::shared_ptr<Call> call_;
  std::string pool_;
  pb::ExportResponse page_;
  Kind kind_ = Kind::kMembers;
  std::pair<std::string, std::string> after_;
};

}  // namespace

grpc::ServerWriteReactor<pb::ExportResponse>* StartExport(Environment& environment,
                                                          grpc::CallbackServerContext* context,
                                                          const pb::ExportRequest* request) {
  return new ExportReactor(environment, context, request);
}

}  // namespace warmline::api
