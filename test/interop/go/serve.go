package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"grpc-doctor.io/test/interop/go/orderpb"
)

// orders is the sample service. Its handlers wait for delay before they answer.
type orders struct {
	orderpb.UnimplementedOrderServiceServer
	delay atomic.Int64
	// deaf handlers do not look at their context: they answer late.
	deaf atomic.Bool
	// fault is the code that calls end with; OK = none.
	fault atomic.Uint32
}

func (o *orders) wait(ctx context.Context) error {
	delay := time.Duration(o.delay.Load())
	if delay == 0 {
		return nil
	}
	if o.deaf.Load() {
		time.Sleep(delay)
		return nil
	}
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

func (o *orders) GetOrder(ctx context.Context, in *orderpb.GetOrderRequest) (*orderpb.Order, error) {
	if err := o.wait(ctx); err != nil {
		return nil, err
	}
	if fault := codes.Code(o.fault.Load()); fault != codes.OK {
		return nil, status.Error(fault, "told to fail")
	}
	if in.GetId() == "missing" {
		return nil, status.Error(codes.NotFound, "no such order")
	}
	return &orderpb.Order{Id: in.GetId(), Items: []string{"laptop"}, Price: 100, Destination: "Oslo"}, nil
}

func (o *orders) AddOrder(ctx context.Context, in *orderpb.Order) (*orderpb.AddOrderResponse, error) {
	if err := o.wait(ctx); err != nil {
		return nil, err
	}
	return &orderpb.AddOrderResponse{Id: in.GetId()}, nil
}

// SearchOrders answers once; a search for "everything" stays open until the caller ends it.
func (o *orders) SearchOrders(in *orderpb.SearchOrdersRequest, stream orderpb.OrderService_SearchOrdersServer) error {
	if err := stream.Send(&orderpb.Order{Id: "order-1", Items: []string{in.GetItem()}}); err != nil {
		return err
	}
	if in.GetItem() == "everything" {
		<-stream.Context().Done()
		return status.FromContextError(stream.Context().Err()).Err()
	}
	return nil
}

func (o *orders) UpdateOrders(stream orderpb.OrderService_UpdateOrdersServer) error {
	var updated int32
	for {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&orderpb.UpdateOrdersResponse{Updated: updated})
		}
		if err != nil {
			return err
		}
		updated++
	}
}

func (o *orders) ProcessOrders(stream orderpb.OrderService_ProcessOrdersServer) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&orderpb.CombinedShipment{Id: in.GetId(), Status: "READY"}); err != nil {
			return err
		}
	}
}

