// Package tls is a stand-in for the official Pulumi tls provider 5.6.1 where plugins cannot be
// downloaded: PrivateKey, CertRequest, SelfSignedCert and LocallySignedCert, with the official
// tokens, names and behaviour, made with Go's crypto libraries as the official ones are.
// What it does not know it refuses by name; offline/README.md lists what it knowingly does otherwise.
package tls

import (
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"private-registry/offline/providers/internal/plan"
	"private-registry/offline/providers/internal/serve"
)

// New builds the provider.
func New() (p.Provider, error) {
	provider, err := serve.Build("tls", nil,
		plan.Resource{
			InferredResource: infer.Resource(&PrivateKey{}),
			Type:             "tls.PrivateKey",
			Inputs:           privateKeyInputs,
			Defaults:         privateKeyDefaults,
			Validate:         validatePrivateKey,
		},
		plan.Resource{
			InferredResource: infer.Resource(&CertRequest{}),
			Type:             "tls.CertRequest",
			Inputs:           certRequestInputs,
			Validate:         validateCertRequest,
		},
		plan.Resource{
			InferredResource: infer.Resource(&SelfSignedCert{}),
			Type:             "tls.SelfSignedCert",
			Inputs:           selfSignedCertInputs,
			Defaults:         selfSignedCertDefaults,
			Validate:         validateSelfSignedCert,
			Extra:            planRenewal,
			AlwaysOutput:     []string{"maxPathLength"},
		},
		plan.Resource{
			InferredResource: infer.Resource(&LocallySignedCert{}),
			Type:             "tls.LocallySignedCert",
			Inputs:           locallySignedCertInputs,
			Defaults:         certificateDefaults,
			Validate:         validateLocallySignedCert,
			Extra:            planRenewal,
			AlwaysOutput:     []string{"maxPathLength"},
		},
	)
	return plan.Only(provider,
		"tls:index/privateKey:PrivateKey",
		"tls:index/certRequest:CertRequest",
		"tls:index/selfSignedCert:SelfSignedCert",
		"tls:index/locallySignedCert:LocallySignedCert",
	), err
}

// errImport says that what was made elsewhere cannot be taken over: only the state knows the inputs.
func errImport(resourceType string) error {
	return fmt.Errorf("import of %s is not supported by the compatible provider", resourceType)
}

func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}
