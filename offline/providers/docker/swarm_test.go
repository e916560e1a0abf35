package docker

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// withSwarm uses the swarm that the daemon is a manager of, or makes one that goes with the test,
// unless somebody has begun to use it meanwhile.
func withSwarm(t *testing.T) daemon {
	t.Helper()
	d := withDaemon(t)
	info, err := d.Info(t.Context())
	require.NoError(t, err)
	if info.Swarm.ControlAvailable {
		return d
	}
	if info.Swarm.LocalNodeState != swarm.LocalNodeStateInactive {
		t.Skip("this test needs a Docker daemon that is a swarm manager, or in no swarm")
	}
	_, err = d.SwarmInit(t.Context(), swarm.InitRequest{ListenAddr: "0.0.0.0:2377", AdvertiseAddr: "127.0.0.1"})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.Background()
		services, err := d.ServiceList(ctx, swarm.ServiceListOptions{})
		networks, _ := d.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("scope", "swarm"))})
		if err == nil && len(services) == 0 && len(networks) <= 1 { // one is its own, ingress
			_ = d.SwarmLeave(ctx, true)
			_ = d.NetworkRemove(ctx, "docker_gwbridge") // which Docker makes for a swarm, and leaves
		}
	})
	return d
}

func nameOf(made p.CreateResponse) string { return made.Properties.Get("name").AsString() }

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// expectStable wants a second look to find the same, and the inputs to change nothing.
func (d daemon) expectStable(t *testing.T, kind tokens.Type, in property.Map, made p.CreateResponse) {
	t.Helper()
	require.Empty(t, diff(t, d, kind, made.Properties, in).DetailedDiff)
	read := d.refresh(t, kind, made.ID, in, made.Properties)
	require.Equal(t, plain(property.New(made.Properties)), plain(property.New(read.Properties)))
	require.Empty(t, diff(t, d, kind, read.Properties, in).DetailedDiff)
}

func TestOverlayNetwork(t *testing.T) {
	d := withSwarm(t)
	for _, m := range []values{
		{"driver": "overlay", "attachable": true, "internal": true},
		{"driver": "overlay", "ipamConfigs": []any{values{"subnet": "10.213.0.0/24"}}, "options": values{"encrypted": ""}},
	} {
		m["name"] = randomName()
		in, made := d.create(t, networkType, m)
		require.Equal(t, "swarm", made.Properties.Get("scope").AsString())
		require.Equal(t, 1, made.Properties.Get("ipamConfigs").AsArray().Len())
		d.expectStable(t, networkType, in, made)
	}
}

func TestSecretFromCreateToDelete(t *testing.T) {
	d := withSwarm(t)
	in, made := d.create(t, secretType, values{"data": encoded("hush"), "labels": labels("a")})
	require.True(t, made.Properties.Get("data").Secret())
	d.expectStable(t, secretType, in, made)
	changed := diff(t, d, secretType, made.Properties, in.Set("data", property.New(encoded("other"))))
	require.Equal(t, map[string]p.PropertyDiff{"data": {Kind: p.UpdateReplace}}, changed.DetailedDiff)
	require.False(t, changed.DeleteBeforeReplace, "a made up name changes with the data")

	gone := p.DeleteRequest{ID: made.ID, Urn: urnOf(secretType), Properties: made.Properties}
	require.NoError(t, d.Delete(gone))
	require.NoError(t, d.Delete(gone), "deleting it again")
	missing, err := d.Read(p.ReadRequest{ID: made.ID, Urn: urnOf(secretType), Properties: made.Properties, Inputs: in})
	require.NoError(t, err)
	require.Empty(t, missing.ID)
}

// service is what these tests run: the tool, waited for.
func service(name string, container values) values {
	container["image"] = toolImage
	return values{
		"name": name, "convergeConfig": values{"delay": "250ms", "timeout": "40s"},
		"updateConfig": values{"order": "start-first", "monitor": "500ms"},
		"endpointSpec": values{"mode": "dnsrr"},
		"taskSpec":     values{"containerSpec": container, "restartPolicy": values{"condition": "any", "delay": "1s"}},
	}
}

func (d daemon) env(t *testing.T, id string) []string {
	t.Helper()
	live, _, err := d.ServiceInspectWithRaw(t.Context(), id, swarm.ServiceInspectOptions{})
	require.NoError(t, err)
	return live.Spec.TaskTemplate.ContainerSpec.Env
}

