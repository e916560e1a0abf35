package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// refuse names every input that this provider does not know, so that nothing is silently left out.
func refuse(kind string, inputs property.Map, supported []string) []p.CheckFailure {
	var unknown []string
	for name, value := range inputs.AllStable {
		internal := strings.HasPrefix(name, "__") || name == "version" || name == "pluginDownloadURL"
		if !internal && !value.IsNull() && !slices.Contains(supported, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	known := slices.Compact(slices.Sorted(slices.Values(supported)))
	return []p.CheckFailure{{Reason: fmt.Sprintf(
		"the compatible docker provider, a stand-in for the official one, does not support %s of %s; "+
			"leave it out, or use the official provider. It supports: %s",
		strings.Join(unknown, ", "), kind, strings.Join(known, ", "))}}
}

// refuseOtherTypes says of every resource type and function that is not here that it is not, instead
// of a mere "not found".
func refuseOtherTypes(provider p.Provider, kinds []string) p.Provider {
	refusal := func(token string) error {
		return fmt.Errorf("the compatible docker provider, a stand-in for the official one, does not support %s; "+
			"use the official provider. It supports the resources %s, and no functions", token, strings.Join(kinds, ", "))
	}
	known := func(token string) bool {
		_, name, _ := strings.Cut(token, "/")
		_, name, _ = strings.Cut(name, ":")
		return slices.Contains(kinds, name)
	}
	check, read := provider.Check, provider.Read
	provider.Check = func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		if token := string(req.Urn.Type()); !known(token) {
			return p.CheckResponse{}, refusal(token)
		}
		return check(ctx, req)
	}
	provider.Read = func(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
		if token := string(req.Urn.Type()); !known(token) {
			return p.ReadResponse{}, refusal(token)
		}
		return read(ctx, req)
	}
	provider.Invoke = func(_ context.Context, req p.InvokeRequest) (p.InvokeResponse, error) {
		return p.InvokeResponse{}, refusal(string(req.Token))
	}
	return provider
}
