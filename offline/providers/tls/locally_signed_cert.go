package tls

import (
	"context"
	"crypto/x509"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// LocallySignedCert is a certificate signed by an authority of one's own. Whom it is about comes from
// the request alone.
type LocallySignedCert struct{}

// LocallySignedCertArgs are the inputs; CertRequestArgs tells why the key is optional.
type LocallySignedCertArgs struct {
	CertificateArgs
	CaCertPem       string  `pulumi:"caCertPem" provider:"replaceOnChanges"`
	CaPrivateKeyPem *string `pulumi:"caPrivateKeyPem,optional" provider:"secret,replaceOnChanges"`
	CertRequestPem  string  `pulumi:"certRequestPem" provider:"replaceOnChanges"`
}

// LocallySignedCertState is what the state holds.
type LocallySignedCertState struct {
	CertificateState
	CaCertPem       string  `pulumi:"caCertPem"`
	CaKeyAlgorithm  string  `pulumi:"caKeyAlgorithm"`
	CaPrivateKeyPem *string `pulumi:"caPrivateKeyPem,optional" provider:"secret"`
	CertRequestPem  string  `pulumi:"certRequestPem"`
}

var locallySignedCertInputs = append([]plan.Input{
	{Name: "caCertPem", Replace: true},
	{Name: "caPrivateKeyPem", Replace: true},
	{Name: "certRequestPem", Replace: true},
}, certificateInputs...)

func validateLocallySignedCert(inputs property.Map) []p.CheckFailure {
	return append(validateCertificate(inputs), required(inputs, "caPrivateKeyPem")...)
}

// Annotate gives the official token.
func (r *LocallySignedCert) Annotate(a infer.Annotator) {
	a.SetToken("index/locallySignedCert", "LocallySignedCert")
}

// WireDependencies keeps the key secret, and known what is known in a preview.
func (*LocallySignedCert) WireDependencies(
	f infer.FieldSelector, _ *LocallySignedCertArgs, state *LocallySignedCertState,
) {
	wireCertificate(f, &state.CertificateState)
	f.OutputField(&state.CaPrivateKeyPem).AlwaysSecret()
	if state.CertPem != "" {
		f.OutputField(&state.CaKeyAlgorithm).AlwaysKnown()
	}
}

// Create issues the certificate.
func (*LocallySignedCert) Create(ctx context.Context, req infer.CreateRequest[LocallySignedCertArgs]) (
	infer.CreateResponse[LocallySignedCertState], error,
) {
	none := infer.CreateResponse[LocallySignedCertState]{}
	state := LocallySignedCertState{
		CertificateState: certificateState(req.Inputs.CertificateArgs),
		CaCertPem:        req.Inputs.CaCertPem,
		CaPrivateKeyPem:  req.Inputs.CaPrivateKeyPem,
		CertRequestPem:   req.Inputs.CertRequestPem,
	}
	if req.DryRun {
		return infer.CreateResponse[LocallySignedCertState]{Output: state}, nil
	}
	request, err := parseRequest(state.CertRequestPem)
	if err != nil {
		return none, err
	}
	caKey, algorithm, err := parsePrivateKey(or(state.CaPrivateKeyPem, ""))
	if err != nil {
		return none, fmt.Errorf("caPrivateKeyPem: %w", err)
	}
	state.CaKeyAlgorithm = algorithm
	ca, err := parseCertificate(state.CaCertPem)
	if err != nil {
		return none, err
	}
	if !ca.IsCA {
		p.GetLogger(ctx).Warning("caCertPem is not the certificate of an authority; " +
			"what it signs may not be trusted")
	}
	template := x509.Certificate{
		Subject:     request.Subject,
		DNSNames:    request.DNSNames,
		IPAddresses: request.IPAddresses,
		URIs:        request.URIs,
	}
	id, err := state.issue(&template, ca, request.PublicKey, caKey)
	return infer.CreateResponse[LocallySignedCertState]{ID: id, Output: state}, err
}

func parseRequest(text string) (*x509.CertificateRequest, error) {
	der, err := decodePEM(text, "CERTIFICATE REQUEST")
	if err != nil {
		return nil, fmt.Errorf("certRequestPem: %w", err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("certRequestPem: %w", err)
	}
	return request, nil
}

func parseCertificate(text string) (*x509.Certificate, error) {
	der, err := decodePEM(text, "CERTIFICATE")
	if err != nil {
		return nil, fmt.Errorf("caCertPem: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("caCertPem: %w", err)
	}
	return certificate, nil
}

// Read notes whether renewal is due.
func (*LocallySignedCert) Read(
	_ context.Context, req infer.ReadRequest[LocallySignedCertArgs, LocallySignedCertState],
) (infer.ReadResponse[LocallySignedCertArgs, LocallySignedCertState], error) {
	if req.State.CertPem == "" {
		return infer.ReadResponse[LocallySignedCertArgs, LocallySignedCertState]{},
			errImport("tls.LocallySignedCert")
	}
	var err error
	req.State.CertificateState, err = req.State.refresh()
	return infer.ReadResponse[LocallySignedCertArgs, LocallySignedCertState](req), err
}

// Update takes over earlyRenewalHours, the only input that can change without a new certificate.
func (*LocallySignedCert) Update(
	_ context.Context, req infer.UpdateRequest[LocallySignedCertArgs, LocallySignedCertState],
) (infer.UpdateResponse[LocallySignedCertState], error) {
	state := req.State
	state.CertificateState = updateCertificate(state.CertificateState, req.Inputs.CertificateArgs)
	return infer.UpdateResponse[LocallySignedCertState]{Output: state}, nil
}
