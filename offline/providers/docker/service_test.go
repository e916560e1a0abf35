package docker

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// fullService has something in everything that is covered.
func fullService() values {
	label := func(name string) any { return labels(name) }
	return values{
		"name": "web", "labels": label("service"),
		"mode":           values{"replicated": values{"replicas": 3.0}},
		"convergeConfig": values{"timeout": "90s"},
		"updateConfig":   values{"order": "start-first", "monitor": "60s", "maxFailureRatio": "0.25"},
		"rollbackConfig": values{"parallelism": 0.0},
		"endpointSpec": values{"mode": "dnsrr", "ports": []any{
			values{"targetPort": 5000.0, "publishedPort": 443.0, "publishMode": "host", "name": "https"},
		}},
		"taskSpec": values{
			"forceUpdate": 2.0, "runtime": "container",
			"logDriver":         values{"name": "json-file", "options": values{"max-size": "1m"}},
			"networksAdvanceds": []any{values{"id": "n1", "aliases": []any{"a"}, "driverOpts": []any{"k=v"}}},
			"placement": values{
				"constraints": []any{"node.role==manager"}, "maxReplicas": 2.0, "prefs": []any{"node.labels.zone"},
				"platforms": []any{values{"os": "linux", "architecture": "amd64"}},
			},
			"resources": values{
				"limits":      values{"memoryBytes": 1e8, "nanoCpus": 5e8},
				"reservation": values{"memoryBytes": 1e7},
			},
			"restartPolicy": values{"condition": "any", "delay": "2s", "maxAttempts": 3.0, "window": "1m"},
			"containerSpec": values{
				"image": "registry:3", "args": []any{"serve"}, "commands": []any{"registry"}, "dir": "/", "hostname": "h",
				"capAdds": []any{"CAP_CHOWN"}, "capDrops": []any{"ALL"}, "groups": []any{"10"}, "user": "1:1",
				"env": values{"B": "2=3", "A": "1"}, "init": true, "readOnly": true, "stopSignal": "SIGINT",
				"stopGracePeriod": "60s", "sysctl": values{"net.core.somaxconn": "128"}, "labels": label("container"),
				"dnsConfig":   values{"nameservers": []any{"192.0.2.1"}, "searches": []any{"x"}, "options": []any{"ndots:1"}},
				"healthcheck": values{"tests": []any{"CMD", "x"}, "interval": "90s"},
				"hosts":       []any{values{"host": "six", "ip": "2001:db8::1"}},
				"privileges":  values{"seLinuxContext": values{"disable": true}},
				"mounts": []any{
					values{"type": "volume", "source": "v", "target": "/v", "volumeOptions": values{"noCopy": true, "labels": label("v")}},
					values{"type": "bind", "source": "/b", "target": "/b", "readOnly": true, "bindOptions": values{"propagation": "rslave"}},
					values{"type": "tmpfs", "target": "/t", "tmpfsOptions": values{"sizeBytes": 1024.0, "mode": 1023.0}},
				},
				"secrets": []any{values{"secretId": "s1", "secretName": "s", "fileName": "/etc/s", "fileMode": 256.0, "fileUid": "5"}},
			},
		},
	}
}

// at is where a service has something: a path of keys with dots.
func at(path string, value any) property.Map {
	keys := strings.Split(path, ".")
	for i := len(keys) - 1; i >= 0; i-- {
		value = values{keys[i]: value}
	}
	m, _ := value.(values)
	return properties(m)
}

