package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
)

const mebibyte = 1024 * 1024

// createContainer makes sure of the image and creates the container, not started yet.
func (e *engine) createContainer(ctx context.Context, in ContainerInputs) (string, error) {
	name := deref(in.Name)
	if slices.Contains(in.Command, "") {
		return "", fmt.Errorf("cannot create container %s: an element of command is empty; leave it out", name)
	}
	config, host, err := containerConfig(in)
	if err != nil {
		return "", fmt.Errorf("cannot create container %s: %w", name, err)
	}
	if _, err := e.ensureImage(ctx, in.Image, ""); err != nil {
		return "", fmt.Errorf("cannot create container %s: %w", name, err)
	}
	made, err := untilAnswered(ctx, func(ctx context.Context) (container.CreateResponse, error) {
		return e.ContainerCreate(ctx, config, host, &network.NetworkingConfig{}, nil, name)
	})
	if err != nil {
		return "", e.explain("cannot create container "+name, err)
	}
	return made.ID, nil
}

func containerConfig(in ContainerInputs) (*container.Config, *container.HostConfig, error) {
	binds, paths, from, err := volumeConfig(in.Volumes)
	if err != nil {
		return nil, nil, err
	}
	exposed, bindings := portConfig(in.Ports)
	config := &container.Config{
		Image: in.Image, Hostname: deref(in.Hostname), Domainname: deref(in.Domainname),
		User: deref(in.User), WorkingDir: deref(in.WorkingDir),
		Cmd: in.Command, Entrypoint: in.Entrypoints, Env: in.Envs, Labels: labelMap(in.Labels),
		Tty: deref(in.Tty), OpenStdin: deref(in.StdinOpen),
		ExposedPorts: exposed, Volumes: paths,
		Healthcheck: healthConfig(in.Healthcheck), StopSignal: deref(in.StopSignal),
	}
	if deref(in.StopTimeout) != 0 {
		config.StopTimeout = in.StopTimeout
	}
	updatable := limits(in.ContainerShared)
	host := &container.HostConfig{
		Binds: binds, VolumesFrom: from, Mounts: mountConfig(in.Mounts), Tmpfs: in.Tmpfs,
		PortBindings: bindings, NetworkMode: container.NetworkMode(deref(in.NetworkMode)),
		DNS: in.DNS, DNSOptions: in.DNSOpts, DNSSearch: in.DNSSearches, ExtraHosts: extraHosts(in.Hosts),
		RestartPolicy: updatable.RestartPolicy, AutoRemove: deref(in.Rm),
		LogConfig:      container.LogConfig{Type: deref(in.LogDriver), Config: in.LogOpts},
		ReadonlyRootfs: deref(in.ReadOnly), Privileged: deref(in.Privileged), SecurityOpt: in.SecurityOpts,
		GroupAdd: in.GroupAdds, Sysctls: in.Sysctls, ShmSize: int64(deref(in.ShmSize)) * mebibyte,
		IpcMode: container.IpcMode(deref(in.IpcMode)), PidMode: container.PidMode(deref(in.PidMode)),
		UsernsMode: container.UsernsMode(deref(in.UsernsMode)), Runtime: deref(in.Runtime), Init: in.Init,
		Resources: updatable.Resources,
	}
	host.CPUPeriod, host.CPUQuota = int64(deref(in.CPUPeriod)), int64(deref(in.CPUQuota))
	if in.Capabilities != nil {
		host.CapAdd, host.CapDrop = in.Capabilities.Adds, in.Capabilities.Drops
	}
	for _, u := range in.Ulimits {
		host.Ulimits = append(host.Ulimits, &container.Ulimit{Name: u.Name, Soft: int64(u.Soft), Hard: int64(u.Hard)})
	}
	return config, host, nil
}

// limits are the settings that a running container can take over, all sent together.
func limits(s ContainerShared) container.UpdateConfig {
	config := container.UpdateConfig{
		RestartPolicy: container.RestartPolicy{
			Name:              container.RestartPolicyMode(deref(s.Restart)),
			MaximumRetryCount: deref(s.MaxRetryCount),
		},
		Resources: container.Resources{
			Memory:            int64(deref(s.Memory)) * mebibyte,
			MemoryReservation: int64(deref(s.MemoryReservation)) * mebibyte,
			CPUShares:         int64(deref(s.CPUShares)),
			CpusetCpus:        deref(s.CPUSet),
		},
	}
	// -1 means without limit and is no number of megabytes; unset leaves the choice to the daemon.
	config.MemorySwap = int64(deref(s.MemorySwap))
	if config.MemorySwap > 0 {
		config.MemorySwap *= mebibyte
	}
	return config
}

func healthConfig(h *ContainerHealthcheck) *container.HealthConfig {
	if h == nil {
		return nil
	}
	// Check has made sure that these are durations.
	duration := func(text *string) time.Duration { d, _ := time.ParseDuration(deref(text)); return d }
	return &container.HealthConfig{
		Test: h.Tests, Retries: deref(h.Retries),
		Interval: duration(h.Interval), Timeout: duration(h.Timeout),
		StartPeriod: duration(h.StartPeriod), StartInterval: duration(h.StartInterval),
	}
}

func portConfig(list []ContainerPort) (nat.PortSet, nat.PortMap) {
	exposed, bindings := nat.PortSet{}, nat.PortMap{}
	for _, port := range list {
		key := nat.Port(strconv.Itoa(port.Internal) + "/" + orElse(port.Protocol, "tcp"))
		exposed[key] = struct{}{}
		binding := nat.PortBinding{HostIP: deref(port.IP)}
		if external := deref(port.External); external != 0 {
			binding.HostPort = strconv.Itoa(external)
		}
		bindings[key] = append(bindings[key], binding)
	}
	return exposed, bindings
}

func extraHosts(hosts []ContainerHost) []string {
	var lines []string
	for _, h := range hosts {
		lines = append(lines, h.Host+":"+h.IP)
	}
	return lines
}

// volumeConfig sorts the volumes into what is bound, which paths are volumes at all, and whose
// volumes are shared. A host path wins over a volume name.
func volumeConfig(list []ContainerVolume) (binds []string, paths map[string]struct{}, from []string, err error) {
	paths = map[string]struct{}{}
	for _, v := range list {
		target, other := deref(v.ContainerPath), deref(v.FromContainer)
		switch {
		case target == "" && other == "":
			return nil, nil, nil, errors.New("an entry of volumes has neither containerPath nor fromContainer; give one")
		case target != "" && other != "":
			return nil, nil, nil, errors.New("an entry of volumes has containerPath and fromContainer; give only one")
		case other != "":
			from = append(from, other)
			continue
		}
		paths[target] = struct{}{}
		source := deref(v.HostPath)
		if source == "" {
			source = deref(v.VolumeName)
		}
		if source != "" {
			binds = append(binds, source+":"+target+":"+bindMode(v))
		}
	}
	return binds, paths, from, nil
}

func bindMode(v ContainerVolume) string {
	mode := "rw"
	if deref(v.ReadOnly) {
		mode = "ro"
	}
	if relabel := deref(v.SelinuxRelabel); relabel != "" {
		mode += "," + relabel
	}
	return mode
}
