// Matches every need of a pool over gRPC, and compares the answers with labels: match_needs SERVER TOKEN_FILE POOL
// LABELS Prints one JSON object: needs, seconds, latency, and how well real answerers were found.
#include <absl/strings/str_split.h>
#include <grpcpp/create_channel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "warmline/v1/match_service.grpc.pb.h"

namespace pb = warmline::v1;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kTopK = 100;

struct Quality {
  double reciprocal_ranks = 0;
  double recall_at_10 = 0;
  int needs = 0;

  void Add(const pb::MatchResponse& response, const std::set<std::string>& relevant) {
    ++needs;
    double found = 0;
    bool first = true;
    for (int i = 0; i < response.matches_size(); ++i) {
      const std::string& name = response.matches(i).helper();
      if (!relevant.contains(name.substr(name.rfind('/') + 1))) continue;
      if (first) reciprocal_ranks += 1.0 / (i + 1);
      first = false;
      if (i < 10) ++found;
    }
    recall_at_10 += found / static_cast<double>(relevant.size());
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "match_needs SERVER TOKEN_FILE POOL LABELS\n");
    return 2;
  }
  std::string token;
  std::ifstream(argv[2]) >> token;
  std::vector<std::pair<std::string, std::set<std::string>>> labels;
  std::ifstream file(argv[4]);
  for (std::string line; std::getline(file, line);) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits('\t', 1));
    const std::vector<std::string> helpers = absl::StrSplit(parts.second, ',');
    labels.emplace_back(parts.first, std::set<std::string>(helpers.begin(), helpers.end()));
  }
  const std::string pool = std::string("pools/") + argv[3];
  auto stub = pb::MatchService::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + token);
  const auto stream = stub->MatchStream(&context);
  Quality quality;
  std::vector<double> us;
  const auto began = Clock::now();
  for (const auto& [need, relevant] : labels) {
    pb::MatchRequest request;
    request.mutable_actor()->set_audience(pb::OPERATOR);
    request.set_parent(pool);
    request.set_need(pool + "/needs/" + need);
    request.set_top_k(kTopK);
    pb::MatchStreamResponse response;
    const auto sent = Clock::now();
    if (!stream->Write(request) || !stream->Read(&response)) break;
    us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
    if (response.has_error()) {
      std::fprintf(stderr, "%s: %s\n", need.c_str(), response.error().message().c_str());
      return 1;
    }
    quality.Add(response.response(), relevant);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  stream->WritesDone();
  const auto status = stream->Finish();
  if (!status.ok() || us.empty()) {
    std::fprintf(stderr, "match_needs: %s\n", status.error_message().c_str());
    return 1;
  }
  std::sort(us.begin(), us.end());
  std::printf(
      "{\"workload\":\"travel_se\",\"needs\":%d,\"seconds\":%.3f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"mrr\":%.4f,\"recall_"
      "at_10\":%.4f}\n",
      quality.needs, seconds, us[us.size() / 2], us[us.size() * 99 / 100], quality.reciprocal_ranks / quality.needs,
      quality.recall_at_10 / quality.needs);
  return 0;
}
