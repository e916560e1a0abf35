package docker

import (
	"regexp"

	p "github.com/pulumi/pulumi-go-provider"
	sdk "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type naming bool

// autonamed resources get a name from Check when the program gives none.
const autonamed naming = true

const (
	autonameHexDigits = 7
	autonameMaxLength = 255
)

// autoname keeps the name that an earlier Check made up, or makes a new one: <resource name>-<7 hex>.
func autoname(req p.CheckRequest) (string, error) {
	if old := req.State.Get("name"); old.IsString() && isAutoname(req.Urn.Name(), old.AsString()) {
		return old.AsString(), nil
	}
	return sdk.NewUniqueName(req.RandomSeed, req.Urn.Name()+"-", autonameHexDigits, autonameMaxLength, nil)
}

func isAutoname(resourceName, name string) bool {
	return regexp.MustCompile("^" + regexp.QuoteMeta(resourceName) + "-[0-9a-f]{7}$").MatchString(name)
}
