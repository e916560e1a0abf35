package docker

import (
	"context"
	"encoding/base64"
	"fmt"
	"path"
	"strconv"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// defaultFileMode of secrets and configs lets everybody in the container read them.
const defaultFileMode = 0o444

// Check fills in the defaults inside the blocks that are given, and refuses what the swarm would
// refuse later. As for a container, a value that is not known yet arrives as zero and passes.
func (*Service) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[ServiceInputs], error) {
	in, failures, err := infer.DefaultCheck[ServiceInputs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[ServiceInputs]{Inputs: in, Failures: failures}, err
	}
	fillServiceDefaults(&in)
	return infer.CheckResponse[ServiceInputs]{Inputs: in, Failures: checkService(in)}, nil
}

func fillServiceDefaults(in *ServiceInputs) {
	if c := in.ConvergeConfig; c != nil {
		setDefault(&c.Delay, "7s")
		setDefault(&c.Timeout, "3m")
	}
	if m := in.Mode; m != nil {
		setDefault(&m.Global, false)
		if m.Replicated != nil {
			setDefault(&m.Replicated.Replicas, 1)
		}
	}
	for _, c := range []*ServiceUpdateConfig{in.UpdateConfig, in.RollbackConfig} {
		if c != nil {
			setDefault(&c.Parallelism, 1)
			setDefault(&c.Delay, "0s")
			setDefault(&c.Monitor, "5s")
			setDefault(&c.FailureAction, "pause")
			setDefault(&c.MaxFailureRatio, "0.0")
			setDefault(&c.Order, "stop-first")
		}
	}
	if e := in.EndpointSpec; e != nil {
		for i := range e.Ports {
			setDefault(&e.Ports[i].Protocol, "tcp")
			setDefault(&e.Ports[i].PublishMode, "ingress")
		}
	}
	fillContainerSpecDefaults(&in.TaskSpec.ContainerSpec)
}

func fillContainerSpecDefaults(c *ServiceContainerSpec) {
	setDefault(&c.Isolation, "default")
	if h := c.Healthcheck; h != nil {
		setDefault(&h.Interval, "0s")
		setDefault(&h.Timeout, "0s")
		setDefault(&h.StartPeriod, "0s")
		setDefault(&h.Retries, 0)
	}
	for i := range c.Secrets {
		setDefault(&c.Secrets[i].FileUID, "0")
		setDefault(&c.Secrets[i].FileGID, "0")
		setDefault(&c.Secrets[i].FileMode, defaultFileMode)
	}
}

func checkService(in ServiceInputs) []p.CheckFailure {
	var c checker
	if m := in.Mode; m != nil {
		c.mode(*m, in.ConvergeConfig)
	}
	if w := in.ConvergeConfig; w != nil {
		c.duration("convergeConfig.delay", w.Delay)
		c.duration("convergeConfig.timeout", w.Timeout)
	}
	if e := in.EndpointSpec; e != nil {
		c.endpoint(*e)
	}
	c.update("updateConfig", in.UpdateConfig, "pause", "continue", "rollback")
	c.update("rollbackConfig", in.RollbackConfig, "pause", "continue")
	c.task(in.TaskSpec)
	c.container(in.TaskSpec.ContainerSpec)
	return c
}

func (c *checker) mode(m ServiceMode, converge *ServiceConvergeConfig) {
	if m.Replicated != nil {
		c.atLeast("mode.replicated.replicas", m.Replicated.Replicas, 0)
	}
	if !deref(m.Global) {
		return
	}
	if m.Replicated != nil {
		c.add("mode", "a service is either global or replicated; leave one of them out")
	}
	if converge != nil {
		c.add("convergeConfig", "only a replicated service can be waited for; leave it out where mode.global is set")
	}
}

