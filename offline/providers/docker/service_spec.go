package docker

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// serviceSpec is what the daemon is asked for.
func serviceSpec(in ServiceInputs) (swarm.ServiceSpec, error) {
	task, err := taskSpec(in.TaskSpec)
	if err != nil {
		return swarm.ServiceSpec{}, fmt.Errorf("cannot use the taskSpec of service %s: %w", deref(in.Name), err)
	}
	spec := swarm.ServiceSpec{
		Annotations:    swarm.Annotations{Name: deref(in.Name), Labels: labelMap(in.Labels)},
		TaskTemplate:   task,
		UpdateConfig:   updateConfig(in.UpdateConfig),
		RollbackConfig: updateConfig(in.RollbackConfig),
		EndpointSpec:   endpointSpec(in.EndpointSpec),
	}
	switch {
	case in.Mode != nil && deref(in.Mode.Global):
		spec.Mode.Global = &swarm.GlobalService{}
	case in.Mode != nil && in.Mode.Replicated != nil:
		replicas := uint64(orElse(in.Mode.Replicated.Replicas, 1))
		spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: &replicas}
	}
	return spec, nil
}

func endpointSpec(e *ServiceEndpointSpec) *swarm.EndpointSpec {
	if e == nil {
		return nil
	}
	spec := &swarm.EndpointSpec{Mode: swarm.ResolutionMode(deref(e.Mode))}
	for _, port := range e.Ports {
		spec.Ports = append(spec.Ports, swarm.PortConfig{
			Name: deref(port.Name), Protocol: swarm.PortConfigProtocol(deref(port.Protocol)),
			TargetPort: uint32(port.TargetPort), PublishedPort: uint32(deref(port.PublishedPort)),
			PublishMode: swarm.PortConfigPublishMode(deref(port.PublishMode)),
		})
	}
	return spec
}

func updateConfig(c *ServiceUpdateConfig) *swarm.UpdateConfig {
	if c == nil {
		return nil
	}
	ratio, _ := strconv.ParseFloat(deref(c.MaxFailureRatio), 32) // Check has made sure that it is a number
	return &swarm.UpdateConfig{
		Parallelism: uint64(orElse(c.Parallelism, 1)), Delay: durationOf(c.Delay), Monitor: durationOf(c.Monitor),
		FailureAction: deref(c.FailureAction), MaxFailureRatio: float32(ratio), Order: deref(c.Order),
	}
}

func taskSpec(t ServiceTaskSpec) (swarm.TaskSpec, error) {
	c, err := containerSpec(t.ContainerSpec)
	if err != nil {
		return swarm.TaskSpec{}, err
	}
	spec := swarm.TaskSpec{
		ContainerSpec: c, ForceUpdate: uint64(deref(t.ForceUpdate)), Runtime: swarm.RuntimeType(deref(t.Runtime)),
		Resources: resourceSpec(t.Resources), RestartPolicy: restartPolicy(t.RestartPolicy),
		Placement: placementSpec(t.Placement),
	}
	if d := t.LogDriver; d != nil {
		spec.LogDriver = &swarm.Driver{Name: d.Name, Options: d.Options}
	}
	for i, n := range t.NetworksAdvanceds {
		if deref(n.ID) == "" {
			return spec, fmt.Errorf("networksAdvanceds[%d] has no id; give the network's id", i)
		}
		options := endpointConfig(ContainerNetworkAdvanced{DriverOpts: n.DriverOpts}).DriverOpts
		spec.Networks = append(spec.Networks, swarm.NetworkAttachmentConfig{
			Target: *n.ID, Aliases: n.Aliases, DriverOpts: options,
		})
	}
	return spec, nil
}

func resourceSpec(r *ServiceResources) *swarm.ResourceRequirements {
	if r == nil {
		return nil
	}
	spec := &swarm.ResourceRequirements{}
	if l := r.Limits; l != nil {
		spec.Limits = &swarm.Limit{NanoCPUs: int64(deref(l.NanoCPUs)), MemoryBytes: int64(deref(l.MemoryBytes))}
	}
	if l := r.Reservation; l != nil {
		spec.Reservations = &swarm.Resources{
			NanoCPUs: int64(deref(l.NanoCPUs)), MemoryBytes: int64(deref(l.MemoryBytes)),
		}
	}
	return spec
}

// restartPolicy sends a delay and a window of nothing where the policy has none, as the official
// provider does; only a service without a policy gets the daemon's own five seconds.
func restartPolicy(r *ServiceRestartPolicy) *swarm.RestartPolicy {
	if r == nil {
		return nil
	}
	delay, window, attempts := durationOf(r.Delay), durationOf(r.Window), uint64(deref(r.MaxAttempts))
	return &swarm.RestartPolicy{
		Condition: swarm.RestartPolicyCondition(deref(r.Condition)),
		Delay:     &delay, MaxAttempts: &attempts, Window: &window,
	}
}

