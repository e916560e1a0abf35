package docker

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

func TestUnreachableDaemon(t *testing.T) {
	err := newServer(t).Configure(p.ConfigureRequest{Args: properties(values{"host": "unix:///no/such/docker.sock"})})
	require.ErrorContains(t, err, "failed to connect to any docker daemon")
	require.ErrorContains(t, err, "unix:///no/such/docker.sock")

	t.Setenv("DOCKER_HOST", "unix:///another/docker.sock")
	err = newServer(t).Configure(p.ConfigureRequest{})
	require.ErrorContains(t, err, "tried unix:///another/docker.sock")
}

func TestHostsThatAreNotAskedAtOnce(t *testing.T) {
	for _, config := range []values{
		{"host": "ssh://nobody@127.0.0.1:1", "sshOpts": []any{"-o", "BatchMode=yes"}},
		{"host": "unix:///no/such/docker.sock", "disableDockerDaemonCheck": true},
	} {
		require.NoError(t, newServer(t).Configure(p.ConfigureRequest{Args: properties(config)}))
	}
}

func TestWrongTLSMaterial(t *testing.T) {
	err := newServer(t).Configure(p.ConfigureRequest{Args: properties(values{
		"host": "tcp://127.0.0.1:1", "certMaterial": "cert",
	})})
	require.ErrorContains(t, err, "certMaterial and keyMaterial go together")
}

func TestSSHOptionsFromTheEnvironment(t *testing.T) {
	t.Setenv("DOCKER_SSH_OPTS", "-o  BatchMode=yes")
	require.Equal(t, []string{"-o", "BatchMode=yes"}, sshOptions(&Config{}))
	require.Equal(t, []string{"-v"}, sshOptions(&Config{SSHOpts: []string{"-v"}}))
}

// An ssh host is reached through the system's ssh. Here that is a script which runs the command on
// this machine, and so proves the whole way but the network.
func TestDaemonOverSSH(t *testing.T) {
	withDaemon(t)
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("this test needs the docker command, as a real ssh host does")
	}
	folder := t.TempDir()
	script := "#!/bin/sh\nprintf '%s ' \"$@\" >" + folder + "/args\n" +
		"while [ \"$1\" != -- ]; do shift; done; shift 2; exec sh -c \"$*\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "ssh"), []byte(script), 0o700))
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))

	server := newServer(t)
	require.NoError(t, server.Configure(p.ConfigureRequest{Args: properties(values{
		"host": "ssh://me@far.example:2222", "sshOpts": []any{"-o", "BatchMode=yes"},
	})}))
	in := check(t, server, volumeType, properties(values{"name": randomName()}))
	made, err := server.Create(p.CreateRequest{Urn: urnOf(volumeType), Properties: in})
	require.NoError(t, err)
	require.NoError(t, server.Delete(p.DeleteRequest{ID: made.ID, Urn: urnOf(volumeType), Properties: made.Properties}))
	args, err := os.ReadFile(filepath.Join(folder, "args"))
	require.NoError(t, err)
	require.Contains(t, string(args), "-l me -p 2222 -o BatchMode=yes ")
	require.Contains(t, string(args), "far.example docker system dial-stdio")
}

func TestVolume(t *testing.T) {
	d := withDaemon(t)
	name := randomName()
	in, made := d.create(t, volumeType, values{"name": name})
	require.Equal(t, name, made.ID)
	require.Equal(t, "local", made.Properties.Get("driver").AsString())
	require.NotEmpty(t, made.Properties.Get("mountpoint").AsString())
	require.Empty(t, diff(t, d, volumeType, made.Properties, in).DetailedDiff)
	read := d.refresh(t, volumeType, made.ID, in, made.Properties)
	require.Equal(t, plain(property.New(made.Properties)), plain(property.New(read.Properties)))

	imported := d.refresh(t, volumeType, name, properties(values{}), properties(values{}))
	require.Equal(t, name, imported.Inputs.Get("name").AsString())

	gone := p.DeleteRequest{ID: made.ID, Urn: urnOf(volumeType), Properties: made.Properties}
	require.NoError(t, d.Delete(gone))
	require.NoError(t, d.Delete(gone), "deleting it again")
	missing, err := d.Read(p.ReadRequest{ID: name, Urn: urnOf(volumeType), Properties: made.Properties, Inputs: in})
	require.NoError(t, err)
	require.Empty(t, missing.ID)
}

