// Lives of members at a high rate, over gRPC: each comes, says what nobody said before, knows somebody, needs help,
// asks for it, and is erased, so that as many live at the end of a cycle as at its beginning. Each thread of clients
// has members of its own. Thread-safety: one thread at a time calls Run.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "support/test_server.h"
#include "warmline/v1/introduction_service.grpc.pb.h"

namespace warmline::testing {

// What a life has, besides being created and erased.
struct ChurnOptions {
  bool words = true;  // interests, languages, places, conflict keys and preferences that no other member has
  bool ties = true;   // a confirmed tie to the member before, and a block
  bool needs = true;  // a stored need
  bool asks = true;   // an introduction to the member before
  bool matches = true;
  int threads = 8;
  int living = 40;  // of each thread
};

class Churn {
 public:
  // The server must have the pool `p`.
  Churn(TestServer& server, const ChurnOptions& options);
  // Lets at least so many members come and go.
  void Run(std::int64_t lives);
  [[nodiscard]] std::int64_t lives() const { return lives_; }
  // Calls that failed, and the first of their messages.
  [[nodiscard]] std::int64_t failures() const { return failures_; }
  [[nodiscard]] std::string first_failure() const;

 private:
  struct Client {
    int number = 0;
    std::int64_t born = 0;
    std::deque<std::string> living;
  };
  void Live(Client& client);
  void Create(const std::string& id, std::int64_t number);
  void Tie(const std::string& id, const std::string& other);
  void Need(const std::string& id, std::int64_t number);
  void Match(const std::string& id, std::int64_t number);
  void Ask(const std::string& id, const std::string& helper, std::int64_t number);
  void Erase(const std::string& id);
  void Check(const char* what, const grpc::Status& status);

  TestServer& server_;
  const ChurnOptions options_;
  std::vector<Client> clients_;
  std::atomic<std::int64_t> lives_{0};
  std::atomic<std::int64_t> failures_{0};
  mutable std::mutex mutex_;
  std::string first_failure_;  // guarded by mutex_
};

}  // namespace warmline::testing
