package main

import (
	"net"
	"strconv"
	"sync"
)

// gate is a listener whose accept loop can be made to stand still: the kernel goes on completing
// connections, and nobody takes them. The one that Accept was waiting for is let in when it opens.
type gate struct {
	net.Listener
	closed sync.RWMutex
	isOpen bool
}

func newGate(listener net.Listener) *gate {
	return &gate{Listener: listener, isOpen: true}
}

func (g *gate) Accept() (net.Conn, error) {
	connection, err := g.Listener.Accept()
	g.closed.RLock()
	defer g.closed.RUnlock()
	return connection, err
}

// set opens or closes the gate: "true" or "false".
func (g *gate) set(word string) error {
	isOpen, err := strconv.ParseBool(word)
	if err != nil || isOpen == g.isOpen {
		return err
	}
	g.isOpen = isOpen
	if isOpen {
		g.closed.Unlock()
	} else {
		g.closed.Lock()
	}
	return nil
}
