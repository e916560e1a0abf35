package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/blang/semver"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	sdk "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

const (
	containerType = tokens.Type("docker:index/container:Container")
	imageType     = tokens.Type("docker:index/remoteImage:RemoteImage")
	volumeType    = tokens.Type("docker:index/volume:Volume")
	networkType   = tokens.Type("docker:index/network:Network")
	serviceType   = tokens.Type("docker:index/service:Service")
	secretType    = tokens.Type("docker:index/secret:Secret")
)

// toolImage is built once, by the first test that needs the daemon.
var toolImage = randomName() + ":tool"

// resourceName is the Pulumi name of every resource in these tests.
const resourceName = "thing"

type values = map[string]any

func properties(m values) property.Map {
	return sdk.FromResourcePropertyValue(sdk.NewProperty(sdk.NewPropertyMapFromMap(m))).AsMap()
}

func secret(v string) sdk.PropertyValue { return sdk.MakeSecret(sdk.NewProperty(v)) }

var unknown = sdk.MakeComputed(sdk.NewProperty(""))

func urnOf(kind tokens.Type) sdk.URN {
	return sdk.NewURN("test", "providers", "", kind, resourceName)
}

// newServer serves the provider in this process; no daemon is contacted.
func newServer(t *testing.T) integration.Server {
	t.Helper()
	provider, err := New()
	require.NoError(t, err)
	server, err := integration.NewServer(context.Background(), "docker", semver.MustParse("5.2.0"),
		integration.WithProvider(provider))
	require.NoError(t, err)
	return server
}

// daemon is a configured provider, and the client that looks at what it has done.
type daemon struct {
	integration.Server
	*engine
}

// withDaemon skips the test where there is no Docker.
func withDaemon(t *testing.T) daemon {
	t.Helper()
	e, err := connect(&Config{})
	require.NoError(t, err)
	if err := e.ping(t.Context()); err != nil {
		t.Skipf("this test needs a Docker daemon: %v", err)
	}
	require.NoError(t, buildTool(e))
	server := newServer(t)
	require.NoError(t, server.Configure(p.ConfigureRequest{}))
	return daemon{Server: server, engine: e}
}

// buildTool imports the tool as an image of one file, made of nothing but this package's testdata.
var buildTool = func() func(*engine) error {
	var once sync.Once
	var err error
	return func(e *engine) error {
		once.Do(func() { err = importTool(e) })
		return err
	}
}()

func importTool(e *engine) error {
	folder, err := os.MkdirTemp("", "docker-provider-test")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "tool")
	build := exec.Command("go", "build", "-o", binary, "./testdata/tool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the test tool: %w: %s", err, out)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	if err := w.WriteHeader(&tar.Header{Name: "tool", Mode: 0o755, Size: int64(len(content))}); err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	stream, err := e.ImageImport(context.Background(), image.ImportSource{Source: &files, SourceName: "-"}, toolImage,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/tool"]`, `CMD ["stay"]`}})
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = io.Copy(io.Discard, stream)
	return err
}

func TestMain(m *testing.M) {
	code := m.Run()
	if e, err := connect(&Config{}); err == nil {
		_, _ = e.ImageRemove(context.Background(), toolImage, image.RemoveOptions{})
	}
	os.Exit(code)
}

// randomName is unique, so that tests of two checkouts can share a daemon.
func randomName() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	return "docker-provider-test-" + hex.EncodeToString(b)
}

// check runs Check and wants it to pass.
func check(t *testing.T, s integration.Server, kind tokens.Type, in property.Map) property.Map {
	t.Helper()
	resp, err := s.Check(p.CheckRequest{Urn: urnOf(kind), Inputs: in})
	require.NoError(t, err)
	require.Empty(t, resp.Failures)
	return resp.Inputs
}

// diff compares a state with inputs.
func diff(t *testing.T, s integration.Server, kind tokens.Type, state, in property.Map) p.DiffResponse {
	t.Helper()
	resp, err := s.Diff(p.DiffRequest{ID: "id", Urn: urnOf(kind), State: state, Inputs: in})
	require.NoError(t, err)
	return resp
}

// create checks, creates, and deletes at the end of the test, also when it fails half-way.
func (d daemon) create(t *testing.T, kind tokens.Type, m values) (property.Map, p.CreateResponse) {
	t.Helper()
	in := check(t, d, kind, properties(m))
	resp, err := d.Create(p.CreateRequest{Urn: urnOf(kind), Properties: in})
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Delete(p.DeleteRequest{ID: resp.ID, Urn: urnOf(kind), Properties: resp.Properties}) })
	return in, resp
}

// refresh reads and wants the resource to be there.
func (d daemon) refresh(t *testing.T, kind tokens.Type, id string, in, state property.Map) p.ReadResponse {
	t.Helper()
	resp, err := d.Read(p.ReadRequest{ID: id, Urn: urnOf(kind), Properties: state, Inputs: in})
	require.NoError(t, err)
	require.NotEmpty(t, resp.ID, "the resource is gone")
	return resp
}

// removeContainer cleans up what a test made beside the provider, or what the provider could not.
func (d daemon) removeContainer(t *testing.T, name string) {
	t.Cleanup(func() {
		_ = d.ContainerRemove(context.Background(), name, container.RemoveOptions{Force: true, RemoveVolumes: true})
	})
}
