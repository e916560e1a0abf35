package command

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	pt "private-registry/offline/providers/internal/providertest"
)

const remoteToken = "command:remote:Command"

// remoteHost is a host with one key, and the connection to it.
func remoteHost(t *testing.T, accepted ...string) (*sshServer, pt.Values) {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	signer, key := newKey(t, "")
	server := newSSHServer(t, accepted, withKey(signer.PublicKey()))
	return server, connectionTo(server, pt.Values{"privateKey": key})
}

func connectionTo(server *sshServer, more pt.Values) pt.Values {
	connection := pt.Values{"host": "127.0.0.1", "port": server.port, "dialErrorLimit": 0}
	for name, value := range more {
		connection[name] = value
	}
	return connection
}

func TestRemoteLifeCycle(t *testing.T) {
	server, connection := remoteHost(t, "WORD", "PULUMI_COMMAND_STDOUT")
	file := filepath.Join(t.TempDir(), "file")
	inputs := pt.Values{
		"connection":  connection,
		"create":      "cat > " + file + "; echo \"created $WORD\"; echo warned >&2",
		"update":      "echo \"updated after $PULUMI_COMMAND_STDOUT\"",
		"delete":      "rm " + file,
		"environment": pt.Values{"WORD": "well"},
		"stdin":       pt.Secret("content"),
		"logging":     "none",
	}
	commands := pt.New(t, "command", remoteToken, New)
	id, state := commands.Create(inputs)
	require.Regexp(t, "^example[0-9a-f]{8}$", id)
	require.Equal(t, "created well", pt.Text(t, state, "stdout"))
	require.Equal(t, "warned", pt.Text(t, state, "stderr"))
	require.False(t, state.Get("stdout").HasSecrets())
	require.True(t, state.Get("stdin").Secret())
	require.True(t, state.Get("connection").Secret())
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "content", string(content))

	state, err = commands.Update(state, inputs, false)
	require.NoError(t, err)
	require.Equal(t, "updated after created well", pt.Text(t, state, "stdout"))
	require.NoError(t, commands.Delete(state))
	require.NoFileExists(t, file)
	require.EqualValues(t, 3, server.attempts.Load(), "one connection for each operation")
	require.Eventually(t, func() bool { return server.open.Load() == 0 }, 10*time.Second, time.Millisecond,
		"every connection is closed")
}

func TestRemotePreviewConnectsToNothing(t *testing.T) {
	server, connection := remoteHost(t)
	commands := pt.New(t, "command", remoteToken, New)
	preview := commands.Preview(pt.Values{"connection": connection, "create": pt.Unknown})
	require.True(t, preview.Get("stdout").IsComputed())
	require.Zero(t, server.attempts.Load())
}

func TestRemoteCheckFillsInTheDefaults(t *testing.T) {
	commands := pt.New(t, "command", remoteToken, New)
	checked := commands.Check(pt.Values{"connection": pt.Values{"host": "a", "proxy": pt.Values{"host": "b"}}})
	require.True(t, checked.Get("connection").Secret())
	connection := checked.Get("connection").AsMap()
	for _, endpoint := range []property.Map{connection, connection.Get("proxy").AsMap()} {
		require.Equal(t, property.New(22.0), endpoint.Get("port"))
		require.Equal(t, property.New("root"), endpoint.Get("user"))
		require.Equal(t, property.New(10.0), endpoint.Get("dialErrorLimit"))
		require.Equal(t, property.New(15.0), endpoint.Get("perDialTimeout"))
	}
	checked = commands.Check(pt.Values{"connection": pt.Values{"host": "a", "dialErrorLimit": 0, "perDialTimeout": 0}})
	require.Equal(t, property.New(0.0), checked.Get("connection").AsMap().Get("dialErrorLimit"))
	require.Equal(t, property.New(0.0), checked.Get("connection").AsMap().Get("perDialTimeout"))

	_, failures := commands.CheckFailures(pt.Values{"connection": pt.Values{"host": "a", "certificate": "x"}})
	require.Len(t, failures, 1)
	require.Contains(t, failures[0], "connection.certificate of command.remote.Command is not supported by the compatible provider")
}

