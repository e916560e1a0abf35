package plan

import (
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Default sets an input that was not given.
func Default[T property.GoValue](inputs property.Map, name string, value T) property.Map {
	if !inputs.Get(name).IsNull() {
		return inputs
	}
	return inputs.Set(name, property.New(value))
}

// Int is a number that is given and known.
func Int(inputs property.Map, name string) (int, bool) {
	if v := inputs.Get(name); v.IsNumber() {
		return int(v.AsNumber()), true
	}
	return 0, false
}

// String is a text that is given and known.
func String(inputs property.Map, name string) (string, bool) {
	if v := inputs.Get(name); v.IsString() {
		return v.AsString(), true
	}
	return "", false
}

// Bool is a truth value that is given and known.
func Bool(inputs property.Map, name string) (value, ok bool) {
	if v := inputs.Get(name); v.IsBool() {
		return v.AsBool(), true
	}
	return false, false
}

// Strings are the known texts of a list.
func Strings(inputs property.Map, name string) []string {
	var known []string
	if v := inputs.Get(name); v.IsArray() {
		for _, element := range v.AsArray().All {
			if element.IsString() {
				known = append(known, element.AsString())
			}
		}
	}
	return known
}

// AtLeast reports numbers that are smaller than they may be.
func AtLeast(inputs property.Map, minimum int, names ...string) []p.CheckFailure {
	var failures []p.CheckFailure
	for _, name := range names {
		if value, ok := Int(inputs, name); ok && value < minimum {
			failures = append(failures, Failure(name, "is %d, must be at least %d", value, minimum))
		}
	}
	return failures
}

// OneOf reports a text that is none of those allowed.
func OneOf(inputs property.Map, name string, allowed ...string) []p.CheckFailure {
	value, ok := String(inputs, name)
	if !ok {
		return nil
	}
	return unlessAllowed(name, value, allowed)
}

// EachOf reports the elements of a list that are none of those allowed.
func EachOf(inputs property.Map, name string, allowed ...string) []p.CheckFailure {
	var failures []p.CheckFailure
	for _, value := range Strings(inputs, name) {
		failures = append(failures, unlessAllowed(name, value, allowed)...)
	}
	return failures
}

// WithoutNulls drops null members, also of objects inside, which say nothing and which infer's
// decoder cannot bear in a map.
func WithoutNulls(inputs property.Map) property.Map {
	for name, value := range inputs.AllStable {
		switch {
		case value.IsNull():
			inputs = inputs.Delete(name)
		case value.IsMap():
			inputs = inputs.Set(name, property.WithGoValue(value, WithoutNulls(value.AsMap())))
		}
	}
	return inputs
}
