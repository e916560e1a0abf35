package docker

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/client"
)

// defaultHost is used when neither the program nor DOCKER_HOST names a daemon.
const defaultHost = "unix:///var/run/docker.sock"

// engine is one Docker daemon.
type engine struct {
	*client.Client
	host    string
	overSSH bool
}

// connect prepares a client; nothing is sent yet. The API version is negotiated at first use.
func connect(c *Config) (*engine, error) {
	host := cmp.Or(deref(c.Host), os.Getenv("DOCKER_HOST"), defaultHost)
	options, overSSH, err := transport(c, host)
	if err != nil {
		return nil, fmt.Errorf("cannot use the Docker host %s: %w", host, err)
	}
	options = append(options, client.WithVersionFromEnv(), client.WithAPIVersionNegotiation())
	cli, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("cannot use the Docker host %s: %w", host, err)
	}
	return &engine{Client: cli, host: host, overSSH: overSSH}, nil
}

// transport picks how to talk to the host: TLS from texts, TLS from files, ssh, or as the
// environment says (DOCKER_CERT_PATH, DOCKER_TLS_VERIFY).
func transport(c *Config, host string) (options []client.Opt, overSSH bool, err error) {
	switch {
	case c.CaMaterial != nil || c.CertMaterial != nil || c.KeyMaterial != nil:
		httpClient, err := tlsClient(c)
		if err != nil {
			return nil, false, err
		}
		// The custom client has to come first: WithHost adjusts its transport.
		return []client.Opt{client.WithHTTPClient(httpClient), client.WithHost(host)}, false, nil
	case deref(c.CertPath) != "":
		file := func(name string) string { return filepath.Join(*c.CertPath, name) }
		return []client.Opt{
			client.WithHost(host),
			client.WithTLSClientConfig(file("ca.pem"), file("cert.pem"), file("key.pem")),
		}, false, nil
	}
	helper, err := connhelper.GetConnectionHelperWithSSHOpts(host, sshOptions(c))
	if err != nil {
		return nil, false, err
	}
	if helper != nil {
		return []client.Opt{client.WithHost(helper.Host), client.WithDialContext(helper.Dialer)}, true, nil
	}
	return []client.Opt{client.WithTLSClientConfigFromEnv(), client.WithHost(host)}, false, nil
}

func sshOptions(c *Config) []string {
	if len(c.SSHOpts) > 0 {
		return c.SSHOpts
	}
	return strings.Fields(os.Getenv("DOCKER_SSH_OPTS"))
}

func tlsClient(c *Config) (*http.Client, error) {
	if deref(c.CertMaterial) == "" || deref(c.KeyMaterial) == "" {
		return nil, errors.New("certMaterial and keyMaterial go together; set both or none")
	}
	if deref(c.CertPath) != "" {
		return nil, errors.New("certPath and certMaterial exclude each other; set one of them")
	}
	pair, err := tls.X509KeyPair([]byte(*c.CertMaterial), []byte(*c.KeyMaterial))
	if err != nil {
		return nil, fmt.Errorf("certMaterial and keyMaterial do not fit together: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if ca := deref(c.CaMaterial); ca != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(ca)) {
			return nil, errors.New("caMaterial holds no PEM certificate")
		}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}}, nil
}

// ping fails with the words that the official provider uses, and says what was tried.
func (e *engine) ping(ctx context.Context) error {
	if _, err := e.Ping(ctx); err != nil {
		return fmt.Errorf("failed to connect to any docker daemon: tried %s: %w; start Docker there, "+
			"or point docker:host or DOCKER_HOST at a running one", e.host, err)
	}
	return nil
}