func placementSpec(pl *ServicePlacement) *swarm.Placement {
	if pl == nil {
		return nil
	}
	spec := &swarm.Placement{Constraints: pl.Constraints, MaxReplicas: uint64(deref(pl.MaxReplicas))}
	for _, descriptor := range pl.Prefs {
		spec.Preferences = append(spec.Preferences,
			swarm.PlacementPreference{Spread: &swarm.SpreadOver{SpreadDescriptor: descriptor}})
	}
	for _, platform := range pl.Platforms {
		spec.Platforms = append(spec.Platforms, swarm.Platform{Architecture: platform.Architecture, OS: platform.OS})
	}
	return spec
}

func containerSpec(c ServiceContainerSpec) (*swarm.ContainerSpec, error) {
	// Without a grace period tasks are killed at once: the official provider sends 0s then.
	grace := durationOf(c.StopGracePeriod)
	spec := &swarm.ContainerSpec{
		Image: c.Image, Labels: labelMap(c.Labels), Command: c.Commands, Args: c.Args,
		Hostname: deref(c.Hostname), Env: environment(c.Env), Dir: deref(c.Dir), User: deref(c.User), Groups: c.Groups,
		Init: c.Init, StopSignal: deref(c.StopSignal), StopGracePeriod: &grace, ReadOnly: deref(c.ReadOnly),
		Mounts: mountConfig(containerMounts(c.Mounts)), Sysctls: c.Sysctl,
		CapabilityAdd: c.CapAdds, CapabilityDrop: c.CapDrops, Isolation: container.Isolation(deref(c.Isolation)),
	}
	if h := c.Healthcheck; h != nil {
		spec.Healthcheck = &container.HealthConfig{
			Test: h.Tests, Retries: deref(h.Retries), Interval: durationOf(h.Interval),
			Timeout: durationOf(h.Timeout), StartPeriod: durationOf(h.StartPeriod),
		}
	}
	if d := c.DNSConfig; d != nil {
		spec.DNSConfig = &swarm.DNSConfig{Nameservers: d.Nameservers, Search: d.Searches, Options: d.Options}
	}
	for _, h := range c.Hosts { // the other way round than for a container
		spec.Hosts = append(spec.Hosts, h.IP+" "+h.Host)
	}
	if c.Privileges != nil && c.Privileges.SELinuxContext != nil {
		s := c.Privileges.SELinuxContext
		spec.Privileges = &swarm.Privileges{SELinuxContext: &swarm.SELinuxContext{
			Disable: deref(s.Disable), User: deref(s.User), Role: deref(s.Role), Type: deref(s.Type), Level: deref(s.Level),
		}}
	}
	for i, s := range c.Secrets {
		if s.SecretID == "" || deref(s.SecretName) == "" {
			return nil, fmt.Errorf("secrets[%d] lacks secretId or secretName; the swarm wants both, id and name of a Secret", i)
		}
		spec.Secrets = append(spec.Secrets, &swarm.SecretReference{
			SecretID: s.SecretID, SecretName: deref(s.SecretName), File: &swarm.SecretReferenceFileTarget{
				Name: s.FileName, UID: deref(s.FileUID), GID: deref(s.FileGID), Mode: os.FileMode(deref(s.FileMode)),
			},
		})
	}
	return spec, nil
}

// containerMounts are the same mounts as a Container has them.
func containerMounts(list []ServiceMount) []ContainerMount {
	var mounts []ContainerMount
	for _, m := range list {
		out := ContainerMount{
			Type: m.Type, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly,
			BindOptions: m.BindOptions, TmpfsOptions: m.TmpfsOptions,
		}
		if o := m.VolumeOptions; o != nil {
			out.VolumeOptions = &ContainerMountVolumeOptions{
				DriverName: o.DriverName, DriverOptions: o.DriverOptions, Labels: o.Labels, NoCopy: o.NoCopy,
			}
		}
		mounts = append(mounts, out)
	}
	return mounts
}

func serviceMounts(list []mount.Mount) []ServiceMount {
	var mounts []ServiceMount
	for _, m := range mountState(list) {
		out := ServiceMount{
			Type: m.Type, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly,
			BindOptions: m.BindOptions, TmpfsOptions: m.TmpfsOptions,
		}
		if o := m.VolumeOptions; o != nil {
			out.VolumeOptions = &ServiceVolumeOptions{
				DriverName: o.DriverName, DriverOptions: o.DriverOptions, Labels: o.Labels, NoCopy: o.NoCopy,
			}
		}
		mounts = append(mounts, out)
	}
	return mounts
}

// environment is sorted, so that the same variables are the same task.
func environment(variables map[string]string) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		lines = append(lines, name+"="+variables[name])
	}
	return lines
}

func environmentMap(lines []string) map[string]string {
	if len(lines) == 0 {
		return nil
	}
	variables := map[string]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		variables[name] = value
	}
	return variables
}

// durationOf reads an optional duration, which Check has made sure is one; unset is nothing.
func durationOf(text *string) time.Duration {
	d, _ := time.ParseDuration(deref(text))
	return d
}