func serve(arguments []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	maxStreams := flags.Uint("max-streams", 0, "SETTINGS_MAX_CONCURRENT_STREAMS; 0 = not sent")
	maxAge := flags.Duration("max-age", 0, "maximum age of a connection; 0 = unlimited")
	maxHeaders := flags.Uint("max-header-list", 0, "SETTINGS_MAX_HEADER_LIST_SIZE; 0 = not sent")
	withHealth := flags.Bool("health", true, "serve grpc.health.v1")
	withChannelz := flags.Bool("channelz", true, "serve grpc.channelz.v1")
	withReflection := flags.Bool("reflection", true, "serve reflection")
	withMetrics := flags.Bool("metrics", false, "serve /metrics of go-grpc-middleware on a port of its own")
	certificate := flags.String("cert", "", "certificate chain, PEM; empty = plaintext")
	key := flags.String("key", "", "private key, PEM")
	clientCA := flags.String("client-ca", "", "bundle that client certificates are demanded from; empty = none is")
	asks := flags.Bool("asks", false, "ask for a client certificate, and take any or none")
	upstream := flags.String("calls", "", "gRPC target that is called twice a second")
	policy := flags.String("policy", "", "how calls to the upstream are balanced; empty = the default")
	retries := flags.Bool("retries", false, "try a call to the upstream that is UNAVAILABLE four times")
	leaks := flags.Int("channels", 0, "channels a second that are made for a call to the upstream, and closed")
	lookaside := flags.String("lookaside", "", "address that targets of scheme xds resolve to")
	counts := flags.Bool("count", false, "count what clients send, for the command counted")
	tcpKeepalive := flags.Bool("tcp-keepalive", true, "TCP keepalives; off for thousands of idle connections")
	_ = flags.Parse(arguments)

	configuration := net.ListenConfig{}
	if !*tcpKeepalive {
		configuration.KeepAlive = -1
	}
	bound, err := configuration.Listen(context.Background(), "tcp", *listen)
	if err != nil {
		fail(err.Error())
	}
	listener := newGate(bound)
	var options []grpc.ServerOption
	if *maxStreams > 0 {
		options = append(options, grpc.MaxConcurrentStreams(uint32(*maxStreams)))
	}
	if *maxHeaders > 0 {
		options = append(options, grpc.MaxHeaderListSize(uint32(*maxHeaders)))
	}
	if *maxAge > 0 {
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge:      *maxAge,
			MaxConnectionAgeGrace: 5 * time.Second,
		}))
	}
	secured := &swappable{}
	transport := insecure.NewCredentials()
	if *certificate != "" {
		if err := secured.load(*certificate, *key); err != nil {
			fail(err.Error())
		}
		if *asks {
			secured.demand = tls.RequestClientCert
		}
		if *clientCA != "" {
			if err := secured.demands(*clientCA); err != nil {
				fail(err.Error())
			}
		}
		transport = secured.credentials()
	}
	counted := &tally{byOwn: map[string]*frames{}}
	if *counts {
		options = append(options, counted.options(transport)...)
	} else {
		options = append(options, grpc.Creds(transport))
	}
	ready := answer{"address": listener.Addr().String(), "port": listener.Addr().(*net.TCPAddr).Port}
	if *withMetrics {
		options = append(options, measured(ready)...)
	}
	server := grpc.NewServer(options...)
	sample := &orders{}
	orderpb.RegisterOrderServiceServer(server, sample)
	checks := health.NewServer()
	checks.SetServingStatus("order.OrderService", healthpb.HealthCheckResponse_SERVING)
	if *withHealth {
		healthpb.RegisterHealthServer(server, checks)
	}
	if *withChannelz {
		service.RegisterChannelzServiceToServer(server)
	}
	if *withReflection {
		reflection.Register(server)
	}
	if *upstream != "" {
		callUpstream(*upstream, upstreamManner{policy: *policy, lookaside: *lookaside, retries: *retries, leaks: *leaks})
	}
	go func() { _ = server.Serve(listener) }()
	say(ready)
	obey(func(verb string, words []string) (answer, error) {
		switch verb {
		case "accept":
			return nil, listener.set(words[0])
		case "certificate":
			return nil, secured.load(words[0], words[1])
		case "counted":
			return counted.answer(len(words) > 0 && words[0] == "times")
		}
		return command(server, sample, checks, verb, words)
	})
}

// measured makes interceptors and serves their metrics.
func measured(ready answer) []grpc.ServerOption {
	metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err.Error())
	}
	go func() {
		_ = http.Serve(listener, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	}()
	ready["metrics"] = fmt.Sprintf("http://%s/metrics", listener.Addr())
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(metrics.UnaryServerInterceptor()),
		grpc.ChainStreamInterceptor(metrics.StreamServerInterceptor()),
	}
}

// faults are what a server can be told to answer with.
var faults = map[string]codes.Code{
	"OK": codes.OK, "NOT_FOUND": codes.NotFound, "INTERNAL": codes.Internal, "UNAVAILABLE": codes.Unavailable,
}

func command(server *grpc.Server, sample *orders, checks *health.Server, verb string, words []string) (answer, error) {
	switch verb {
	case "delay":
		delay, err := time.ParseDuration(words[0])
		sample.delay.Store(int64(delay))
		return nil, err
	case "deaf":
		deaf, err := strconv.ParseBool(words[0])
		sample.deaf.Store(deaf)
		return nil, err
	case "fail":
		fault, known := faults[words[0]]
		if !known {
			return nil, fmt.Errorf("unknown code %s", words[0])
		}
		sample.fault.Store(uint32(fault))
		return nil, nil
	case "health":
		value, known := healthpb.HealthCheckResponse_ServingStatus_value[words[0]]
		if !known {
			return nil, fmt.Errorf("unknown status %s", words[0])
		}
		service := ""
		if len(words) > 1 {
			service = words[1]
		}
		checks.SetServingStatus(service, healthpb.HealthCheckResponse_ServingStatus(value))
		return nil, nil
	case "graceful-stop":
		checks.Shutdown()
		begin := time.Now()
		server.GracefulStop()
		return answer{"ms": time.Since(begin).Milliseconds()}, nil
	case "stop":
		server.Stop()
		return nil, nil
	}
	return nil, fmt.Errorf("unknown command %s", verb)
}