func TestRemoteLogins(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	signer, key := newKey(t, "")
	lockedSigner, lockedKey := newKey(t, "passphrase")
	_, otherKey := newKey(t, "")
	for name, test := range map[string]struct {
		login      func(*ssh.ServerConfig)
		connection pt.Values
		want       string
	}{
		"key":                    {withKey(signer.PublicKey()), pt.Values{"privateKey": key}, ""},
		"key with a passphrase":  {withKey(lockedSigner.PublicKey()), pt.Values{"privateKey": lockedKey, "privateKeyPassword": "passphrase"}, ""},
		"password":               {withPassword("pass"), pt.Values{"password": "pass"}, ""},
		"password when asked":    {withQuestions("pass"), pt.Values{"password": "pass"}, ""},
		"key, then password":     {withPassword("pass"), pt.Values{"privateKey": otherKey, "password": "pass"}, ""},
		"another key":            {withKey(signer.PublicKey()), pt.Values{"privateKey": otherKey}, "unable to authenticate"},
		"another password":       {withPassword("pass"), pt.Values{"password": "guess"}, "unable to authenticate"},
		"no passphrase":          {withKey(lockedSigner.PublicKey()), pt.Values{"privateKey": lockedKey}, "privateKey for 127.0.0.1: ssh: this private key is passphrase protected"},
		"another passphrase":     {withKey(lockedSigner.PublicKey()), pt.Values{"privateKey": lockedKey, "privateKeyPassword": "guess"}, "privateKey for 127.0.0.1"},
		"no key":                 {withKey(signer.PublicKey()), pt.Values{"privateKey": "TOPSECRET"}, "privateKey for 127.0.0.1: ssh: no key found"},
		"nothing to log in with": {withKey(signer.PublicKey()), pt.Values{}, "unable to authenticate"},
		"a dead agent is an error even with a key": {
			withKey(signer.PublicKey()), pt.Values{"privateKey": key, "agentSocketPath": "/nonexistent"}, "SSH agent",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newSSHServer(t, nil, test.login)
			inputs := pt.Values{"connection": connectionTo(server, test.connection), "create": "echo in"}
			_, state, err := pt.New(t, "command", remoteToken, New).TryCreate(inputs)
			if test.want == "" {
				require.NoError(t, err)
				require.Equal(t, "in", pt.Text(t, state, "stdout"))
				return
			}
			require.ErrorContains(t, err, test.want)
			for _, secret := range []string{"TOPSECRET", "guess", "BEGIN"} {
				require.NotContains(t, err.Error(), secret)
			}
		})
	}
}

// slowAgent signs when the person whose keys it has has been asked, or never.
type slowAgent struct {
	agent.ExtendedAgent
	patience time.Duration
}

func (a slowAgent) SignWithFlags(key ssh.PublicKey, data []byte, flags agent.SignatureFlags) (*ssh.Signature, error) {
	time.Sleep(a.patience)
	return a.ExtendedAgent.SignWithFlags(key, data, flags)
}

// newAgent serves a key until the test ends, and returns its socket.
func newAgent(t *testing.T, patience time.Duration) (socket string, key ssh.PublicKey) {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	keyring := agent.NewKeyring().(agent.ExtendedAgent)
	_, text := newKey(t, "")
	private, err := ssh.ParseRawPrivateKey([]byte(text))
	require.NoError(t, err)
	require.NoError(t, keyring.Add(agent.AddedKey{PrivateKey: private}))
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	folder, err := os.MkdirTemp("", "agent") // t.TempDir is too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	socket = filepath.Join(folder, "socket")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				agent.ServeAgent(slowAgent{keyring, patience}, connection)
			}()
		}
	}()
	return socket, signer.PublicKey()
}

func TestRemoteAgent(t *testing.T) {
	socket, key := newAgent(t, 0)
	server := newSSHServer(t, nil, withKey(key))
	commands := pt.New(t, "command", remoteToken, New)
	_, state := commands.Create(pt.Values{
		"connection": connectionTo(server, pt.Values{"agentSocketPath": socket}), "create": "echo in",
	})
	require.Equal(t, "in", pt.Text(t, state, "stdout"))
	t.Setenv("SSH_AUTH_SOCK", socket)
	_, state = commands.Create(pt.Values{"connection": connectionTo(server, nil), "create": "echo in"})
	require.Equal(t, "in", pt.Text(t, state, "stdout"))
}

func TestRemoteAgentMayAskAPerson(t *testing.T) {
	socket, key := newAgent(t, 4*time.Second)
	server := newSSHServer(t, nil, withKey(key))
	connection := connectionTo(server, pt.Values{"agentSocketPath": socket, "perDialTimeout": 3})
	_, state := pt.New(t, "command", remoteToken, New).Create(pt.Values{"connection": connection, "create": "echo in"})
	require.Equal(t, "in", pt.Text(t, state, "stdout"))
}

func TestRemoteAgentThatHangsEndsWithTheTimeout(t *testing.T) {
	socket, key := newAgent(t, time.Hour)
	server := newSSHServer(t, nil, withKey(key))
	connection := connectionTo(server, pt.Values{"agentSocketPath": socket})
	_, _, err := pt.New(t, "command", remoteToken, New).TryCreateWithin(5, pt.Values{"connection": connection, "create": "true"})
	require.ErrorContains(t, err, "dial "+addressOf(server)+": ")
	require.ErrorContains(t, err, "context deadline exceeded")
}

