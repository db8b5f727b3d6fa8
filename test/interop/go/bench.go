package main

import (
	"context"
	"flag"
	"io"
	"net"
	"time"

	"golang.org/x/net/http2"

	"grpc-doctor.io/test/interop/go/orderpb"
)

// measure times calls, one at a time, as a client at a prober's pace would see them.
func measure(arguments []string) {
	flags := flag.NewFlagSet("measure", flag.ExitOnError)
	target := flags.String("target", "", "gRPC target")
	calls := flags.Int("calls", 100, "calls that are timed")
	every := flags.Duration("every", 20*time.Millisecond, "pause between two calls")
	_ = flags.Parse(arguments)

	client := orderpb.NewOrderServiceClient(dial(*target))
	once := func() float64 {
		begin := time.Now()
		if _, err := client.GetOrder(context.Background(), &orderpb.GetOrderRequest{Id: "order-1"}); err != nil {
			fail(err.Error())
		}
		return float64(time.Since(begin).Microseconds()) / 1000
	}
	once() // the connection is made with the first
	took := make([]float64, *calls)
	for i := range took {
		time.Sleep(*every)
		took[i] = once()
	}
	say(answer{"milliseconds": took})
}

// idle holds HTTP/2 connections that never make a call: what channelz lists as sockets.
func idle(arguments []string) {
	flags := flag.NewFlagSet("idle", flag.ExitOnError)
	target := flags.String("target", "", "host:port")
	connections := flags.Int("connections", 10_000, "connections that are held")
	_ = flags.Parse(arguments)

	// Thousands of keepalives that fire together overflow loopback's queue, and connections die of it.
	dialer := net.Dialer{KeepAlive: -1}
	for range *connections {
		connection, err := dialer.Dial("tcp", *target)
		if err != nil {
			fail(err.Error())
		}
		go hold(connection)
	}
	say(answer{"connections": *connections})
	obey(func(string, []string) (answer, error) { return nil, nil })
}

func hold(connection net.Conn) {
	framer := http2.NewFramer(connection, connection)
	if _, err := io.WriteString(connection, http2.ClientPreface); err != nil {
		fail(err.Error())
	}
	if err := framer.WriteSettings(); err != nil {
		fail(err.Error())
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			_ = framer.WriteSettingsAck()
		}
	}
}
