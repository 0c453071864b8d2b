// Command fakenode stands for the real program in the tests of package node: it
// takes the same flags, says when it is ready, counts, and goes wrong on request.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	flags := flag.NewFlagSet("dev", flag.ExitOnError)
	data := flags.String("data", "", "")
	address := flags.String("http", "", "")
	flags.String("sip", "", "")
	flags.String("rtp", "", "")
	fault := flags.Bool("fault", false, "")
	_ = flags.Parse(os.Args[2:])
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()

	// How often it was started is in its data directory.
	file, err := os.OpenFile(filepath.Join(*data, "starts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(file, "started")
	fmt.Println("started; log line")
	if *fault {
		fmt.Println("WARNING: DATA RACE (not really)")
	}

	var asked atomic.Int32
	http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		}
	})
	http.Handle("/metrics", promhttp.Handler())
	server := &http.Server{Addr: *address}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		panic(err)
	}
}