func TestDiffOfServiceFields(t *testing.T) {
	const none = p.DiffKind("")
	const spec, container = "taskSpec.", "taskSpec.containerSpec."
	cases := map[string]struct {
		field         string
		state, inputs any
		want          p.DiffKind
	}{
		"image":                     {container + "image", "a", "b", p.Update},
		"unknown image":             {container + "image", "a", unknown, p.Update},
		"env":                       {container + "env", values{"A": "1"}, values{"A": "2"}, p.Update},
		"secret env, same value":    {container + "env", values{"A": "1"}, values{"A": secret("1")}, none},
		"args order matters":        {container + "args", []any{"a", "b"}, []any{"b", "a"}, p.Update},
		"health check dropped":      {container + "healthcheck", values{"retries": 3.0}, nil, none},
		"health check":              {container + "healthcheck", values{"retries": 3.0}, values{"retries": 2.0}, p.Update},
		"grace period dropped":      {container + "stopGracePeriod", "10s", nil, none},
		"secrets in another order":  {container + "secrets", files("a", "b"), files("b", "a"), none},
		"other secret":              {container + "secrets", files("a"), files("b"), p.Update},
		"secret not known yet":      {container + "secrets", files("a"), []any{values{"secretId": unknown}}, p.Update},
		"mounts in another order":   {container + "mounts", files("a", "b"), files("b", "a"), none},
		"read only, unset is false": {container + "readOnly", nil, false, none},
		"container labels replace":  {container + "labels", labels("a"), labels("b"), p.UpdateReplace},
		"hosts replace":             {container + "hosts", []any{}, []any{values{"host": "a", "ip": "b"}}, p.AddReplace},
		"sysctls replace":           {container + "sysctl", values{"a": "1"}, nil, p.DeleteReplace},
		"networks replace":          {spec + "networksAdvanceds", []any{values{"id": "a"}}, []any{values{"id": "b"}}, p.UpdateReplace},
		"restart policy left open":  {spec + "restartPolicy", values{"condition": "any"}, nil, none},
		"forced":                    {spec + "forceUpdate", 0.0, 1.0, p.Update},
		"constraint dropped":        {spec + "placement.constraints", []any{"a"}, nil, none},
		"platforms of the image":    {spec + "placement.platforms", []any{values{"os": "linux"}}, nil, none},
		"labels left open":          {"labels", labels("a"), nil, none},
		"replicas":                  {"mode.replicated", values{"replicas": 1.0}, values{"replicas": 3.0}, p.Update},
		"no replicas":               {"mode.replicated", values{"replicas": 1.0}, values{"replicas": 0.0}, p.Update},
		"replicas left open":        {"mode.replicated", values{"replicas": 3.0}, nil, none},
		"name":                      {"name", "a", "b", p.UpdateReplace},
		"update order":              {"updateConfig", values{"order": "stop-first"}, values{"order": "start-first"}, p.Update},
		"endpoint left open":        {"endpointSpec.ports", []any{values{"targetPort": 1.0}}, nil, none},
		"port chosen by the swarm":  {"endpointSpec.ports", []any{values{"targetPort": 1.0, "publishedPort": 30000.0}}, []any{values{"targetPort": 1.0}}, none},
		"published elsewhere":       {"endpointSpec.ports", []any{values{"targetPort": 1.0, "publishedPort": 2.0}}, []any{values{"targetPort": 1.0, "publishedPort": 3.0}}, p.Update},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			state, inputs := at(c.field, c.state), at(c.field, c.inputs)
			if c.inputs == nil { // not even the block that it would be in
				inputs = properties(values{})
			}
			got := diffFields(serviceFields, state, inputs)
			if c.want == none {
				require.Empty(t, got)
				return
			}
			require.Equal(t, map[string]p.PropertyDiff{c.field: {Kind: c.want}}, got)
		})
	}
}

func files(ids ...string) []any {
	var list []any
	for _, id := range ids {
		list = append(list, values{"secretId": id})
	}
	return list
}

// A swarm cannot turn a replicated service into a global one; the rest of a block goes with it.
func TestDiffOfServiceBlocks(t *testing.T) {
	global := properties(values{"mode": values{"global": true}})
	replicated := properties(values{"mode": values{"global": false, "replicated": values{"replicas": 1.0}}})
	require.True(t, replacesAny(diffFields(serviceFields, replicated, global)))
	require.True(t, replacesAny(diffFields(serviceFields, global, replicated)))
	placed := properties(values{"taskSpec": values{"placement": values{"constraints": []any{"a"}, "maxReplicas": 1.0}}})
	other := properties(values{"taskSpec": values{"placement": values{"maxReplicas": 1.0}}})
	require.Equal(t, map[string]p.PropertyDiff{"taskSpec.placement.constraints": {Kind: p.Delete}},
		diffFields(serviceFields, placed, other))
	all := diffFields(serviceFields, placed, properties(values{"taskSpec": unknown}))
	require.Contains(t, all, "taskSpec.containerSpec.image")
}

