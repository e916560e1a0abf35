package docker

import (
	"context"
	"encoding/base64"
	"fmt"
	"path"
	"regexp"
	"slices"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Check fills in the defaults inside ports, uploads and healthcheck, and refuses what the daemon
// would refuse later, or would silently take in another sense. A value that is not known yet
// arrives here as its type's zero, so zero always passes.
func (*Container) Check(
	ctx context.Context, req infer.CheckRequest,
) (infer.CheckResponse[ContainerInputs], error) {
	in, failures, err := infer.DefaultCheck[ContainerInputs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[ContainerInputs]{Inputs: in, Failures: failures}, err
	}
	fillDefaults(&in)
	return infer.CheckResponse[ContainerInputs]{Inputs: in, Failures: checkContainer(in)}, nil
}

func fillDefaults(in *ContainerInputs) {
	for i := range in.Ports {
		setDefault(&in.Ports[i].IP, "0.0.0.0")
		setDefault(&in.Ports[i].Protocol, "tcp")
	}
	for i := range in.Uploads {
		setDefault(&in.Uploads[i].Executable, false)
	}
	if h := in.Healthcheck; h != nil {
		setDefault(&h.Interval, "0s")
		setDefault(&h.Timeout, "0s")
		setDefault(&h.StartPeriod, "0s")
		setDefault(&h.StartInterval, "0s")
		setDefault(&h.Retries, 0)
	}
}

func setDefault[T any](to **T, value T) {
	if *to == nil {
		*to = &value
	}
}

var (
	cpuSetPattern      = regexp.MustCompile(`^\d+([,-]\d+)*$`)
	permissionsPattern = regexp.MustCompile(`^0[0-7]{3}$`)
	windowsPathPattern = regexp.MustCompile(`^[a-zA-Z]:\\`)
)

// checker collects every failure, so that one run shows them all.
type checker []p.CheckFailure

func (c *checker) add(property, format string, args ...any) {
	*c = append(*c, p.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
}

func (c *checker) oneOf(property string, value *string, allowed ...string) {
	if v := deref(value); v != "" && !slices.Contains(allowed, v) {
		c.add(property, "%q is not possible; possible are %q", v, allowed)
	}
}

func (c *checker) atLeast(property string, value *int, least int) {
	if v := deref(value); v < least {
		c.add(property, "%d is too small; the least is %d", v, least)
	}
}

func (c *checker) duration(property string, value *string) {
	if v := deref(value); v != "" {
		if d, err := time.ParseDuration(v); err != nil || d < 0 {
			c.add(property, "%q is no duration; write it like \"30s\" or \"1m30s\"", v)
		}
	}
}

func checkContainer(in ContainerInputs) []p.CheckFailure {
	var c checker
	c.oneOf("restart", in.Restart, "no", "on-failure", "always", "unless-stopped")
	c.atLeast("memory", in.Memory, 0)
	c.atLeast("memoryReservation", in.MemoryReservation, 0)
	c.atLeast("memorySwap", in.MemorySwap, -1)
	c.atLeast("shmSize", in.ShmSize, 0)
	c.atLeast("cpuShares", in.CPUShares, 0)
	c.atLeast("waitTimeout", in.WaitTimeout, 0)
	c.atLeast("destroyGraceSeconds", in.DestroyGraceSeconds, 0)
	if v := deref(in.CPUSet); v != "" && !cpuSetPattern.MatchString(v) {
		c.add("cpuSet", "%q is no list of CPUs; write it like \"0-1\" or \"0,2\"", v)
	}
	c.healthcheck(in.Healthcheck)
	c.ports(in.Ports)
	c.storage(in)
	c.uploads(in)
	return c
}

func (c *checker) healthcheck(h *ContainerHealthcheck) {
	if h == nil {
		return
	}
	c.duration("healthcheck.interval", h.Interval)
	c.duration("healthcheck.timeout", h.Timeout)
	c.duration("healthcheck.startPeriod", h.StartPeriod)
	c.duration("healthcheck.startInterval", h.StartInterval)
	c.atLeast("healthcheck.retries", h.Retries, 0)
}

func (c *checker) ports(ports []ContainerPort) {
	const highest = 65535
	for i, port := range ports {
		at := fmt.Sprintf("ports[%d]", i)
		c.oneOf(at+".protocol", port.Protocol, "tcp", "udp", "sctp")
		if port.Internal < 0 || port.Internal > highest {
			c.add(at+".internal", "%d is no port; ports go from 1 to %d", port.Internal, highest)
		}
		if v := deref(port.External); v < 0 || v > highest {
			c.add(at+".external", "%d is no port; ports go from 1 to %d", v, highest)
		}
	}
}

func (c *checker) storage(in ContainerInputs) {
	for i, v := range in.Volumes {
		at := fmt.Sprintf("volumes[%d]", i)
		if host := deref(v.HostPath); host != "" && !path.IsAbs(host) && !windowsPathPattern.MatchString(host) {
			c.add(at+".hostPath", "%q is not absolute; write the whole path on the Docker host", host)
		}
		c.oneOf(at+".selinuxRelabel", v.SelinuxRelabel, "z", "Z")
	}
	for i, m := range in.Mounts {
		at := fmt.Sprintf("mounts[%d]", i)
		c.oneOf(at+".type", &m.Type, "bind", "volume", "tmpfs")
		if m.BindOptions != nil {
			c.oneOf(at+".bindOptions.propagation", m.BindOptions.Propagation,
				"private", "rprivate", "shared", "rshared", "slave", "rslave")
		}
	}
}

// uploads never puts a file's content into a message.
func (c *checker) uploads(in ContainerInputs) {
	if deref(in.ReadOnly) && len(in.Uploads) > 0 {
		c.add("uploads", "files cannot be uploaded into a read-only container (the daemon answers "+
			"\"container rootfs is marked read-only\"); bring them in a volume, or leave readOnly out")
	}
	for i, u := range in.Uploads {
		at := fmt.Sprintf("uploads[%d]", i)
		if v := deref(u.Permissions); v != "" && !permissionsPattern.MatchString(v) {
			c.add(at+".permissions", "%q is no file mode; write four octal digits like \"0644\"", v)
		}
		if _, err := base64.StdEncoding.DecodeString(deref(u.ContentBase64)); err != nil {
			c.add(at+".contentBase64", "the value is not base64")
		}
	}
}
