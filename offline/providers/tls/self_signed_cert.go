package tls

import (
	"context"
	"crypto/x509"
	"errors"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// SelfSignedCert is a certificate signed by its own key, such as that of an authority.
type SelfSignedCert struct{}

// SelfSignedCertArgs are the inputs; CertRequestArgs tells why the key is optional.
type SelfSignedCertArgs struct {
	CertificateArgs
	DNSNames          []string `pulumi:"dnsNames,optional" provider:"replaceOnChanges"`
	IPAddresses       []string `pulumi:"ipAddresses,optional" provider:"replaceOnChanges"`
	PrivateKeyPem     *string  `pulumi:"privateKeyPem,optional" provider:"secret,replaceOnChanges"`
	SetAuthorityKeyID *bool    `pulumi:"setAuthorityKeyId,optional" provider:"replaceOnChanges"`
	Subject           *Subject `pulumi:"subject,optional" provider:"replaceOnChanges"`
	Uris              []string `pulumi:"uris,optional" provider:"replaceOnChanges"`
}

// SelfSignedCertState is what the state holds.
type SelfSignedCertState struct {
	CertificateState
	DNSNames          []string `pulumi:"dnsNames,optional"`
	IPAddresses       []string `pulumi:"ipAddresses,optional"`
	KeyAlgorithm      string   `pulumi:"keyAlgorithm"`
	PrivateKeyPem     *string  `pulumi:"privateKeyPem,optional" provider:"secret"`
	SetAuthorityKeyID bool     `pulumi:"setAuthorityKeyId"`
	Subject           *Subject `pulumi:"subject,optional"`
	Uris              []string `pulumi:"uris,optional"`
}

var selfSignedCertInputs = append(append([]plan.Input{
	{Name: "privateKeyPem", Replace: true},
	{Name: "setAuthorityKeyId", Replace: true},
}, certificateInputs...), nameInputs...)

func selfSignedCertDefaults(inputs property.Map) property.Map {
	return plan.Default(certificateDefaults(inputs), "setAuthorityKeyId", false)
}

func validateSelfSignedCert(inputs property.Map) []p.CheckFailure {
	failures := append(validateCertificate(inputs), validateNames(inputs)...)
	return append(failures, required(inputs, "privateKeyPem")...)
}

// Annotate gives the official token.
func (r *SelfSignedCert) Annotate(a infer.Annotator) {
	a.SetToken("index/selfSignedCert", "SelfSignedCert")
}

// WireDependencies keeps the key secret, and known what is known in a preview.
func (*SelfSignedCert) WireDependencies(
	f infer.FieldSelector, _ *SelfSignedCertArgs, state *SelfSignedCertState,
) {
	wireCertificate(f, &state.CertificateState)
	f.OutputField(&state.SetAuthorityKeyID).AlwaysKnown()
	f.OutputField(&state.PrivateKeyPem).AlwaysSecret()
	if state.CertPem != "" {
		f.OutputField(&state.KeyAlgorithm).AlwaysKnown()
	}
}

// Create issues the certificate.
func (*SelfSignedCert) Create(_ context.Context, req infer.CreateRequest[SelfSignedCertArgs]) (
	infer.CreateResponse[SelfSignedCertState], error,
) {
	none := infer.CreateResponse[SelfSignedCertState]{}
	state := SelfSignedCertState{
		CertificateState:  certificateState(req.Inputs.CertificateArgs),
		DNSNames:          req.Inputs.DNSNames,
		IPAddresses:       req.Inputs.IPAddresses,
		PrivateKeyPem:     req.Inputs.PrivateKeyPem,
		SetAuthorityKeyID: or(req.Inputs.SetAuthorityKeyID, false),
		Subject:           req.Inputs.Subject,
		Uris:              req.Inputs.Uris,
	}
	if req.DryRun {
		return infer.CreateResponse[SelfSignedCertState]{Output: state}, nil
	}
	key, algorithm, err := parsePrivateKey(or(state.PrivateKeyPem, ""))
	if err != nil {
		return none, err
	}
	state.KeyAlgorithm = algorithm
	template := x509.Certificate{Subject: state.Subject.name(), DNSNames: state.DNSNames}
	if template.IPAddresses, err = parseIPs(state.IPAddresses); err != nil {
		return none, err
	}
	if template.URIs, err = parseURIs(state.Uris); err != nil {
		return none, err
	}
	if state.SetAuthorityKeyID {
		if !state.IsCaCertificate && !state.SetSubjectKeyID {
			return none, errors.New("setAuthorityKeyId of a self-signed certificate needs setSubjectKeyId " +
				"or isCaCertificate: the authority's key id is its own subject key id")
		}
		if template.AuthorityKeyId, err = subjectKeyID(key.Public()); err != nil {
			return none, err
		}
	}
	id, err := state.issue(&template, &template, key.Public(), key)
	return infer.CreateResponse[SelfSignedCertState]{ID: id, Output: state}, err
}

// Read notes whether renewal is due.
func (*SelfSignedCert) Read(_ context.Context, req infer.ReadRequest[SelfSignedCertArgs, SelfSignedCertState]) (
	infer.ReadResponse[SelfSignedCertArgs, SelfSignedCertState], error,
) {
	if req.State.CertPem == "" {
		return infer.ReadResponse[SelfSignedCertArgs, SelfSignedCertState]{}, errImport("tls.SelfSignedCert")
	}
	var err error
	req.State.CertificateState, err = req.State.refresh()
	return infer.ReadResponse[SelfSignedCertArgs, SelfSignedCertState](req), err
}

// Update takes over earlyRenewalHours, the only input that can change without a new certificate.
func (*SelfSignedCert) Update(_ context.Context, req infer.UpdateRequest[SelfSignedCertArgs, SelfSignedCertState]) (
	infer.UpdateResponse[SelfSignedCertState], error,
) {
	state := req.State
	state.CertificateState = updateCertificate(state.CertificateState, req.Inputs.CertificateArgs)
	return infer.UpdateResponse[SelfSignedCertState]{Output: state}, nil
}
