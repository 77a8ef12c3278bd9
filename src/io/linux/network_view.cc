#include "io/linux/network_view.h"

#include <algorithm>
#include <utility>

namespace ferrule::io {

namespace {

// The kernel's routes follow a link that loses its carrier, or its width, without a word of their own.
NetworkView::News news_of(const NetworkChanges& changes) {
  const bool links = !std::ranges::all_of(changes.links, &LinkChange::is_foreign);
  return {.link = changes.everything || !changes.links.empty(),
          .network = changes.everything || changes.addresses || changes.routes || links};
}

}  // namespace

Result<LinuxNetworkView> LinuxNetworkView::open(const TunInterface& tun) {
  Result<InterfaceMonitor> news = InterfaceMonitor::open();
  if (!news) return std::unexpected(news.error());
  Result<InterfaceMonitor> far_news = InterfaceMonitor::open_everywhere();
  Result<KernelQuery> kernel = KernelQuery::open();
  if (!kernel) return std::unexpected(kernel.error());
  LinuxNetworkView view(tun, std::move(*news), std::move(*kernel));
  if (far_news) view.far_news_ = std::move(*far_news);
  return view;
}

std::vector<Waitable> LinuxNetworkView::waitables() const {
  std::vector<Waitable> all = {Waitable(news_.poll_fd())};
  if (far_news_) all.emplace_back(far_news_->poll_fd());
  return all;
}

NetworkView::News LinuxNetworkView::take_news() {
  const NetworkChanges near = news_.drain();
  News news = news_of(near);
  // Perhaps ours, into another network namespace: listen there before asking how it is (P75c).
  if (std::ranges::any_of(near.links, &LinkChange::deleted)) listen_anew();
  if (!far_news_) return news;
  const NetworkChanges far = far_news_->drain();
  if (std::ranges::any_of(far.links, &LinkChange::deleted)) listen_anew();
  const News more = news_of(far);
  news.link = news.link || more.link;
  news.network = news.network || more.network;
  return news;
}

void LinuxNetworkView::listen_anew() {
  if (far_news_) (void)far_news_->listen();
}

}  // namespace ferrule::io
