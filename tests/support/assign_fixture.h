// Cohorts over gRPC: a pool of helpers with few places, and seekers with needs among the same few interests.
#pragma once

#include <random>

#include "support/introductions_fixture.h"
#include "warmline/v1/assignment_service.grpc.pb.h"

namespace warmline::testing {

struct Answer {
  grpc::Status status;
  pb::AssignSummary summary;
  std::vector<pb::AssignedPair> pairs;
  std::vector<pb::AssignProof> proof;
  int progress = 0;
  [[nodiscard]] const pb::AssignedPair& Of(const std::string& need) const {
    static const pb::AssignedPair kNone;
    for (const auto& pair : pairs) {
      if (pair.need() == "pools/p/needs/" + need) return pair;
    }
    return kNone;
  }
};

class Assign : public Introductions {
 protected:
  [[nodiscard]] Answer Run(const pb::AssignRequest& request, int timeout_ms = 60'000) {
    Answer answer;
    pb::AssignmentService::Stub stub(server_.channel());
    const auto context = server_.Context(timeout_ms);
    auto stream = stub.Assign(context.get(), request);
    pb::AssignResponse message;
    while (stream->Read(&message)) {
      if (message.has_summary()) answer.summary = message.summary();
      if (message.has_progress()) ++answer.progress;
      if (message.has_proof()) answer.proof.push_back(message.proof());
      for (const auto& pair : message.pairs().pairs()) answer.pairs.push_back(pair);
    }
    answer.status = stream->Finish();
    return answer;
  }
  static pb::AssignRequest OnPaper(int top_k = 0) {
    pb::AssignRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/p");
    request.set_top_k(top_k);
    request.set_validate_only(true);
    return request;
  }
  static pb::AssignRequest ForReal() {
    pb::AssignRequest request = OnPaper();
    request.set_validate_only(false);
    request.set_message(kMessage);
    request.set_request_id(FreshId());
    return request;
  }
  // Helpers with few places, and seekers with needs among the same few interests.
  void MakeCohort(int seekers, int helpers, unsigned seed) {
    std::mt19937 random(seed);
    const auto skills = [&](int count) {
      std::vector<std::string> interests;
      for (int i = 0; i < count; ++i) interests.push_back("skill:s" + std::to_string(random() % 12));
      std::sort(interests.begin(), interests.end());
      interests.erase(std::unique(interests.begin(), interests.end()), interests.end());
      return interests;
    };
    std::vector<pb::Row> rows;
    for (int j = 0; j < helpers; ++j) {
      rows.push_back(HelperRow("h" + std::to_string(j), skills(4)));
      pb::Capacity* capacity = rows.back().mutable_member()->mutable_offer()->mutable_capacity();
      capacity->set_open_asks(1 + static_cast<int>(random() % 2));
      capacity->set_asks_per_week(2);
      if (random() % 2 == 0) {
        pb::Evidence* evidence = rows.back().mutable_member()->add_evidence();
        evidence->set_outcome(pb::HELPED);
        evidence->set_count(static_cast<int>(1 + random() % 9));
        evidence->mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()) - 86'400);
      }
    }
    for (int i = 0; i < seekers; ++i) rows.push_back(SeekerRow("s" + std::to_string(i)));
    server_.Import(rows);
    for (int i = 0; i < seekers; ++i) MakeNeed("n" + std::to_string(i), "s" + std::to_string(i), skills(3));
  }
  void MakeNeed(const std::string& id, const std::string& seeker, const std::vector<std::string>& interests) {
    pb::CreateNeedRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/p");
    request.set_need_id(id);
    *request.mutable_need() = NeedOf(seeker, interests);
    request.set_request_id(FreshId());
    pb::WriteNeedResponse response;
    const auto status = server_.needs().CreateNeed(server_.Context().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
};

}  // namespace warmline::testing
