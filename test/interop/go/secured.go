package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"

	"google.golang.org/grpc/credentials"
)

// swappable serves the newest certificate that it was given, as a server that watches its files.
type swappable struct {
	mutex sync.Mutex
	pair  tls.Certificate
	// demand is what clients have to show: nothing by default.
	demand      tls.ClientAuthType
	authorities *x509.CertPool
}

func (s *swappable) load(certificate, key string) error {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.pair = pair
	return nil
}

// demands a client certificate of one of the authorities in the bundle.
func (s *swappable) demands(bundle string) error {
	text, err := os.ReadFile(bundle)
	if err != nil {
		return err
	}
	s.demand = tls.RequireAndVerifyClientCert
	s.authorities = x509.NewCertPool()
	if !s.authorities.AppendCertsFromPEM(text) {
		return fmt.Errorf("no certificate in %s", bundle)
	}
	return nil
}

func (s *swappable) credentials() credentials.TransportCredentials {
	return credentials.NewTLS(&tls.Config{
		ClientAuth: s.demand,
		ClientCAs:  s.authorities,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			pair := s.pair
			return &pair, nil
		},
	})
}
