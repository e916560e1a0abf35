package docker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// freePort is a port that nobody uses now, below those that the system gives to outgoing connections.
func freePort(t *testing.T) float64 {
	t.Helper()
	for {
		port := 20_000 + rand.IntN(12_000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, l.Close())
			return float64(port)
		}
	}
}

func healthy() values {
	return values{"tests": []any{"CMD", "/tool", "exit", "0"}, "interval": "500ms", "timeout": "5s", "retries": 3.0}
}

// hardened is a container as the registry's: nothing it does not need.
func hardened(t *testing.T) values {
	return values{
		"image": toolImage, "name": randomName(), "readOnly": true, "user": "1000:1000",
		"capabilities": values{"drops": []any{"ALL"}}, "securityOpts": []any{"no-new-privileges:true"},
		"tmpfs": values{"/tmp": "rw,noexec,nosuid,size=1m"}, "healthcheck": healthy(), "wait": true, "waitTimeout": 30.0,
		"envs":   []any{"A=1", secret("B=hush")},
		"labels": []any{values{"label": "b", "value": "2"}, values{"label": "a", "value": "1"}},
		"ports":  []any{values{"internal": 8080.0, "external": freePort(t), "ip": "127.0.0.1"}},
		"hosts":  []any{values{"host": "example", "ip": "10.0.0.1"}}, "ulimits": []any{values{"name": "nofile", "soft": 64.0, "hard": 64.0}},
		"dns": []any{"10.0.0.53"}, "groupAdds": []any{"2000"}, "stopTimeout": 5.0, "stopSignal": "SIGTERM", "init": true,
		"logDriver": "json-file", "logOpts": values{"max-size": "1m", "max-file": "2"},
		"restart": "unless-stopped", "destroyGraceSeconds": 5.0, "workingDir": "/tmp", "hostname": "box", "shmSize": 16.0,
		"sysctls": values{"net.ipv4.ip_unprivileged_port_start": "0"},
	}
}

func TestContainerFromCreateToDelete(t *testing.T) {
	d := withDaemon(t)
	in, made := d.create(t, containerType, hardened(t))
	require.Len(t, made.ID, 64, "the full container id")
	require.True(t, made.Properties.Get("envs").Secret(), "an output is secret as a whole")
	require.Empty(t, diff(t, d, containerType, made.Properties, in).DetailedDiff, "a second up changes nothing")

	live, err := d.ContainerInspect(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, container.Healthy, live.State.Health.Status)
	require.True(t, live.HostConfig.ReadonlyRootfs)
	require.Equal(t, []string{"ALL"}, []string(live.HostConfig.CapDrop))

	read := d.refresh(t, containerType, made.ID, in, made.Properties)
	require.Equal(t, plain(property.New(made.Properties)), plain(property.New(read.Properties)), "a refresh changes nothing")
	require.True(t, read.Properties.Get("envs").Secret())

	after := in.Set("restart", property.New("always")).Set("waitTimeout", property.New(31.0))
	changes := diff(t, d, containerType, read.Properties, after)
	require.False(t, replacesAny(changes.DetailedDiff))
	updated, err := d.Update(p.UpdateRequest{ID: made.ID, Urn: urnOf(containerType), State: read.Properties, Inputs: after})
	require.NoError(t, err)
	require.True(t, updated.Properties.Get("envs").Secret())
	require.Empty(t, diff(t, d, containerType, updated.Properties, after).DetailedDiff)
	live, err = d.ContainerInspect(t.Context(), made.ID)
	require.NoError(t, err)
	require.EqualValues(t, "always", live.HostConfig.RestartPolicy.Name)

	gone := p.DeleteRequest{ID: made.ID, Urn: urnOf(containerType), Properties: updated.Properties}
	require.NoError(t, d.Delete(gone))
	require.NoError(t, d.Delete(gone), "deleting it again")
	missing, err := d.Read(p.ReadRequest{ID: made.ID, Urn: urnOf(containerType), Properties: updated.Properties, Inputs: in})
	require.NoError(t, err)
	require.Empty(t, missing.ID, "leaves the state")
}

