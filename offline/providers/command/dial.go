package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
)

// The official backoff between attempts.
const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = 5 * time.Second
)

// with connects, hands the connection to use, and closes it, on the way too. The official provider
// leaves every connection open until the end of the run.
func (c Connection) with(ctx context.Context, use func(*ssh.Client) error) error {
	if c.Proxy == nil {
		return c.through(ctx, "dial", (&net.Dialer{Timeout: c.dialTimeout()}).DialContext, use)
	}
	proxy := &net.Dialer{Timeout: c.Proxy.dialTimeout()}
	return c.Proxy.through(ctx, "dial proxy", proxy.DialContext, func(proxy *ssh.Client) error {
		return c.through(ctx, "dial through proxy", c.forward(proxy), use)
	})
}

// forward connects to the endpoint from the proxy, which by itself may take minutes to find out that nobody answers. The
// official provider waits for it.
func (e Endpoint) forward(proxy *ssh.Client) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if limit := e.dialTimeout(); limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("no connection through the proxy within %s", limit))
			defer cancel()
		}
		connection, err := proxy.DialContext(ctx, network, address)
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return connection, err
	}
}

// through logs in to the endpoint over what dial connects to. Like the official provider it tries
// again whatever the reason: a wrong password costs as many attempts as a host that is down.
func (e Endpoint) through(
	ctx context.Context, what string,
	dial func(ctx context.Context, network, address string) (net.Conn, error),
	use func(*ssh.Client) error,
) error {
	config, agent, err := e.login()
	if err != nil {
		return err
	}
	defer agent.Close()
	_, hasNoAgent := agent.(nothing)
	what += " " + e.address()
	client, err := retry(ctx, what, or(e.DialErrorLimit, defaultDialErrorLimit), func() (*ssh.Client, error) {
		connection, err := dial(ctx, "tcp", e.address())
		if err != nil {
			return nil, err
		}
		return e.handshake(ctx, connection, *config, !hasNoAgent)
	})
	if err != nil {
		return err
	}
	defer client.Close()
	// A cancelled run must not wait for a script on the other side.
	defer context.AfterFunc(ctx, func() { client.Close() })()
	return use(client)
}

// silence is the error of a host that takes a connection and then says nothing, or not all of it.
type silence struct{ limit time.Duration }

func (s silence) Error() string { return fmt.Sprintf("no SSH handshake within %s", s.limit) }

// handshake logs in over a connection. For who takes one and then says nothing the official provider waits for ever. Here a
// login has the time of all attempts at a connection together, and is not tried again then: some hosts are slow, and no
// sooner done on another connection. An agent may ask a person first: then the host has only to show its key in time.
func (e Endpoint) handshake(
	ctx context.Context, connection net.Conn, config ssh.ClientConfig, asksAgent bool,
) (*ssh.Client, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	if limit := e.dialTimeout() * time.Duration(1+max(0, or(e.DialErrorLimit, defaultDialErrorLimit))); limit > 0 {
		timer := time.AfterFunc(limit, func() { giveUp(silence{limit}) })
		defer timer.Stop()
		if verify := config.HostKeyCallback; asksAgent {
			config.HostKeyCallback = func(hostname string, remote net.Addr, key ssh.PublicKey) error {
				timer.Stop()
				return verify(hostname, remote, key)
			}
		}
	}
	type result struct {
		client *ssh.Client
		err    error
	}
	ended := make(chan result, 1)
	go func() {
		client, channels, requests, err := ssh.NewClientConn(connection, e.address(), &config)
		if err != nil {
			ended <- result{err: err}
			return
		}
		ended <- result{client: ssh.NewClient(client, channels, requests)}
	}()
	select {
	case result := <-ended:
		if result.err != nil {
			connection.Close()
		}
		return result.client, result.err
	case <-ctx.Done():
		// That need not end the handshake: a connection through a proxy ends when the proxy says so.
		connection.Close()
		return nil, context.Cause(ctx)
	}
}

// retry makes limit+1 attempts, or endlessly many when limit is negative, as dialErrorLimit means it.
func retry[T any](ctx context.Context, what string, limit int, attempt func() (T, error)) (T, error) {
	limitText := "inf"
	if limit >= 0 {
		limitText = strconv.Itoa(limit)
	}
	for failures, delay := 1, firstDelay; ; failures, delay = failures+1, min(delay*3/2, lastDelay) {
		result, err := attempt()
		if err == nil {
			return result, nil
		}
		if limit >= 0 && (failures > limit || errors.As(err, new(silence))) {
			return result, fmt.Errorf("%s: after %d failed attempts: %w", what, failures, err)
		}
		p.GetLogger(ctx).InfoStatusf("%s %d/%s failed: retrying", what, failures, limitText)
		select {
		case <-ctx.Done():
			return result, fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(delay):
		}
	}
}
