#include "cache/redis/client.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace warmline::cache::redis {
namespace {

constexpr int kSlots = 16'384;
// Rounds of one call: the slot map may be old, a slot may be on its way, a fail-over under way.
constexpr int kMaxRounds = 6;
constexpr absl::Duration kBetweenRounds = absl::Milliseconds(30);
// Failures in a row until the breaker opens, and the pauses between attempts then.
constexpr int kFailuresToOpen = 2;
constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(2);

std::string_view KeyOf(const Arguments& command) {
  const std::string name = absl::AsciiStrToUpper(command[0]);
  if ((name == "EVAL" || name == "EVALSHA") && command.size() > 3) return command[3];
  if (name == "XREAD" || name == "XREADGROUP") {
    for (std::size_t i = 1; i + 1 < command.size(); ++i) {
      if (absl::EqualsIgnoreCase(command[i], "STREAMS")) return command[i + 1];
    }
  }
  return command.size() > 1 ? std::string_view(command[1]) : std::string_view();
}

// "MOVED 3999 127.0.0.1:6381": the address.
std::optional<Address> TargetOf(std::string_view error) {
  const std::vector<std::string> words = absl::StrSplit(base::AbslView(error), ' ');
  if (words.size() < 3) return std::nullopt;
  const std::size_t colon = words[2].rfind(':');
  Address address;
  if (colon == std::string::npos || !absl::SimpleAtoi(words[2].substr(colon + 1), &address.port)) return std::nullopt;
  address.host = words[2].substr(0, colon);
  return address;
}

// Errors after which another node, or the same one a moment later, may do it.
bool IsPassing(std::string_view error) {
  for (const char* start : {"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS"}) {
    if (absl::StartsWith(base::AbslView(error), start)) return true;
  }
  return false;
}

}  // namespace

