package docker

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/docker/docker/api/types/swarm"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Secret is a secret of the swarm. No input of it can be changed in place, and no daemon gives its
// data back.
type Secret struct{}

// SecretInputs are the inputs of Secret.
type SecretInputs struct {
	Data   string  `pulumi:"data" provider:"secret,replaceOnChanges"`
	Labels []Label `pulumi:"labels,optional" provider:"replaceOnChanges"`
	Name   *string `pulumi:"name,optional" provider:"replaceOnChanges"`
}

// SecretState is the state of Secret.
type SecretState struct {
	Data   string  `pulumi:"data" provider:"secret"`
	Labels []Label `pulumi:"labels,optional"`
	Name   string  `pulumi:"name"`
}

var secretFields = []field{
	{name: "data", replace: true},
	{name: "labels", shape: set, replace: true},
	{name: "name", replace: true},
}

// Annotate gives the resource its official token.
func (r *Secret) Annotate(a infer.Annotator) {
	a.SetToken("index/secret", "Secret")
	a.Describe(&r, "A secret of a Docker swarm. A service still uses the old one while it is replaced, "+
		"so its name has to change with its data: leave the name out.")
}

// Check refuses data that is not base64.
func (*Secret) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[SecretInputs], error) {
	in, failures, err := infer.DefaultCheck[SecretInputs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[SecretInputs]{Inputs: in, Failures: failures}, err
	}
	var c checker
	c.encoded("data", in.Data)
	return infer.CheckResponse[SecretInputs]{Inputs: in, Failures: c}, nil
}

// Create makes the secret.
func (*Secret) Create(
	ctx context.Context, req infer.CreateRequest[SecretInputs],
) (infer.CreateResponse[SecretState], error) {
	in := req.Inputs
	state := SecretState{Data: in.Data, Labels: in.Labels, Name: deref(in.Name)}
	if req.DryRun {
		return infer.CreateResponse[SecretState]{Output: state}, nil
	}
	e := engineOf(ctx)
	data, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil {
		return infer.CreateResponse[SecretState]{}, fmt.Errorf("cannot create secret %s: its data is not base64", state.Name)
	}
	made, err := untilAnswered(ctx, func(ctx context.Context) (swarm.SecretCreateResponse, error) {
		return e.SecretCreate(ctx, swarm.SecretSpec{
			Annotations: swarm.Annotations{Name: state.Name, Labels: labelMap(in.Labels)}, Data: data,
		})
	})
	if err != nil {
		return infer.CreateResponse[SecretState]{}, e.explain("cannot create secret "+state.Name, err)
	}
	return infer.CreateResponse[SecretState]{ID: made.ID, Output: state}, nil
}

// Read looks whether the secret is still there; a secret that is gone leaves the state.
func (*Secret) Read(
	ctx context.Context, req infer.ReadRequest[SecretInputs, SecretState],
) (infer.ReadResponse[SecretInputs, SecretState], error) {
	var gone infer.ReadResponse[SecretInputs, SecretState]
	e := engineOf(ctx)
	found, _, err := e.SecretInspectWithRaw(ctx, req.ID)
	if isGone(err) {
		return gone, nil
	}
	if err != nil {
		return gone, e.explain("cannot read secret "+orID(req.State.Name, req.ID), err)
	}
	state := req.State
	state.Name = found.Spec.Name
	return infer.ReadResponse[SecretInputs, SecretState]{ID: found.ID, Inputs: req.Inputs, State: state}, nil
}

// Delete removes the secret.
func (*Secret) Delete(ctx context.Context, req infer.DeleteRequest[SecretState]) (infer.DeleteResponse, error) {
	e := engineOf(ctx)
	if err := e.SecretRemove(ctx, req.ID); err != nil && !isGone(err) {
		return infer.DeleteResponse{}, e.explain("cannot remove secret "+orID(req.State.Name, req.ID), err)
	}
	return infer.DeleteResponse{}, nil
}
