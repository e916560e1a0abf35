package docker

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
	"github.com/stretchr/testify/require"
)

func pointer[T any](v T) *T { return &v }

func TestPackedUploads(t *testing.T) {
	cases := map[string]struct {
		upload   ContainerUpload
		mode     int64
		uid, gid int
	}{
		"plain":       {ContainerUpload{Content: pointer("text")}, 0o644, 0, 0},
		"executable":  {ContainerUpload{Content: pointer("text"), Executable: pointer(true)}, 0o744, 0, 0},
		"permissions": {ContainerUpload{Content: pointer("text"), Executable: pointer(true), Permissions: pointer("0400")}, 0o400, 0, 0},
		"base64":      {ContainerUpload{ContentBase64: pointer(base64.StdEncoding.EncodeToString([]byte("text")))}, 0o644, 0, 0},
		"owner":       {ContainerUpload{Content: pointer("text"), Owner: pointer("1000"), Group: pointer("1001")}, 0o644, 1000, 1001},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.upload.File = "/etc/a"
			packed, err := pack(c.upload)
			require.NoError(t, err)
			r := tar.NewReader(bytes.NewReader(packed))
			header, err := r.Next()
			require.NoError(t, err)
			content, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, "text", string(content))
			require.Equal(t, []any{"/etc/a", c.mode, c.uid, c.gid}, []any{header.Name, header.Mode, header.Uid, header.Gid})
		})
	}
}

func TestWrongUploadsAreRefusedWithoutTheirContent(t *testing.T) {
	for _, upload := range []ContainerUpload{
		{File: "/a"},
		{File: "/a", Content: pointer("")},
		{File: "/a", Content: pointer("hush"), ContentBase64: pointer("aHVzaA==")},
		{File: "/a", Content: pointer("hush"), Owner: pointer("no such user")},
	} {
		_, err := uploadArchives([]ContainerUpload{upload})
		require.ErrorContains(t, err, "/a")
		require.NotContains(t, err.Error(), "hush")
	}
}

func TestVolumesBecomeBinds(t *testing.T) {
	binds, paths, from, err := volumeConfig([]ContainerVolume{
		{VolumeName: pointer("data"), ContainerPath: pointer("/data")},
		{VolumeName: pointer("data"), HostPath: pointer("/srv"), ContainerPath: pointer("/srv"), ReadOnly: pointer(true)},
		{HostPath: pointer("/etc"), ContainerPath: pointer("/etc"), SelinuxRelabel: pointer("Z")},
		{ContainerPath: pointer("/anonymous")},
		{FromContainer: pointer("other")},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"data:/data:rw", "/srv:/srv:ro", "/etc:/etc:rw,Z"}, binds)
	require.Contains(t, paths, "/anonymous")
	require.Equal(t, []string{"other"}, from)
	_, _, _, err = volumeConfig([]ContainerVolume{{}})
	require.ErrorContains(t, err, "neither")
}

func TestLimits(t *testing.T) {
	got := limits(ContainerShared{Memory: pointer(64), Restart: pointer("always")})
	require.Equal(t, int64(64*mebibyte), got.Memory)
	require.Zero(t, got.MemorySwap, "unset is not sent")
	require.Equal(t, int64(-1), limits(ContainerShared{MemorySwap: pointer(-1)}).MemorySwap)
	require.Equal(t, int64(2*mebibyte), limits(ContainerShared{MemorySwap: pointer(2)}).MemorySwap)
}