// Whatever the daemon is asked for is read back in the program's own words.
func TestServiceIsReadBackAsWritten(t *testing.T) {
	server := newServer(t)
	in := check(t, server, serviceType, properties(fullService()))
	typed, failures, err := infer.DefaultCheck[ServiceInputs](t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, failures)
	spec, err := serviceSpec(typed)
	require.NoError(t, err)
	c := spec.TaskTemplate.ContainerSpec
	require.Equal(t, []string{"A=1", "B=2=3"}, c.Env)
	require.Equal(t, []string{"2001:db8::1 six"}, c.Hosts)
	require.Equal(t, time.Minute, *c.StopGracePeriod)
	require.Equal(t, os.FileMode(0o1777), c.Mounts[2].TmpfsOptions.Mode)
	require.Equal(t, float32(0.25), spec.UpdateConfig.MaxFailureRatio)
	require.Zero(t, spec.RollbackConfig.Parallelism)

	c.Image += "@sha256:" + strings.Repeat("0", 64) // what a registry makes of it
	state := serviceState(withServiceInputs(ServiceState{}, typed), swarm.Service{Spec: spec})
	require.Equal(t, typed.TaskSpec, state.TaskSpec)
	require.Equal(t, typed, state.asInputs().withConverge(typed))
	require.Equal(t, typed, withKept(ServiceInputs{
		ConvergeConfig: typed.ConvergeConfig, Name: typed.Name, TaskSpec: typed.TaskSpec,
		UpdateConfig: typed.UpdateConfig, RollbackConfig: typed.RollbackConfig,
	}, state))
}

func (in ServiceInputs) withConverge(from ServiceInputs) ServiceInputs {
	in.ConvergeConfig = from.ConvergeConfig
	return in
}

func TestServiceReferencesAreWhole(t *testing.T) {
	for want, task := range map[string]ServiceTaskSpec{
		"secrets[0] lacks":            {ContainerSpec: ServiceContainerSpec{Secrets: []ServiceSecretFile{{SecretID: "s"}}}},
		"networksAdvanceds[0] has no": {NetworksAdvanceds: []ServiceNetwork{{}}},
	} {
		_, err := serviceSpec(ServiceInputs{TaskSpec: task})
		require.ErrorContains(t, err, want)
	}
}

func TestServiceImagesThatAreTheSame(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, c := range []struct{ before, live, want string }{
		{"registry:3", "registry:3" + digest, "registry:3"},
		{"docker.io/library/registry", "registry:latest", "docker.io/library/registry"},
		{"registry:3", "registry:4" + digest, "registry:4" + digest},
		{"registry:3" + digest, "registry:3@sha256:" + strings.Repeat("b", 64), "registry:3@sha256:" + strings.Repeat("b", 64)},
		{"sha256:" + strings.Repeat("a", 64), "sha256:" + strings.Repeat("a", 64), "sha256:" + strings.Repeat("a", 64)},
	} {
		require.Equal(t, c.want, sameImage(c.before, c.live))
	}
}

func TestServiceDurations(t *testing.T) {
	require.Equal(t, "60s", *sameDuration(pointer("60s"), time.Minute))
	require.Nil(t, sameDuration(nil, 0))
	for d, want := range map[time.Duration]string{
		time.Minute: "1m", time.Hour: "1h", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", 0: "0s", 20 * time.Hour: "20h",
	} {
		require.Equal(t, want, *sameDuration(pointer("7s"), d))
	}
}

func TestServiceChecks(t *testing.T) {
	server := newServer(t)
	reasons := func(kind tokens.Type, in property.Map) string {
		resp, err := server.Check(p.CheckRequest{Urn: urnOf(kind), Inputs: in})
		require.NoError(t, err)
		require.NotEmpty(t, resp.Failures)
		text, err := json.Marshal(resp.Failures)
		require.NoError(t, err)
		require.NotContains(t, string(text), "hush")
		return string(text)
	}
	with := func(path string, value any) string {
		in := values{"taskSpec": values{"containerSpec": values{"image": "a"}}}
		merge(in, strings.Split(path, "."), value)
		return reasons(serviceType, properties(in))
	}
	require.Contains(t, with("auth", values{"password": secret("hush")}), "does not support auth of docker.Service")
	require.Contains(t, with("taskSpec.networksAdvanceds", []any{values{"name": "n"}}), "name")
	require.Contains(t, with("taskSpec.containerSpec.nonsense", "x"), "nonsense")
	require.Contains(t, with("mode", values{"global": true, "replicated": values{}}), "either global or replicated")
	require.Contains(t, with("endpointSpec", values{"mode": "dnsrr", "ports": []any{values{"targetPort": 1.0}}}), "set publishMode to host")
	require.Contains(t, with("updateConfig", values{"order": "any"}), "start-first")
	require.Contains(t, with("rollbackConfig", values{"failureAction": "rollback"}), "rollbackConfig.failureAction")
	require.Contains(t, with("updateConfig", values{"maxFailureRatio": "2"}), "no ratio")
	require.Contains(t, with("convergeConfig", values{"timeout": "soon"}), "convergeConfig.timeout")
	require.Contains(t, with("taskSpec.restartPolicy", values{"condition": "always"}), "on-failure")
	require.Contains(t, with("taskSpec.containerSpec.mounts", []any{values{"type": "bind", "source": "data", "target": "/d"}}), "not absolute")
	require.Contains(t, reasons(secretType, properties(values{"data": secret("hush!")})), "not base64")
	check(t, server, secretType, properties(values{"data": unknown, "name": unknown}))
}

