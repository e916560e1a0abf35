package docker

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Label is one key and value of user-defined metadata, as inputs and state hold them.
type Label struct {
	Label string `pulumi:"label"`
	Value string `pulumi:"value"`
}

// Annotate places the type in the module where the official types are.
func (l *Label) Annotate(a infer.Annotator) { a.SetToken("index/Label", "Label") }

func labelMap(labels []Label) map[string]string {
	if len(labels) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, l := range labels {
		out[l.Label] = l.Value
	}
	return out
}

func labelList(labels map[string]string) []Label {
	var out []Label
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, Label{Label: key, Value: labels[key]})
	}
	return out
}

// deref reads an optional value; unset is the zero value.
func deref[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}

// orElse reads an optional value that has a default.
func orElse[T any](v *T, fallback T) T {
	if v == nil {
		return fallback
	}
	return *v
}

// observed is an optional value as read from the daemon; a zero stays unset where it was unset.
func observed[T comparable](before *T, now T) *T {
	var zero T
	if before == nil && now == zero {
		return nil
	}
	return &now
}

// nonNil keeps required lists in the state present.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// nonEmpty keeps optional lists out of the state when there is nothing in them.
func nonEmpty[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func nonEmptyMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
