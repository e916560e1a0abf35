package tls

import (
	"crypto/x509"
	"slices"
)

// keyUsages and extKeyUsages are what allowedUses may name, in the official snake_case.
var keyUsages = map[string]x509.KeyUsage{
	"cert_signing":       x509.KeyUsageCertSign,
	"content_commitment": x509.KeyUsageContentCommitment,
	"crl_signing":        x509.KeyUsageCRLSign,
	"data_encipherment":  x509.KeyUsageDataEncipherment,
	"decipher_only":      x509.KeyUsageDecipherOnly,
	"digital_signature":  x509.KeyUsageDigitalSignature,
	"encipher_only":      x509.KeyUsageEncipherOnly,
	"key_agreement":      x509.KeyUsageKeyAgreement,
	"key_encipherment":   x509.KeyUsageKeyEncipherment,
}

var extKeyUsages = map[string]x509.ExtKeyUsage{
	"any_extended":                      x509.ExtKeyUsageAny,
	"client_auth":                       x509.ExtKeyUsageClientAuth,
	"code_signing":                      x509.ExtKeyUsageCodeSigning,
	"email_protection":                  x509.ExtKeyUsageEmailProtection,
	"ipsec_end_system":                  x509.ExtKeyUsageIPSECEndSystem,
	"ipsec_tunnel":                      x509.ExtKeyUsageIPSECTunnel,
	"ipsec_user":                        x509.ExtKeyUsageIPSECUser,
	"microsoft_commercial_code_signing": x509.ExtKeyUsageMicrosoftCommercialCodeSigning,
	"microsoft_kernel_code_signing":     x509.ExtKeyUsageMicrosoftKernelCodeSigning,
	"microsoft_server_gated_crypto":     x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	"netscape_server_gated_crypto":      x509.ExtKeyUsageNetscapeServerGatedCrypto,
	"ocsp_signing":                      x509.ExtKeyUsageOCSPSigning,
	"server_auth":                       x509.ExtKeyUsageServerAuth,
	"timestamping":                      x509.ExtKeyUsageTimeStamping,
}

func allUsages() []string {
	var all []string
	for name := range keyUsages {
		all = append(all, name)
	}
	for name := range extKeyUsages {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
