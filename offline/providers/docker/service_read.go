package docker

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
)

// serviceState is what the daemon says, in the words of before where these mean the same: "60s"
// stays "60s", and an image name stays one after the daemon has added the digest to it.
func serviceState(before ServiceState, live swarm.Service) ServiceState {
	s := before
	spec := live.Spec
	s.Name, s.Labels = spec.Name, labelList(spec.Labels)
	s.Mode = modeState(spec.Mode)
	s.EndpointSpec = endpointState(live)
	s.UpdateConfig = updateState(before.UpdateConfig, spec.UpdateConfig)
	s.RollbackConfig = updateState(before.RollbackConfig, spec.RollbackConfig)
	s.TaskSpec = taskState(before.TaskSpec, spec.TaskTemplate)
	return completeService(s)
}

// completeService keeps required lists present, as complete does for a container.
func completeService(s ServiceState) ServiceState {
	s.Labels = nonNil(s.Labels)
	return s
}

func modeState(m swarm.ServiceMode) ServiceMode {
	global := m.Global != nil
	state := ServiceMode{Global: &global}
	if m.Replicated != nil {
		replicas := int(deref(m.Replicated.Replicas))
		state.Replicated = &ServiceReplicated{Replicas: &replicas}
	}
	return state
}

// endpointState takes the ports that are asked for, with the numbers that the swarm chose.
func endpointState(live swarm.Service) ServiceEndpointSpec {
	var wanted swarm.EndpointSpec
	if live.Spec.EndpointSpec != nil {
		wanted = *live.Spec.EndpointSpec
	}
	mode := string(cmp.Or(wanted.Mode, live.Endpoint.Spec.Mode, swarm.ResolutionModeVIP))
	state := ServiceEndpointSpec{Mode: &mode}
	for _, port := range wanted.Ports {
		published := int(port.PublishedPort)
		if published == 0 {
			published = chosenPort(live.Endpoint.Ports, port)
		}
		protocol, publish := string(port.Protocol), string(port.PublishMode)
		state.Ports = append(state.Ports, ServicePort{
			Name: observed(nil, port.Name), Protocol: &protocol, PublishMode: &publish,
			PublishedPort: observed(nil, published), TargetPort: int(port.TargetPort),
		})
	}
	return state
}

func chosenPort(live []swarm.PortConfig, wanted swarm.PortConfig) int {
	for _, port := range live {
		if port.TargetPort == wanted.TargetPort && port.Protocol == wanted.Protocol && port.PublishMode == wanted.PublishMode {
			return int(port.PublishedPort)
		}
	}
	return 0
}

func updateState(before *ServiceUpdateConfig, live *swarm.UpdateConfig) *ServiceUpdateConfig {
	if live == nil {
		return nil
	}
	b := deref(before)
	parallelism, action, order := int(live.Parallelism), live.FailureAction, live.Order
	ratio := strconv.FormatFloat(float64(live.MaxFailureRatio), 'f', 1, 64)
	if was, err := strconv.ParseFloat(deref(b.MaxFailureRatio), 32); err == nil && float32(was) == live.MaxFailureRatio {
		ratio = *b.MaxFailureRatio
	}
	return &ServiceUpdateConfig{
		Parallelism: &parallelism, FailureAction: &action, Order: &order, MaxFailureRatio: &ratio,
		Delay: sameDuration(b.Delay, live.Delay), Monitor: sameDuration(b.Monitor, live.Monitor),
	}
}

func taskState(before ServiceTaskSpec, live swarm.TaskSpec) ServiceTaskSpec {
	force, runtime := int(live.ForceUpdate), string(live.Runtime)
	s := ServiceTaskSpec{
		ForceUpdate: &force, Runtime: observed(nil, runtime),
		Resources: resourceState(live.Resources), RestartPolicy: restartState(before.RestartPolicy, live.RestartPolicy),
		Placement: placementState(live.Placement),
	}
	if live.ContainerSpec != nil {
		s.ContainerSpec = containerSpecState(before.ContainerSpec, *live.ContainerSpec)
	}
	if d := live.LogDriver; d != nil {
		s.LogDriver = &ServiceLogDriver{Name: d.Name, Options: nonEmptyMap(d.Options)}
	}
	for _, n := range live.Networks {
		state := ServiceNetwork{ID: &n.Target, Aliases: nonEmpty(n.Aliases)}
		for _, option := range labelList(n.DriverOpts) {
			state.DriverOpts = append(state.DriverOpts, option.Label+"="+option.Value)
		}
		s.NetworksAdvanceds = append(s.NetworksAdvanceds, state)
	}
	return s
}

func resourceState(r *swarm.ResourceRequirements) *ServiceResources {
	if r == nil {
		return nil
	}
	amounts := func(memory, cpus int64) *ServiceAmounts {
		if memory == 0 && cpus == 0 {
			return nil
		}
		return &ServiceAmounts{MemoryBytes: observed(nil, int(memory)), NanoCPUs: observed(nil, int(cpus))}
	}
	state := ServiceResources{}
	if r.Limits != nil {
		state.Limits = amounts(r.Limits.MemoryBytes, r.Limits.NanoCPUs)
	}
	if r.Reservations != nil {
		state.Reservation = amounts(r.Reservations.MemoryBytes, r.Reservations.NanoCPUs)
	}
	return &state
}