func (d daemon) containersOf(t *testing.T, name string) int {
	t.Helper()
	tasks, err := d.TaskList(t.Context(), swarm.TaskListOptions{Filters: filters.NewArgs(
		filters.Arg("service", name), filters.Arg("desired-state", "running"))})
	require.NoError(t, err)
	return len(tasks)
}

func TestServiceFromCreateToDelete(t *testing.T) {
	d := withSwarm(t)
	_, made := d.create(t, secretType, values{"data": encoded("hush")})
	_, overlay := d.create(t, networkType, values{"driver": "overlay", "attachable": true})
	name := randomName()
	m := service(name, values{
		"env": values{"A": "1"}, "stopGracePeriod": "5s", "readOnly": true, "capDrops": []any{"ALL"}, "user": "65532:65532",
		"secrets": []any{values{"secretId": made.ID, "secretName": nameOf(made), "fileName": "s", "fileMode": 256.0}},
		"mounts":  []any{values{"type": "tmpfs", "target": "/tmp", "tmpfsOptions": values{"mode": 1023.0}}},
	})
	m["taskSpec"].(values)["networksAdvanceds"] = []any{values{"id": overlay.ID}}
	m["mode"] = values{"replicated": values{"replicas": 2.0}}
	in, web := d.create(t, serviceType, m)
	require.Equal(t, 2, d.containersOf(t, name))
	d.expectStable(t, serviceType, in, web)

	update := func(after values) p.UpdateResponse {
		t.Helper()
		in = check(t, d, serviceType, properties(after))
		got := diff(t, d, serviceType, web.Properties, in)
		require.True(t, got.HasChanges)
		require.False(t, replacesAny(got.DetailedDiff))
		resp, err := d.Update(p.UpdateRequest{ID: web.ID, Urn: urnOf(serviceType), State: web.Properties, Inputs: in})
		require.NoError(t, err)
		web.Properties = resp.Properties
		d.expectStable(t, serviceType, in, web)
		return resp
	}
	m["taskSpec"].(values)["containerSpec"].(values)["env"] = values{"A": "2"}
	delete(m["taskSpec"].(values)["containerSpec"].(values), "stopGracePeriod")
	update(m)
	require.Equal(t, []string{"A=2"}, d.env(t, web.ID))
	kept := web.Properties.Get("taskSpec").AsMap().Get("containerSpec").AsMap().Get("stopGracePeriod")
	require.Equal(t, "5s", kept.AsString(), "left open, it stays")
	m["mode"] = values{"replicated": values{"replicas": 1.0}}
	update(m)
	require.Equal(t, 1, d.containersOf(t, name))

	imported := d.refresh(t, serviceType, web.ID, properties(values{}), properties(values{}))
	require.Equal(t, name, imported.Inputs.Get("name").AsString())

	gone := p.DeleteRequest{ID: web.ID, Urn: urnOf(serviceType), Properties: web.Properties}
	require.NoError(t, d.Delete(gone))
	require.NoError(t, d.Delete(gone), "deleting it again")
	missing, err := d.Read(p.ReadRequest{ID: web.ID, Urn: urnOf(serviceType), Properties: web.Properties, Inputs: in})
	require.NoError(t, err)
	require.Empty(t, missing.ID)
	require.NoError(t, d.NetworkRemove(t.Context(), overlay.ID), "nothing is attached any more")
}

// A secret that a service uses cannot be removed, and the message says what to do.
func TestSecretInUse(t *testing.T) {
	d := withSwarm(t)
	_, made := d.create(t, secretType, values{"data": encoded("hush")})
	m := service(randomName(), values{"secrets": []any{
		values{"secretId": made.ID, "secretName": nameOf(made), "fileName": "s"},
	}})
	d.create(t, serviceType, m)
	err := d.Delete(p.DeleteRequest{ID: made.ID, Urn: urnOf(secretType), Properties: made.Properties})
	require.ErrorContains(t, err, "give the new one another name")
}

