package tls

import (
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// CertificateArgs are the inputs that both kinds of certificate have.
type CertificateArgs struct {
	AllowedUses         []string `pulumi:"allowedUses" provider:"replaceOnChanges"`
	EarlyRenewalHours   *int     `pulumi:"earlyRenewalHours,optional"`
	IsCaCertificate     *bool    `pulumi:"isCaCertificate,optional" provider:"replaceOnChanges"`
	MaxPathLength       *int     `pulumi:"maxPathLength,optional" provider:"replaceOnChanges"`
	SetSubjectKeyID     *bool    `pulumi:"setSubjectKeyId,optional" provider:"replaceOnChanges"`
	ValidityPeriodHours int      `pulumi:"validityPeriodHours" provider:"replaceOnChanges"`
}

// CertificateState is what the state of both kinds of certificate holds.
type CertificateState struct {
	AllowedUses         []string `pulumi:"allowedUses"`
	CertPem             string   `pulumi:"certPem"`
	EarlyRenewalHours   int      `pulumi:"earlyRenewalHours"`
	IsCaCertificate     bool     `pulumi:"isCaCertificate"`
	MaxPathLength       *int     `pulumi:"maxPathLength,optional"`
	ReadyForRenewal     bool     `pulumi:"readyForRenewal"`
	SetSubjectKeyID     bool     `pulumi:"setSubjectKeyId"`
	ValidityEndTime     string   `pulumi:"validityEndTime"`
	ValidityPeriodHours int      `pulumi:"validityPeriodHours"`
	ValidityStartTime   string   `pulumi:"validityStartTime"`
}

var certificateInputs = []plan.Input{
	{Name: "allowedUses", Replace: true},
	{Name: "earlyRenewalHours"},
	{Name: "isCaCertificate", Replace: true},
	{Name: "maxPathLength", Replace: true},
	{Name: "setSubjectKeyId", Replace: true},
	{Name: "validityPeriodHours", Replace: true},
}

func certificateDefaults(inputs property.Map) property.Map {
	inputs = plan.Default(inputs, "earlyRenewalHours", 0.0)
	inputs = plan.Default(inputs, "isCaCertificate", false)
	return plan.Default(inputs, "setSubjectKeyId", false)
}

// certificateState is the state before the certificate is issued; it must agree with the defaults.
func certificateState(args CertificateArgs) CertificateState {
	return CertificateState{
		AllowedUses:         args.AllowedUses,
		EarlyRenewalHours:   or(args.EarlyRenewalHours, 0),
		IsCaCertificate:     or(args.IsCaCertificate, false),
		MaxPathLength:       args.MaxPathLength,
		SetSubjectKeyID:     or(args.SetSubjectKeyID, false),
		ValidityPeriodHours: args.ValidityPeriodHours,
	}
}

func validateCertificate(inputs property.Map) []p.CheckFailure {
	failures := plan.AtLeast(inputs, 0, "validityPeriodHours", "earlyRenewalHours")
	failures = append(failures, plan.AtLeast(inputs, -1, "maxPathLength")...)
	return append(failures, plan.EachOf(inputs, "allowedUses", allUsages()...)...)
}

// wireCertificate keeps the defaults known in a preview. A certificate that exists is only ever
// updated in earlyRenewalHours, so then everything else stays known too.
func wireCertificate(f infer.FieldSelector, state *CertificateState) {
	f.OutputField(&state.EarlyRenewalHours).AlwaysKnown()
	f.OutputField(&state.IsCaCertificate).AlwaysKnown()
	f.OutputField(&state.SetSubjectKeyID).AlwaysKnown()
	f.OutputField(&state.ReadyForRenewal).AlwaysKnown()
	if state.CertPem != "" {
		f.OutputField(&state.CertPem).AlwaysKnown()
		f.OutputField(&state.ValidityStartTime).AlwaysKnown()
		f.OutputField(&state.ValidityEndTime).AlwaysKnown()
	}
}

// updateCertificate takes over what can change without a new certificate.
func updateCertificate(state CertificateState, args CertificateArgs) CertificateState {
	state.EarlyRenewalHours = or(args.EarlyRenewalHours, 0)
	state.ReadyForRenewal = false // otherwise the plan would have been a replacement
	return state
}