// An existing volume is adopted with the labels that it has; configured ones then mean a replacement.
func TestVolumeThatExistsIsAdopted(t *testing.T) {
	d := withDaemon(t)
	name := randomName()
	_, err := d.VolumeCreate(t.Context(), volume.CreateOptions{Name: name, Labels: map[string]string{"from": "before"}})
	require.NoError(t, err)
	in, made := d.create(t, volumeType, values{"name": name, "labels": labels("mine")})
	require.Equal(t, []any{values{"label": "from", "value": "before"}}, plain(made.Properties.Get("labels")))
	got := diff(t, d, volumeType, made.Properties, in)
	require.Equal(t, map[string]p.PropertyDiff{"labels": {Kind: p.UpdateReplace}}, got.DetailedDiff)
	require.True(t, got.DeleteBeforeReplace)
}

// A delete waits for the container that still uses the volume; an interrupt ends the wait.
func TestVolumeInUse(t *testing.T) {
	d := withDaemon(t)
	name := randomName()
	_, made := d.create(t, volumeType, values{"name": name})
	user, err := d.ContainerCreate(t.Context(), &container.Config{Image: toolImage},
		&container.HostConfig{Binds: []string{name + ":/data"}}, nil, nil, randomName())
	require.NoError(t, err)
	d.removeContainer(t, user.ID)
	gone := p.DeleteRequest{ID: name, Urn: urnOf(volumeType), Properties: made.Properties}
	failed := make(chan error)

	go func() { failed <- d.Delete(gone) }()
	require.NoError(t, d.ContainerRemove(t.Context(), user.ID, container.RemoveOptions{Force: true}))
	require.NoError(t, <-failed)

	_, err = d.VolumeCreate(t.Context(), volume.CreateOptions{Name: name})
	require.NoError(t, err)
	user, err = d.ContainerCreate(t.Context(), &container.Config{Image: toolImage},
		&container.HostConfig{Binds: []string{name + ":/data"}}, nil, nil, randomName())
	require.NoError(t, err)
	d.removeContainer(t, user.ID)
	impatient := newServer(t)
	require.NoError(t, impatient.Configure(p.ConfigureRequest{}))
	go func() { failed <- impatient.Delete(gone) }()
	require.NoError(t, impatient.Cancel())
	require.Error(t, <-failed)
	require.NoError(t, d.ContainerRemove(context.Background(), user.ID, container.RemoveOptions{Force: true}))
}

func TestNetwork(t *testing.T) {
	d := withDaemon(t)
	name := randomName()
	in, made := d.create(t, networkType, values{"name": name, "internal": true, "labels": labels("a")})
	live, err := d.NetworkInspect(t.Context(), name, network.InspectOptions{})
	require.NoError(t, err)
	require.Equal(t, live.ID, made.ID)
	require.Equal(t, "bridge", made.Properties.Get("driver").AsString())
	require.Equal(t, "local", made.Properties.Get("scope").AsString())
	require.Empty(t, diff(t, d, networkType, made.Properties, in).DetailedDiff)
	read := d.refresh(t, networkType, made.ID, in, made.Properties)
	require.Equal(t, plain(property.New(made.Properties)), plain(property.New(read.Properties)))
	gone := p.DeleteRequest{ID: made.ID, Urn: urnOf(networkType), Properties: made.Properties}
	require.NoError(t, d.Delete(gone))
	require.NoError(t, d.Delete(gone), "deleting it again")
	missing, err := d.Read(p.ReadRequest{ID: made.ID, Urn: urnOf(networkType), Properties: made.Properties, Inputs: in})
	require.NoError(t, err)
	require.Empty(t, missing.ID)
}

