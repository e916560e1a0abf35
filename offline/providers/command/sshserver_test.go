package command

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// sshServer is a host to run commands on: this machine, over SSH on a port of the loopback.
type sshServer struct {
	port      int
	hostKey   string
	accepted  []string // environment variables, as AcceptEnv in sshd_config
	attempts  atomic.Int32
	open      atomic.Int32 // connections that are logged in
	forwarded atomic.Int32
	// stuck says that nobody who wants to be forwarded gets an answer.
	stuck  atomic.Bool
	config *ssh.ServerConfig
}

// newSSHServer serves until the test ends. login adds the ways to log in.
func newSSHServer(t *testing.T, accepted []string, login func(*ssh.ServerConfig)) *sshServer {
	t.Helper()
	signer, _ := newKey(t, "")
	s := &sshServer{
		accepted: accepted,
		hostKey:  string(ssh.MarshalAuthorizedKey(signer.PublicKey())),
		config:   &ssh.ServerConfig{},
	}
	login(s.config)
	s.config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.port = listener.Addr().(*net.TCPAddr).Port
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			s.attempts.Add(1)
			running.Go(func() { s.serve(ctx, connection) })
		}
	})
	t.Cleanup(func() {
		cancel()
		listener.Close()
		running.Wait()
	})
	return s
}

func (s *sshServer) serve(ctx context.Context, connection net.Conn) {
	defer connection.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	client, channels, requests, err := ssh.NewServerConn(connection, s.config)
	if err != nil {
		return
	}
	s.open.Add(1)
	defer s.open.Add(-1)
	go ssh.DiscardRequests(requests)
	go func() {
		client.Wait()
		cancel() // and with it every script of this connection
	}()
	var running sync.WaitGroup
	defer running.Wait()
	for channel := range channels {
		switch channel.ChannelType() {
		case "session":
			running.Go(func() { s.session(ctx, channel) })
		case "direct-tcpip":
			if s.stuck.Load() {
				continue
			}
			running.Go(func() { s.forward(ctx, channel) })
		default:
			channel.Reject(ssh.UnknownChannelType, "")
		}
	}
}

func (s *sshServer) session(ctx context.Context, offer ssh.NewChannel) {
	channel, requests, err := offer.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	environment := os.Environ()
	for request := range requests {
		switch request.Type {
		case "env":
			var v struct{ Name, Value string }
			known := ssh.Unmarshal(request.Payload, &v) == nil && slices.Contains(s.accepted, v.Name)
			if known {
				environment = append(environment, v.Name+"="+v.Value)
			}
			request.Reply(known, nil)
		case "exec":
			var script struct{ Text string }
			if ssh.Unmarshal(request.Payload, &script) != nil {
				request.Reply(false, nil)
				return
			}
			request.Reply(true, nil)
			status := execute(ctx, channel, environment, script.Text)
			channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			return
		default:
			request.Reply(false, nil)
		}
	}
}

// execute does not wait for the end of the input, as a real server does not.
func execute(ctx context.Context, channel ssh.Channel, environment []string, script string) uint32 {
	command := exec.CommandContext(ctx, "/bin/sh", "-c", script)
	command.Env, command.Stdout, command.Stderr = environment, channel, channel.Stderr()
	input, err := command.StdinPipe()
	if err != nil || command.Start() != nil {
		return 127
	}
	go func() {
		io.Copy(input, channel)
		input.Close()
	}()
	var exit *exec.ExitError
	if errors.As(command.Wait(), &exit) {
		return uint32(exit.ExitCode())
	}
	return 0
}

func (s *sshServer) forward(ctx context.Context, offer ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		FromHost string
		FromPort uint32
	}
	if ssh.Unmarshal(offer.ExtraData(), &to) != nil {
		offer.Reject(ssh.ConnectionFailed, "")
		return
	}
	target, err := (&net.Dialer{}).DialContext(ctx, "tcp", Endpoint{Host: to.Host, Port: number(to.Port)}.address())
	if err != nil {
		offer.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer target.Close()
	defer context.AfterFunc(ctx, func() { target.Close() })()
	channel, requests, err := offer.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	s.forwarded.Add(1)
	go ssh.DiscardRequests(requests)
	go io.Copy(target, channel)
	io.Copy(channel, target)
}

func number(port uint32) *float64 {
	value := float64(port)
	return &value
}

// newKey makes a key and its PEM, encrypted when there is a passphrase.
func newKey(t *testing.T, passphrase string) (ssh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	require.NoError(t, err)
	return signer, string(pem.EncodeToMemory(block))
}

// withKey lets in who has the key.
func withKey(key ssh.PublicKey) func(*ssh.ServerConfig) {
	return func(config *ssh.ServerConfig) {
		config.PublicKeyCallback = func(_ ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
			if string(offered.Marshal()) != string(key.Marshal()) {
				return nil, errors.New("another key")
			}
			return nil, nil
		}
	}
}

// withPassword lets in who has the password.
func withPassword(password string) func(*ssh.ServerConfig) {
	return func(config *ssh.ServerConfig) {
		config.PasswordCallback = func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if string(given) != password {
				return nil, errors.New("another password")
			}
			return nil, nil
		}
	}
}

// withQuestions lets in who answers the password when asked for it.
func withQuestions(password string) func(*ssh.ServerConfig) {
	return func(config *ssh.ServerConfig) {
		config.KeyboardInteractiveCallback = func(
			_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge,
		) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 || answers[0] != password {
				return nil, errors.New("another answer")
			}
			return nil, nil
		}
	}
}
