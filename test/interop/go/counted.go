package main

import (
	"context"
	"encoding/binary"
	"maps"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// tally is what clients sent over HTTP/2, by the address of ours that they dialled: a client that is
// to be told from the others gets an address of its own (all of 127/8 is loopback).
type tally struct {
	mutex sync.Mutex
	byOwn map[string]*frames
}

// frames of all connections to one address.
type frames struct {
	Connections int `json:"connections"`
	// Open are those that were not closed yet.
	Open int `json:"open"`
	// Failed handshakes are connections too.
	Failed  int `json:"failed"`
	Calls   int `json:"calls"`
	Pings   int `json:"pings"`
	Resets  int `json:"resets"`
	GoAways int `json:"goaways"`
	Bytes   int `json:"bytes"`
	// IdlePings are the most PINGs that one connection sent before its first call, or after its
	// newest: grpc servers count those as strikes.
	IdlePings int `json:"idlePings"`
	// Methods are the calls by name.
	Methods map[string]int `json:"methods"`
	// Dialled and Called are when connections came and calls began, in ms since the Unix epoch.
	Dialled []int64 `json:"dialled"`
	Called  []int64 `json:"called"`
}

// mostTimes bounds Dialled and Called: who wants them asks in time.
const mostTimes = 20000

func noted(times []int64) []int64 {
	if len(times) >= mostTimes {
		return times
	}
	return append(times, time.Now().UnixMilli())
}

func (t *tally) add(own net.Addr, change func(*frames)) {
	host, _, err := net.SplitHostPort(own.String())
	if err != nil {
		host = own.String()
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.byOwn[host] == nil {
		t.byOwn[host] = &frames{Methods: map[string]int{}}
	}
	change(t.byOwn[host])
}

func (t *tally) method(ctx context.Context, name string) {
	if caller, isKnown := peer.FromContext(ctx); isKnown && caller.LocalAddr != nil {
		t.add(caller.LocalAddr, func(f *frames) { f.Methods[name]++ })
	}
}

// options make a server count; transport is what it would use without.
func (t *tally) options(transport credentials.TransportCredentials) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(counting{transport, t}),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, in any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			t.method(ctx, info.FullMethod)
			return next(ctx, in)
		}),
		grpc.ChainStreamInterceptor(func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			t.method(stream.Context(), info.FullMethod)
			return next(service, stream)
		}),
	}
}

// answer gives all that was counted, with the times only where they are asked for.
func (t *tally) answer(withTimes bool) (answer, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	counted := map[string]frames{}
	for host, seen := range t.byOwn {
		copied := *seen
		copied.Methods = maps.Clone(seen.Methods)
		if !withTimes {
			copied.Dialled, copied.Called = nil, nil
		}
		counted[host] = copied
	}
	return answer{"counted": counted}, nil
}

// counting hands out connections that count what the client sends, above TLS if there is any.
type counting struct {
	credentials.TransportCredentials
	tally *tally
}

func (c counting) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	connection, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		c.tally.add(raw.LocalAddr(), func(f *frames) {
			f.Connections++
			f.Failed++
			f.Dialled = noted(f.Dialled)
		})
		return connection, info, err
	}
	c.tally.add(raw.LocalAddr(), func(f *frames) {
		f.Connections++
		f.Open++
		f.Dialled = noted(f.Dialled)
	})
	return &countedConn{Conn: connection, tally: c.tally, skip: len(preface)}, info, nil
}

func (c counting) Clone() credentials.TransportCredentials {
	return counting{c.TransportCredentials.Clone(), c.tally}
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Types and the flag are those of RFC 9113, section 6.
const (
	typeHeaders   = 0x1
	typeRstStream = 0x3
	typePing      = 0x6
	typeGoAway    = 0x7
	flagAck       = 0x1
	headerLength  = 9
)

// countedConn reads frame headers out of what passes; grpc-go reads from one goroutine.
type countedConn struct {
	net.Conn
	tally *tally
	// skip is how many bytes to pass over before the next header.
	skip   int
	head   []byte
	idle   int
	closed sync.Once
}

func (c *countedConn) Close() error {
	c.closed.Do(func() { c.tally.add(c.Conn.LocalAddr(), func(f *frames) { f.Open-- }) })
	return c.Conn.Close()
}

func (c *countedConn) Read(into []byte) (int, error) {
	count, err := c.Conn.Read(into)
	c.tally.add(c.Conn.LocalAddr(), func(f *frames) { f.Bytes += count })
	c.scan(into[:count])
	return count, err
}

func (c *countedConn) scan(data []byte) {
	for len(data) > 0 {
		if c.skip > 0 {
			passed := min(c.skip, len(data))
			c.skip -= passed
			data = data[passed:]
			continue
		}
		taken := min(headerLength-len(c.head), len(data))
		c.head = append(c.head, data[:taken]...)
		data = data[taken:]
		if len(c.head) < headerLength {
			return
		}
		c.skip = int(binary.BigEndian.Uint32(append([]byte{0}, c.head[:3]...)))
		c.count(c.head[3], c.head[4])
		c.head = c.head[:0]
	}
}

func (c *countedConn) count(kind, flags byte) {
	c.tally.add(c.Conn.LocalAddr(), func(f *frames) {
		switch {
		case kind == typeHeaders:
			f.Calls++
			f.Called = noted(f.Called)
			c.idle = 0
		case kind == typePing && flags&flagAck == 0:
			f.Pings++
			c.idle++
			f.IdlePings = max(f.IdlePings, c.idle)
		case kind == typeRstStream:
			f.Resets++
		case kind == typeGoAway:
			f.GoAways++
		}
	})
}
