package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"

	"github.com/conclave-voice/conclave/testenv/load"
)

// ports are those of the node, on loopback.
type ports struct {
	sip, http uint16
	rtp       string
}

func defaultPorts() ports { return ports{sip: 25060, http: 28080, rtp: "30000-59999"} }

// ready checks the machine, pins the callers and has the node's program.
func (o *options) ready(ctx context.Context) (program string, clean func(), err error) {
	if o.nodeCPU >= 0 && o.callerCPU >= 0 && runtime.NumCPU() < 2 {
		return "", nil, errors.New("this machine has one processor: the node and the callers would disturb one another")
	}
	for _, dir := range []string{o.profiles, o.keep} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", nil, fmt.Errorf("make a directory for what is kept: %w", err)
		}
	}
	if program, clean, err = o.program(ctx); err != nil {
		return "", nil, err
	}
	if err := pin(o.callerCPU); err != nil {
		clean()
		return "", nil, err
	}
	return program, clean, nil
}

// start starts a fresh node with rooms for l, and completes l with what it takes to call
// it.
func (o *options) start(ctx context.Context, program string, l *load.Options) (*load.Target, []load.Room, error) {
	local := netip.MustParseAddr("127.0.0.1")
	target, err := load.StartTarget(ctx, load.TargetOptions{Program: program, CPU: o.nodeCPU, SIP: netip.AddrPortFrom(local, o.ports.sip),
		HTTP: netip.AddrPortFrom(local, o.ports.http), RTP: o.ports.rtp})
	if err != nil {
		return nil, nil, err
	}
	err = target.NeedCodecs(ctx, l.Codecs)
	var rooms []load.Room
	if err == nil {
		rooms, err = target.AddRooms(ctx, (l.Callers+l.RoomSize-1)/l.RoomSize)
	}
	if err != nil {
		target.Stop()
		return nil, nil, err
	}
	l.SIP, l.Local, l.Codes = target.SIP, local, load.Codes(rooms)
	l.Joined = func(ctx context.Context) (int, error) { f, err := target.Figures(ctx); return f.Participants, err }
	return target, rooms, nil
}
