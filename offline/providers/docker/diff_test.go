package docker

import (
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// A state against inputs, for one field: what changes, and how.
func TestDiffOfContainerFields(t *testing.T) {
	const none = p.DiffKind("")
	cases := map[string]struct {
		field         string
		state, inputs any
		want          p.DiffKind
	}{
		"same image":                     {"image", "sha256:a", "sha256:a", none},
		"other image":                    {"image", "sha256:a", "sha256:b", p.UpdateReplace},
		"unknown image":                  {"image", "sha256:a", unknown, p.UpdateReplace},
		"hostname chosen by the daemon":  {"hostname", "f00", nil, none},
		"hostname set":                   {"hostname", "f00", "web", p.UpdateReplace},
		"user left to the image":         {"user", "nobody", nil, none},
		"empty user":                     {"user", "nobody", "", none},
		"domain name dropped":            {"domainname", "example", nil, p.DeleteReplace},
		"command order matters":          {"command", []any{"a", "b"}, []any{"b", "a"}, p.UpdateReplace},
		"command left to the image":      {"command", []any{"a"}, nil, none},
		"envs in another order":          {"envs", []any{"A=1", "B=2"}, []any{"B=2", "A=1"}, none},
		"secret env, same value":         {"envs", []any{"A=1"}, []any{secret("A=1")}, none},
		"envs changed":                   {"envs", []any{"A=1"}, []any{"A=2"}, p.UpdateReplace},
		"labels in another order":        {"labels", labels("a", "b"), labels("b", "a"), none},
		"label added":                    {"labels", labels("a"), labels("a", "b"), p.UpdateReplace},
		"label value unknown":            {"labels", labels("a"), []any{values{"label": "a", "value": unknown}}, p.UpdateReplace},
		"labels left open":               {"labels", labels("a"), nil, none},
		"capability prefix":              {"capabilities", drops("CAP_CHOWN"), drops("CHOWN"), p.UpdateReplace},
		"capability order":               {"capabilities", drops("CAP_A", "CAP_B"), drops("CAP_B", "CAP_A"), none},
		"capabilities empty":             {"capabilities", nil, values{"adds": []any{}}, none},
		"read only, unset is false":      {"readOnly", nil, false, none},
		"read only":                      {"readOnly", false, true, p.UpdateReplace},
		"log options":                    {"logOpts", values{"max-size": "1m"}, values{"max-size": "2m"}, p.UpdateReplace},
		"log options dropped":            {"logOpts", values{"max-size": "1m"}, nil, p.DeleteReplace},
		"volume, false is unset":         {"volumes", []any{values{"containerPath": "/a", "readOnly": false}}, []any{values{"containerPath": "/a"}}, none},
		"volume name unknown":            {"volumes", []any{values{"containerPath": "/a", "volumeName": "v"}}, []any{values{"containerPath": "/a", "volumeName": unknown}}, p.UpdateReplace},
		"upload changed":                 {"uploads", []any{values{"file": "/a", "content": "1"}}, []any{values{"file": "/a", "content": secret("2")}}, p.UpdateReplace},
		"network aliases are a set":      {"networksAdvanced", []any{values{"name": "n", "aliases": []any{"a", "b"}}}, []any{values{"name": "n", "aliases": []any{"b", "a"}}}, none},
		"healthcheck replaces":           {"healthcheck", values{"interval": "1s"}, values{"interval": "2s"}, p.UpdateReplace},
		"healthcheck duration form":      {"healthcheck", values{"interval": "1m0s"}, values{"interval": "1m"}, p.UpdateReplace},
		"healthcheck of the image":       {"healthcheck", values{"interval": "1s"}, nil, none},
		"healthcheck test order matters": {"healthcheck", values{"tests": []any{"CMD", "x"}}, values{"tests": []any{"x", "CMD"}}, p.UpdateReplace},
		"stopped, with ports":            {"ports", nil, []any{port(80, 8080)}, p.AddReplace},
		"restart":                        {"restart", "no", "always", p.Update},
		"memory dropped":                 {"memory", 64.0, nil, p.Delete},
		"memory swap made up":            {"memorySwap", 128.0, nil, p.Delete},
		"tmpfs":                          {"tmpfs", values{"/run": ""}, values{"/run": "size=1m"}, p.Update},
		"init chosen by the daemon":      {"init", false, nil, none},
		"init":                           {"init", false, true, p.Update},
		"must run again":                 {"mustRun", false, true, p.Update},
		"grace":                          {"destroyGraceSeconds", nil, 10.0, p.Add},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := diffFields(containerFields, single(c.field, c.state), single(c.field, c.inputs))
			if c.want == none {
				require.Empty(t, got)
				return
			}
			require.Equal(t, map[string]p.PropertyDiff{c.field: {Kind: c.want}}, got)
		})
	}
}

