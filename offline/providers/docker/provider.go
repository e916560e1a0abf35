// Package docker is a stand-in for the official Pulumi docker provider 5.2.0 where plugins cannot
// be downloaded. It covers Container, RemoteImage, Volume and Network, and of a swarm Service and
// Secret, with the official tokens, property names and behaviour, and refuses by name what it does not
// cover. offline/README.md lists where it knowingly does not do what the official provider does.
package docker

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"private-registry/offline/providers/internal/serve"
)

// New builds the provider.
func New() (p.Provider, error) {
	provider, err := serve.Build("docker", infer.Config(&Config{}),
		resource{
			InferredResource: infer.Resource(&Container{}),
			kind:             "Container",
			fields:           containerFields,
			naming:           autonamed,
			deleteFirst:      true,
		},
		resource{
			InferredResource: infer.Resource(&RemoteImage{}),
			kind:             "RemoteImage",
			fields:           imageFields,
		},
		resource{
			InferredResource: infer.Resource(&Volume{}),
			kind:             "Volume",
			fields:           volumeFields,
			naming:           autonamed,
		},
		resource{
			InferredResource: infer.Resource(&Network{}),
			kind:             "Network",
			fields:           networkFields,
			naming:           autonamed,
		},
		resource{
			InferredResource: infer.Resource(&Service{}),
			kind:             "Service",
			fields:           serviceFields,
			naming:           autonamed,
		},
		resource{
			InferredResource: infer.Resource(&Secret{}),
			kind:             "Secret",
			fields:           secretFields,
			naming:           autonamed,
		},
	)
	if err != nil {
		return provider, err
	}
	provider.DiffConfig = diffConfig
	return refuseOtherTypes(provider, []string{
		"Container", "Network", "RemoteImage", "Secret", "Service", "Volume",
	}), nil
}

// diffConfig reports every changed setting as an update. infer would replace the provider, and
// with it every resource; the official provider replaces nothing when its host changes.
func diffConfig(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	var fields []field
	for _, name := range configNames {
		fields = append(fields, field{name: name, shape: list})
	}
	changes := diffFields(fields, req.State, req.Inputs)
	return p.DiffResponse{HasChanges: len(changes) > 0, DetailedDiff: changes}, nil
}
