package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const lineBytesMax = 16 << 20

// command is one line of the input; which fields matter depends on Do.
type command struct {
	ID       int            `json:"id"`
	Do       string         `json:"do"`
	Of       int            `json:"of"`
	Name     string         `json:"name"`
	Args     map[string]any `json:"args"`
	Progress bool           `json:"progress"`
	URI      string         `json:"uri"`
	Prompt   string         `json:"prompt"`
	Argument string         `json:"argument"`
	Value    string         `json:"value"`
}

// puppet is a client on strings: commands come in as JSON lines, and results go out so.
type puppet struct {
	session *mcp.ClientSession
	out     sync.Mutex
	mu      sync.Mutex
	cancels map[int]context.CancelFunc
}

func runClient(ctx context.Context, kind, url, version string) error {
	p := &puppet{cancels: map[int]context.CancelFunc{}}
	client := mcp.NewClient(&mcp.Implementation{Name: "person-go", Version: "1.0.0"}, p.options())
	client.AddRoots(&mcp.Root{URI: "file:///home/ann", Name: "ann"})
	var transport mcp.Transport = &mcp.StreamableClientTransport{Endpoint: url}
	if kind == "sse" {
		transport = &mcp.SSEClientTransport{Endpoint: url}
	}
	session, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		return err
	}
	p.session = session
	hello := session.InitializeResult()
	server := ""
	if hello.ServerInfo != nil {
		server = hello.ServerInfo.Name
	}
	p.say(map[string]any{"server": server, "version": hello.ProtocolVersion})
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, lineBytesMax)
	for input.Scan() {
		var c command
		if err := json.Unmarshal(input.Bytes(), &c); err != nil {
			return err
		}
		switch c.Do {
		case "close":
			return session.Close()
		case "cancel":
			p.mu.Lock()
			p.cancels[c.Of]()
			p.mu.Unlock()
		default:
			callCtx, cancel := context.WithCancel(ctx)
			p.mu.Lock()
			p.cancels[c.ID] = cancel
			p.mu.Unlock()
			go p.obey(callCtx, c)
		}
	}
	return session.Close()
}

func (p *puppet) options() *mcp.ClientOptions {
	return &mcp.ClientOptions{
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ann"}}, nil
		},
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			content := &mcp.TextContent{Text: "Polly"}
			return &mcp.CreateMessageResult{Role: "assistant", Model: "parrot", Content: content}, nil
		},
		LoggingMessageHandler: func(_ context.Context, r *mcp.LoggingMessageRequest) {
			p.say(map[string]any{"told": "log", "data": r.Params.Data})
		},
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			// The SDK routes no progress to calls; each call's token is the id of its command.
			p.say(map[string]any{"id": r.Params.ProgressToken, "progress": r.Params.Progress})
		},
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) {
			p.say(map[string]any{"told": "change", "what": "notifications/resources/updated " + r.Params.URI})
		},
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) {
			p.say(map[string]any{"told": "change", "what": "notifications/tools/list_changed"})
		},
	}
}

func (p *puppet) obey(ctx context.Context, c command) {
	value, err := p.carryOut(ctx, c)
	if err != nil {
		p.say(map[string]any{"id": c.ID, "error": err.Error()})
		return
	}
	p.say(map[string]any{"id": c.ID, "value": value})
}

func (p *puppet) carryOut(ctx context.Context, c command) (any, error) {
	s := p.session
	switch c.Do {
	case "call":
		return p.call(ctx, c)
	case "tools":
		names := []string{}
		for tool, err := range s.Tools(ctx, nil) {
			if err != nil {
				return nil, err
			}
			names = append(names, tool.Name)
		}
		return names, nil
	case "counts":
		return p.counts(ctx)
	case "read":
		result, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: c.URI})
		if err != nil {
			return nil, err
		}
		return result.Contents[0].Text, nil
	case "prompt":
		args := map[string]string{}
		for name, value := range c.Args {
			args[name] = fmt.Sprint(value)
		}
		result, err := s.GetPrompt(ctx, &mcp.GetPromptParams{Name: c.Name, Arguments: args})
		if err != nil {
			return nil, err
		}
		return text(result.Messages[0].Content), nil
	case "complete":
		result, err := s.Complete(ctx, &mcp.CompleteParams{
			Ref:      &mcp.CompleteReference{Type: "ref/prompt", Name: c.Prompt},
			Argument: mcp.CompleteParamsArgument{Name: c.Argument, Value: c.Value},
		})
		if err != nil {
			return nil, err
		}
		return result.Completion.Values, nil
	case "hearLogs":
		if p.isStateless() {
			return nil, nil
		}
		return nil, s.SetLoggingLevel(ctx, &mcp.SetLoggingLevelParams{Level: "debug"})
	case "watch":
		return nil, s.Subscribe(ctx, &mcp.SubscribeParams{URI: c.URI})
	}
	return nil, fmt.Errorf("nobody can %q", c.Do)
}

func (p *puppet) call(ctx context.Context, c command) (string, error) {
	params := &mcp.CallToolParams{Name: c.Name, Arguments: c.Args}
	if p.isStateless() {
		params.Meta = mcp.Meta{mcp.MetaKeyLogLevel: "debug"}
	}
	if c.Progress {
		params.SetProgressToken(c.ID)
	}
	result, err := p.session.CallTool(ctx, params)
	if err != nil {
		return "", err
	}
	words := ""
	if len(result.Content) > 0 {
		words = text(result.Content[0])
	}
	if result.IsError {
		return "", fmt.Errorf("failed: %s", words)
	}
	return words, nil
}

func (p *puppet) counts(ctx context.Context) ([]int, error) {
	resources, err := p.session.ListResources(ctx, nil)
	if err != nil {
		return nil, err
	}
	templates, err := p.session.ListResourceTemplates(ctx, nil)
	if err != nil {
		return nil, err
	}
	prompts, err := p.session.ListPrompts(ctx, nil)
	if err != nil {
		return nil, err
	}
	return []int{len(resources.Resources), len(templates.ResourceTemplates), len(prompts.Prompts)}, nil
}

func (p *puppet) isStateless() bool {
	return strings.HasPrefix(p.session.InitializeResult().ProtocolVersion, "2026")
}

func text(content mcp.Content) string {
	if t, ok := content.(*mcp.TextContent); ok {
		return t.Text
	}
	return ""
}

func (p *puppet) say(message map[string]any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	p.out.Lock()
	defer p.out.Unlock()
	fmt.Println(string(line))
}
