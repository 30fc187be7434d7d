// A watch of what a pool's change log says from a place on: the log is the buffer, so nothing is missed and nothing
// piles up.
#pragma once

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/page_token.h"
#include "api/watch.h"
#include "domain/revision.h"

namespace warmline::api {

// Rows of the log that are read at once.
inline constexpr int kWatchRowsAtOnce = 500;

template <typename Event>
class LogWatch : public Watch<Event> {
 protected:
  LogWatch(Environment& environment, grpc::CallbackServerContext* context, const char* method)
      : Watch<Event>(environment, context, method, absl::Milliseconds(50)) {}

  // The end of a derived constructor: begins at the token, or now, unless the call has an error. `filter`: what is
  // watched of the pool.
  void BeginAt(const std::string& resume_token, std::string filter) {
    filter_ = std::move(filter);
    if (this->call().error().ok()) this->call().SetError(SetPlace(resume_token));
    this->Begin();
  }

  // Makes events of changes, which are in order, by Push.
  virtual absl::Status Tell(application::RecordReader& reader, const std::vector<domain::Change>& changes) = 0;

  void Push(Event event, std::int64_t revision) {
    event.set_resume_token(MakeResumeToken(this->call(), Place(), domain::NumberBytes(revision)));
    event.set_behind(newest_ - revision);
    events_.push_back(std::move(event));
  }

 private:
  absl::Status SetPlace(const std::string& token) {
    after_ = this->Newest();
    if (after_ == 0) return application::PoolNotFound(this->pool_);
    if (token.empty()) return absl::OkStatus();
    const auto place = PlaceOfToken(this->call(), Place(), token);
    const auto revision =
        place ? domain::NumberOfBytes(*place) : this->environment().revisions.Number(this->pool_, token);
    if (!revision) return NotOfThisStore("is not of this watch and store");
    is_ahead_ = *revision > after_;
    after_ = *revision;
    return absl::OkStatus();
  }

  static absl::Status NotOfThisStore(const char* what) {
    return domain::MakeError(
        domain::ErrorReason::kRevisionOfAnotherHistory,
        absl::StrCat("resume_token ", what,
                     ": it is another caller's, of another pool, list or member, or the store was restored. List anew, "
                     "and watch without it"));
  }

  // What a resume token is bound to beside the caller: what is watched, in this history.
  [[nodiscard]] std::string Place() const { return absl::StrCat(filter_, "\n", this->environment().store.history()); }

  bool HasNews() override { return is_ahead_ || this->Newest() > after_; }

  // This process is behind the token, or the store is, which then never had that revision.
  absl::Status CheckAhead() {
    auto reader = this->environment().store.Read();
    if (!reader.ok()) return reader.status();
    auto head = (*reader)->HeadRevision(this->pool_);
    if (!head.ok()) return head.status();
    is_ahead_ = false;
    return *head < after_ ? NotOfThisStore("is ahead of everything that the store has") : absl::OkStatus();
  }

  void Work() override {
    if (auto status = is_ahead_ ? CheckAhead() : Fill(); !status.ok()) {
      this->End(status);
    } else {
      Written();
    }
  }

  void Written() override {
    if (events_.empty()) {
      this->GoOn();
      return;
    }
    Event next = std::move(events_.front());
    events_.pop_front();
    this->Write(std::move(next));
  }

  absl::Status Fill() {
    auto reader = this->environment().store.Read();
    if (!reader.ok()) return reader.status();
    auto changes = (*reader)->ListChanges(this->pool_, after_, kWatchRowsAtOnce);
    if (!changes.ok()) return changes.status();
    if (changes->empty()) return absl::OkStatus();
    newest_ = std::max(this->Newest(), changes->back().revision);
    if (auto status = Tell(**reader, *changes); !status.ok()) return status;
    after_ = changes->back().revision;
    return absl::OkStatus();
  }

  std::string filter_;
  std::int64_t after_ = 0;  // everything up to it was looked at
  bool is_ahead_ = false;   // of what this process has: the store is asked once
  std::int64_t newest_ = 0;
  std::deque<Event> events_;
};

// The last change of each of many things, by revision: `id_of` gives what a change is of, or "".
template <typename IdOf>
[[nodiscard]] std::map<std::int64_t, std::string> LastChanges(const std::vector<domain::Change>& changes, IdOf id_of) {
  std::map<std::string, std::int64_t> last;
  for (const domain::Change& change : changes) {
    if (std::string id = id_of(change); !id.empty()) last[std::move(id)] = change.revision;
  }
  std::map<std::int64_t, std::string> in_order;
  for (const auto& [id, revision] : last) in_order[revision] = id;
  return in_order;
}

}  // namespace warmline::api
