package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/conclave-voice/conclave/callflow"
)

// stayGrades collects how good the media of ended stays was.
type stayGrades struct {
	grades func() map[callflow.Grade]callflow.Grades
}

var gradesDesc = prometheus.NewDesc("conclave_stay_mos",
	"Mean opinion score (E-model) of the stays that this node took the calls of, in what is heard of the caller (inbound) and by it (outbound).", []string{"codec", "direction"}, nil)

func (stayGrades) Describe(ch chan<- *prometheus.Desc) { ch <- gradesDesc }

func (c stayGrades) Collect(ch chan<- prometheus.Metric) {
	for grade, g := range c.grades() {
		direction := "inbound"
		if grade.Outbound {
			direction = "outbound"
		}
		ch <- prometheus.MustNewConstHistogram(gradesDesc, g.Count, g.Sum, g.Below, grade.Codec, direction)
	}
}
