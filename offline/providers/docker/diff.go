package docker

import (
	"encoding/json"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// shape says how two values of an input are compared.
type shape int

const (
	scalar        shape = iota // unset equals "", 0 and false
	list                       // order matters; unset equals empty
	set                        // order and repetition do not matter, here and in every list inside
	mapping                    // free keys, exact values; unset equals empty
	object                     // fixed keys; an unset key equals "", 0, false and empty
	setObject                  // as object, and the lists inside are sets
	ports                      // as set, and a port without external matches whatever the daemon chose
	servicePorts               // as ports, for the ports of a service
	addressRanges              // as set, and a range without gateway matches whatever the daemon chose
)

// diffFields compares the state of the resource with the inputs that the program now gives.
func diffFields(fields []field, state, inputs property.Map) map[string]p.PropertyDiff {
	changes := map[string]p.PropertyDiff{}
	for _, f := range fields {
		before, after := lookUp(state, f.name), lookUp(inputs, f.name)
		if f.computed && isUnset(after) || f.keptWith != "" && isUnset(lookUp(inputs, f.keptWith)) {
			continue
		}
		if !after.HasComputed() && sameValue(f.shape, before, after) {
			continue
		}
		changes[f.name] = p.PropertyDiff{Kind: changeKind(f.replace, isUnset(before), isUnset(after))}
	}
	return changes
}

// lookUp finds a value by its dotted name. A part of what is not known yet is not known either.
func lookUp(in property.Map, name string) property.Value {
	value := property.New(in)
	for _, key := range strings.Split(name, ".") {
		if !value.IsMap() {
			if value.IsComputed() {
				return value
			}
			return property.Value{}
		}
		value = value.AsMap().Get(key)
	}
	return value
}

func replacesAny(changes map[string]p.PropertyDiff) bool {
	for _, c := range changes {
		switch c.Kind {
		case p.AddReplace, p.DeleteReplace, p.UpdateReplace:
			return true
		}
	}
	return false
}

func changeKind(replace, added, removed bool) p.DiffKind {
	switch {
	case added && replace:
		return p.AddReplace
	case added:
		return p.Add
	case removed && replace:
		return p.DeleteReplace
	case removed:
		return p.Delete
	case replace:
		return p.UpdateReplace
	default:
		return p.Update
	}
}

// isUnset is true for what the official provider cannot tell from "not given".
func isUnset(v property.Value) bool {
	switch {
	case v.IsString():
		return v.AsString() == ""
	case v.IsArray():
		return v.AsArray().Len() == 0
	case v.IsMap():
		return v.AsMap().Len() == 0
	default:
		return v.IsNull()
	}
}

func sameValue(s shape, a, b property.Value) bool {
	switch s {
	case ports:
		return sameWithOpen(a, b, "external", "internal", "protocol", "ip")
	case servicePorts:
		return sameWithOpen(a, b, "publishedPort", "targetPort", "protocol", "publishMode", "name")
	case addressRanges:
		return sameWithOpen(a, b, "gateway", "subnet", "ipRange", "auxAddress")
	default:
		return canonical(s, a) == canonical(s, b)
	}
}

// canonical is a text that is equal for values that count as the same.
func canonical(s shape, v property.Value) string {
	x := plain(v)
	switch s {
	case set:
		return canonicalSet(x)
	case object:
		x = prune(x, false)
	case setObject:
		x = prune(x, true)
	}
	if isZero(x) {
		return ""
	}
	return toJSON(x)
}

func canonicalSet(x any) string {
	elements, _ := x.([]any)
	texts := make([]string, 0, len(elements))
	for _, e := range elements {
		texts = append(texts, toJSON(prune(e, true)))
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), "\n")
}

// prune drops zero-valued keys, at every depth, and can put lists in order.
func prune(x any, sortLists bool) any {
	switch x := x.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range x {
			if v = prune(v, sortLists); !isZero(v) {
				out[k] = v
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(x))
		for _, v := range x {
			out = append(out, prune(v, sortLists))
		}
		if sortLists {
			slices.SortFunc(out, func(a, b any) int { return strings.Compare(toJSON(a), toJSON(b)) })
		}
		return out
	default:
		return x
	}
}

func isZero(x any) bool {
	switch x := x.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case float64:
		return x == 0
	case bool:
		return !x
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	default:
		return false
	}
}

// plain drops secrecy and nulls, which play no part in a comparison.
func plain(v property.Value) any {
	switch {
	case v.IsBool():
		return v.AsBool()
	case v.IsNumber():
		return v.AsNumber()
	case v.IsString():
		return v.AsString()
	case v.IsArray():
		out := []any{}
		for _, e := range v.AsArray().All {
			out = append(out, plain(e))
		}
		return out
	case v.IsMap():
		out := map[string]any{}
		for k, e := range v.AsMap().All {
			if x := plain(e); x != nil {
				out[k] = x
			}
		}
		return out
	default:
		return nil
	}
}

func toJSON(x any) string {
	text, err := json.Marshal(x)
	if err != nil { // plain values always marshal
		return err.Error()
	}
	return string(text)
}

// sameWithOpen ignores the order of the elements, and the value under the open key where the program
// leaves that to the daemon.
func sameWithOpen(state, inputs property.Value, open string, keys ...string) bool {
	have, _ := plain(state).([]any)
	want, _ := plain(inputs).([]any)
	if len(have) != len(want) {
		return false
	}
	have = slices.Clone(have)
	isOpen := func(x any) bool { m, _ := x.(map[string]any); return isZero(m[open]) }
	// Elements with a fixed value choose first, so that an open one cannot take theirs.
	slices.SortStableFunc(want, func(a, b any) int { return boolToInt(isOpen(a)) - boolToInt(isOpen(b)) })
	for _, w := range want {
		compared := keys
		if !isOpen(w) {
			compared = append(slices.Clone(keys), open)
		}
		i := slices.IndexFunc(have, func(h any) bool { return sameUnder(compared, h, w) })
		if i < 0 {
			return false
		}
		have = slices.Delete(have, i, i+1)
	}
	return true
}

func sameUnder(keys []string, a, b any) bool {
	x, _ := prune(a, false).(map[string]any)
	y, _ := prune(b, false).(map[string]any)
	return !slices.ContainsFunc(keys, func(key string) bool { return toJSON(x[key]) != toJSON(y[key]) })
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
