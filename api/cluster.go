package api

import (
	"context"
	"net/http"

	"github.com/conclave-voice/conclave/api/v1"
)

func (s *server) cluster() {
	register(s, endpoint{method: http.MethodGet, path: "/nodes", id: "list-nodes", tag: "Cluster",
		summary: "List the nodes", doc: "As the node that is asked knows them.", access: operator}, s.listNodes)
	register(s, endpoint{method: http.MethodPut, path: "/nodes/{node}/draining", id: "drain-node", tag: "Cluster",
		summary: "Take a node out of use, or into it again", access: operator, status: http.StatusNoContent,
		doc: "A node that drains refuses new calls with 503, gives its conferences to other nodes of its site, and goes on with the calls that it has. It does so over restarts, until it is told otherwise.", errors: []int{http.StatusNotFound}}, s.drainNode)
	register(s, endpoint{method: http.MethodGet, path: "/sites", id: "list-sites", tag: "Cluster",
		summary: "List the sites", doc: "With what the node that is asked thinks of each.", access: operator}, s.listSites)
	register(s, endpoint{method: http.MethodGet, path: "/sites/{site}", id: "get-site", tag: "Cluster",
		summary: "Show a site", doc: "Its nodes with their load, its Raft group, how far a drain is, and what each node of the other sites thinks of it, and why. All nodes are asked; who does not answer within two seconds is told of by gossip alone.", access: operator, errors: []int{http.StatusNotFound}}, s.getSite)
	register(s, endpoint{method: http.MethodPut, path: "/sites/{site}/draining", id: "drain-site", tag: "Cluster",
		summary: "Take a site out of use, or into it again", access: operator, status: http.StatusNoContent,
		doc: "All nodes of a site that drains refuse new calls with 503. Another site takes its rooms: each conference goes on there, as one, with all its callers. Calls that came in by the site go on. It stays so over restarts, until it is told otherwise.", errors: []int{http.StatusNotFound}}, s.drainSite)
	register(s, endpoint{method: http.MethodPut, path: "/sites/{site}/verdict", id: "force-site", tag: "Cluster",
		summary: "Say whether a site is to be used", access: operator, status: http.StatusNoContent,
		doc: "For all nodes of the site of the node that is asked, until it is auto again.", errors: []int{http.StatusNotFound}}, s.forceSite)
	register(s, endpoint{method: http.MethodPost, path: "/cluster/rotate-keys", id: "rotate-keys", tag: "Cluster",
		summary: "Give all nodes new keys", doc: "Of gossip, and of forwarded calls, while the cluster runs. Each node keeps them in its directory. If a step fails before all nodes have the new keys, the old ones stay in force; if one fails later, ask again to finish.", access: operator, errors: []int{http.StatusConflict}}, s.rotateKeys)
}

func (s *server) rotateKeys(ctx context.Context, in *struct{ Body v1.KeyRotation }) (*reply[v1.KeysRotated], error) {
	n, err := s.Cluster.RotateKeys(ctx, in.Body.Without)
	return &reply[v1.KeysRotated]{v1.KeysRotated{Nodes: n}}, err
}

func (s *server) listNodes(context.Context, *empty) (*reply[[]v1.Node], error) {
	return &reply[[]v1.Node]{s.Cluster.Nodes()}, nil
}

func (s *server) listSites(context.Context, *empty) (*reply[[]v1.Site], error) {
	return &reply[[]v1.Site]{s.Cluster.Sites()}, nil
}

func (s *server) getSite(ctx context.Context, in *struct {
	Site string `path:"site" maxLength:"63" doc:"Name"`
}) (*reply[v1.SiteDetail], error) {
	d, err := s.Cluster.Site(ctx, in.Site)
	return &reply[v1.SiteDetail]{d}, err
}

func (s *server) drainNode(ctx context.Context, in *struct {
	Node string `path:"node" maxLength:"63" doc:"Name"`
	Body v1.Draining
}) (*empty, error) {
	return nil, s.Cluster.Drain(ctx, in.Node, in.Body.Draining)
}

func (s *server) drainSite(ctx context.Context, in *struct {
	Site string `path:"site" maxLength:"63" doc:"Name"`
	Body v1.SiteDraining
}) (*empty, error) {
	return nil, s.Cluster.DrainSite(ctx, in.Site, in.Body)
}

func (s *server) forceSite(ctx context.Context, in *struct {
	Site string `path:"site" maxLength:"63" doc:"Name"`
	Body v1.Verdict
}) (*empty, error) {
	return nil, s.Cluster.Force(ctx, in.Site, in.Body.Mode)
}