// The loader brings files into a volume and ends; from then on nothing about it may change.
func TestContainerThatLoadsAVolumeAndEnds(t *testing.T) {
	d := withDaemon(t)
	_, volume := d.create(t, volumeType, values{"name": randomName()})
	in, made := d.create(t, containerType, values{
		"image": toolImage, "name": randomName(), "networkMode": "none",
		"command": []any{"copy", "/new/dir/secret", "/settings/secret"},
		"volumes": []any{values{"volumeName": volume.Properties.Get("name").AsString(), "containerPath": "/settings"}},
		"uploads": []any{
			values{"file": "/new/other", "contentBase64": "AAECAw==", "executable": true},
			values{"file": "/new/dir/secret", "content": secret("hush"), "permissions": "0400", "owner": "1000", "group": "1001"},
		},
		"attach": true, "logs": true, "mustRun": false,
	})
	require.Equal(t, "400 1000 1001\n", made.Properties.Get("containerLogs").AsString())
	require.Zero(t, made.Properties.Get("exitCode").AsNumber())
	require.True(t, made.Properties.Get("uploads").Secret())
	require.Empty(t, diff(t, d, containerType, made.Properties, in).DetailedDiff)
	read := d.refresh(t, containerType, made.ID, in, made.Properties)
	require.Equal(t, plain(property.New(made.Properties)), plain(property.New(read.Properties)))
}

func TestExitCodeIsRecordedNotJudged(t *testing.T) {
	d := withDaemon(t)
	in, made := d.create(t, containerType, values{
		"image": toolImage, "name": randomName(), "command": []any{"exit", "3"}, "attach": true, "mustRun": false,
	})
	require.Equal(t, 3.0, made.Properties.Get("exitCode").AsNumber())
	require.Empty(t, diff(t, d, containerType, made.Properties, in).DetailedDiff)
}

// A stopped container shows as an update that starts it, or, since it has no ports any more, as a
// replacement if it should have some.
func TestStoppedContainer(t *testing.T) {
	d := withDaemon(t)
	m := values{"image": toolImage, "name": randomName()}
	in, made := d.create(t, containerType, m)
	timeout := 0
	require.NoError(t, d.ContainerStop(t.Context(), made.ID, container.StopOptions{Timeout: &timeout}))
	read := d.refresh(t, containerType, made.ID, in, made.Properties)
	require.False(t, read.Properties.Get("mustRun").AsBool())
	require.Equal(t, map[string]p.PropertyDiff{"mustRun": {Kind: p.Update}},
		diff(t, d, containerType, read.Properties, in).DetailedDiff)

	withPorts := in.Set("ports", property.New([]property.Value{property.New(properties(port(80, 1)))}))
	require.Equal(t, p.AddReplace, diff(t, d, containerType, read.Properties, withPorts).DetailedDiff["ports"].Kind)

	_, err := d.Update(p.UpdateRequest{ID: made.ID, Urn: urnOf(containerType), State: read.Properties, Inputs: in})
	require.NoError(t, err)
	live, err := d.ContainerInspect(t.Context(), made.ID)
	require.NoError(t, err)
	require.True(t, live.State.Running)
}