func TestRemoteHostKey(t *testing.T) {
	server, connection := remoteHost(t)
	other, _ := newKey(t, "")
	commands := pt.New(t, "command", remoteToken, New)
	for name, test := range map[string]struct {
		hostKey any
		want    string
	}{
		"unset checks nothing": {nil, ""},
		"right":                {server.hostKey, ""},
		"another":              {string(ssh.MarshalAuthorizedKey(other.PublicKey())), "host key mismatch"},
		"another algorithm": {
			"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=",
			"no common algorithm for host key",
		},
		"no key": {"SHA256:fingerprint", "hostKey of 127.0.0.1: want a line such as"},
	} {
		t.Run(name, func(t *testing.T) {
			connection["hostKey"] = test.hostKey
			_, _, err := commands.TryCreate(pt.Values{"connection": connection, "create": "true"})
			if test.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.want)
			}
		})
	}
}

func TestRemoteProxy(t *testing.T) {
	server, connection := remoteHost(t)
	proxy := newSSHServer(t, nil, withPassword("pass"))
	connection["proxy"] = connectionTo(proxy, pt.Values{"password": "pass", "hostKey": proxy.hostKey})
	connection["hostKey"] = server.hostKey
	commands := pt.New(t, "command", remoteToken, New)
	_, state := commands.Create(pt.Values{"connection": connection, "create": "echo through"})
	require.Equal(t, "through", pt.Text(t, state, "stdout"))
	require.EqualValues(t, 1, proxy.forwarded.Load())
	require.Eventually(t, func() bool { return server.open.Load()+proxy.open.Load() == 0 },
		10*time.Second, time.Millisecond, "both connections are closed")

	connection["proxy"] = connectionTo(proxy, pt.Values{"password": "guess"})
	_, _, err := commands.TryCreate(pt.Values{"connection": connection, "create": "true"})
	require.ErrorContains(t, err, "dial proxy 127.0.0.1")
}

// silentServer takes connections, as the kernel does for a process that hangs, and never says anything.
func silentServer(t *testing.T) *sshServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	return &sshServer{port: listener.Addr().(*net.TCPAddr).Port}
}

func addressOf(server *sshServer) string { return "127.0.0.1:" + strconv.Itoa(server.port) }

func TestRemoteHostThatSaysNothing(t *testing.T) {
	socket, _ := newAgent(t, 0)
	silent := silentServer(t)
	proxy := newSSHServer(t, nil, withPassword("pass"))
	way := connectionTo(proxy, pt.Values{"password": "pass"})
	for name, test := range map[string]struct {
		connection pt.Values
		want       string
	}{
		"directly":      {pt.Values{"dialErrorLimit": 1}, "dial " + addressOf(silent) + ": after 1 failed attempts: no SSH handshake within 2s"},
		"with an agent": {pt.Values{"agentSocketPath": socket}, "dial " + addressOf(silent) + ": after 1 failed attempts: no SSH handshake within 1s"},
		"behind a proxy": {
			pt.Values{"proxy": way},
			"dial through proxy " + addressOf(silent) + ": after 1 failed attempts: no SSH handshake within 1s",
		},
		"as the proxy": {
			pt.Values{"proxy": connectionTo(silent, pt.Values{"perDialTimeout": 1})},
			"dial proxy " + addressOf(silent) + ": after 1 failed attempts: no SSH handshake within 1s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			connection := connectionTo(silent, test.connection)
			connection["password"], connection["perDialTimeout"] = "pass", 1
			_, _, err := pt.New(t, "command", remoteToken, New).TryCreate(pt.Values{"connection": connection, "create": "true"})
			require.ErrorContains(t, err, test.want)
		})
	}
	require.Eventually(t, func() bool { return proxy.open.Load() == 0 }, 10*time.Second, time.Millisecond,
		"the connection to the proxy is closed")
}

func TestRemoteProxyThatReachesNobody(t *testing.T) {
	server, connection := remoteHost(t)
	proxy := newSSHServer(t, nil, withPassword("pass"))
	proxy.stuck.Store(true)
	connection["proxy"] = connectionTo(proxy, pt.Values{"password": "pass"})
	connection["perDialTimeout"], connection["dialErrorLimit"] = 1, 1
	_, _, err := pt.New(t, "command", remoteToken, New).TryCreate(pt.Values{"connection": connection, "create": "true"})
	require.ErrorContains(t, err,
		"dial through proxy "+addressOf(server)+": after 2 failed attempts: no connection through the proxy within 1s")
	require.EqualValues(t, 1, proxy.attempts.Load(), "both over the same connection to the proxy")
}

