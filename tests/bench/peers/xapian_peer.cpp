// A document a helper, a term an interest with its level as frequency; the weight is exactly weight times level, with
// the bounds that Xapian prunes by.
#include <xapian.h>

#include "bench/peers/peer.h"

namespace warmline::bench {
namespace {

class LevelWeight final : public Xapian::Weight {
 public:
  LevelWeight() {
    need_stat(WDF);
    need_stat(WDF_MAX);
  }
  std::string name() const override { return "LevelWeight"; }
  LevelWeight* clone() const override { return new LevelWeight; }
  void init(double factor) override { factor_ = factor; }
  double get_sumpart(Xapian::termcount wdf, Xapian::termcount, Xapian::termcount) const override {
    return factor_ * wdf;
  }
  double get_maxpart() const override { return factor_ * get_wdf_upper_bound(); }
  double get_sumextra(Xapian::termcount, Xapian::termcount) const override { return 0; }
  double get_maxextra() const override { return 0; }

 private:
  double factor_ = 0;
};

class XapianPeer final : public Peer {
 public:
  std::string name() const override { return "xapian"; }
  Scoring scoring() const override { return Scoring::kWeighted; }

  bool Load(const PeerData& data, const std::string& directory) override {
    {
      Xapian::WritableDatabase database(directory + "/xapian", Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);
      for (const auto& helper : data.helpers) {
        Xapian::Document document;
        for (const PeerTerm& t : helper) document.add_term(TermOf(t.term), t.level);
        database.add_document(document);
      }
      database.commit();
    }
    database_ = Xapian::Database(directory + "/xapian");
    return true;
  }

  std::vector<std::pair<std::uint32_t, double>> Answer(const PeerQuery& query) override {
    std::vector<Xapian::Query> terms;
    for (const auto& [term, weight] : query)
      terms.emplace_back(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(TermOf(term)), static_cast<double>(weight));
    Xapian::Enquire enquire(database_);
    enquire.set_weighting_scheme(LevelWeight());
    enquire.set_query(Xapian::Query(Xapian::Query::OP_OR, terms.begin(), terms.end()));
    const Xapian::MSet found = enquire.get_mset(0, kPeerTopK);
    std::vector<std::pair<std::uint32_t, double>> best;
    for (auto i = found.begin(); i != found.end(); ++i) best.emplace_back(*i - 1, i.get_weight());
    return best;
  }

 private:
  static std::string TermOf(std::uint32_t term) { return "t" + std::to_string(term); }

  Xapian::Database database_;
};

}  // namespace

std::unique_ptr<Peer> MakeXapianPeer() { return std::make_unique<XapianPeer>(); }

}  // namespace warmline::bench