// The daemon's form of an input differs from the program's: the official provider replaces, or
// updates, at every up. A stand-in that hides it would let such a program pass.
func TestNormalisedInputsShowUp(t *testing.T) {
	d := withDaemon(t)
	cases := map[string]struct {
		input string
		value any
		want  p.DiffKind
	}{
		"capability without prefix": {"capabilities", values{"adds": []any{"NET_ADMIN"}}, p.UpdateReplace},
		"duration":                  {"healthcheck", values{"tests": []any{"CMD", "/tool"}, "interval": "1m"}, p.UpdateReplace},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in, made := d.create(t, containerType, values{"image": toolImage, "name": randomName(), c.input: c.value})
			require.Equal(t, map[string]p.PropertyDiff{c.input: {Kind: c.want}},
				diff(t, d, containerType, made.Properties, in).DetailedDiff)
		})
	}
	t.Run("memory without memorySwap", func(t *testing.T) {
		in, made := d.create(t, containerType, values{"image": toolImage, "name": randomName(), "memory": 32.0})
		require.Contains(t, []float64{64, -1}, made.Properties.Get("memorySwap").AsNumber(), "-1 where swap is not accounted")
		require.Equal(t, map[string]p.PropertyDiff{"memorySwap": {Kind: p.Delete}},
			diff(t, d, containerType, made.Properties, in).DetailedDiff)
	})
}

func TestContainerOnItsOwnNetwork(t *testing.T) {
	d := withDaemon(t)
	_, network := d.create(t, networkType, values{"name": randomName()})
	name := network.Properties.Get("name").AsString()
	in, made := d.create(t, containerType, values{
		"image": toolImage, "name": randomName(), "networksAdvanced": []any{values{"name": name, "aliases": []any{"web"}}},
	})
	require.Empty(t, diff(t, d, containerType, made.Properties, in).DetailedDiff)
	live, err := d.ContainerInspect(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, live.NetworkSettings.Networks, 1, "taken off the default bridge")
	require.Contains(t, live.NetworkSettings.Networks[name].Aliases, "web")
}

func TestAnonymousVolumesGoWithTheContainer(t *testing.T) {
	d := withDaemon(t)
	_, made := d.create(t, containerType, values{
		"image": toolImage, "name": randomName(), "volumes": []any{values{"containerPath": "/data"}},
	})
	live, err := d.ContainerInspect(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, live.Mounts, 1)
	require.NoError(t, d.Delete(p.DeleteRequest{ID: made.ID, Urn: urnOf(containerType), Properties: made.Properties}))
	_, err = d.VolumeInspect(t.Context(), live.Mounts[0].Name)
	require.True(t, isGone(err), "%v", err)
}

// Without destroyGraceSeconds a container is killed at once, whatever its stopTimeout says; with it, it may
// come to its own end.
func TestGraceOfADelete(t *testing.T) {
	d := withDaemon(t)
	for name, c := range map[string]struct {
		input    string
		exitCode string
	}{
		"without": {"stopTimeout", "137"},
		"with":    {"destroyGraceSeconds", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, made := d.create(t, containerType, values{
				"image": toolImage, "name": randomName(), "command": []any{"linger"}, c.input: 60.0,
			})
			require.Eventually(t, func() bool {
				text, err := d.logs(t.Context(), made.ID, "", false)
				return err == nil && text == "ready\n"
			}, time.Minute, 50*time.Millisecond)
			require.NoError(t, d.Delete(p.DeleteRequest{ID: made.ID, Urn: urnOf(containerType), Properties: made.Properties}))
			require.Equal(t, c.exitCode, d.exitCode(t, made.ID))
		})
	}
}

// exitCode is what the daemon said when the container ended, which may be gone by now.
func (d daemon) exitCode(t *testing.T, id string) string {
	t.Helper()
	messages, failed := d.Events(t.Context(), events.ListOptions{
		Since: "0", Filters: filters.NewArgs(filters.Arg("container", id), filters.Arg("event", string(events.ActionDie))),
	})
	select {
	case message := <-messages:
		return message.Actor.Attributes["exitCode"]
	case err := <-failed:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		require.Fail(t, "the daemon does not say how the container ended")
	}
	return ""
}

