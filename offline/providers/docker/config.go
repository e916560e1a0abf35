package docker

import (
	"context"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Config is the provider's configuration: which daemon, and how to reach it.
type Config struct {
	Host                     *string  `pulumi:"host,optional"`
	SSHOpts                  []string `pulumi:"sshOpts,optional"`
	CertPath                 *string  `pulumi:"certPath,optional"`
	CaMaterial               *string  `pulumi:"caMaterial,optional"`
	CertMaterial             *string  `pulumi:"certMaterial,optional"`
	KeyMaterial              *string  `pulumi:"keyMaterial,optional" provider:"secret"`
	DisableDockerDaemonCheck *bool    `pulumi:"disableDockerDaemonCheck,optional"`

	engine *engine
}

// configNames are the supported settings.
var configNames = []string{
	"caMaterial", "certMaterial", "certPath", "disableDockerDaemonCheck", "host", "keyMaterial", "sshOpts",
}

// pingTimeout bounds the first contact with a daemon that swallows packets.
const pingTimeout = 20 * time.Second

// Annotate describes the settings.
func (c *Config) Annotate(a infer.Annotator) {
	a.Describe(&c.Host, "The daemon: unix:///path, tcp://host:port or ssh://user@host[:port]. "+
		"Unset: DOCKER_HOST, else unix:///var/run/docker.sock.")
	a.Describe(&c.SSHOpts, "Options for ssh, for an ssh:// host. Unset: DOCKER_SSH_OPTS, split on blanks.")
	a.Describe(&c.CertPath, "A directory with ca.pem, cert.pem and key.pem for a TLS daemon.")
	a.Describe(&c.CaMaterial, "PEM of the authority of a TLS daemon.")
	a.Describe(&c.CertMaterial, "PEM of the client certificate for a TLS daemon.")
	a.Describe(&c.KeyMaterial, "PEM of the client key for a TLS daemon.")
	a.Describe(&c.DisableDockerDaemonCheck, "Do not contact the daemon before the first resource needs it.")
}

// Check refuses settings that this provider does not know, by name.
func (c *Config) Check(_ context.Context, req infer.CheckRequest) (infer.CheckResponse[*Config], error) {
	return infer.CheckResponse[*Config]{
		Inputs:   c,
		Failures: refuse("docker.Provider", req.NewInputs, configNames),
	}, nil
}

// Configure connects, and asks any daemon but an ssh one for a sign of life.
func (c *Config) Configure(ctx context.Context) error {
	e, err := connect(c)
	if err != nil {
		return err
	}
	c.engine = e
	if e.overSSH || deref(c.DisableDockerDaemonCheck) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return e.ping(ctx)
}

// engineOf is the daemon that this provider was configured for.
func engineOf(ctx context.Context) *engine { return infer.GetConfig[Config](ctx).engine }
