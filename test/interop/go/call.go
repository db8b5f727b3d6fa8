package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"grpc-doctor.io/test/interop/go/orderpb"
)

// caller sends unary calls at a rate, each with a deadline, and may hold streams open.
type caller struct {
	// clients have a connection each; calls go over the first, streams are held on all.
	clients []orderpb.OrderServiceClient
	// rate is calls a second, as the bits of a float64; 0 = none.
	rate     atomic.Uint64
	deadline atomic.Int64
	// patience cancels each call after this, though its deadline is later; 0 = never.
	patience atomic.Int64
	mutex    sync.Mutex
	results  map[string]int
	release  context.CancelFunc
}

func call(arguments []string) {
	flags := flag.NewFlagSet("call", flag.ExitOnError)
	target := flags.String("target", "", "gRPC target")
	rate := flags.Float64("rate", 20, "calls a second")
	connections := flags.Int("connections", 1, "how many connections hold streams")
	deadline := flags.Duration("deadline", time.Second, "deadline of each call")
	_ = flags.Parse(arguments)

	c := &caller{results: map[string]int{}}
	for range *connections {
		c.clients = append(c.clients, orderpb.NewOrderServiceClient(dial(*target)))
	}
	c.rate.Store(math.Float64bits(*rate))
	c.deadline.Store(int64(*deadline))
	go c.run()
	say(answer{"calling": *target})
	obey(c.command)
}

func dial(target string, options ...grpc.DialOption) *grpc.ClientConn {
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	connection, err := grpc.NewClient(target, options...)
	if err != nil {
		fail(err.Error())
	}
	return connection
}

// upstreamManner is how a server calls its upstream.
type upstreamManner struct {
	// policy balances the calls; empty = the default one.
	policy string
	// lookaside is where a target of scheme xds goes, which stands for a control plane.
	lookaside string
	retries   bool
	// leaks are channels a second that are made for one call each, and closed; 0 = one is kept.
	leaks int
}

const retryPolicy = `,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.01s",` +
	`"maxBackoff":"0.05s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]`

func (m upstreamManner) options() []grpc.DialOption {
	policy, retries := m.policy, ""
	if policy == "" {
		policy = "pick_first"
	}
	if m.retries {
		retries = retryPolicy
	}
	config := fmt.Sprintf(`{"loadBalancingConfig":[{%q:{}}]%s}`, policy, retries)
	options := []grpc.DialOption{grpc.WithDefaultServiceConfig(config)}
	if m.lookaside != "" {
		builder := manual.NewBuilderWithScheme("xds")
		builder.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: m.lookaside}}})
		options = append(options, grpc.WithResolvers(builder))
	}
	return options
}

// callUpstream makes the server a client too: two calls a second over one channel, results ignored.
func callUpstream(target string, manner upstreamManner) {
	if manner.leaks > 0 {
		go leakChannels(target, manner)
		return
	}
	client := orderpb.NewOrderServiceClient(dial(target, manner.options()...))
	go func() {
		for range time.Tick(500 * time.Millisecond) {
			getOrder(client)
		}
	}()
}

func leakChannels(target string, manner upstreamManner) {
	for range time.Tick(time.Second / time.Duration(manner.leaks)) {
		connection := dial(target, manner.options()...)
		getOrder(orderpb.NewOrderServiceClient(connection))
		_ = connection.Close()
	}
}

func getOrder(client orderpb.OrderServiceClient) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = client.GetOrder(ctx, &orderpb.GetOrderRequest{Id: "order-1"})
}

func (c *caller) run() {
	for {
		rate := math.Float64frombits(c.rate.Load())
		if rate == 0 {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		time.Sleep(time.Duration(float64(time.Second) / rate))
		go c.once()
	}
}

func (c *caller) once() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.deadline.Load()))
	defer cancel()
	if patience := time.Duration(c.patience.Load()); patience > 0 {
		time.AfterFunc(patience, cancel)
	}
	_, err := c.clients[0].GetOrder(ctx, &orderpb.GetOrderRequest{Id: "order-1"})
	c.mutex.Lock()
	c.results[status.Code(err).String()]++
	c.mutex.Unlock()
}

func (c *caller) command(verb string, words []string) (answer, error) {
	switch verb {
	case "rate":
		rate, err := strconv.ParseFloat(words[0], 64)
		c.rate.Store(math.Float64bits(rate))
		return nil, err
	case "deadline":
		deadline, err := time.ParseDuration(words[0])
		c.deadline.Store(int64(deadline))
		return nil, err
	case "patience":
		patience, err := time.ParseDuration(words[0])
		c.patience.Store(int64(patience))
		return nil, err
	case "hold":
		count, err := strconv.Atoi(words[0])
		if err != nil {
			return nil, err
		}
		return nil, c.hold(count)
	case "renew":
		count, err := strconv.Atoi(words[0])
		if err != nil {
			return nil, err
		}
		age, err := time.ParseDuration(words[1])
		if err != nil {
			return nil, err
		}
		c.renew(count, age, len(words) > 2 && words[2] == "idle")
		return nil, nil
	case "stats":
		c.mutex.Lock()
		defer c.mutex.Unlock()
		return answer{"results": c.results}, nil
	}
	return nil, fmt.Errorf("unknown command %s", verb)
}

// hold ends the streams that are held, and opens as many anew on each connection; 0 = none.
func (c *caller) hold(count int) error {
	if c.release != nil {
		c.release()
		c.release = nil
	}
	if count == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.release = cancel
	for _, client := range c.clients {
		for range count {
			// A stream beyond the limit waits for a place: it must not keep the others from opening.
			go watch(ctx, client)
		}
	}
	return nil
}

func watch(ctx context.Context, client orderpb.OrderServiceClient) {
	stream, err := client.SearchOrders(ctx, &orderpb.SearchOrdersRequest{Item: "everything"})
	for err == nil {
		_, err = stream.Recv()
	}
}

// renew keeps as many streams open on each connection, for good: each is ended at an age and opened
// anew, as clients do whose watches have a timeout. The server sends nothing on idle ones.
func (c *caller) renew(count int, age time.Duration, idle bool) {
	for number, client := range c.clients {
		for index := range count {
			// They do not begin all at once.
			late := age * time.Duration(number*count+index) / time.Duration(len(c.clients)*count)
			go func() {
				time.Sleep(late)
				for {
					ctx, cancel := context.WithTimeout(context.Background(), age)
					if idle {
						idleUntil(ctx, client)
					} else {
						watch(ctx, client)
					}
					cancel()
				}
			}()
		}
	}
}

func idleUntil(ctx context.Context, client orderpb.OrderServiceClient) {
	stream, err := client.ProcessOrders(ctx)
	if err == nil {
		_, _ = stream.Recv()
	}
}
