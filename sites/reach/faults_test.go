package reach

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// These prove MS3 (speed, return, no false alarm) and MS12 (one-way and partial cuts).

const (
	cut  = time.Minute
	heal = 2 * time.Minute
)

func TestACutIsSeenAndItsEndIsTrustedLater(t *testing.T) {
	faults := map[string]func(time.Duration, string, bool) bool{
		"both ways": between(cut, heal),
		"forth only": func(at time.Duration, _ string, forth bool) bool {
			return forth && at >= cut && at < heal
		},
		"back only": func(at time.Duration, _ string, forth bool) bool {
			return !forth && at >= cut && at < heal
		},
	}
	for name, lost := range faults {
		for _, nodes := range [][]string{{"b1", "b2"}, {"b1", "b2", "b3"}} {
			t.Run(fmt.Sprintf("%s, %d nodes", name, len(nodes)), func(t *testing.T) {
				s := simulate(t, nodes...)
				s.lost = lost
				s.run(3 * time.Minute)
				s.wantVerdicts(Up, Suspect, Down, Returning, Up)
				s.wantChange(Down, cut, 2*time.Second, 3*time.Second)
				s.wantChange(Up, heal, 15*time.Second, 16*time.Second)
			})
		}
	}
}

func TestOneNodeThatAnswersKeepsItsSiteUp(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.lost = func(at time.Duration, node string, _ bool) bool { return node == "b1" && at >= cut }
	s.run(10 * time.Minute)
	s.wantVerdicts(Up)
}

func TestTheOnlyNodeOfASite(t *testing.T) {
	for _, test := range []struct {
		name        string
		others      func(time.Duration) bool
		gossip      *Gossip
		least, most time.Duration
	}{
		{"nobody else knows", nil, nil, 4 * time.Second, 5 * time.Second},
		{"another site fails too", func(time.Duration) bool { return false }, nil, 2 * time.Second, 3 * time.Second},
		{"another site reaches it", func(time.Duration) bool { return true }, nil, 4 * time.Second, 5 * time.Second},
		{"gossip lost it", nil, &Gossip{"B", 0, 1}, 2 * time.Second, 3 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := simulate(t, "b1")
			s.others = test.others
			s.lost = between(cut, time.Hour)
			s.run(cut)
			if test.gossip != nil {
				s.step(*test.gossip)
			}
			s.run(heal)
			s.wantChange(Down, cut, test.least, test.most)
		})
	}
}

func TestGossipAloneDecidesNothing(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.run(cut)
	s.step(Gossip{"B", 0, 2})
	s.step(Testimony{"B", "C", false})
	s.run(heal)
	s.wantVerdicts(Up)
}

func TestABridgeExplainsThatThePathIsCut(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.lost = between(cut, time.Hour)
	s.others = func(time.Duration) bool { return true }
	s.run(heal)
	s.wantVerdicts(Up, Suspect, Down)
	st, _ := s.machine.Status(s.now, "B")
	if !strings.Contains(st.Why, "C can reach it: the path from here is cut") {
		t.Errorf("why: %s", st.Why)
	}
	if s.asked < 10 {
		t.Errorf("others were asked %d times in a minute", s.asked)
	}
}

// A node that was dead before says nothing of its site's end.
func TestTheLastOfTwoNodes(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.lost = func(at time.Duration, node string, _ bool) bool { return at >= cut || at >= cut/2 && node == "b2" }
	s.run(heal)
	s.wantVerdicts(Up, Suspect, Down)
	s.wantChange(Down, cut, 4*time.Second, 5*time.Second)
}

// A node whose two probed neighbours die finds the living ones of a larger site.
func TestFurtherNodesAreFoundBeforeTheVerdict(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.step(Watching{"B", s.nodes, 5})
	s.lost = func(at time.Duration, node string, _ bool) bool { return at >= cut && node != "b5" }
	s.run(cut + 1500*time.Millisecond)
	s.nodes = []string{"b1", "b2", "b3", "b4", "b5"}
	s.step(Watching{"B", s.nodes, 5})
	s.run(heal)
	for _, v := range s.verdicts() {
		if v == Down {
			t.Errorf("Down although b5 answers\n%s", s.log())
		}
	}
}

// Flapping at 0.2 to 2 times the detection time: the site is lost once, and trusted
// again only when it holds still, or else ever more rarely.
func TestAFlappingSiteIsNotTrusted(t *testing.T) {
	const detection = 2750 * time.Millisecond
	for _, factor := range []float64{0.2, 0.5, 1, 1.5, 2} {
		for _, upFactor := range []float64{0.2, 1, 2, 7} {
			t.Run(fmt.Sprintf("down %.1f up %.1f", factor, upFactor), func(t *testing.T) {
				down, up := scale(detection, factor), scale(detection, upFactor)
				const end = time.Hour
				s := simulate(t, "b1", "b2")
				s.lost = func(at time.Duration, _ string, _ bool) bool {
					return at > cut && at < end && (at-cut)%(down+up) < down
				}
				s.run(end + 5*time.Minute)
				returns := 0
				for _, c := range s.changes {
					if c.From == Returning && c.To == Up && c.at < end {
						returns++
					}
				}
				if returns > 5 { // holds of 15 s, 30 s, … end trust in what lasts 19 s
					t.Errorf("trusted %d times in an hour\n%s", returns, s.log())
				}
				if v := s.machine.Verdict("B"); v != Up {
					t.Errorf("%s five minutes after the last cut\n%s", v, s.log())
				}
			})
		}
	}
}