func TestNameConflictLeavesNothing(t *testing.T) {
	d := withDaemon(t)
	m := values{"image": toolImage, "name": randomName()}
	d.create(t, containerType, m)
	in := check(t, d, containerType, properties(m))
	resp, err := d.Create(p.CreateRequest{Urn: urnOf(containerType), Properties: in})
	require.ErrorContains(t, err, "choose another name")
	require.Empty(t, resp.ID)
}

// Once the container exists a failure is kept in the state, and the next plain up sees no change.
func TestFailureAfterCreation(t *testing.T) {
	d := withDaemon(t)
	taken := freePort(t)
	d.create(t, containerType, values{
		"image": toolImage, "name": randomName(), "ports": []any{values{"internal": 80.0, "external": taken}},
	})
	cases := map[string]struct {
		inputs values
		reason string
	}{
		"port taken": {values{"ports": []any{values{"internal": 80.0, "external": taken}}}, "choose another external port"},
		"not healthy": {values{
			"wait": true, "waitTimeout": 1.0,
			"healthcheck": values{"tests": []any{"CMD", "/tool", "exit", "1"}, "interval": "200ms", "timeout": "5s", "retries": 1.0},
		}, "container failed to be in healthy state"},
		"no health check": {values{"wait": true}, "has no health check"},
		"no such network": {values{"networksAdvanced": []any{values{"name": randomName()}}}, "not found"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.inputs["image"], c.inputs["name"] = toolImage, randomName()
			d.removeContainer(t, c.inputs["name"].(string))
			in := check(t, d, containerType, properties(c.inputs))
			resp, err := d.Create(p.CreateRequest{Urn: urnOf(containerType), Properties: in})
			require.Error(t, err)
			require.NotEmpty(t, resp.ID)
			require.NotNil(t, resp.PartialState)
			require.Contains(t, resp.PartialState.Reasons[0], c.reason)
			require.Empty(t, diff(t, d, containerType, resp.Properties, in).DetailedDiff)
			require.NoError(t, d.Delete(p.DeleteRequest{ID: resp.ID, Urn: urnOf(containerType), Properties: resp.Properties}))
		})
	}
}

func TestInterruptEndsTheWait(t *testing.T) {
	d := withDaemon(t)
	name := randomName()
	d.removeContainer(t, name)
	in := check(t, d, containerType, properties(values{
		"image": toolImage, "name": name, "wait": true, "waitTimeout": 3600.0,
		"healthcheck": values{"tests": []any{"CMD", "/tool", "exit", "1"}, "interval": "1s"},
	}))
	var resp p.CreateResponse
	done := make(chan struct{})
	go func() {
		defer close(done)
		resp, _ = d.Create(p.CreateRequest{Urn: urnOf(containerType), Properties: in})
	}()
	require.Eventually(t, func() bool {
		live, err := d.ContainerInspect(context.Background(), name)
		return err == nil && live.State.Running
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, d.Cancel())
	<-done
	require.NotEmpty(t, resp.ID, "what exists reaches the state")
	require.Contains(t, resp.PartialState.Reasons[0], "cancelled")
}

// The daemon makes a container whose answer nobody waits for: an interrupt meanwhile does not lose it.
func TestInterruptWhileItIsMade(t *testing.T) {
	d := withDaemon(t)
	made, interrupted := make(chan struct{}), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(interrupted) })
	daemon := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "docker"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.Dialer()(ctx)
		}},
		ModifyResponse: func(r *http.Response) error {
			if strings.HasSuffix(r.Request.URL.Path, "/containers/create") {
				close(made)
				<-interrupted
			}
			return nil
		},
	})
	defer daemon.Close()
	defer goOn()
	impatient := newServer(t)
	require.NoError(t, impatient.Configure(p.ConfigureRequest{Args: properties(values{
		"host": "tcp://" + daemon.Listener.Addr().String(),
	})}))
	name := randomName()
	d.removeContainer(t, name)
	in := check(t, d, containerType, properties(values{"image": toolImage, "name": name}))
	var resp p.CreateResponse
	done := make(chan struct{})
	go func() {
		defer close(done)
		resp, _ = impatient.Create(p.CreateRequest{Urn: urnOf(containerType), Properties: in})
	}()
	select {
	case <-made:
	case <-done:
		require.Fail(t, "it was not asked for")
	}
	require.NoError(t, impatient.Cancel())
	time.Sleep(100 * time.Millisecond)
	goOn()
	<-done
	live, err := d.ContainerInspect(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, live.ID, resp.ID, "what exists reaches the state")
	require.NotEmpty(t, resp.PartialState.Reasons)
}

