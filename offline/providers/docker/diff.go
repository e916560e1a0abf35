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
	scalar    shape = iota // unset equals "", 0 and false
	list                   // order matters; unset equals empty
	set                    // order and repetition do not matter, here and in every list inside
	mapping                // free keys, exact values; unset equals empty
	object                 // fixed keys; an unset key equals "", 0, false and empty
	setObject              // as object, and the lists inside are sets
	ports                  // as set, and a port without external matches whatever the daemon chose
)

// diffFields compares the state of the resource with the inputs that the program now gives.
func diffFields(fields []field, state, inputs property.Map) map[string]p.PropertyDiff {
	changes := map[string]p.PropertyDiff{}
	for _, f := range fields {
		before, after := state.Get(f.name), inputs.Get(f.name)
		if f.computed && isUnset(after) {
			continue
		}
		if !after.HasComputed() && sameValue(f.shape, before, after) {
			continue
		}
		changes[f.name] = p.PropertyDiff{Kind: changeKind(f.replace, isUnset(before), isUnset(after))}
	}
	return changes
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
	if s == ports {
		return samePorts(a, b)
	}
	return canonical(s, a) == canonical(s, b)
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

// samePorts ignores the order of ports, and their external number where the program leaves it open.
func samePorts(state, inputs property.Value) bool {
	have, _ := plain(state).([]any)
	want, _ := plain(inputs).([]any)
	if len(have) != len(want) {
		return false
	}
	have = slices.Clone(have)
	// Ports with a fixed external number choose first, so that an open one cannot take theirs.
	slices.SortStableFunc(want, func(a, b any) int { return boolToInt(isOpenPort(a)) - boolToInt(isOpenPort(b)) })
	for _, w := range want {
		i := slices.IndexFunc(have, func(h any) bool { return samePort(h, w) })
		if i < 0 {
			return false
		}
		have = slices.Delete(have, i, i+1)
	}
	return true
}

func samePort(have, want any) bool {
	h, _ := prune(have, false).(map[string]any)
	w, _ := prune(want, false).(map[string]any)
	for _, key := range []string{"internal", "protocol", "ip"} {
		if h[key] != w[key] {
			return false
		}
	}
	return isOpenPort(want) || h["external"] == w["external"]
}

func isOpenPort(port any) bool {
	m, _ := port.(map[string]any)
	return isZero(m["external"])
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
