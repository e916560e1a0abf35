package random

import (
	"strings"
	"unicode"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

var passwordInputs = []plan.Input{
	{Name: "keepers", Replace: true},
	{Name: "length", Replace: true},
	{Name: "lower", Replace: true},
	{Name: "minLower", Replace: true},
	{Name: "minNumeric", Replace: true},
	{Name: "minSpecial", Replace: true},
	{Name: "minUpper", Replace: true},
	{Name: "number", Replace: true},
	{Name: "numeric", Replace: true},
	{Name: "overrideSpecial", Replace: true, EmptyIsUnset: true},
	{Name: "special", Replace: true},
	{Name: "upper", Replace: true},
}

// passwordDefaults fills what was not given. number is the old name of numeric: either sets both.
func passwordDefaults(inputs property.Map) property.Map {
	for _, twins := range [][2]string{{"numeric", "number"}, {"number", "numeric"}} {
		if given := inputs.Get(twins[1]); !given.IsNull() && inputs.Get(twins[0]).IsNull() {
			inputs = inputs.Set(twins[0], given)
		}
	}
	for _, class := range []string{"lower", "upper", "numeric", "number", "special"} {
		inputs = plan.Default(inputs, class, true)
	}
	for _, minimum := range []string{"minLower", "minUpper", "minNumeric", "minSpecial"} {
		inputs = plan.Default(inputs, minimum, 0.0)
	}
	return inputs
}

// passwordState is the state before the password is drawn; it must agree with passwordDefaults.
func passwordState(args RandomPasswordArgs) RandomPasswordState {
	numeric := args.Numeric
	if numeric == nil {
		numeric = args.Number
	}
	return RandomPasswordState{
		Keepers:         args.Keepers,
		Length:          args.Length,
		Lower:           or(args.Lower, true),
		Upper:           or(args.Upper, true),
		Numeric:         or(numeric, true),
		Number:          or(numeric, true),
		Special:         or(args.Special, true),
		MinLower:        or(args.MinLower, 0),
		MinUpper:        or(args.MinUpper, 0),
		MinNumeric:      or(args.MinNumeric, 0),
		MinSpecial:      or(args.MinSpecial, 0),
		OverrideSpecial: args.OverrideSpecial,
	}
}

func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}

func validatePassword(inputs property.Map) []p.CheckFailure {
	failures := plan.AtLeast(inputs, 1, "length")
	failures = append(failures, plan.AtLeast(inputs, 0, "minLower", "minUpper", "minNumeric", "minSpecial")...)
	numeric, hasNumeric := plan.Bool(inputs, "numeric")
	number, hasNumber := plan.Bool(inputs, "number")
	if hasNumeric && hasNumber && numeric != number {
		failures = append(failures, plan.Failure("number", "is %t but numeric, its newer name, is %t", number, numeric))
	}
	if special, _ := plan.String(inputs, "overrideSpecial"); !ascii(special) {
		failures = append(failures, plan.Failure("overrideSpecial",
			"with other characters than ASCII is not supported by the compatible provider"))
	}
	planned := passwordDefaults(inputs)
	if length, ok := plan.Int(planned, "length"); ok {
		sum := 0
		for _, minimum := range []string{"minLower", "minUpper", "minNumeric", "minSpecial"} {
			value, _ := plan.Int(planned, minimum)
			sum += value
		}
		if length < sum {
			failures = append(failures, plan.Failure("length", "is %d, less than the sum of all minimums, %d", length, sum))
		}
	}
	if allOff(planned, "lower", "upper", "numeric", "special") {
		failures = append(failures, plan.Failure("special", "and lower, upper and numeric are all false: one must be true"))
	}
	return failures
}

// ascii says whether characters are bytes, which is what the official provider draws.
func ascii(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

func allOff(inputs property.Map, classes ...string) bool {
	for _, class := range classes {
		if on, known := plan.Bool(inputs, class); on || !known {
			return false
		}
	}
	return true
}
