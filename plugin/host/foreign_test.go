//go:build unix

package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/durasync/durasync/plugin"
)

// serveForeign serves the scenario the way that connector.proto tells authors in other languages, without go-plugin.
func serveForeign() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	host := x509.NewCertPool()
	host.AppendCertsFromPEM([]byte(os.Getenv("PLUGIN_CLIENT_CERT")))
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: host, MinVersion: tls.VersionTLS12,
	})))
	plugin.Register(server, newScenario(), hclog.NewNullLogger())
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "plugin.GRPCController", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Shutdown",
			Handler: func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
				go server.Stop()
				return &emptypb.Empty{}, nil
			},
		}},
	}, struct{}{})
	socket := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	fmt.Printf("1|1|unix|%s|grpc|%s\n", socket, base64.RawStdEncoding.EncodeToString(cert))
	return server.Serve(listener)
}

func TestForeignConnector(t *testing.T) {
	c := launch(t, self(t, "foreign"), nil)
	got, err := c.Describe(t.Context(), &plugin.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(description, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.Close()
	if how, ours := c.process.exit(); ours || how != "exit status 0" {
		t.Errorf("the process did not end when it was asked to: %s", how)
	}
}
