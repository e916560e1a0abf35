// Package random is a stand-in for the official Pulumi random provider 4.21.2 where plugins cannot
// be downloaded: RandomPassword and RandomBytes, with the official tokens, names and behaviour.
// What it does not know it refuses by name; offline/README.md lists what it knowingly does otherwise.
package random

import (
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"private-registry/offline/providers/internal/plan"
	"private-registry/offline/providers/internal/serve"
)

// New builds the provider.
func New() (p.Provider, error) {
	provider, err := serve.Build("random", nil,
		plan.Resource{
			InferredResource: infer.Resource(&RandomPassword{}),
			Type:             "random.RandomPassword",
			Inputs:           passwordInputs,
			Defaults:         passwordDefaults,
			Validate:         validatePassword,
		},
		plan.Resource{
			InferredResource: infer.Resource(&RandomBytes{}),
			Type:             "random.RandomBytes",
			Inputs:           bytesInputs,
			Validate:         validateBytes,
		},
	)
	return plan.Only(provider,
		"random:index/randomPassword:RandomPassword",
		"random:index/randomBytes:RandomBytes",
	), err
}

// errImport says that a value made elsewhere cannot be taken over: only the state knows the inputs.
func errImport(resourceType string) error {
	return fmt.Errorf("import of %s is not supported by the compatible provider", resourceType)
}