func TestTheHoldGrowsWithEachFallAndIsForgotten(t *testing.T) {
	s := simulate(t, "b1", "b2")
	// Four falls, each soon after trust came back, then one after a long calm.
	starts := []time.Duration{1, 2, 3, 5, 9, 40}
	s.lost = func(at time.Duration, _ string, _ bool) bool {
		for _, m := range starts {
			if from := m * time.Minute; at >= from && at < from+5*time.Second {
				return true
			}
		}
		return false
	}
	s.run(time.Hour)
	for i, hold := range []time.Duration{15, 30, 60, 120, 240, 15} {
		healed := starts[i]*time.Minute + 5*time.Second
		s.wantChange(Up, healed, hold*time.Second, (hold+1)*time.Second)
	}
}

// MS3: no false alarm in 24 h of 5 % loss each way and 200 ms of delay each way, though
// no packet is repeated.
func TestNoFalseAlarmInADayOfABadLink(t *testing.T) {
	for _, nodes := range [][]string{{"b1"}, {"b1", "b2"}, {"b1", "b2", "b3"}, {"b1", "dead"}} {
		t.Run(strings.Join(nodes, " "), func(t *testing.T) {
			s := simulate(t, nodes...)
			s.delay = 200 * time.Millisecond
			s.lost = func(_ time.Duration, node string, _ bool) bool {
				return s.rng.Float64() < 0.05 || node == "dead"
			}
			s.run(24 * time.Hour)
			suspects := 0
			for _, v := range s.verdicts() {
				switch v {
				case Down, Returning:
					t.Fatalf("%s", s.log())
				case Suspect:
					suspects++
				}
			}
			t.Logf("suspected %d times", suspects)
		})
	}
}

// A node that stood still finds its probes timed out; that says nothing of the site.
func TestAPauseOfOurOwnIsNotASitesFailure(t *testing.T) {
	for _, pause := range []time.Duration{1500 * time.Millisecond, 5 * time.Second, time.Minute} {
		s := simulate(t, "b1", "b2")
		s.run(cut)
		for range 2 { // probes of two intervals were under way
			for _, node := range s.nodes {
				s.machine.Step(s.now.Add(pause), Probed{Site: "B", Node: node, Sent: s.now, Failure: "no answer"})
			}
		}
		s.now = s.now.Add(pause)
		s.run(s.at() + cut)
		s.wantVerdicts(Up)
	}
}

// But if every failure comes late, they count: a busy node must see a dead site too.
func TestLateFailuresCountInTheEnd(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.run(cut)
	from := s.now
	for i := range 8 {
		sent := from.Add(time.Duration(i) * interval)
		s.now = sent.Add(2 * time.Second)
		for _, node := range s.nodes {
			s.step(Probed{Site: "B", Node: node, Sent: sent, Failure: "no answer"})
		}
	}
	s.wantVerdicts(Up, Suspect, Down)
}

func TestTheOperatorHasTheLastWord(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.lost = between(cut, heal)
	s.run(30 * time.Second)
	s.step(Forced{"B", ForceUp})
	s.run(heal - interval)
	s.wantVerdicts(Up)
	s.step(Forced{"B", Auto})
	s.wantVerdicts(Up, Down) // the machine went on judging
	s.step(Forced{"B", ForceDown})
	s.run(5 * time.Minute)
	s.wantVerdicts(Up, Down)
	st, _ := s.machine.Status(s.now, "B")
	if want := "forced down by the operator; the probes alone say up"; !strings.Contains(st.Why, want) {
		t.Errorf("why %q, want %q", st.Why, want)
	}
	s.step(Forced{"B", Auto})
	s.wantVerdicts(Up, Down, Up)
}

func TestASiteWhoseNodesHaveLeftIsForgotten(t *testing.T) {
	s := simulate(t, "b1", "b2")
	s.run(cut)
	s.step(Watching{"B", nil, 0})
	s.wantVerdicts(Up, Unknown)
	if all := s.machine.All(s.now); len(all) != 0 {
		t.Errorf("still known: %+v", all)
	}
}

func TestAnOldFailureDoesNotUndoALaterAnswer(t *testing.T) {
	s := simulate(t, "b1")
	sent := s.now
	for i := range 4 {
		s.now = s.now.Add(time.Millisecond)
		s.step(Probed{Site: "B", Node: "b1", Sent: sent.Add(time.Duration(2*i+1) * time.Millisecond)})
		s.step(Probed{Site: "B", Node: "b1", Sent: sent.Add(time.Duration(2*i) * time.Millisecond), Failure: "late"})
	}
	if st, _ := s.machine.Status(s.now, "B"); st.Nodes[0].Failures != 0 {
		t.Errorf("%d failures counted", st.Nodes[0].Failures)
	}
}

func scale(d time.Duration, f float64) time.Duration { return time.Duration(float64(d) * f) }
