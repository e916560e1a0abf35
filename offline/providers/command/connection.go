package command

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Endpoint is a host to log in to over SSH and how.
type Endpoint struct {
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	Host               string   `pulumi:"host"`
	HostKey            *string  `pulumi:"hostKey,optional"`
	Password           *string  `pulumi:"password,optional" provider:"secret"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
	Port               *float64 `pulumi:"port,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional" provider:"secret"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional" provider:"secret"`
	User               *string  `pulumi:"user,optional"`
}

// Connection is the host of a remote command, perhaps behind one other host.
type Connection struct {
	Endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// ProxyConnection is the host on the way.
type ProxyConnection struct{ Endpoint }

// The official defaults.
const (
	defaultPort           = 22
	defaultUser           = "root"
	defaultDialErrorLimit = 10
	defaultPerDialTimeout = 15
)

var endpointMembers = []string{
	"agentSocketPath", "dialErrorLimit", "host", "hostKey", "password", "perDialTimeout", "port",
	"privateKey", "privateKeyPassword", "user",
}

// Annotate gives the official token and defaults.
func (c *Connection) Annotate(a infer.Annotator) {
	a.SetToken("remote", "Connection")
	c.annotate(a)
}

// Annotate gives the official token and defaults.
func (c *ProxyConnection) Annotate(a infer.Annotator) {
	a.SetToken("remote", "ProxyConnection")
	c.annotate(a)
}

func (e *Endpoint) annotate(a infer.Annotator) {
	a.SetDefault(&e.Port, defaultPort)
	a.SetDefault(&e.User, defaultUser)
	a.SetDefault(&e.DialErrorLimit, defaultDialErrorLimit)
	a.SetDefault(&e.PerDialTimeout, defaultPerDialTimeout)
}

func (e Endpoint) address() string {
	return net.JoinHostPort(e.Host, strconv.Itoa(int(or(e.Port, defaultPort))))
}

// dialTimeout bounds one TCP connect; 0 does not.
func (e Endpoint) dialTimeout() time.Duration {
	return time.Duration(or(e.PerDialTimeout, defaultPerDialTimeout)) * time.Second
}

// login is how to log in. The agent, where there is one, is connected to even when a key is given,
// and a dead one is an error: so the official provider does. Close it after use.
func (e Endpoint) login() (*ssh.ClientConfig, io.Closer, error) {
	config := &ssh.ClientConfig{
		User: or(e.User, defaultUser),
		// Without hostKey the official provider checks nothing, and the program warns of it.
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	}
	if e.HostKey != nil {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
		if err != nil {
			return nil, nil, fmt.Errorf("hostKey of %s: want a line such as `ssh-ed25519 AAAA...`: %w", e.Host, err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		config.HostKeyAlgorithms = []string{key.Type()}
	}
	if e.PrivateKey != nil {
		signer, err := e.signer()
		if err != nil {
			return nil, nil, fmt.Errorf("privateKey for %s: %w", e.Host, err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*e.Password), ssh.KeyboardInteractive(e.answer))
	}
	socket := or(e.AgentSocketPath, os.Getenv("SSH_AUTH_SOCK"))
	if socket == "" {
		return config, nothing{}, nil
	}
	connection, err := net.Dial("unix", socket)
	if err != nil {
		return nil, nil, fmt.Errorf("SSH agent (agentSocketPath, else SSH_AUTH_SOCK): %w", err)
	}
	config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(connection).Signers))
	return config, connection, nil
}

func (e Endpoint) signer() (ssh.Signer, error) {
	if e.PrivateKeyPassword != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(*e.PrivateKey), []byte(*e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(*e.PrivateKey))
}

// answer gives the password to every question.
func (e Endpoint) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = *e.Password
	}
	return answers, nil
}

type nothing struct{}

func (nothing) Close() error { return nil }

func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}