// What the swarm says while tasks come and go, and what that means for who waits.
func TestServiceConvergence(t *testing.T) {
	task := func(id string, slot int, desired, state swarm.TaskState) swarm.Task {
		return swarm.Task{ID: id, Slot: slot, NodeID: "up", DesiredState: desired, Status: swarm.TaskStatus{State: state}}
	}
	const run, end, start = swarm.TaskStateRunning, swarm.TaskStateShutdown, swarm.TaskStateStarting
	view := func(status swarm.UpdateState, tasks ...swarm.Task) serviceView {
		v := serviceView{tasks: tasks, up: map[string]bool{"up": true}}
		v.service.Spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: pointer(uint64(2))}
		if status != "" {
			v.service.UpdateStatus = &swarm.UpdateStatus{State: status, Message: "message"}
		}
		return v
	}
	one, two := task("a", 1, run, run), task("b", 2, run, run)
	gone := task("b", 2, run, run)
	gone.NodeID = "down"
	for name, c := range map[string]struct {
		view    serviceView
		tasks   string
		updated bool
	}{
		"both run":                         {view("", two, one), "a b tasks", false},
		"one is missing":                   {view("", one), "", false},
		"one starts":                       {view("", one, task("b", 2, run, start)), "", false},
		"one takes over, the old one runs": {view("updating", one, two, task("c", 2, run, start)), "", false},
		"the update is not done":           {view("updating", one, two), "", false},
		"the update is done":               {view("completed", one, two), "", true},
		"one failed since":                 {view("completed", one, task("b", 2, run, start)), "", false},
		"one too many":                     {view("", one, two, task("c", 3, run, run)), "", false},
		"one too many, stopping":           {view("", one, two, task("c", 3, end, run)), "a b tasks", false},
		"on a node that is down":           {view("", one, gone), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.tasks, c.view.runningTasks())
			require.Equal(t, c.updated, c.view.updated())
		})
	}
	require.Equal(t, "1 of 2 tasks run", view("", one).progress())
	require.Equal(t, "its tasks do not keep running", view("", one, two).progress())

	var stable stability
	require.Zero(t, stable.since("a b"))
	stable.from = stable.from.Add(-time.Minute)
	require.GreaterOrEqual(t, stable.since("a b"), time.Minute)
	require.Zero(t, stable.since("a c"), "another task")
	stable.from = stable.from.Add(-time.Minute)
	require.Zero(t, stable.since(""), "not running")

	failed := task("a", 1, end, swarm.TaskStateFailed)
	failed.Status.Err = "task: non-zero exit (2)"
	for state, want := range map[swarm.UpdateState]string{
		swarm.UpdateStatePaused:            "service update paused: ",
		swarm.UpdateStateRollbackCompleted: "service rollback completed: ",
		swarm.UpdateStateRollbackPaused:    "service rollback paused: ",
	} {
		err := view(state, failed).givenUp()
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "non-zero exit (2)")
	}
	require.NoError(t, view(swarm.UpdateStateUpdating, failed).givenUp())
}

func TestSwarmErrorsSayWhatToDo(t *testing.T) {
	e := &engine{host: "unix:///a"}
	for text, hint := range map[string]string{
		"This node is not a swarm manager. Use \"docker swarm init\"":                      "point docker:host",
		"secret 'a' is in use by the following service: b":                                 "another name",
		"rpc error: code = AlreadyExists desc = name conflicts with an existing object: b": "choose another name",
	} {
		require.ErrorContains(t, e.explain("cannot", errors.New(text)), hint)
	}
}

func merge(into values, path []string, value any) {
	if len(path) == 1 {
		into[path[0]] = value
		return
	}
	next, ok := into[path[0]].(values)
	if !ok {
		next = values{}
		into[path[0]] = next
	}
	merge(next, path[1:], value)
}
