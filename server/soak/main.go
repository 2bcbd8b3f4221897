package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/loadgen"
	"github.com/bellwire/bellwire/internal/safego"
)

const (
	subscribers  = 200
	publications = 20.0 // a second
	payloadBytes = 128

	// timesMax is how many times the p99 of an undisturbed server the disturbed one may take.
	timesMax = 3.0

	// growthMax bytes may come to the server's memory between the first half of the abuse and its end.
	growthMax = 64 << 20
)

func main() {
	binary := flag.String("binary", "bin/bellwire", "the server")
	duration := flag.Duration("duration", 10*time.Minute, "how long it is abused")
	window := flag.Duration("window", 20*time.Second, "how long each look takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *binary, *duration, *window); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// server is the process under abuse.
type server struct {
	command *exec.Cmd
	address string
}

func startServer(binary string) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{address: listener.Addr().String()}
	listener.Close()
	s.command = exec.Command(binary, "serve", "--dev", "--no-demo", "--listen", s.address)
	s.command.Stderr = os.Stderr
	s.command.Env = append(os.Environ(), "BELLWIRE_LIMITS_ADMISSION_PER_SECOND=10000", "BELLWIRE_LOG_LEVEL=error")
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if line, err := net.Dial("tcp", s.address); err == nil {
			line.Close()
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, errors.Join(errors.New("the server does not listen"), s.stop())
}

func (s *server) stop() error {
	_ = s.command.Process.Signal(os.Interrupt) // fails when it has ended
	return s.command.Wait()
}

// look is what honest clients and the server's process were like for a while.
type look struct {
	p50, p99         time.Duration
	lost, duplicates uint64
	ended            int
	cpu              float64 // share of a processor
	rss              uint64
}

func (s *server) look(ctx context.Context, window time.Duration) (look, error) {
	g, err := loadgen.New(loadgen.Options{Target: loadgen.Target{URL: "ws://" + s.address + "/ws", PID: s.command.Process.Pid}})
	if err != nil {
		return look{}, err
	}
	report, err := g.Traffic(ctx, loadgen.Traffic{
		Name: "fanout", Subscribers: subscribers, Channels: 1, Publishers: 1, InFlight: 16,
		Rate: publications, Payload: payloadBytes, Duration: window,
	})
	switch {
	case err != nil:
		return look{}, err
	case report.Delivery == nil || report.Server == nil:
		return look{}, errors.New("nothing was delivered")
	}
	micros := func(us float64) time.Duration { return time.Duration(us * float64(time.Microsecond)) }
	return look{
		p50: micros(report.Delivery.P50), p99: micros(report.Delivery.P99), lost: report.Lost + report.CutOff, duplicates: report.Duplicates,
		ended: len(report.Ended), cpu: report.Server.CPUSeconds / report.Seconds, rss: report.Server.RSSBytes,
	}, nil
}

func run(ctx context.Context, binary string, duration, window time.Duration) error {
	s, err := startServer(binary)
	if err != nil {
		return err
	}
	fmt.Println("| | p50 | p99 | lost | twice | CPU | memory |\n|---|---:|---:|---:|---:|---:|---:|")
	before, err := s.looks(ctx, "undisturbed", 3, window)
	if err != nil {
		return errors.Join(err, s.stop())
	}
	abuse, stop := context.WithCancel(ctx)
	var group safego.Group
	m := newMob(s.address, &group)
	m.start(abuse)
	during, err := s.looks(ctx, "abused", max(int(duration/window), 2), window)
	stop()
	if waitErr := group.Wait(ctx); err == nil {
		err = waitErr
	}
	if err != nil {
		return errors.Join(err, s.stop())
	}
	after, err := s.looks(ctx, "afterwards", 1, window)
	fmt.Println(m)
	verdict := errors.Join(err, judge(before, during, after), m.leftovers(s.command.Process.Pid))
	return errors.Join(verdict, s.stop())
}

// looks prints a row for each.
func (s *server) looks(ctx context.Context, name string, count int, window time.Duration) (all []look, err error) {
	for i := range count {
		l, err := s.look(ctx, window)
		if err != nil {
			return nil, err
		}
		fmt.Printf("| %s %d of %d | %v | %v | %d | %d | %.0f %% | %.1f MB |\n", name, i+1, count,
			l.p50.Round(10*time.Microsecond), l.p99.Round(10*time.Microsecond), l.lost, l.duplicates, 100*l.cpu, float64(l.rss)/1e6)
		all = append(all, l)
	}
	return all, nil
}

func medianP99(looks []look) time.Duration {
	all := make([]time.Duration, len(looks))
	for i, l := range looks {
		all[i] = l.p99
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// judge says what of the promise does not hold.
func judge(before, during, after []look) error {
	var broken []string
	for _, l := range slices.Concat(before, during, after) {
		if l.lost > 0 || l.duplicates > 0 || l.ended > 0 {
			broken = append(broken, fmt.Sprintf("honest clients lost %d, got %d twice, and were ended in %d ways", l.lost, l.duplicates, l.ended))
		}
	}
	quiet, loud := medianP99(before), medianP99(during)
	fmt.Printf("\np99 of honest clients: %v undisturbed, %v abused (%.1f times)\n", quiet, loud, float64(loud)/float64(quiet))
	if float64(loud) > timesMax*float64(quiet) {
		broken = append(broken, fmt.Sprintf("the p99 of honest clients is more than %.0f times what it was", timesMax))
	}
	if half, end := during[len(during)/2].rss, after[0].rss; end > half+growthMax {
		broken = append(broken, fmt.Sprintf("memory went on growing: %d bytes half way, %d at the end", half, end))
	}
	if len(broken) > 0 {
		return errors.New(strings.Join(broken, "; "))
	}
	return nil
}
