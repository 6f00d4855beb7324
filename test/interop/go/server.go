package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const tide = "test://tide"

type none struct{}

type echoArgs struct {
	Text string `json:"text"`
}

type waitArgs struct {
	MS int `json:"ms"`
}

func runServer(ctx context.Context, kind, port string) error {
	if kind == "stdio" {
		return newHarbour(nil).Run(ctx, &mcp.StdioTransport{})
	}
	harbour := newHarbour(versionsOf(kind))
	get := func(*http.Request) *mcp.Server { return harbour }
	var handler http.Handler = mcp.NewStreamableHTTPHandler(get, &mcp.StreamableHTTPOptions{
		Stateless:                    kind == "stateless",
		EventStore:                   mcp.NewMemoryEventStore(nil),
		PropagateRequestCancellation: true,
	})
	if kind == "sse" {
		handler = mcp.NewSSEHandler(get, nil)
	}
	return http.ListenAndServe("127.0.0.1:"+port, handler)
}

// versionsOf keeps each kind to its own era, so that tests know which one they meet.
func versionsOf(kind string) []string {
	if kind == "stateless" {
		return []string{"2026-07-28"}
	}
	return []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}
}

func newHarbour(versions []string) *mcp.Server {
	subscribed := func(context.Context, *mcp.SubscribeRequest) error { return nil }
	unsubscribed := func(context.Context, *mcp.UnsubscribeRequest) error { return nil }
	server := mcp.NewServer(&mcp.Implementation{Name: "harbour-go", Version: "1.0.0"}, &mcp.ServerOptions{
		CompletionHandler:         complete,
		SubscribeHandler:          subscribed,
		UnsubscribeHandler:        unsubscribed,
		SupportedProtocolVersions: versions,
	})
	addPlainTools(server)
	addLongTools(server)
	addAskingTools(server)
	server.AddResource(&mcp.Resource{URI: tide, Name: "tide"}, read)
	argument := &mcp.PromptArgument{Name: "name", Required: true}
	server.AddPrompt(&mcp.Prompt{Name: "greet", Arguments: []*mcp.PromptArgument{argument}}, greet)
	return server
}

func addPlainTools(server *mcp.Server) {
	echo := func(_ context.Context, _ *mcp.CallToolRequest, args echoArgs) (*mcp.CallToolResult, any, error) {
		return said(args.Text), nil, nil
	}
	mcp.AddTool(server, &mcp.Tool{Name: "echo"}, echo)
	addTool(server, "fail", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, errors.New("It failed.")
	})
	addTool(server, "log", func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		err := r.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Data: "the harbour logs"})
		return said("logged"), err
	})
	addTool(server, "touch", func(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		// A tool that comes and goes is what this SDK tells clients of.
		addTool(server, "buoy", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return said("buoy"), nil
		})
		server.RemoveTools("buoy")
		return said("touched"), server.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: tide})
	})
}

func addLongTools(server *mcp.Server) {
	addTool(server, "count", func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for step := 1; step <= 3; step++ {
			report(ctx, r, float64(step))
			time.Sleep(30 * time.Millisecond)
		}
		return said("counted to 3"), nil
	})
	wait := func(ctx context.Context, r *mcp.CallToolRequest, args waitArgs) (*mcp.CallToolResult, any, error) {
		report(ctx, r, 1)
		select {
		case <-ctx.Done():
			return nil, nil, errors.Join(ctx.Err(), note("cancelled\n"))
		case <-time.After(time.Duration(args.MS) * time.Millisecond):
			return said("waited"), nil, nil
		}
	}
	mcp.AddTool(server, &mcp.Tool{Name: "wait"}, wait)
}

// note writes down what became of a call where the test looks for it.
func note(words string) error {
	log, err := os.OpenFile(os.Getenv("HARBOUR_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	_, err = log.WriteString(words)
	return err
}

// addAskingTools adds tools that end with a question; the SDK asks clients of older eras itself.
func addAskingTools(server *mcp.Server) {
	form := map[string]any{
		"type":       "object",
		"properties": map[string]any{"name": map[string]any{"type": "string"}},
		"required":   []string{"name"},
	}
	addAsking(server, "elicit", &mcp.ElicitParams{Message: "Who are you?", RequestedSchema: form},
		func(answer any) string { return "Hello, " + answer.(*mcp.ElicitResult).Content["name"].(string) + "!" })
	prompt := &mcp.SamplingMessage{Role: "user", Content: &mcp.TextContent{Text: "Name a parrot."}}
	addAsking(server, "sample", &mcp.CreateMessageParams{MaxTokens: 10, Messages: []*mcp.SamplingMessage{prompt}},
		func(answer any) string { return text(answer.(*mcp.CreateMessageWithToolsResult).Content[0]) })
	addAsking(server, "roots", &mcp.ListRootsParams{}, func(answer any) string {
		uris := []string{}
		for _, root := range answer.(*mcp.ListRootsResult).Roots {
			uris = append(uris, root.URI)
		}
		return strings.Join(uris, " ")
	})
}

func addAsking(server *mcp.Server, name string, question mcp.InputRequest, words func(answer any) string) {
	addTool(server, name, func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, ok := r.Params.InputResponses["question"]
		if !ok {
			return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"question": question}}, nil
		}
		return said(words(answer)), nil
	})
}

func addTool(server *mcp.Server, name string, run func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error)) {
	handler := func(ctx context.Context, r *mcp.CallToolRequest, _ none) (*mcp.CallToolResult, any, error) {
		result, err := run(ctx, r)
		return result, nil, err
	}
	mcp.AddTool(server, &mcp.Tool{Name: name}, handler)
}

func report(ctx context.Context, r *mcp.CallToolRequest, progress float64) {
	token := r.Params.GetProgressToken()
	if token == nil {
		return
	}
	_ = r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: progress})
}

func said(words string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: words}}}
}

func read(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: tide, Text: "high"}}}, nil
}

func greet(_ context.Context, r *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	content := &mcp.TextContent{Text: "Greet " + r.Params.Arguments["name"] + "."}
	return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: content}}}, nil
}

func complete(context.Context, *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{"Ann", "Anton"}, Total: 2}}, nil
}