func TestWrongInputsLeaveNothing(t *testing.T) {
	d := withDaemon(t)
	for reason, m := range map[string]values{
		"element of command is empty": {"command": []any{"stay", ""}},
		"exactly one of content":      {"uploads": []any{values{"file": "/a"}}},
		"neither containerPath":       {"volumes": []any{values{"readOnly": true}}},
		"cannot be pulled":            {"image": "localhost:1/no/such:image"},
	} {
		m["name"] = randomName()
		if m["image"] == nil {
			m["image"] = toolImage
		}
		in := check(t, d, containerType, properties(m))
		resp, err := d.Create(p.CreateRequest{Urn: urnOf(containerType), Properties: in})
		require.ErrorContains(t, err, reason)
		require.Empty(t, resp.ID)
	}
}

// Preview: what the program gives is known, what only the daemon knows is not.
func TestPreviewOfACreate(t *testing.T) {
	server := newServer(t)
	in := check(t, server, containerType, properties(values{"image": "img", "name": "web", "envs": []any{"A=1"}}))
	resp, err := server.Create(p.CreateRequest{Urn: urnOf(containerType), Properties: in, DryRun: true})
	require.NoError(t, err)
	require.Empty(t, resp.ID)
	var known []string
	for _, name := range []string{"image", "name", "envs", "labels", "hostname", "networkDatas", "exitCode", "command"} {
		if !resp.Properties.Get(name).HasComputed() {
			known = append(known, name)
		}
	}
	require.True(t, slices.Equal([]string{"image", "name", "envs"}, known), "%v", known)
	require.Equal(t, "web", path.Base(resp.Properties.Get("name").AsString()))
}

// Preview of an update: it cannot change what the daemon has chosen, so that stays known.
func TestPreviewOfAnUpdate(t *testing.T) {
	server := newServer(t)
	in := check(t, server, containerType, properties(values{"image": "img", "name": "web"}))
	state, err := server.Create(p.CreateRequest{Urn: urnOf(containerType), Properties: in, DryRun: true})
	require.NoError(t, err)
	before := properties(values{})
	for name, value := range state.Properties.All {
		if !value.HasComputed() {
			before = before.Set(name, value)
		}
	}
	for name, value := range properties(values{
		"bridge": "", "command": []any{}, "containerLogs": "", "entrypoints": []any{}, "envs": []any{}, "exitCode": 0.0,
		"healthcheck": values{}, "hostname": "f00", "init": false, "ipcMode": "private", "labels": []any{},
		"logDriver": "json-file", "networkDatas": []any{}, "platform": "linux", "runtime": "runc", "securityOpts": []any{},
		"shmSize": 64.0, "stopSignal": "", "stopTimeout": 0.0,
	}).All {
		before = before.Set(name, value)
	}
	resp, err := server.Update(p.UpdateRequest{
		ID: "c1", Urn: urnOf(containerType), State: before, Inputs: in.Set("restart", property.New("always")), DryRun: true,
	})
	require.NoError(t, err)
	require.Equal(t, "f00", resp.Properties.Get("hostname").AsString())
	require.Equal(t, "always", resp.Properties.Get("restart").AsString())
	for name := range before.All { // a required list that went missing could not be read again
		require.False(t, resp.Properties.Get(name).IsNull(), name)
	}
}
