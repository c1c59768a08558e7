// A real FerretDB (the MongoDB protocol over SQLite) in one process:
// `ferretdb <port> <data directory> [<certificate> <key>]`, with a certificate by TLS alone.
//
// The program that FerretDB ships panics when it is installed by `go install`; its library works.
// Listens on loopback only; ends on SIGTERM.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listener := ferretdb.ListenerConfig{TCP: "127.0.0.1:" + os.Args[1]}
	if len(os.Args) > 4 {
		listener = ferretdb.ListenerConfig{TLS: listener.TCP, TLSCertFile: os.Args[3], TLSKeyFile: os.Args[4]}
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  listener,
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Handler:   "sqlite",
		SQLiteURL: "file:" + os.Args[2] + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
