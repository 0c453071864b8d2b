package wan

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"
)

// inFlight is how many packets are under way in one direction at most. The next one is
// dropped, and counted as Overflow. It is two seconds of 8,000 packets a second.
const inFlight = 16384

// Site is one end of the WAN.
type Site struct {
	Name     string
	Networks []netip.Prefix // whose packets belong to it
	// Device takes and gives one IPv4 packet in each Write and Read. Run closes it.
	Device io.ReadWriteCloser
}

// Options say what a router joins.
type Options struct {
	Sites   []Site
	Classes []Class // the first that fits counts
	Seed    uint64
	MTU     int // of the devices, in octets; 0: 1500
	Log     hclog.Logger
}

// Link is one direction between two sites.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Reverse is the other direction.
func (l Link) Reverse() Link { return Link{l.To, l.From} }

// Router carries packets between sites.
type Router struct {
	log     hclog.Logger
	mtu     int
	classes []Class
	names   []string // of the classes, Other last
	ends    []*end

	mu         sync.Mutex
	paths      map[Link]*path
	number     uint64
	unroutable uint64
}

// end is one site as the router sees it.
type end struct {
	Site
	arriving deliveries
	wake     chan struct{} // one token: arriving has a new first
}

// path is one direction with its counters.
type path struct {
	*direction
	to       *end
	underWay int
	counters []Counter // by class
}

// New makes a router whose lines are all perfect.
func New(o Options) (*Router, error) {
	r := &Router{log: o.Log, mtu: o.MTU, classes: o.Classes, paths: map[Link]*path{}}
	if r.mtu == 0 {
		r.mtu = 1500
	}
	for _, c := range o.Classes {
		if c.Name == "" || c.Name == Other || slices.Contains(r.names, c.Name) {
			return nil, fmt.Errorf("class %q: give each class a name of its own, other than %q", c.Name, Other)
		}
		r.names = append(r.names, c.Name)
	}
	r.names = append(r.names, Other)
	for _, s := range o.Sites {
		if slices.ContainsFunc(r.ends, func(e *end) bool { return e.Name == s.Name }) {
			return nil, fmt.Errorf("site %q is there twice: give each site a name of its own", s.Name)
		}
		r.ends = append(r.ends, &end{Site: s, wake: make(chan struct{}, 1)})
	}
	for _, from := range r.ends {
		for _, to := range r.ends {
			if from != to {
				r.paths[Link{from.Name, to.Name}] = r.newPath(o.Seed, from, to)
			}
		}
	}
	return r, nil
}

func (r *Router) newPath(seed uint64, from, to *end) *path {
	p := &path{direction: newDirection(seed, from.Name, to.Name, r.names), to: to}
	for _, name := range r.names {
		p.counters = append(p.counters, Counter{Link: Link{from.Name, to.Name}, Class: name})
	}
	return p
}

// Run carries packets until ctx is done, and then closes the devices.
func (r *Router) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, e := range r.ends {
		group.Go(func() error { return r.read(ctx, e) })
		group.Go(func() error { return r.deliver(ctx, e) })
	}
	group.Go(func() error {
		<-ctx.Done()
		for _, e := range r.ends {
			e.Device.Close() // wakes its reader; there is nothing to save
		}
		return nil
	})
	return group.Wait()
}

// read takes what a site sends.
func (r *Router) read(ctx context.Context, e *end) error {
	buffer := make([]byte, r.mtu)
	for {
		n, err := e.Device.Read(buffer)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read packets of site %s: %w", e.Name, err)
		}
		r.route(e, buffer[:n], time.Now())
	}
}

// route decides about a packet, and puts it on its way.
func (r *Router) route(from *end, packet []byte, now time.Time) {
	h, err := readHeader(packet)
	r.mu.Lock()
	defer r.mu.Unlock()
	to := r.endOf(h.to)
	if err != nil || to == nil || to == from {
		r.unroutable++
		return
	}
	p, class := r.paths[Link{from.Name, to.Name}], r.classOf(h)
	f := p.decide(now, class, len(packet))
	if f.why == passes && p.underWay >= inFlight {
		f.why = overflow
	}
	p.counters[class].count(f, len(packet))
	if f.why != passes {
		return
	}
	copies := 1
	if f.twice {
		copies = 2
	}
	d := delivery{at: f.at, packet: slices.Clone(packet), from: p, class: class}
	for range copies {
		r.number++
		d.number = r.number
		p.underWay++
		heap.Push(&to.arriving, d)
	}
	if to.arriving[0].at.Equal(f.at) {
		select {
		case to.wake <- struct{}{}:
		default: // it has a token already
		}
	}
}

// endOf finds the site of an address. mu is held.
func (r *Router) endOf(a netip.Addr) *end {
	for _, e := range r.ends {
		for _, network := range e.Networks {
			if network.Contains(a) {
				return e
			}
		}
	}
	return nil
}

func (r *Router) classOf(h header) int {
	for i, c := range r.classes {
		if c.fits(h) {
			return i
		}
	}
	return len(r.classes)
}

// deliver gives a site its packets when their time has come.
func (r *Router) deliver(ctx context.Context, e *end) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		packet, wait := r.next(e, time.Now())
		if packet != nil {
			if err := r.write(ctx, e, packet); err != nil {
				return err
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-e.wake:
		}
	}
}

// next takes the next packet for a site that has arrived. What was cut while it was
// under way is lost too, so that nothing passes once Cut has returned.
func (r *Router) next(e *end, now time.Time) (packet []byte, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		d, wait, ok := e.arriving.due(now)
		if !ok {
			return nil, wait
		}
		d.from.underWay--
		if c := &d.from.counters[d.class]; d.from.isCut(d.class) {
			c.Cut++
		} else {
			c.Delivered++
			c.DeliveredOctets += uint64(len(d.packet))
			return d.packet, 0
		}
	}
}

func (r *Router) write(ctx context.Context, e *end, packet []byte) error {
	_, err := e.Device.Write(packet)
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case errors.Is(err, os.ErrClosed):
		return fmt.Errorf("give site %s a packet: %w", e.Name, err)
	default: // the kernel did not want this packet; a network would drop it as well
		r.log.Debug("a packet is refused", "site", e.Name, "octets", len(packet), "error", err)
		return nil
	}
}
