// The client and the server of the Go SDK, for tests: `client sse|http URL VERSION`, or
// `server stdio`, `server sse|http|stateless PORT`.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 4 && args[0] == "client":
		return runClient(ctx, args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "server":
		return runServer(ctx, args[1], "")
	case len(args) == 3 && args[0] == "server":
		return runServer(ctx, args[1], args[2])
	}
	return fmt.Errorf("arguments: %v", args)
}
