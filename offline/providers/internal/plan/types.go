package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
)

// Only refuses by name every other resource type, of which infer alone says no more than "not found",
// and every setting of the provider itself: none of ours has any.
func Only(provider p.Provider, tokens ...string) p.Provider {
	inner := provider.Check
	provider.Check = func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		if token := string(req.Urn.Type()); !slices.Contains(tokens, token) {
			return p.CheckResponse{}, fmt.Errorf("%s is not supported by the compatible provider, "+
				"a stand-in for the official one. Supported: %s", token, strings.Join(tokens, ", "))
		}
		return inner(ctx, req)
	}
	provider.CheckConfig = func(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		failures := Refuse("the provider", req.Inputs, []Input{{Name: "version"}, {Name: "pluginDownloadURL"}})
		return p.CheckResponse{Inputs: req.Inputs, Failures: failures}, nil
	}
	return provider
}
