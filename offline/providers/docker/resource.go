package docker

import (
	"context"
	"fmt"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// resource adds to an inferred resource what the official bridged provider does and infer cannot:
// refusing inputs by name, defaults written into the inputs, names made up for the user, and a
// diff of the old state (not the old inputs) against the new inputs that knows unknown values.
type resource struct {
	infer.InferredResource
	kind   string
	fields []field
	naming naming
	// deleteFirst says that every replacement deletes the old object before it makes the new one.
	deleteFirst bool
}

// field is one input, or with dots in its name a part of one: how it is compared and what a change
// of it means.
type field struct {
	name  string
	shape shape
	// replace says that a change replaces the resource; otherwise it updates it in place.
	replace bool
	// computed says that the daemon chooses the value when the program does not.
	computed bool
	// keptWith names the part that this one stays with: where the program leaves that out, this is
	// not compared either.
	keptWith string
	// initial is the value that Check writes into the inputs when the program gives none.
	initial any
}

// Check refuses what is not supported, fills in name and defaults, then lets infer decode the rest.
func (r resource) Check(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	var supported []string
	for _, f := range r.fields {
		input, _, _ := strings.Cut(f.name, ".")
		supported = append(supported, input)
	}
	if failures := refuse("docker."+r.kind, req.Inputs, supported); len(failures) > 0 {
		return p.CheckResponse{Inputs: req.Inputs, Failures: failures}, nil
	}
	if r.naming == autonamed && req.Inputs.Get("name").IsNull() {
		name, err := autoname(req)
		if err != nil {
			return p.CheckResponse{}, err
		}
		req.Inputs = req.Inputs.Set("name", property.New(name))
	}
	for _, f := range r.fields {
		if f.initial == nil || !req.Inputs.Get(f.name).IsNull() {
			continue
		}
		value, err := property.Any(f.initial)
		if err != nil {
			return p.CheckResponse{}, fmt.Errorf("default of %s: %w", f.name, err)
		}
		req.Inputs = req.Inputs.Set(f.name, value)
	}
	resp, err := r.InferredResource.Check(ctx, req)
	resp.Failures = plan.WithoutValues(resp.Failures)
	return resp, err
}

// Diff compares the old state with the new inputs, as the official provider does: whatever the
// daemon made of an input shows up here, and an input that is not known yet counts as a change.
func (r resource) Diff(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	changes := diffFields(r.fields, req.State, req.Inputs)
	return p.DiffResponse{
		HasChanges:          len(changes) > 0,
		DetailedDiff:        changes,
		DeleteBeforeReplace: replacesAny(changes) && (r.deleteFirst || r.namedByUser(req)),
	}, nil
}

// namedByUser says whether the name is fixed, so that two of the resource cannot exist side by side.
func (r resource) namedByUser(req p.DiffRequest) bool {
	name := req.Inputs.Get("name")
	return r.naming == autonamed && !(name.IsString() && isAutoname(req.Urn.Name(), name.AsString()))
}

// Create marks the whole of an output as secret when any part of the input of that name is.
func (r resource) Create(ctx context.Context, req p.CreateRequest) (p.CreateResponse, error) {
	resp, err := r.InferredResource.Create(ctx, req)
	resp.Properties = withSecretsOf(req.Properties, resp.Properties)
	return resp, err
}

// Update marks secrets as Create does.
func (r resource) Update(ctx context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
	resp, err := r.InferredResource.Update(ctx, req)
	resp.Properties = withSecretsOf(req.Inputs, resp.Properties)
	return resp, err
}

func withSecretsOf(inputs, outputs property.Map) property.Map {
	for name, value := range inputs.All {
		if out, ok := outputs.GetOk(name); ok && value.HasSecrets() {
			outputs = outputs.Set(name, out.WithSecret(true))
		}
	}
	return outputs
}
