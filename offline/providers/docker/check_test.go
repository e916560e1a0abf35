package docker

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"

	pt "private-registry/offline/providers/internal/providertest"
)

func TestCheckFillsInDefaults(t *testing.T) {
	in := check(t, newServer(t), containerType, properties(values{
		"image":       "img",
		"ports":       []any{values{"internal": 80.0}},
		"uploads":     []any{values{"file": "/a", "content": "x"}},
		"healthcheck": values{"tests": []any{"CMD", "x"}},
	}))
	want := values{
		"attach": false, "containerReadRefreshTimeoutMilliseconds": 15000.0, "image": "img",
		"healthcheck": values{
			"tests": []any{"CMD", "x"}, "interval": "0s", "timeout": "0s", "startPeriod": "0s",
			"startInterval": "0s", "retries": 0.0,
		},
		"logs": false, "mustRun": true, "networkMode": "bridge",
		"ports":    []any{values{"internal": 80.0, "ip": "0.0.0.0", "protocol": "tcp"}},
		"readOnly": false, "removeVolumes": true, "restart": "no", "rm": false, "start": true,
		"stdinOpen": false, "tty": false,
		"uploads": []any{values{"file": "/a", "content": "x", "executable": false}},
		"wait":    false, "waitTimeout": 60.0,
	}
	require.True(t, isAutoname(resourceName, in.Get("name").AsString()), "%v", in.Get("name"))
	require.Equal(t, want, plain(property.New(in.Delete("name"))))
}

func TestCheckKeepsUnknownAndSecret(t *testing.T) {
	in := check(t, newServer(t), containerType, properties(values{
		"image": unknown, "networkMode": unknown, "restart": unknown,
		"envs":    []any{secret("A=1")},
		"uploads": []any{values{"file": "/a", "contentBase64": unknown}, values{"file": "/b", "content": secret("x")}},
	}))
	require.True(t, in.Get("image").IsComputed())
	require.True(t, in.Get("networkMode").IsComputed())
	require.True(t, in.Get("restart").IsComputed())
	require.True(t, in.Get("envs").AsArray().Get(0).Secret())
	require.True(t, in.Get("uploads").AsArray().Get(0).AsMap().Get("contentBase64").IsComputed())
	require.True(t, in.Get("uploads").AsArray().Get(1).AsMap().Get("content").Secret())
}

func TestAutonameIsStable(t *testing.T) {
	server := newServer(t)
	for _, kind := range []struct {
		urn p.CheckRequest
		in  values
	}{
		{p.CheckRequest{Urn: urnOf(containerType)}, values{"image": "img"}},
		{p.CheckRequest{Urn: urnOf(volumeType)}, values{}},
		{p.CheckRequest{Urn: urnOf(networkType)}, values{}},
		{p.CheckRequest{Urn: urnOf(serviceType)}, values{"taskSpec": values{"containerSpec": values{"image": "img"}}}},
		{p.CheckRequest{Urn: urnOf(secretType)}, values{"data": "aGk="}},
	} {
		req := kind.urn
		req.Inputs = properties(kind.in)
		first, err := server.Check(req)
		require.NoError(t, err)
		req.State = first.Inputs
		second, err := server.Check(req)
		require.NoError(t, err)
		require.Equal(t, first.Inputs.Get("name"), second.Inputs.Get("name"))
		req.State = first.Inputs.Set("name", property.New("fixed"))
		third, err := server.Check(req)
		require.NoError(t, err)
		require.True(t, isAutoname(resourceName, third.Inputs.Get("name").AsString()), "a fixed name is not kept")
	}
}

