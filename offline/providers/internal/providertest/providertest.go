// Package providertest drives a provider in tests the way the engine does, without an engine.
package providertest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// Values are properties written as plain Go: strings, numbers, truth values, []any, Values, and
// property.Value for what Go has no word for.
type Values map[string]any

// Unknown stands for a value that a preview does not know yet.
var Unknown = property.New(property.Computed)

// Secret is a text that is a secret.
func Secret(text string) property.Value { return property.New(text).WithSecret(true) }

// Resource is one resource type of a provider under test.
type Resource struct {
	t      *testing.T
	server integration.Server
	urn    resource.URN
}

// New starts a provider and picks the resource type with the token, "pkg:module:Type".
func New(t *testing.T, name, token string, build func() (p.Provider, error)) *Resource {
	return NewContext(t.Context(), t, name, token, build)
}

// NewContext is New with a context of the test's own, to cancel a run.
func NewContext(
	ctx context.Context, t *testing.T, name, token string, build func() (p.Provider, error),
) *Resource {
	t.Helper()
	provider, err := build()
	require.NoError(t, err)
	server, err := integration.NewServer(ctx, name, semver.MustParse("1.0.0"), integration.WithProvider(provider))
	require.NoError(t, err)
	urn := resource.URN("urn:pulumi:dev::test::" + token + "::example")
	return &Resource{t: t, server: server, urn: urn}
}

// Check returns the checked inputs and requires that there are no failures.
func (r *Resource) Check(inputs Values) property.Map {
	r.t.Helper()
	checked, failures := r.CheckFailures(inputs)
	require.Empty(r.t, failures)
	return checked
}

// CheckFailures returns the checked inputs and the reasons of all failures.
func (r *Resource) CheckFailures(inputs Values) (property.Map, []string) {
	r.t.Helper()
	resp, err := r.server.Check(p.CheckRequest{Urn: r.urn, Inputs: Map(inputs)})
	require.NoError(r.t, err)
	var reasons []string
	for _, failure := range resp.Failures {
		reasons = append(reasons, failure.Reason)
	}
	return resp.Inputs, reasons
}

// Settings checks settings of the provider itself and returns the reasons of all failures.
func (r *Resource) Settings(settings Values) []string {
	r.t.Helper()
	resp, err := r.server.CheckConfig(p.CheckRequest{Urn: r.urn, Inputs: Map(settings)})
	require.NoError(r.t, err)
	var reasons []string
	for _, failure := range resp.Failures {
		reasons = append(reasons, failure.Reason)
	}
	return reasons
}

// CheckError returns the error of a check that cannot be made at all.
func (r *Resource) CheckError(inputs Values) error {
	_, err := r.server.Check(p.CheckRequest{Urn: r.urn, Inputs: Map(inputs)})
	return err
}

// Create checks and creates, and requires that both succeed.
func (r *Resource) Create(inputs Values) (id string, state property.Map) {
	r.t.Helper()
	id, state, err := r.TryCreate(inputs)
	require.NoError(r.t, err)
	return id, state
}

// TryCreate checks and creates.
func (r *Resource) TryCreate(inputs Values) (id string, state property.Map, err error) {
	r.t.Helper()
	return r.TryCreateWithin(0, inputs)
}

// TryCreateWithin is TryCreate with a customTimeouts of the resource; 0 is none.
func (r *Resource) TryCreateWithin(seconds float64, inputs Values) (id string, state property.Map, err error) {
	r.t.Helper()
	resp, err := r.server.Create(p.CreateRequest{Urn: r.urn, Properties: r.Check(inputs), Timeout: seconds})
	return resp.ID, resp.Properties, err
}

// Preview checks and previews a creation.
func (r *Resource) Preview(inputs Values) property.Map {
	r.t.Helper()
	resp, err := r.server.Create(p.CreateRequest{Urn: r.urn, Properties: r.Check(inputs), DryRun: true})
	require.NoError(r.t, err)
	return resp.Properties
}

// Diff checks new inputs and plans the way from a state to them.
func (r *Resource) Diff(state property.Map, inputs Values) map[string]p.DiffKind {
	r.t.Helper()
	resp, err := r.server.Diff(p.DiffRequest{ID: "id", Urn: r.urn, State: state, Inputs: r.Check(inputs)})
	require.NoError(r.t, err)
	kinds := map[string]p.DiffKind{}
	for name, change := range resp.DetailedDiff {
		kinds[name] = change.Kind
	}
	require.Equal(r.t, len(kinds) > 0, resp.HasChanges)
	require.False(r.t, resp.DeleteBeforeReplace)
	return kinds
}

// Update checks new inputs and updates a state, or previews that.
func (r *Resource) Update(state property.Map, inputs Values, preview bool) (property.Map, error) {
	r.t.Helper()
	resp, err := r.server.Update(p.UpdateRequest{
		ID: "id", Urn: r.urn, State: state, Inputs: r.Check(inputs), DryRun: preview,
	})
	return resp.Properties, err
}

// Read refreshes a state.
func (r *Resource) Read(id string, state property.Map, inputs Values) (property.Map, error) {
	r.t.Helper()
	resp, err := r.server.Read(p.ReadRequest{ID: id, Urn: r.urn, Properties: state, Inputs: Map(inputs)})
	return resp.Properties, err
}

// Delete deletes.
func (r *Resource) Delete(state property.Map) error {
	return r.server.Delete(p.DeleteRequest{ID: "id", Urn: r.urn, Properties: state})
}

// ReplacingInputs are the inputs that the schema marks as replacing, and all of them.
func (r *Resource) ReplacingInputs() (replacing, all []string) {
	r.t.Helper()
	resp, err := r.server.GetSchema(p.GetSchemaRequest{})
	require.NoError(r.t, err)
	var spec struct {
		Resources map[string]struct {
			InputProperties map[string]struct{ ReplaceOnChanges bool }
		}
	}
	require.NoError(r.t, json.Unmarshal([]byte(resp.Schema), &spec))
	for name, input := range spec.Resources[string(r.urn.Type())].InputProperties {
		all = append(all, name)
		if input.ReplaceOnChanges {
			replacing = append(replacing, name)
		}
	}
	return replacing, all
}

// Map writes plain Go values as properties.
func Map(values Values) property.Map {
	members := map[string]property.Value{}
	for name, value := range values {
		members[name] = Value(value)
	}
	return property.NewMap(members)
}

// Value writes a plain Go value as a property.
func Value(value any) property.Value {
	switch value := value.(type) {
	case nil:
		return property.New(property.Null)
	case property.Value:
		return value
	case string:
		return property.New(value)
	case bool:
		return property.New(value)
	case int:
		return property.New(float64(value))
	case Values:
		return property.New(Map(value))
	case []any:
		elements := []property.Value{}
		for _, element := range value {
			elements = append(elements, Value(element))
		}
		return property.New(elements)
	default:
		panic(fmt.Sprintf("no property for %T", value))
	}
}

// Text is a member that is a text, secret or not.
func Text(t *testing.T, state property.Map, name string) string {
	t.Helper()
	value := state.Get(name)
	require.True(t, value.IsString(), "%s is no text in %v", name, state)
	return value.AsString()
}