int SlotOf(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  std::uint16_t crc = 0;
  for (const char c : key) {
    crc = static_cast<std::uint16_t>(crc ^ (static_cast<unsigned char>(c) << 8));
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc % kSlots;
}

struct Client::Round {
  std::vector<std::optional<Reply>> replies;
  std::vector<std::size_t> open;            // commands that have no reply yet
  std::map<std::size_t, Address> asked_at;  // those that a node sent on for once
  absl::Status failure;                     // why some are open
};

Client::Client(Config config, const char* use, const application::Clock& clock, application::Metrics& metrics)
    : config_(std::move(config)), use_(use), clock_(clock), metrics_(metrics), random_(std::random_device()()) {
  metrics_.CacheReachable(use_, true);
}

Client::~Client() = default;

std::string Client::Key(std::string_view rest) const { return config_.prefix + ":" + std::string(rest); }

absl::Status Client::Allowed() {
  if (failures_ >= kFailuresToOpen && clock_.Now() < next_attempt_) return last_failure_;
  return absl::OkStatus();
}

void Client::Note(const absl::Status& status) {
  if (status.ok()) {
    if (failures_ > 0) metrics_.CacheReachable(use_, true);
    failures_ = 0;
    return;
  }
  last_failure_ = status;
  ++failures_;
  const int doublings = std::min(failures_ - 1, 10);
  const absl::Duration pause = std::min(kLongestPause, kFirstPause * (1 << doublings));
  // Between half and the whole of it, so that replicas do not come back all at once.
  next_attempt_ = clock_.Now() + pause * std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  if (failures_ == kFailuresToOpen) metrics_.CacheReachable(use_, false);
}

void Client::Forget(const Address& address) {
  nodes_.erase(address);
  if (config_.topology == Config::Topology::kCluster) {
    slots_.clear();
  } else {
    master_ = {};
  }
}

absl::StatusOr<Connection*> Client::NodeAt(const Address& address) {
  auto& node = nodes_[address];
  if (node == nullptr) {
    auto opened = Connection::Open(address, config_);
    if (!opened.ok()) {
      Forget(address);
      return opened.status();
    }
    node = *std::move(opened);
  }
  return node.get();
}

absl::Status Client::FindMaster() {
  if (config_.topology == Config::Topology::kStandalone) {
    master_ = config_.addresses[0];
    return absl::OkStatus();
  }
  absl::Status last = absl::UnavailableError("no Sentinel was asked");
  Config sentinel = config_;
  sentinel.password.clear();  // those of the servers; Sentinels have none here
  sentinel.database = 0;
  for (const Address& address : config_.addresses) {
    auto connection = Connection::Open(address, sentinel);
    if (!connection.ok()) {
      last = connection.status();
      continue;
    }
    auto reply = (*connection)->Do({"SENTINEL", "get-master-addr-by-name", config_.master}, config_.connect_timeout);
    Address found;
    if (!reply.ok() || reply->size() != 2 || !absl::SimpleAtoi(base::AbslView((*reply)[1].text()), &found.port)) {
      last = reply.ok() ? absl::UnavailableError(absl::StrCat("the Sentinel at ", ToText(address),
                                                              " does not know the master ", config_.master))
                        : reply.status();
      continue;
    }
    found.host = std::string((*reply)[0].text());
    // A Sentinel may not know yet that the master is one no longer.
    auto node = NodeAt(found);
    auto role = node.ok() ? (*node)->Do({"ROLE"}, config_.connect_timeout) : absl::StatusOr<Reply>(node.status());
    if (role.ok() && role->size() > 0 && (*role)[0].text() == "master") {
      master_ = found;
      return absl::OkStatus();
    }
    nodes_.erase(found);
    last = role.ok() ? absl::UnavailableError(absl::StrCat(ToText(found), " is no master")) : role.status();
  }
  return last;
}

absl::Status Client::ReadSlots() {
  std::vector<Address> ask;
  for (const auto& [address, node] : nodes_) ask.push_back(address);
  ask.insert(ask.end(), config_.addresses.begin(), config_.addresses.end());
  absl::Status last = absl::UnavailableError("no node of the Cluster was asked");
  for (const Address& address : ask) {
    auto node = NodeAt(address);
    auto reply =
        node.ok() ? (*node)->Do({"CLUSTER", "SLOTS"}, config_.command_timeout) : absl::StatusOr<Reply>(node.status());
    if (!reply.ok() || reply->IsError() || reply->size() == 0) {
      last =
          !reply.ok()
              ? reply.status()
              : absl::UnavailableError(absl::StrCat(ToText(address), " tells no slots: ", std::string(reply->text())));
      nodes_.erase(address);
      continue;
    }
    std::vector<Address> slots(kSlots);
    for (std::size_t i = 0; i < reply->size(); ++i) {
      const ReplyView range = (*reply)[i];
      if (range.size() < 3 || range[2].size() < 2) continue;
      Address owner{std::string(range[2][0].text()), static_cast<int>(range[2][1].integer())};
      if (owner.host.empty()) owner.host = address.host;
      for (std::int64_t slot = range[0].integer(); slot <= range[1].integer() && slot < kSlots; ++slot)
        slots[static_cast<std::size_t>(slot)] = owner;
    }
    slots_ = std::move(slots);
    return absl::OkStatus();
  }
  return last;
}

absl::StatusOr<Address> Client::AddressFor(std::string_view key) {
  if (config_.topology != Config::Topology::kCluster) {
    if (master_.host.empty()) {
      if (auto status = FindMaster(); !status.ok()) return status;
    }
    return master_;
  }
  if (slots_.empty()) {
    if (auto status = ReadSlots(); !status.ok()) return status;
  }
  const Address& owner = slots_[static_cast<std::size_t>(SlotOf(key))];
  if (owner.host.empty()) {
    slots_.clear();
    return absl::UnavailableError(absl::StrCat("no node of the Cluster has slot ", SlotOf(key), " now"));
  }
  return owner;
}

absl::Status Client::RunRound(const std::vector<Arguments>& commands, absl::Duration timeout, Round& round) {
  std::map<Address, std::vector<std::size_t>> by_node;
  for (const std::size_t i : round.open) {
    if (const auto asked = round.asked_at.find(i); asked != round.asked_at.end()) {
      by_node[asked->second].push_back(i);
      continue;
    }
    auto address = AddressFor(KeyOf(commands[i]));
    if (!address.ok()) return address.status();
    by_node[*address].push_back(i);
  }
  std::vector<std::size_t> open;
  for (const auto& [address, mine] : by_node) {
    auto node = NodeAt(address);
    if (!node.ok()) {
      round.failure = node.status();
      open.insert(open.end(), mine.begin(), mine.end());
      continue;
    }
    for (const std::size_t i : mine) {
      if (round.asked_at.contains(i)) (*node)->Append({"ASKING"});
      (*node)->Append(commands[i]);
    }
    for (std::size_t at = 0; at < mine.size(); ++at) {
      const std::size_t i = mine[at];
      const bool asking = round.asked_at.erase(i) > 0;
      auto reply = (*node)->Next(timeout);
      if (asking && reply.ok()) reply = (*node)->Next(timeout);  // the one before was ASKING's
      if (!reply.ok()) {
        round.failure = reply.status();
        open.insert(open.end(), mine.begin() + static_cast<std::ptrdiff_t>(at), mine.end());
        Forget(address);
        break;
      }
      const std::string_view text = reply->IsError() ? reply->text() : std::string_view();
      if (absl::StartsWith(base::AbslView(text), "ASK ") || absl::StartsWith(base::AbslView(text), "MOVED ") ||
          IsPassing(text)) {
        round.failure = absl::UnavailableError(absl::StrCat("Redis: ", std::string(text)));
        const auto target = TargetOf(text);
        if (text[0] == 'A' && target) {
          round.asked_at[i] = *target;
        } else if (text[0] == 'M' && target && !slots_.empty()) {
          slots_[static_cast<std::size_t>(SlotOf(KeyOf(commands[i])))] = *target;
        } else {
          master_ = {};
          slots_.clear();
        }
        open.push_back(i);
        continue;
      }
      round.replies[i].emplace(*std::move(reply));
    }
  }
  round.open = std::move(open);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Reply>> Client::Run(const std::vector<Arguments>& commands, absl::Duration timeout) {
  if (auto status = Allowed(); !status.ok()) return status;
  Round round;
  round.replies.resize(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) round.open.push_back(i);
  const absl::Time deadline = clock_.Now() + timeout * 2;
  for (int tries = 0; tries < kMaxRounds && !round.open.empty() && clock_.Now() < deadline; ++tries) {
    if (tries > 1) absl::SleepFor(kBetweenRounds * tries);
    if (auto status = RunRound(commands, timeout, round); !status.ok()) round.failure = status;
    // A single server that is gone stays gone for this call; elsewhere another may take its place.
    if (config_.topology == Config::Topology::kStandalone && tries >= 1) break;
  }
  if (!round.open.empty()) {
    Note(round.failure);
    return round.failure;
  }
  Note(absl::OkStatus());
  std::vector<Reply> replies;
  for (auto& reply : round.replies) replies.push_back(*std::move(reply));
  return replies;
}

absl::StatusOr<std::vector<Reply>> Client::Pipeline(const std::vector<Arguments>& commands) {
  return Run(commands, config_.command_timeout);
}

absl::StatusOr<Reply> Client::DoWithin(const Arguments& command, absl::Duration timeout) {
  auto replies = Run({command}, timeout);
  if (!replies.ok()) return replies.status();
  return std::move(replies->front());
}

absl::StatusOr<Reply> Client::Do(const Arguments& command) { return DoWithin(command, config_.command_timeout); }

absl::StatusOr<Reply> Client::Ask(const Arguments& command) {
  if (auto status = Allowed(); !status.ok()) return status;
  auto address = AddressFor("");
  if (!address.ok()) {
    Note(address.status());
    return address.status();
  }
  auto node = NodeAt(*address);
  auto reply = node.ok() ? (*node)->Do(command, config_.command_timeout) : absl::StatusOr<Reply>(node.status());
  if (!reply.ok()) Forget(*address);
  Note(reply.status());
  return reply;
}

}  // namespace warmline::cache::redis
