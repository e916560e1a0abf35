package tls

import (
	"context"
	"crypto/rand"
	"crypto/x509"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// CertRequest is a certificate signing request, signed by the key that it is for.
type CertRequest struct{}

// CertRequestArgs are the inputs. The key is optional in the schema since 5.6.1, where another input
// can stand in for it; that one is not supported here, so Check asks for this one.
type CertRequestArgs struct {
	DNSNames      []string `pulumi:"dnsNames,optional" provider:"replaceOnChanges"`
	IPAddresses   []string `pulumi:"ipAddresses,optional" provider:"replaceOnChanges"`
	PrivateKeyPem *string  `pulumi:"privateKeyPem,optional" provider:"secret,replaceOnChanges"`
	Subject       *Subject `pulumi:"subject,optional" provider:"replaceOnChanges"`
	Uris          []string `pulumi:"uris,optional" provider:"replaceOnChanges"`
}

// CertRequestState is what the state holds.
type CertRequestState struct {
	CertRequestArgs
	CertRequestPem string `pulumi:"certRequestPem"`
	KeyAlgorithm   string `pulumi:"keyAlgorithm"`
}

var certRequestInputs = append([]plan.Input{{Name: "privateKeyPem", Replace: true}}, nameInputs...)

func validateCertRequest(inputs property.Map) []p.CheckFailure {
	return append(validateNames(inputs), required(inputs, "privateKeyPem")...)
}

// required reports an input that the schema calls optional but this provider cannot do without.
func required(inputs property.Map, name string) []p.CheckFailure {
	if !inputs.Get(name).IsNull() {
		return nil
	}
	return []p.CheckFailure{plan.Failure(name, "is missing; %sWo in its place is not supported "+
		"by the compatible provider", name)}
}

// Annotate gives the official token.
func (r *CertRequest) Annotate(a infer.Annotator) { a.SetToken("index/certRequest", "CertRequest") }

// WireDependencies keeps the key secret.
func (*CertRequest) WireDependencies(f infer.FieldSelector, _ *CertRequestArgs, state *CertRequestState) {
	f.OutputField(&state.PrivateKeyPem).AlwaysSecret()
}

// Create signs the request. Its id is the SHA-1 of the request, as with the official provider.
func (*CertRequest) Create(_ context.Context, req infer.CreateRequest[CertRequestArgs]) (
	infer.CreateResponse[CertRequestState], error,
) {
	none := infer.CreateResponse[CertRequestState]{}
	state := CertRequestState{CertRequestArgs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[CertRequestState]{Output: state}, nil
	}
	key, algorithm, err := parsePrivateKey(or(req.Inputs.PrivateKeyPem, ""))
	if err != nil {
		return none, err
	}
	template := x509.CertificateRequest{Subject: req.Inputs.Subject.name(), DNSNames: req.Inputs.DNSNames}
	if template.IPAddresses, err = parseIPs(req.Inputs.IPAddresses); err != nil {
		return none, err
	}
	if template.URIs, err = parseURIs(req.Inputs.Uris); err != nil {
		return none, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		return none, err
	}
	state.KeyAlgorithm = algorithm
	state.CertRequestPem = encodePEM("CERTIFICATE REQUEST", der)
	return infer.CreateResponse[CertRequestState]{ID: sha1Hex(der), Output: state}, nil
}

// Read keeps the state: there is nothing outside it to look at.
func (*CertRequest) Read(_ context.Context, req infer.ReadRequest[CertRequestArgs, CertRequestState]) (
	infer.ReadResponse[CertRequestArgs, CertRequestState], error,
) {
	if req.State.CertRequestPem == "" {
		return infer.ReadResponse[CertRequestArgs, CertRequestState]{}, errImport("tls.CertRequest")
	}
	return infer.ReadResponse[CertRequestArgs, CertRequestState](req), nil
}