func restartState(before *ServiceRestartPolicy, live *swarm.RestartPolicy) *ServiceRestartPolicy {
	if live == nil {
		return nil
	}
	b, condition := deref(before), string(live.Condition)
	return &ServiceRestartPolicy{
		Condition: observed(nil, condition), MaxAttempts: observed(b.MaxAttempts, int(deref(live.MaxAttempts))),
		Delay: sameDuration(b.Delay, deref(live.Delay)), Window: sameDuration(b.Window, deref(live.Window)),
	}
}

func placementState(pl *swarm.Placement) *ServicePlacement {
	if pl == nil {
		return nil
	}
	state := ServicePlacement{Constraints: nonEmpty(pl.Constraints), MaxReplicas: observed(nil, int(pl.MaxReplicas))}
	for _, preference := range pl.Preferences {
		if preference.Spread != nil {
			state.Prefs = append(state.Prefs, preference.Spread.SpreadDescriptor)
		}
	}
	for _, platform := range pl.Platforms {
		state.Platforms = append(state.Platforms, ServicePlatform{Architecture: platform.Architecture, OS: platform.OS})
	}
	return &state
}

func containerSpecState(before ServiceContainerSpec, live swarm.ContainerSpec) ServiceContainerSpec {
	s := ServiceContainerSpec{
		Image: sameImage(before.Image, live.Image), Labels: labelList(live.Labels),
		Commands: nonEmpty(live.Command), Args: nonEmpty(live.Args), Groups: nonEmpty(live.Groups),
		Hostname: observed(nil, live.Hostname), Dir: observed(nil, live.Dir), User: observed(nil, live.User),
		Env: environmentMap(live.Env), Sysctl: nonEmptyMap(live.Sysctls), Init: live.Init,
		StopSignal: observed(nil, live.StopSignal), ReadOnly: observed(before.ReadOnly, live.ReadOnly),
		StopGracePeriod: sameDuration(before.StopGracePeriod, deref(live.StopGracePeriod)),
		CapAdds:         nonEmpty(live.CapabilityAdd), CapDrops: nonEmpty(live.CapabilityDrop),
		Isolation: observed(nil, string(live.Isolation)), Mounts: serviceMounts(live.Mounts),
		Healthcheck: serviceHealth(before.Healthcheck, live.Healthcheck),
	}
	if d := live.DNSConfig; d != nil && len(d.Nameservers) > 0 {
		s.DNSConfig = &ServiceDNSConfig{
			Nameservers: d.Nameservers, Searches: nonEmpty(d.Search), Options: nonEmpty(d.Options),
		}
	}
	for _, line := range live.Hosts {
		ip, name, _ := strings.Cut(line, " ")
		s.Hosts = append(s.Hosts, ContainerHost{Host: name, IP: ip})
	}
	if p := live.Privileges; p != nil && p.SELinuxContext != nil {
		c := *p.SELinuxContext
		s.Privileges = &ServicePrivileges{SELinuxContext: &ServiceSELinuxContext{
			Disable: &c.Disable, User: observed(nil, c.User), Role: observed(nil, c.Role),
			Type: observed(nil, c.Type), Level: observed(nil, c.Level),
		}}
	}
	for _, ref := range live.Secrets {
		file := deref(ref.File)
		mode := int(file.Mode)
		s.Secrets = append(s.Secrets, ServiceSecretFile{
			SecretID: ref.SecretID, SecretName: observed(nil, ref.SecretName),
			FileName: file.Name, FileUID: &file.UID, FileGID: &file.GID, FileMode: &mode,
		})
	}
	return s
}

func serviceHealth(before *ServiceHealthcheck, live *container.HealthConfig) *ServiceHealthcheck {
	if live == nil || (len(live.Test) == 0 && before == nil) {
		return nil
	}
	b, retries := deref(before), live.Retries
	return &ServiceHealthcheck{
		Tests: nonEmpty(live.Test), Retries: &retries, Interval: sameDuration(b.Interval, live.Interval),
		Timeout: sameDuration(b.Timeout, live.Timeout), StartPeriod: sameDuration(b.StartPeriod, live.StartPeriod),
	}
}

// sameDuration keeps the text that was there while it means what the daemon says.
func sameDuration(before *string, live time.Duration) *string {
	if before == nil && live == 0 {
		return nil
	}
	if was, err := time.ParseDuration(deref(before)); err == nil && was == live {
		return before
	}
	text := strings.TrimSuffix(live.String(), "m0s")
	if text != live.String() {
		text += "m"
	}
	if whole, ok := strings.CutSuffix(text, "h0m"); ok {
		text = whole + "h"
	}
	return &text
}

// sameImage keeps the name that was there when the daemon has only added a tag or digest to it.
func sameImage(before, live string) string {
	was, err := reference.ParseNormalizedNamed(before)
	if err != nil {
		return live
	}
	is, err := reference.ParseNormalizedNamed(live)
	if err != nil {
		return live
	}
	was = reference.TagNameOnly(was)
	if was.String() == is.String() {
		return before
	}
	if _, pinned := was.(reference.Digested); !pinned && strings.HasPrefix(is.String(), was.String()+"@") {
		return before
	}
	return live
}