func TestDiffOfPorts(t *testing.T) {
	open := values{"internal": 80.0, "ip": "0.0.0.0", "protocol": "tcp"}
	cases := map[string]struct {
		state, inputs []any
		same          bool
	}{
		"other order":              {[]any{port(80, 1), port(81, 2)}, []any{port(81, 2), port(80, 1)}, true},
		"chosen by the daemon":     {[]any{port(80, 32768)}, []any{open}, true},
		"open and fixed":           {[]any{port(80, 5000), port(80, 32768)}, []any{open, port(80, 5000)}, true},
		"other external":           {[]any{port(80, 1)}, []any{port(80, 2)}, false},
		"one more":                 {[]any{port(80, 1)}, []any{port(80, 1), port(81, 2)}, false},
		"none published any more":  {nil, []any{port(80, 1)}, false},
		"published but not wanted": {[]any{port(80, 1)}, nil, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := diffFields(containerFields, single("ports", c.state), single("ports", c.inputs))
			require.Equal(t, c.same, len(got) == 0)
		})
	}
}

// A container is always deleted first; of the others only those whose name the program fixes.
func TestDeleteBeforeReplace(t *testing.T) {
	server := newServer(t)
	d := diff(t, server, containerType, properties(values{"image": "a"}), properties(values{"image": "b"}))
	require.True(t, d.DeleteBeforeReplace)
	d = diff(t, server, containerType, properties(values{"image": "a"}), properties(values{"image": "a", "restart": "no"}))
	require.True(t, d.HasChanges)
	require.False(t, d.DeleteBeforeReplace, "an update")
	d = diff(t, server, imageType, properties(values{"name": "a"}), properties(values{"name": "b"}))
	require.True(t, replacesAny(d.DetailedDiff))
	require.False(t, d.DeleteBeforeReplace)
	for name, fixed := range map[string]bool{"data": true, resourceName + "-0a1b2c3": false} {
		before := properties(values{"name": name, "driver": "local"})
		after := properties(values{"name": name, "driver": "other"})
		require.Equal(t, fixed, diff(t, server, volumeType, before, after).DeleteBeforeReplace, name)
		require.Equal(t, fixed, diff(t, server, networkType, before, after).DeleteBeforeReplace, name)
	}
}

// The official provider replaces nothing when its host changes.
func TestChangedHostIsAnUpdate(t *testing.T) {
	resp, err := newServer(t).DiffConfig(p.DiffRequest{
		State: properties(values{"host": "unix:///a"}), Inputs: properties(values{"host": "unix:///b"}),
	})
	require.NoError(t, err)
	require.Equal(t, map[string]p.PropertyDiff{"host": {Kind: p.Update}}, resp.DetailedDiff)
}

func single(name string, value any) property.Map {
	switch v := value.(type) {
	case nil:
		return properties(values{})
	case []any:
		if v == nil {
			return properties(values{})
		}
	}
	return properties(values{name: value})
}

func labels(names ...string) []any {
	var out []any
	for _, name := range names {
		out = append(out, values{"label": name, "value": "v"})
	}
	return out
}

func drops(names ...string) values {
	var list []any
	for _, name := range names {
		list = append(list, name)
	}
	return values{"drops": list}
}

func port(internal, external float64) values {
	return values{"internal": internal, "external": external, "ip": "0.0.0.0", "protocol": "tcp"}
}