// A delete waits for the container that is still attached; an interrupt ends the wait.
func TestNetworkInUse(t *testing.T) {
	d := withDaemon(t)
	name := randomName()
	_, made := d.create(t, networkType, values{"name": name})
	_, user := d.create(t, containerType, values{
		"image": toolImage, "name": randomName(), "networksAdvanced": []any{values{"name": name}},
	})
	gone := p.DeleteRequest{ID: made.ID, Urn: urnOf(networkType), Properties: made.Properties}

	impatient := newServer(t)
	require.NoError(t, impatient.Configure(p.ConfigureRequest{}))
	interrupted := make(chan error, 1)
	go func() { interrupted <- impatient.Delete(gone) }()
	patient := make(chan error, 1)
	go func() { patient <- d.Delete(gone) }()
	select {
	case err := <-patient:
		require.Fail(t, "it did not wait", "%v", err)
	case err := <-interrupted:
		require.Fail(t, "it did not wait", "%v", err)
	case <-time.After(1500 * time.Millisecond): // more than one attempt
	}
	require.NoError(t, impatient.Cancel())
	require.ErrorContains(t, <-interrupted, "cannot remove network "+name)

	require.NoError(t, d.ContainerRemove(t.Context(), user.ID, container.RemoveOptions{Force: true}))
	require.NoError(t, <-patient)
	_, err := d.NetworkInspect(t.Context(), made.ID, network.InspectOptions{})
	require.True(t, isGone(err), "%v", err)
}

// A second network of a name is refused, by old daemons too, and leaves the first one alone.
func TestTwoNetworksOfOneName(t *testing.T) {
	d := withDaemon(t)
	name := randomName()
	in, made := d.create(t, networkType, values{"name": name})
	second, err := d.Create(p.CreateRequest{Urn: urnOf(networkType), Properties: in})
	require.ErrorContains(t, err, "cannot create network "+name)
	require.ErrorContains(t, err, "already exists")
	require.Empty(t, second.ID, "nothing of it is in the state")
	found, err := d.NetworkList(t.Context(), network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", name))})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, made.ID, found[0].ID)
}

// An image that is there is used, never pulled; it goes by name, and only if it is not to be kept.
func TestRemoteImage(t *testing.T) {
	d := withDaemon(t)
	name := randomName() + ":1"
	require.NoError(t, d.ImageTag(t.Context(), toolImage, name))
	t.Cleanup(func() { _, _ = d.ImageRemove(context.Background(), name, image.RemoveOptions{}) })
	live, err := d.ImageInspect(t.Context(), name)
	require.NoError(t, err)

	in, made := d.create(t, imageType, values{"name": name, "keepLocally": true})
	require.Equal(t, live.ID+name, made.ID)
	require.Equal(t, live.ID, made.Properties.Get("imageId").AsString())
	require.Equal(t, "", made.Properties.Get("repoDigest").AsString())
	require.Empty(t, diff(t, d, imageType, made.Properties, in).DetailedDiff)
	read := d.refresh(t, imageType, made.ID, in, made.Properties)
	require.Equal(t, plain(property.New(made.Properties)), plain(property.New(read.Properties)))

	require.NoError(t, d.Delete(p.DeleteRequest{ID: made.ID, Urn: urnOf(imageType), Properties: made.Properties}))
	_, err = d.ImageInspect(t.Context(), name)
	require.NoError(t, err, "kept")

	after := in.Set("keepLocally", property.New(false))
	require.False(t, replacesAny(diff(t, d, imageType, made.Properties, after).DetailedDiff))
	updated, err := d.Update(p.UpdateRequest{ID: made.ID, Urn: urnOf(imageType), State: made.Properties, Inputs: after})
	require.NoError(t, err)
	require.NoError(t, d.Delete(p.DeleteRequest{ID: made.ID, Urn: urnOf(imageType), Properties: updated.Properties}))
	_, err = d.ImageInspect(t.Context(), name)
	require.True(t, isGone(err))
	_, err = d.ImageInspect(t.Context(), toolImage)
	require.NoError(t, err, "the image under its other name")
	missing, err := d.Read(p.ReadRequest{ID: made.ID, Urn: urnOf(imageType), Properties: made.Properties, Inputs: in})
	require.NoError(t, err)
	require.Empty(t, missing.ID)
}