func TestRemoteSlowHostsAreNotHurried(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	login := withPassword("pass")
	server := newSSHServer(t, nil, func(config *ssh.ServerConfig) {
		login(config)
		check := config.PasswordCallback
		config.PasswordCallback = func(who ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			time.Sleep(2 * time.Second)
			return check(who, given)
		}
	})
	connection := connectionTo(server, pt.Values{"password": "pass", "perDialTimeout": 1, "dialErrorLimit": 59})
	_, state := pt.New(t, "command", remoteToken, New).Create(pt.Values{
		"connection": connection, "create": "sleep 2; echo done",
	})
	require.Equal(t, "done", pt.Text(t, state, "stdout"))
}

func TestRemoteTimeoutEndsTheScript(t *testing.T) {
	_, connection := remoteHost(t)
	_, _, err := pt.New(t, "command", remoteToken, New).TryCreateWithin(5, pt.Values{
		"connection": connection, "create": "echo said; exec sleep 600",
	})
	require.ErrorContains(t, err, "create script on 127.0.0.1: context deadline exceeded; its last output:\nsaid")
}

func TestRemoteDialLimit(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	server := newSSHServer(t, nil, withPassword("pass"))
	_, _, err := pt.New(t, "command", remoteToken, New).TryCreate(pt.Values{
		"connection": connectionTo(server, pt.Values{"password": "guess", "dialErrorLimit": 2}), "create": "true",
	})
	require.ErrorContains(t, err, "after 3 failed attempts")
	require.EqualValues(t, 3, server.attempts.Load(), "a failed login is tried again too")
}

func TestRemoteEndlessDialsEndWithTheRun(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	server := newSSHServer(t, nil, withPassword("pass"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for server.attempts.Load() < 3 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, _, err := pt.NewContext(ctx, t, "command", remoteToken, New).TryCreate(pt.Values{
		"connection": connectionTo(server, pt.Values{"password": "guess", "dialErrorLimit": -1}), "create": "true",
	})
	require.ErrorContains(t, err, "context canceled")
}

func TestRemoteCancelEndsTheScript(t *testing.T) {
	_, connection := remoteHost(t)
	started := filepath.Join(t.TempDir(), "started")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(started); err == nil || ctx.Err() != nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, _, err := pt.NewContext(ctx, t, "command", remoteToken, New).TryCreate(pt.Values{
		"connection": connection, "create": "touch " + started + "; exec sleep 600",
	})
	require.ErrorContains(t, err, "context canceled")
}

func TestRemoteEnvironmentThatTheServerRefuses(t *testing.T) {
	_, connection := remoteHost(t, "TAKEN")
	commands := pt.New(t, "command", remoteToken, New)
	inputs := pt.Values{"connection": connection, "create": "echo $TAKEN", "environment": pt.Values{"TAKEN": "yes"}}
	_, state := commands.Create(inputs)
	require.Equal(t, "yes", pt.Text(t, state, "stdout"))
	_, err := commands.Update(state, inputs, false)
	require.NoError(t, err, "the previous output is left out with a warning")
	inputs["environment"] = pt.Values{"REFUSED": "TOPSECRET"}
	_, err = commands.Update(state, inputs, false)
	require.ErrorContains(t, err, "does not take the environment variable REFUSED; name it in AcceptEnv")
	require.NotContains(t, err.Error(), "TOPSECRET")
}

func TestRemoteFailures(t *testing.T) {
	_, connection := remoteHost(t)
	commands := pt.New(t, "command", remoteToken, New)
	inputs := pt.Values{
		"connection": connection, "create": ": TOPSECRET; cat >/dev/null; echo said; echo why >&2; exit 7",
		"stdin": pt.Secret("TOPSECRET"),
	}
	_, _, err := commands.TryCreate(inputs)
	require.ErrorContains(t, err, "create script on 127.0.0.1: Process exited with status 7; its last output:")
	require.ErrorContains(t, err, "said")
	require.ErrorContains(t, err, "why")
	require.NotContains(t, err.Error(), "TOPSECRET")

	_, state := commands.Create(pt.Values{"connection": connection, "delete": "echo no >&2; exit 1"})
	require.ErrorContains(t, commands.Delete(state), "delete script on 127.0.0.1")
	_, err = commands.Update(state, pt.Values{"connection": connection, "update": "exit 2"}, false)
	require.ErrorContains(t, err, "update script on 127.0.0.1: Process exited with status 2")
}

func TestRemoteInputThatIsNotRead(t *testing.T) {
	_, connection := remoteHost(t)
	_, state := pt.New(t, "command", remoteToken, New).Create(pt.Values{
		"connection": connection, "create": "echo done", "stdin": strings.Repeat("x", 8<<20),
	})
	require.Equal(t, "done", pt.Text(t, state, "stdout"))
}
