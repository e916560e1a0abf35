package docker

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// readContainer brings the state up to date with the daemon, or says that the container is gone.
func (e *engine) readContainer(
	ctx context.Context, id string, before ContainerState,
) (state ContainerState, found bool, err error) {
	live, err := e.ContainerInspect(ctx, id)
	if isGone(err) {
		return before, false, nil
	}
	if err != nil {
		return before, false, e.explain("cannot read container "+cmp.Or(before.Name, id), err)
	}
	return containerState(before, live), true, nil
}

// containerState is the state as the official provider would read it. What it does not read back
// (envs, labels, volumes, uploads, networksAdvanced, and what matters only at create or delete)
// stays as it was. The daemon's own forms of the rest are kept: they are what the next diff sees.
func containerState(before ContainerState, live container.InspectResponse) ContainerState {
	s := before
	readRuntime(&s, live)
	readConfig(&s, live.Config)
	readHostConfig(&s, live.HostConfig)
	readLimits(&s, live.HostConfig.Resources)
	return complete(s)
}

func readRuntime(s *ContainerState, live container.InspectResponse) {
	s.Name = strings.TrimLeft(live.Name, "/")
	s.Platform = live.Platform
	// Both forms are stable: an id stays an id, a name stays a name.
	if strings.HasPrefix(s.Image, "sha256:") {
		s.Image = live.Image
	} else {
		s.Image = live.Config.Image
	}
	if !live.State.Running {
		s.ExitCode = live.State.ExitCode
		if orElse(s.MustRun, true) {
			s.MustRun = new(bool)
		}
	}
	if live.NetworkSettings != nil {
		s.Bridge = live.NetworkSettings.Bridge //nolint:staticcheck // an output of the official provider
		// A stopped container has no ports here, so one that has ports configured is replaced.
		s.Ports = portState(live.NetworkSettings.Ports)
		s.NetworkDatas = networkDatas(live.NetworkSettings)
	}
}

func readConfig(s *ContainerState, c *container.Config) {
	s.Hostname, s.Domainname = c.Hostname, observed(s.Domainname, c.Domainname)
	s.Command, s.Entrypoints = c.Cmd, c.Entrypoint
	s.User, s.WorkingDir = observed(s.User, c.User), observed(s.WorkingDir, c.WorkingDir)
	s.Tty, s.StdinOpen = observed(s.Tty, c.Tty), observed(s.StdinOpen, c.OpenStdin)
	s.StopSignal, s.StopTimeout = c.StopSignal, deref(c.StopTimeout)
	if h := c.Healthcheck; h != nil {
		s.Healthcheck = healthState(h)
	}
}

func healthState(h *container.HealthConfig) ContainerHealthcheck {
	interval, timeout := h.Interval.String(), h.Timeout.String()
	startPeriod, startInterval, retries := h.StartPeriod.String(), h.StartInterval.String(), h.Retries
	return ContainerHealthcheck{
		Tests: h.Test, Interval: &interval, Timeout: &timeout,
		StartPeriod: &startPeriod, StartInterval: &startInterval, Retries: &retries,
	}
}

func readHostConfig(s *ContainerState, h *container.HostConfig) {
	s.Rm, s.ReadOnly = observed(s.Rm, h.AutoRemove), observed(s.ReadOnly, h.ReadonlyRootfs)
	s.Privileged, s.Init = observed(s.Privileged, h.Privileged), deref(h.Init)
	s.SecurityOpts, s.GroupAdds = h.SecurityOpt, nonEmpty(h.GroupAdd)
	if len(h.CapAdd) > 0 || len(h.CapDrop) > 0 {
		s.Capabilities = &ContainerCapabilities{
			Adds: nonEmpty([]string(h.CapAdd)), Drops: nonEmpty([]string(h.CapDrop)),
		}
	}
	s.NetworkMode = observed(s.NetworkMode, string(h.NetworkMode))
	s.DNS, s.DNSOpts, s.DNSSearches = nonEmpty(h.DNS), nonEmpty(h.DNSOptions), nonEmpty(h.DNSSearch)
	s.Hosts = hostState(h.ExtraHosts)
	s.LogDriver = h.LogConfig.Type
	// A daemon merges its own defaults in, so options that were never configured are not read.
	if s.LogOpts != nil {
		s.LogOpts = nonEmptyMap(h.LogConfig.Config)
	}
	s.Mounts, s.Tmpfs, s.Sysctls = mountState(h.Mounts), nonEmptyMap(h.Tmpfs), nonEmptyMap(h.Sysctls)
	s.ShmSize = int(h.ShmSize / mebibyte)
	s.IpcMode, s.PidMode = string(h.IpcMode), observed(s.PidMode, string(h.PidMode))
	s.UsernsMode, s.Runtime = observed(s.UsernsMode, string(h.UsernsMode)), h.Runtime
	restart := string(h.RestartPolicy.Name)
	s.Restart = &restart
	s.MaxRetryCount = observed(s.MaxRetryCount, h.RestartPolicy.MaximumRetryCount)
	s.Ulimits = nil
	for _, u := range h.Ulimits {
		s.Ulimits = append(s.Ulimits, ContainerUlimit{Name: u.Name, Soft: int(u.Soft), Hard: int(u.Hard)})
	}
}

func readLimits(s *ContainerState, r container.Resources) {
	s.Memory = observed(s.Memory, int(r.Memory/mebibyte))
	s.MemoryReservation = observed(s.MemoryReservation, int(r.MemoryReservation/mebibyte))
	// Without memorySwap the daemon stores twice the memory; that is what the next diff sees.
	swap := r.MemorySwap
	if swap > 0 {
		swap /= mebibyte
	}
	s.MemorySwap = observed(s.MemorySwap, int(swap))
	s.CPUShares, s.CPUSet = observed(s.CPUShares, int(r.CPUShares)), observed(s.CPUSet, r.CpusetCpus)
	s.CPUPeriod, s.CPUQuota = observed(s.CPUPeriod, int(r.CPUPeriod)), observed(s.CPUQuota, int(r.CPUQuota))
}

// portState lists the published ports by number and protocol.
func portState(published nat.PortMap) []ContainerPort {
	var list []ContainerPort
	keys := make([]nat.Port, 0, len(published))
	for key := range published {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b nat.Port) int {
		return cmp.Or(cmp.Compare(a.Int(), b.Int()), cmp.Compare(a.Proto(), b.Proto()))
	})
	for _, key := range keys {
		for _, binding := range published[key] {
			external, err := strconv.Atoi(binding.HostPort)
			if err != nil {
				continue
			}
			ip, protocol := binding.HostIP, key.Proto()
			list = append(list, ContainerPort{Internal: key.Int(), External: &external, IP: &ip, Protocol: &protocol})
		}
	}
	return list
}

func hostState(lines []string) []ContainerHost {
	var hosts []ContainerHost
	for _, line := range lines {
		// An IPv6 address has colons of its own: only the first one separates.
		name, ip, _ := strings.Cut(line, ":")
		hosts = append(hosts, ContainerHost{Host: name, IP: ip})
	}
	return hosts
}