func (c *checker) endpoint(e ServiceEndpointSpec) {
	const highest = 65535
	c.oneOf("endpointSpec.mode", e.Mode, "vip", "dnsrr")
	for i, port := range e.Ports {
		at := fmt.Sprintf("endpointSpec.ports[%d]", i)
		c.oneOf(at+".protocol", port.Protocol, "tcp", "udp", "sctp")
		c.oneOf(at+".publishMode", port.PublishMode, "host", "ingress")
		if port.TargetPort < 0 || port.TargetPort > highest {
			c.add(at+".targetPort", "%d is no port; ports go from 1 to %d", port.TargetPort, highest)
		}
		if v := deref(port.PublishedPort); v < 0 || v > highest {
			c.add(at+".publishedPort", "%d is no port; ports go from 1 to %d", v, highest)
		}
		if deref(e.Mode) == "dnsrr" && deref(port.PublishMode) == "ingress" {
			c.add(at+".publishMode", "a dnsrr service has no virtual IP for the ingress network; set publishMode to host")
		}
	}
}

func (c *checker) update(at string, u *ServiceUpdateConfig, actions ...string) {
	if u == nil {
		return
	}
	c.duration(at+".delay", u.Delay)
	c.duration(at+".monitor", u.Monitor)
	c.atLeast(at+".parallelism", u.Parallelism, 0)
	c.oneOf(at+".failureAction", u.FailureAction, actions...)
	c.oneOf(at+".order", u.Order, "stop-first", "start-first")
	if v := deref(u.MaxFailureRatio); v != "" {
		if ratio, err := strconv.ParseFloat(v, 32); err != nil || ratio < 0 || ratio > 1 {
			c.add(at+".maxFailureRatio", "%q is no ratio; write a number from \"0.0\" to \"1.0\"", v)
		}
	}
}

func (c *checker) task(t ServiceTaskSpec) {
	c.atLeast("taskSpec.forceUpdate", t.ForceUpdate, 0)
	c.oneOf("taskSpec.runtime", t.Runtime, "container")
	if r := t.RestartPolicy; r != nil {
		c.oneOf("taskSpec.restartPolicy.condition", r.Condition, "none", "on-failure", "any")
		c.duration("taskSpec.restartPolicy.delay", r.Delay)
		c.duration("taskSpec.restartPolicy.window", r.Window)
		c.atLeast("taskSpec.restartPolicy.maxAttempts", r.MaxAttempts, 0)
	}
	if pl := t.Placement; pl != nil {
		c.atLeast("taskSpec.placement.maxReplicas", pl.MaxReplicas, 0)
	}
	if r := t.Resources; r != nil {
		c.amounts("taskSpec.resources.limits", r.Limits)
		c.amounts("taskSpec.resources.reservation", r.Reservation)
	}
}

func (c *checker) amounts(at string, a *ServiceAmounts) {
	if a != nil {
		c.atLeast(at+".memoryBytes", a.MemoryBytes, 0)
		c.atLeast(at+".nanoCpus", a.NanoCPUs, 0)
	}
}

func (c *checker) container(s ServiceContainerSpec) {
	const at = "taskSpec.containerSpec"
	c.duration(at+".stopGracePeriod", s.StopGracePeriod)
	c.oneOf(at+".isolation", s.Isolation, "default", "process", "hyperv")
	if h := s.Healthcheck; h != nil {
		c.duration(at+".healthcheck.interval", h.Interval)
		c.duration(at+".healthcheck.timeout", h.Timeout)
		c.duration(at+".healthcheck.startPeriod", h.StartPeriod)
		c.atLeast(at+".healthcheck.retries", h.Retries, 0)
	}
	for i, m := range s.Mounts {
		mount := fmt.Sprintf("%s.mounts[%d]", at, i)
		c.oneOf(mount+".type", &m.Type, "bind", "volume", "tmpfs")
		if m.Type == "bind" && deref(m.Source) != "" && !path.IsAbs(*m.Source) && !windowsPathPattern.MatchString(*m.Source) {
			c.add(mount+".source", "%q is not absolute; write the whole path on the node", *m.Source)
		}
		if m.BindOptions != nil {
			c.oneOf(mount+".bindOptions.propagation", m.BindOptions.Propagation,
				"private", "rprivate", "shared", "rshared", "slave", "rslave")
		}
	}
	for i, s := range s.Secrets {
		c.atLeast(fmt.Sprintf("%s.secrets[%d].fileMode", at, i), s.FileMode, 0)
	}
}

// encoded refuses what is not base64, without ever putting it into a message.
func (c *checker) encoded(property string, value string) {
	if _, err := base64.StdEncoding.DecodeString(value); err != nil {
		c.add(property, "the value is not base64")
	}
}
