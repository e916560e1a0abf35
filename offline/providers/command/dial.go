package command

import (
	"context"
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
		return c.through(ctx, "dial through proxy", proxy.DialContext, use)
	})
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
	what += " " + e.address()
	client, err := retry(ctx, what, or(e.DialErrorLimit, defaultDialErrorLimit), func() (*ssh.Client, error) {
		connection, err := dial(ctx, "tcp", e.address())
		if err != nil {
			return nil, err
		}
		return handshake(ctx, connection, e.address(), config)
	})
	if err != nil {
		return err
	}
	defer client.Close()
	// A cancelled run must not wait for a script on the other side.
	defer context.AfterFunc(ctx, func() { client.Close() })()
	return use(client)
}

func handshake(
	ctx context.Context, connection net.Conn, address string, config *ssh.ClientConfig,
) (*ssh.Client, error) {
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	client, channels, requests, err := ssh.NewClientConn(connection, address, config)
	if err != nil {
		connection.Close()
		return nil, err
	}
	return ssh.NewClient(client, channels, requests), nil
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
		if limit >= 0 && failures > limit {
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
