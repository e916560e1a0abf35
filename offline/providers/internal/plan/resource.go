// Package plan makes an inferred resource check and plan as the official tls and random providers
// do: defaults stay out of the inputs, and a plan compares the old state with the new inputs.
package plan

import (
	"context"
	"sort"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"
	pschema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Input is one input property and what a change of it means.
type Input struct {
	Name string
	// Replace says that a change replaces the resource; otherwise it updates the state in place.
	Replace bool
	// EmptyIsUnset says that "" and no value are the same, in members of an object too.
	EmptyIsUnset bool
	// Members are the supported members of an input that is an object; nil for all others.
	Members []string
}

// Resource is an inferred resource with the planning of the official providers. infer alone compares
// old inputs with new inputs, and hands a typed Diff zero values in the place of unknown ones.
type Resource struct {
	infer.InferredResource
	// Type is how messages name the resource, for example "tls.PrivateKey".
	Type   string
	Inputs []Input
	// Defaults returns the inputs with the values that the state will hold for those not given.
	Defaults func(inputs property.Map) property.Map
	// Validate reports what is wrong with the inputs. It must leave unknown values alone.
	Validate func(inputs property.Map) []p.CheckFailure
	// Extra reports changes that do not come from an input.
	Extra func(state, planned property.Map) (map[string]p.PropertyDiff, error)
	// AlwaysOutput are outputs that the official schema calls required although they can be null,
	// which a Go struct tag cannot express.
	AlwaysOutput []string
}

// GetSchema is infer's schema with AlwaysOutput among the required outputs.
func (r Resource) GetSchema(reg schema.RegisterDerivativeType) (pschema.ResourceSpec, error) {
	spec, err := r.InferredResource.GetSchema(reg)
	spec.Required = append(spec.Required, r.AlwaysOutput...)
	sort.Strings(spec.Required)
	return spec, err
}

// Check refuses unsupported inputs by name, lets infer decode the rest, then validates the values.
func (r Resource) Check(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	if failures := Refuse(r.Type, req.Inputs, r.Inputs); len(failures) > 0 {
		return p.CheckResponse{Inputs: req.Inputs, Failures: failures}, nil
	}
	req.Inputs = WithoutNulls(req.Inputs)
	resp, err := r.InferredResource.Check(ctx, req)
	if err == nil && len(resp.Failures) == 0 && r.Validate != nil {
		resp.Failures = r.Validate(resp.Inputs)
	}
	resp.Failures = WithoutValues(resp.Failures)
	return resp, err
}

// Diff compares the old state with the new inputs after defaults. An input that is not known yet
// counts as changed: what it will be cannot be promised.
func (r Resource) Diff(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	for _, name := range req.IgnoreChanges {
		if old, ok := req.State.GetOk(name); ok {
			req.Inputs = req.Inputs.Set(name, old)
		}
	}
	planned := req.Inputs
	if r.Defaults != nil {
		planned = r.Defaults(planned)
	}
	changes := map[string]p.PropertyDiff{}
	for _, input := range r.Inputs {
		if kind, changed := compare(input, req.State.Get(input.Name), planned.Get(input.Name)); changed {
			changes[input.Name] = p.PropertyDiff{Kind: kind, InputDiff: true}
		}
	}
	if r.Extra != nil {
		extra, err := r.Extra(req.State, planned)
		if err != nil {
			return p.DiffResponse{}, err
		}
		for name, change := range extra {
			changes[name] = change
		}
	}
	return p.DiffResponse{HasChanges: len(changes) > 0, DetailedDiff: changes}, nil
}
