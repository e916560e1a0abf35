package plan

import (
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

var (
	unset   = property.Value{}
	unknown = property.New(property.Computed)
)

func texts(elements ...string) property.Value {
	all := []property.Value{}
	for _, element := range elements {
		all = append(all, property.New(element))
	}
	return property.New(all)
}

func object(members map[string]property.Value) property.Value { return property.New(members) }

func TestCompare(t *testing.T) {
	for name, test := range map[string]struct {
		input    Input
		old, new property.Value
		want     p.DiffKind
	}{
		"equal":                      {Input{}, texts("a"), texts("a"), ""},
		"equal but for secrecy":      {Input{}, property.New("a").WithSecret(true), property.New("a"), ""},
		"unset and empty list":       {Input{}, unset, texts(), ""},
		"unset and empty object":     {Input{}, unset, object(map[string]property.Value{}), ""},
		"null member":                {Input{}, object(map[string]property.Value{"a": unset}), unset, ""},
		"empty text is a value":      {Input{}, unset, property.New(""), p.Add},
		"empty text may be unset":    {Input{EmptyIsUnset: true}, unset, property.New(""), ""},
		"empty member may be unset":  {Input{EmptyIsUnset: true}, object(map[string]property.Value{"a": property.New("")}), unset, ""},
		"order matters":              {Input{}, texts("a", "b"), texts("b", "a"), p.Update},
		"update":                     {Input{}, property.New(1.0), property.New(2.0), p.Update},
		"replace":                    {Input{Replace: true}, property.New(1.0), property.New(2.0), p.UpdateReplace},
		"added":                      {Input{Replace: true}, unset, property.New(2.0), p.AddReplace},
		"removed":                    {Input{}, property.New(2.0), unset, p.Delete},
		"removed and replaces":       {Input{Replace: true}, property.New(2.0), unset, p.DeleteReplace},
		"unknown counts as changed":  {Input{Replace: true}, property.New(""), unknown, p.UpdateReplace},
		"unknown where nothing was":  {Input{Replace: true}, unset, unknown, p.AddReplace},
		"unknown inside counts, too": {Input{Replace: true}, texts("a"), property.New([]property.Value{unknown}), p.UpdateReplace},
	} {
		t.Run(name, func(t *testing.T) {
			kind, changed := compare(test.input, test.old, test.new)
			require.Equal(t, test.want, kind)
			require.Equal(t, test.want != "", changed)
		})
	}
}

func TestRefuseNamesWhatIsNotSupported(t *testing.T) {
	supported := []Input{{Name: "known"}, {Name: "subject", Members: []string{"commonName"}}}
	given := property.NewMap(map[string]property.Value{
		"known":      property.New("value"),
		"fancy":      property.New("SECRET").WithSecret(true),
		"nullish":    unset,
		"__internal": property.New(true),
		"subject":    object(map[string]property.Value{"commonName": unset, "emailAddress": property.New("SECRET")}),
	})
	failures := Refuse("pkg.Type", given, supported)
	require.Len(t, failures, 2)
	require.Contains(t, failures[0].Reason, "fancy of pkg.Type is not supported by the compatible provider")
	require.Contains(t, failures[0].Reason, "Supported: known, subject")
	require.Contains(t, failures[1].Reason, "subject.emailAddress of pkg.Type is not supported by the compatible provider")
	for _, failure := range failures {
		require.NotContains(t, failure.Reason, "SECRET")
		require.Empty(t, failure.Property, "the engine would print the property's value")
	}
}

func TestValidationLeavesUnknownValuesAlone(t *testing.T) {
	inputs := property.NewMap(map[string]property.Value{
		"number": unknown, "text": unknown, "list": property.New([]property.Value{unknown}),
	})
	require.Empty(t, AtLeast(inputs, 1, "number", "absent"))
	require.Empty(t, OneOf(inputs, "text", "a"))
	require.Empty(t, EachOf(inputs, "list", "a"))
}

func TestWithoutNulls(t *testing.T) {
	given := property.NewMap(map[string]property.Value{
		"a": unset,
		"b": object(map[string]property.Value{"c": unset, "d": property.New("d")}).WithSecret(true),
	})
	want := property.NewMap(map[string]property.Value{
		"b": object(map[string]property.Value{"d": property.New("d")}).WithSecret(true),
	})
	require.Equal(t, want, WithoutNulls(given))
}