func TestCheckRefusesByName(t *testing.T) {
	server := newServer(t)
	reasons := func(in values) string {
		resp, err := server.Check(p.CheckRequest{Urn: urnOf(containerType), Inputs: properties(in)})
		require.NoError(t, err)
		require.NotEmpty(t, resp.Failures)
		text, err := json.Marshal(resp.Failures)
		require.NoError(t, err)
		for _, f := range resp.Failures {
			require.Empty(t, f.Property, "the engine would print the property's value")
		}
		require.NotContains(t, string(text), "hush")
		return string(text)
	}
	with := func(key string, value any) values { return values{"image": "img", key: value} }

	text := reasons(with("gpus", "all"))
	require.Contains(t, text, "does not support gpus of docker.Container")
	require.Contains(t, text, "healthcheck, hostname")
	require.Contains(t, reasons(with("restart", "sometimes")), "unless-stopped")
	require.Contains(t, reasons(with("memorySwap", -2.0)), "memorySwap: -2 is too small")
	require.Contains(t, reasons(with("cpuSet", "all")), "cpuSet")
	require.Contains(t, reasons(with("healthcheck", values{"interval": "30"})), "healthcheck.interval")
	require.Contains(t, reasons(with("volumes", []any{values{"hostPath": "data", "containerPath": "/d"}})), "volumes[0].hostPath")
	require.Contains(t, reasons(with("mounts", []any{values{"target": "/d", "type": "nfs"}})), "mounts[0].type")
	require.Contains(t, reasons(with("ports", []any{values{"internal": 70000.0}})), "ports[0].internal")
	require.Contains(t, reasons(with("uploads", []any{values{"file": "/a", "content": secret("hush"), "permissions": "644"}})), "0644")
	require.Contains(t, reasons(with("uploads", []any{values{"file": "/a", "contentBase64": secret("hush!")}})), "not base64")
	require.Contains(t, reasons(with("uploads", []any{values{"file": "/a", "content": secret("hush"), "nonsense": true}})), "nonsense")
	require.Contains(t, reasons(with("envs", secret("hush"))), "envs")
	readOnly := with("uploads", []any{values{"file": "/a", "content": secret("hush")}})
	readOnly["readOnly"] = true
	require.Contains(t, reasons(readOnly), "read-only container")
}

func TestProviderConfigRefusesByName(t *testing.T) {
	urn := urnOf("pulumi:providers:docker")
	resp, err := newServer(t).CheckConfig(p.CheckRequest{Urn: urn, Inputs: properties(values{
		"host": "unix:///a", "sshOpts": `["-o","BatchMode=yes"]`, "version": "5.2.0",
		"registryAuth": `[{"address":"a","password":"hush"}]`, "context": "other",
	})})
	require.NoError(t, err)
	require.Len(t, resp.Failures, 1)
	require.Contains(t, resp.Failures[0].Reason, "does not support context, registryAuth of docker.Provider")
	require.NotContains(t, resp.Failures[0].Reason, "hush")
}

func TestOfficialTokens(t *testing.T) {
	resp, err := newServer(t).GetSchema(p.GetSchemaRequest{})
	require.NoError(t, err)
	for _, kind := range []string{"container:Container", "remoteImage:RemoteImage", "volume:Volume", "network:Network",
		"service:Service", "secret:Secret"} {
		require.True(t, strings.Contains(resp.Schema, `"docker:index/`+kind+`"`), kind)
	}
}

// Diff goes by the fields, and the schema by what is written beside the inputs.
func TestSchemaAgreesWithTheFields(t *testing.T) {
	for token, fields := range map[tokens.Type][]field{
		containerType: containerFields, imageType: imageFields, volumeType: volumeFields, networkType: networkFields,
		serviceType: serviceFields, secretType: secretFields,
	} {
		var replacing, all []string
		for _, f := range fields {
			name, _, _ := strings.Cut(f.name, ".")
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
			// Of a service's task only parts replace, which the schema has no word for.
			if f.replace && name != "taskSpec" {
				replacing = append(replacing, name)
			}
		}
		schemaReplacing, schemaAll := pt.New(t, "docker", string(token), New).ReplacingInputs()
		require.ElementsMatch(t, schemaAll, all, token)
		require.ElementsMatch(t, schemaReplacing, replacing, token)
	}
}

func TestOtherTypesAreRefusedByName(t *testing.T) {
	server := newServer(t)
	_, err := server.Check(p.CheckRequest{Urn: urnOf("docker:index/tag:Tag")})
	require.ErrorContains(t, err, "does not support docker:index/tag:Tag")
	_, err = server.Read(p.ReadRequest{Urn: urnOf("docker:index/image:Image")})
	require.ErrorContains(t, err, "does not support docker:index/image:Image")
	_, err = server.Invoke(p.InvokeRequest{Token: "docker:index/getNetwork:getNetwork"})
	require.ErrorContains(t, err, "does not support docker:index/getNetwork:getNetwork")
}
