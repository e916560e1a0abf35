package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// issue completes the template by the state's settings, signs it, and writes the certificate into
// the state. The id is the serial number, random in 128 bits.
func (s *CertificateState) issue(
	template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer,
) (id string, err error) {
	// Constraints are written even for a certificate that is no authority, as the official one does.
	template.BasicConstraintsValid = true
	if template.NotBefore, err = now(); err != nil {
		return "", err
	}
	template.NotAfter = template.NotBefore.Add(time.Duration(s.ValidityPeriodHours) * time.Hour)
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128)); err != nil {
		return "", err
	}
	for _, use := range s.AllowedUses {
		template.KeyUsage |= keyUsages[use]
		if extended, ok := extKeyUsages[use]; ok {
			template.ExtKeyUsage = append(template.ExtKeyUsage, extended)
		}
	}
	template.IsCA = s.IsCaCertificate
	if s.IsCaCertificate && len(template.Subject.ToRDNSequence()) == 0 {
		return "", errors.New("a certificate authority needs a subject with at least one field")
	}
	if s.IsCaCertificate || s.SetSubjectKeyID {
		if template.SubjectKeyId, err = subjectKeyID(public); err != nil {
			return "", err
		}
	}
	// 0 does not mean "no authority below": the official provider leaves out the companion flag.
	if s.MaxPathLength != nil && *s.MaxPathLength > 0 {
		template.MaxPathLen = *s.MaxPathLength
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return "", fmt.Errorf("issue the certificate: %w", err)
	}
	s.CertPem = encodePEM("CERTIFICATE", der)
	s.ValidityStartTime = template.NotBefore.Format(time.RFC3339Nano)
	s.ValidityEndTime = template.NotAfter.Format(time.RFC3339Nano)
	return template.SerialNumber.String(), nil
}

// subjectKeyID is the SHA-1 of the key's own bits, by which certificates find their issuer.
func subjectKeyID(public crypto.PublicKey) ([]byte, error) {
	var bits []byte
	var err error
	switch key := public.(type) {
	case *rsa.PublicKey:
		bits = x509.MarshalPKCS1PublicKey(key)
	case *ecdsa.PublicKey:
		bits, err = key.Bytes()
	case ed25519.PublicKey:
		// Wrapped as an octet string first: no standard asks for it, the official provider does it.
		bits, err = asn1.Marshal([]byte(key))
	default:
		err = fmt.Errorf("public keys of type %T are not supported", public)
	}
	sum := sha1.Sum(bits)
	return sum[:], err
}
