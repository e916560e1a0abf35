package plan

import (
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// compare says how the planned value of an input differs from the one in the state.
func compare(input Input, old, planned property.Value) (p.DiffKind, bool) {
	before, after := plain(old, input.EmptyIsUnset), plain(planned, input.EmptyIsUnset)
	if !after.HasComputed() && before.Equals(after) {
		return "", false
	}
	switch {
	case before.IsNull() && input.Replace:
		return p.AddReplace, true
	case before.IsNull():
		return p.Add, true
	case after.IsNull() && input.Replace:
		return p.DeleteReplace, true
	case after.IsNull():
		return p.Delete, true
	case input.Replace:
		return p.UpdateReplace, true
	default:
		return p.Update, true
	}
}

// plain is the value without secret marks and without what says nothing: null members and empty
// collections, which are written with or without depending on the program's language and helpers.
func plain(v property.Value, emptyIsUnset bool) property.Value {
	switch {
	case v.IsArray():
		var elements []property.Value
		for _, element := range v.AsArray().All {
			elements = append(elements, plain(element, false))
		}
		if len(elements) == 0 {
			return property.Value{}
		}
		return property.New(elements)
	case v.IsMap():
		members := map[string]property.Value{}
		for name, member := range v.AsMap().All {
			if member = plain(member, emptyIsUnset); !member.IsNull() {
				members[name] = member
			}
		}
		if len(members) == 0 {
			return property.Value{}
		}
		return property.New(members)
	case emptyIsUnset && v.IsString() && v.AsString() == "":
		return property.Value{}
	default:
		return v.WithSecret(false).WithDependencies(nil)
	}
}