func TestServiceThatDoesNotConverge(t *testing.T) {
	d := withSwarm(t)
	name := randomName()
	m := service(name, values{"args": []any{"exit", "3"}})
	m["convergeConfig"] = values{"delay": "250ms", "timeout": "25s"}
	in := check(t, d, serviceType, properties(m))
	_, err := d.Create(p.CreateRequest{Urn: urnOf(serviceType), Properties: in})
	require.ErrorContains(t, err, "service "+name+" did not converge after 25s: ")
	require.ErrorContains(t, err, "; task "+name+".1 is failed")
	require.ErrorContains(t, err, "non-zero exit (3)")
	_, _, err = d.ServiceInspectWithRaw(t.Context(), name, swarm.ServiceInspectOptions{})
	require.True(t, isGone(err))

	m = service(name, values{})
	m["taskSpec"].(values)["placement"] = values{"constraints": []any{"node.labels.none==such"}}
	m["convergeConfig"] = values{"delay": "250ms", "timeout": "15s"}
	_, err = d.Create(p.CreateRequest{Urn: urnOf(serviceType), Properties: check(t, d, serviceType, properties(m))})
	require.ErrorContains(t, err, "no suitable node")
}

// A failed update is an error with the task's reason in it; the state is what the swarm has then.
func TestServiceUpdateThatFails(t *testing.T) {
	d := withSwarm(t)
	for action, want := range map[string]struct{ text, env string }{
		"pause":    {"service update paused: ", "A=2"},
		"rollback": {"service rollback completed: ", "A=1"},
	} {
		t.Run(action, func(t *testing.T) {
			m := service(randomName(), values{"env": values{"A": "1"}})
			m["updateConfig"].(values)["failureAction"] = action
			_, made := d.create(t, serviceType, m)
			container := m["taskSpec"].(values)["containerSpec"].(values)
			container["env"], container["args"] = values{"A": "2"}, []any{"exit", "3"}
			// Only a failure within this time after a start counts, and a busy machine tells of it late. Nobody waits for its end.
			m["updateConfig"].(values)["monitor"] = "20s"
			in := check(t, d, serviceType, properties(m))
			resp, err := d.Update(p.UpdateRequest{ID: made.ID, Urn: urnOf(serviceType), State: made.Properties, Inputs: in})
			require.Error(t, err)
			require.NotNil(t, resp.PartialState)
			require.Contains(t, resp.PartialState.Reasons[0], want.text)
			require.Contains(t, resp.PartialState.Reasons[0], "non-zero exit (3)")
			require.Equal(t, []string{want.env}, d.env(t, made.ID))
			require.Equal(t, action == "rollback", diff(t, d, serviceType, resp.Properties, in).HasChanges)
		})
	}
}

// One task per node; the daemon's own choices are no change either.
func TestGlobalServiceWithDefaults(t *testing.T) {
	d := withSwarm(t)
	in, made := d.create(t, serviceType, values{
		"mode": values{"global": true}, "taskSpec": values{"containerSpec": values{"image": toolImage}},
	})
	require.Equal(t, "vip", made.Properties.Get("endpointSpec").AsMap().Get("mode").AsString())
	d.expectStable(t, serviceType, in, made)
}

func TestPublishedPorts(t *testing.T) {
	d := withSwarm(t)
	host := values{"targetPort": 80.0, "publishedPort": freePort(t), "publishMode": "host"}
	for _, endpoint := range []values{
		{"mode": "dnsrr", "ports": []any{host}},
		{"ports": []any{values{"targetPort": 80.0}, values{"targetPort": 81.0, "protocol": "udp"}}},
	} {
		in, made := d.create(t, serviceType, values{
			"mode": values{"replicated": values{"replicas": 0.0}}, "endpointSpec": endpoint,
			"taskSpec": values{"containerSpec": values{"image": toolImage}},
		})
		require.Empty(t, diff(t, d, serviceType, made.Properties, in).DetailedDiff)
		// The swarm may have chosen a port only by now.
		read := d.refresh(t, serviceType, made.ID, in, made.Properties)
		require.Empty(t, diff(t, d, serviceType, read.Properties, in).DetailedDiff)
	}
}

func TestDaemonInNoSwarm(t *testing.T) {
	d := withDaemon(t)
	info, err := d.Info(t.Context())
	require.NoError(t, err)
	if info.Swarm.LocalNodeState != swarm.LocalNodeStateInactive {
		t.Skip("this test needs a Docker daemon that is in no swarm")
	}
	in := check(t, d, secretType, properties(values{"data": encoded("hush")}))
	_, err = d.Create(p.CreateRequest{Urn: urnOf(secretType), Properties: in})
	require.ErrorContains(t, err, "docker swarm init")
	require.NotContains(t, err.Error(), "hush")
}
