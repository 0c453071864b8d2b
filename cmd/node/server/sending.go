package server

import (
	"github.com/conclave-voice/conclave/media/engine"
	"github.com/conclave-voice/conclave/media/session"
	"github.com/conclave-voice/conclave/media/uring"
)

// Values of Config.SendBatching.
const (
	BatchAuto = "auto" // by io_uring, where this process may use it
	BatchOff  = "off"  // each packet by itself
)

// traffic has the audio of many callers leave by one system call, if the machine can do
// that, and tells which it is.
func (n *Node) traffic() []engine.Option {
	logger := n.logger.Named("media")
	if n.config.SendBatching == BatchOff {
		logger.Info("each packet is sent by itself", "reason", "--send-batching off")
		return nil
	}
	if err := uring.Probe(); err != nil {
		logger.Info("each packet is sent by itself", "reason", err)
		return nil
	}
	logger.Info("packets are sent in batches", "by", "io_uring")
	return []engine.Option{engine.WithTraffic(func() *session.Traffic {
		t, err := session.NewBatchedTraffic()
		if err != nil { // it could a moment ago
			logger.Warn("a worker sends each packet by itself", "reason", err)
			return session.NewTraffic()
		}
		return t
	})}
}