// What the daemon made of the inputs is what the next diff has to see.
func TestStateAsReadFromTheDaemon(t *testing.T) {
	live := container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{
			ID: "c1", Name: "/web", Image: "sha256:abc", Platform: "linux",
			State: &container.State{Running: true},
			HostConfig: &container.HostConfig{
				CapDrop: []string{"ALL"}, CapAdd: []string{"CAP_CHOWN"}, ShmSize: 64 * mebibyte,
				ExtraHosts: []string{"six:fd00::1"}, LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"x": "y"}},
				RestartPolicy: container.RestartPolicy{Name: "no"}, NetworkMode: "bridge",
				Resources: container.Resources{Memory: 64 * mebibyte, MemorySwap: 128 * mebibyte},
			},
		},
		Config: &container.Config{
			Image: "img", Hostname: "f00", Cmd: []string{"stay"},
			Healthcheck: &container.HealthConfig{Test: []string{"CMD", "x"}, Interval: time.Minute},
		},
		NetworkSettings: &container.NetworkSettings{
			NetworkSettingsBase: container.NetworkSettingsBase{Ports: nat.PortMap{
				"8080/tcp": {{HostIP: "127.0.0.1", HostPort: "1"}},
				"80/udp":   {{HostIP: "0.0.0.0", HostPort: "2"}},
				"80/tcp":   {{HostIP: "0.0.0.0", HostPort: "3"}},
				"9/tcp":    nil,
			}},
			Networks: map[string]*network.EndpointSettings{"b": {IPAddress: "10.0.0.2"}, "a": {}},
		},
	}
	s := containerState(withInputs(ContainerState{}, ContainerInputs{ContainerShared: ContainerShared{Image: "img"}}), live)
	require.Equal(t, "img", s.Image)
	require.Equal(t, "web", s.Name)
	require.Equal(t, &ContainerCapabilities{Adds: []string{"CAP_CHOWN"}, Drops: []string{"ALL"}}, s.Capabilities)
	require.Equal(t, 128, *s.MemorySwap)
	require.Equal(t, 64, s.ShmSize)
	require.Equal(t, "1m0s", *s.Healthcheck.Interval)
	require.Equal(t, []ContainerHost{{Host: "six", IP: "fd00::1"}}, s.Hosts)
	require.Nil(t, s.LogOpts, "not configured, so not read")
	require.Equal(t, []int{3, 2, 1}, []int{*s.Ports[0].External, *s.Ports[1].External, *s.Ports[2].External})
	require.Equal(t, "a", *s.NetworkDatas[0].NetworkName)

	byID := containerState(ContainerState{ContainerShared: ContainerShared{Image: "sha256:old"}}, live)
	require.Equal(t, "sha256:abc", byID.Image, "an id stays an id")

	live.State = &container.State{Running: false, ExitCode: 3}
	live.NetworkSettings.Ports = nil
	stopped := containerState(s, live)
	require.False(t, *stopped.MustRun)
	require.Equal(t, 3, stopped.ExitCode)
	require.Empty(t, stopped.Ports)
}

func TestMountsAreReadBackAsWritten(t *testing.T) {
	mounts := []ContainerMount{
		{Type: "bind", Source: pointer("/a"), Target: "/b", ReadOnly: pointer(true), BindOptions: &ContainerMountBindOptions{Propagation: pointer("rprivate")}},
		{Type: "tmpfs", Target: "/t", TmpfsOptions: &ContainerMountTmpfsOptions{SizeBytes: pointer(1024), Mode: pointer(0o700)}},
		{Type: "volume", Source: pointer("v"), Target: "/v", VolumeOptions: &ContainerMountVolumeOptions{
			NoCopy: pointer(true), Labels: []Label{{Label: "a", Value: "b"}}, DriverName: pointer("local"), DriverOptions: map[string]string{"o": "p"},
		}},
	}
	require.Equal(t, mounts, mountState(mountConfig(mounts)))
}

func TestRepoDigest(t *testing.T) {
	require.Equal(t, "", repoDigest("app:1", nil))
	require.Equal(t, "x@sha256:1", repoDigest("app:1", []string{"x@sha256:1"}))
	require.Equal(t, "app@sha256:2", repoDigest("app:1", []string{"x@sha256:1", "app@sha256:2"}))
}

func TestCredentialsOfDockerLogin(t *testing.T) {
	config := []byte(`{"auths":{"registry.example:5000":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("dev:pass:word")) + `"}}}`)
	header, err := base64.URLEncoding.DecodeString(authHeader(config, "registry.example:5000"))
	require.NoError(t, err)
	var got struct{ Username, Password string }
	require.NoError(t, json.Unmarshal(header, &got))
	require.Equal(t, struct{ Username, Password string }{"dev", "pass:word"}, got)
	require.Empty(t, authHeader(config, "docker.io"), "anonymous")
}
