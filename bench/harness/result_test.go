package harness

import (
	"bufio"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func observed(cell, contender string, round int, value float64) Observation {
	return Observation{Cell: cell, Contender: contender, Round: round, Values: Values{"cpu_ns": value}}
}

func TestRatioIsTheMedianOfThoseOfTheSameRound(t *testing.T) {
	r := &Results{Observations: []Observation{
		observed("a", Floor, 0, 10), observed("a", Floor, 1, 100), observed("a", Floor, 2, 20),
		observed("a", "x", 0, 20), observed("a", "x", 1, 110), observed("a", "x", 2, 30),
		observed("a", "y", 3, 30), // no floor in that round
	}}
	if f := r.ratio("a", "x", "cpu_ns", "a", Floor); f.Median != 1.5 || f.Rounds != 3 {
		t.Errorf("got %+v", f)
	}
	if f := r.ratio("a", "y", "cpu_ns", "a", Floor); f.Rounds != 0 {
		t.Errorf("without a floor: got %+v", f)
	}
}

func TestFigureOfAnEvenNumberIsTheMiddle(t *testing.T) {
	if f := figure([]float64{4, 1, 2, 3}); f.Median != 2.5 {
		t.Errorf("got %+v", f)
	}
}

func TestSlopeIsThatOfTheLine(t *testing.T) {
	if got := slope([]float64{2000, 4000, 8000}, []float64{5100, 9100, 17100}); math.Abs(got-2) > 1e-9 {
		t.Errorf("got %g", got)
	}
}

func TestTargetIsMetWhenItsWorstCellMeetsIt(t *testing.T) {
	goal := target{limit: 1.1, contender: "x", cells: regexp.MustCompile(`^e/\d$`), value: "cpu_ns"}
	for _, test := range []struct {
		first, second float64
		want          string
	}{{10.5, 11, "**met**"}, {10.5, 12, "in part"}, {11.5, 12, "not met"}} {
		r := &Results{Observations: []Observation{
			observed("e/1", Floor, 0, 10), observed("e/1", "x", 0, test.first), observed("e/2", Floor, 0, 10), observed("e/2", "x", 0, test.second),
		}}
		if got := goal.verdict(goal.reached(r, "x")); got != test.want {
			t.Errorf("%g and %g of 10: %s, want %s", test.first, test.second, got, test.want)
		}
	}
	if got := goal.verdict(goal.reached(new(Results), "x")); got != "not measured" {
		t.Errorf("nothing: %s", got)
	}
}

func TestNumberHasDigitsThatMeanSomething(t *testing.T) {
	for x, want := range map[float64]string{1234.5: "1234", 12.34: "12.3", 1.234: "1.23", 0.0712: "0.071", -3.5: "-3.50"} {
		if got := number(x); got != want {
			t.Errorf("%g: %s, want %s", x, got, want)
		}
	}
}

// A report of nothing, of a failure, and of every cell of the plan with the same value can be written.
func TestReportIsWrittenOfWhateverWasFound(t *testing.T) {
	full := new(Results)
	for _, f := range NewPlan(Full, Engines(), Servers()).families {
		for _, c := range f.cells {
			for _, contender := range f.contenders {
				full.Observations = append(full.Observations, observed(c.name, contender.Name, 0, 1000))
			}
		}
	}
	failed := &Results{Observations: []Observation{{Cell: "server/fan/1000:128", Contender: "nats", Error: "it | failed"}}}
	for name, r := range map[string]*Results{"nothing": {}, "failure": failed, "everything": full} {
		if err := (&Report{Results: r, Dir: t.TempDir()}).Write(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeepLeavesCellsThatMatch(t *testing.T) {
	plan := NewPlan(Smoke, Engines(), Servers())
	plan.Half("server")
	plan.Keep(regexp.MustCompile("flat"))
	for _, f := range plan.families {
		for _, c := range f.cells {
			if !regexp.MustCompile("^server/.*flat").MatchString(c.name) {
				t.Errorf("%s was left", c.name)
			}
		}
	}
	if len(plan.families) != 2 {
		t.Errorf("%d families, want server/fan and server/free", len(plan.families))
	}
}

func TestCostIsAtMostWhatThePlanMayTake(t *testing.T) {
	for name, test := range map[string]struct {
		size   Size
		rounds time.Duration
		most   time.Duration
	}{"full": {Full, 5, 35 * time.Minute}, "quick": {Quick, 3, 270 * time.Second}, "smoke": {Smoke, 2, 30 * time.Second}} {
		var all time.Duration
		for _, f := range NewPlan(test.size, Engines(), Servers()).families {
			t.Logf("%s %s: %v", name, f.name, f.cost()*test.rounds)
			all += f.cost() * test.rounds
		}
		if all > test.most {
			t.Errorf("%s: %v, want at most %v", name, all, test.most)
		}
	}
}

func TestStreamsAreMeasuredWhereTheirSubscribersMatter(t *testing.T) {
	for _, f := range NewPlan(Full, Engines(), Servers()).families {
		want := f.name == "server/lines" || f.name == "server/fan"
		if got := slices.ContainsFunc(f.contenders, Contender.streams); got != want {
			t.Errorf("%s: streams take part: %t, want %t", f.name, got, want)
		}
	}
}

func TestEarlierBuildIsSpokenToAsItsContender(t *testing.T) {
	chosen := Select(Servers(), []string{"bellwire@/before", "bellwire-sse@/before"})
	want := map[string]*script{Floor: &broadcastScript, "bellwire@/before": &bellwireScript, "bellwire-sse@/before": &bellwireStreams}
	for _, c := range chosen {
		if c.script != want[c.Name] {
			t.Errorf("%s has another script", c.Name)
		}
	}
	if len(chosen) != len(want) {
		t.Errorf("%d were chosen, want %d", len(chosen), len(want))
	}
}

// What the load makes of a stream's head is a request with the channel in it.
func TestStreamIsRequested(t *testing.T) {
	for _, test := range []struct {
		script            *script
		path, field, want string
	}{
		{&bellwireStreams, "/sse", "channels", "bench:7"},
		{&centrifugeStreams, "/connection/sse", "cf_connect", `{"id":1,"connect":{"subs":{"bench:7":{}}}}`},
	} {
		head := strings.NewReplacer("%u", "7", "%%", "%").Replace(test.script.stream)
		request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			t.Errorf("%s: %v", test.path, err)
			continue
		}
		if got := request.URL.Query().Get(test.field); request.URL.Path != test.path || got != test.want {
			t.Errorf("%s is asked for %s", request.URL.Path, got)
		}
	}
}

func TestWhatIsSavedIsLoadedAgain(t *testing.T) {
	path := t.TempDir() + "/results.json"
	for _, want := range []*Results{{}, {Rounds: 2, Note: "n", Observations: []Observation{observed("a", "x", 1, 2.5), {Cell: "b", Contender: "y", Error: "e"}}}} {
		if err := want.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.Rounds != want.Rounds || got.Note != want.Note || len(got.Observations) != len(want.Observations) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for i, o := range got.Observations {
			if !reflect.DeepEqual(o, want.Observations[i]) {
				t.Errorf("got %+v, want %+v", o, want.Observations[i])
			}
		}
	}
}
