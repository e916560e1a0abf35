// Package command is a stand-in for the official Pulumi command provider 1.2.1 where plugins cannot
// be downloaded: local.Command and remote.Command, with the official tokens, names and behaviour.
// What it does not know it refuses by name; offline/README.md lists what it knowingly does otherwise.
package command

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"private-registry/offline/providers/internal/plan"
	"private-registry/offline/providers/internal/serve"
)

// New builds the provider.
func New() (p.Provider, error) {
	provider, err := serve.Build("command", nil,
		refusing{infer.Resource(&Local{}), "command.local.Command", localInputs},
		refusing{infer.Resource(&Remote{}), "command.remote.Command", remoteInputs},
	)
	return plan.Only(provider,
		"command:local:Command",
		"command:remote:Command",
	), err
}

// refusing adds to an inferred resource that it names the inputs it does not support. All else is
// infer's own behaviour, as the official provider is made with infer too.
type refusing struct {
	infer.InferredResource
	kind   string
	inputs []plan.Input
}

// Check refuses unsupported inputs by name and leaves the rest to infer.
func (r refusing) Check(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	failures := plan.Refuse(r.kind, req.Inputs, r.inputs)
	failures = append(failures, plan.OneOf(req.Inputs, "logging", logStdout, logStderr, logBoth, logNone)...)
	if len(failures) > 0 {
		return p.CheckResponse{Inputs: req.Inputs, Failures: failures}, nil
	}
	req.Inputs = plan.WithoutNulls(req.Inputs)
	resp, err := r.InferredResource.Check(ctx, req)
	resp.Failures = plan.WithoutValues(resp.Failures)
	return resp, err
}
