package plan

import (
	"fmt"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Failure is a check failure whose text is formatted. It names the property in its text only: see WithoutValues.
func Failure(name, format string, args ...any) p.CheckFailure {
	return p.CheckFailure{Reason: fmt.Sprintf(name+" "+format, args...)}
}

// WithoutValues moves the property's name into the text. The engine prints the value of a property
// that a failure names, secret or not: a wrong entry of uploads would print every file's content.
func WithoutValues(failures []p.CheckFailure) []p.CheckFailure {
	out := make([]p.CheckFailure, 0, len(failures))
	for _, f := range failures {
		if f.Property != "" {
			f = p.CheckFailure{Reason: f.Property + ": " + f.Reason}
		}
		out = append(out, f)
	}
	return out
}

// Refuse names every given input that the resource type does not support, so that nothing which the
// official provider would act upon is silently left out.
func Refuse(resourceType string, inputs property.Map, supported []Input) []p.CheckFailure {
	failures := refuse(resourceType, "", inputs, names(supported))
	for _, input := range supported {
		if value := inputs.Get(input.Name); input.Members != nil && value.IsMap() {
			failures = append(failures, refuse(resourceType, input.Name+".", value.AsMap(), input.Members)...)
		}
	}
	return failures
}

func refuse(resourceType, prefix string, given property.Map, supported []string) []p.CheckFailure {
	var failures []p.CheckFailure
	for name, value := range given.AllStable {
		if slices.Contains(supported, name) || strings.HasPrefix(name, "__") || value.IsNull() {
			continue
		}
		failures = append(failures, Failure(prefix+name, "of %s is not supported by the compatible provider, "+
			"a stand-in for the official one; leave it out or use the official provider. Supported: %s",
			resourceType, strings.Join(supported, ", ")))
	}
	return failures
}

func names(inputs []Input) []string {
	var all []string
	for _, input := range inputs {
		all = append(all, input.Name)
	}
	slices.Sort(all)
	return all
}

func unlessAllowed(name, value string, allowed []string) []p.CheckFailure {
	if slices.Contains(allowed, value) {
		return nil
	}
	return []p.CheckFailure{Failure(name, "has %q, allowed: %s", value, strings.Join(allowed, ", "))}
}
