package tls

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"

	pt "private-registry/offline/providers/internal/providertest"
)

const (
	certRequestToken       = "tls:index/certRequest:CertRequest"
	selfSignedCertToken    = "tls:index/selfSignedCert:SelfSignedCert"
	locallySignedCertToken = "tls:index/locallySignedCert:LocallySignedCert"
)

// keyPEM makes a key as the program does.
func keyPEM(t *testing.T, algorithm string) string {
	t.Helper()
	_, state := pt.New(t, "tls", privateKeyToken, New).Create(pt.Values{"algorithm": algorithm, "ecdsaCurve": "P256"})
	return pt.Text(t, state, "privateKeyPem")
}

func authorityInputs(key string) pt.Values {
	return pt.Values{
		"privateKeyPem":       pt.Secret(key),
		"isCaCertificate":     true,
		"validityPeriodHours": 87600,
		"earlyRenewalHours":   720,
		"allowedUses":         []any{"cert_signing", "crl_signing"},
		"subject": pt.Values{
			"commonName": "Example Authority", "organization": "Example", "organizationalUnit": "Registry",
			"country": "DE", "province": "Berlin", "locality": "Mitte", "postalCode": "10115",
			"streetAddresses": []any{"Street 1"}, "serialNumber": "42",
		},
	}
}

func requestInputs(key string) pt.Values {
	return pt.Values{
		"privateKeyPem": pt.Secret(key),
		"subject":       pt.Values{"commonName": "registry.example"},
		"dnsNames":      []any{"registry.example", "localhost"},
		"ipAddresses":   []any{"127.0.0.1", "::1"},
		"uris":          []any{"spiffe://example/registry"},
	}
}

func serverInputs(caCert, caKey, request string) pt.Values {
	return pt.Values{
		"caCertPem":           caCert,
		"caPrivateKeyPem":     pt.Secret(caKey),
		"certRequestPem":      request,
		"validityPeriodHours": 9528,
		"earlyRenewalHours":   720,
		"allowedUses":         []any{"digital_signature", "key_encipherment", "server_auth"},
	}
}

func parse(t *testing.T, state property.Map, name string) *x509.Certificate {
	t.Helper()
	text := pt.Text(t, state, name)
	require.Regexp(t, "^-----BEGIN CERTIFICATE-----\n(?s).*\n-----END CERTIFICATE-----\n$", text)
	certificate, err := parseCertificate(text)
	require.NoError(t, err)
	return certificate
}

func TestChain(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(algorithm, func(t *testing.T) {
			caKey, serverKey := keyPEM(t, algorithm), keyPEM(t, algorithm)
			caID, caState := pt.New(t, "tls", selfSignedCertToken, New).Create(authorityInputs(caKey))
			requestID, requestState := pt.New(t, "tls", certRequestToken, New).Create(requestInputs(serverKey))
			request := pt.Text(t, requestState, "certRequestPem")
			serverID, serverState := pt.New(t, "tls", locallySignedCertToken, New).Create(
				serverInputs(pt.Text(t, caState, "certPem"), caKey, request))

			ca, server := parse(t, caState, "certPem"), parse(t, serverState, "certPem")
			roots := x509.NewCertPool()
			roots.AddCert(ca)
			for _, name := range []string{"registry.example", "localhost", "127.0.0.1", "::1"} {
				_, err := server.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
				require.NoError(t, err, name)
			}
			require.Equal(t, ca.SerialNumber.String(), caID)
			require.Equal(t, server.SerialNumber.String(), serverID)
			der, err := decodePEM(request, "CERTIFICATE REQUEST")
			require.NoError(t, err)
			require.Equal(t, sha1Hex(der), requestID)

			requireAuthority(t, ca, algorithm)
			requireServer(t, server, ca)
			require.Equal(t, algorithm, pt.Text(t, caState, "keyAlgorithm"))
			require.Equal(t, algorithm, pt.Text(t, requestState, "keyAlgorithm"))
			require.Equal(t, algorithm, pt.Text(t, serverState, "caKeyAlgorithm"))
			requireTimes(t, serverState, server, 9528)
			require.True(t, caState.Get("privateKeyPem").Secret())
			require.True(t, requestState.Get("privateKeyPem").Secret())
			require.True(t, serverState.Get("caPrivateKeyPem").Secret())
			require.False(t, serverState.Get("certPem").HasSecrets())
			require.Equal(t, property.New(false), serverState.Get("readyForRenewal"))
			verifyWithOpenSSL(t, ca, server)
		})
	}
}

func requireAuthority(t *testing.T, ca *x509.Certificate, algorithm string) {
	require.True(t, ca.IsCA)
	require.True(t, ca.BasicConstraintsValid)
	require.Equal(t, -1, ca.MaxPathLen)
	require.Equal(t, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, ca.KeyUsage)
	require.Equal(t, "SERIALNUMBER=42,CN=Example Authority,OU=Registry,O=Example,POSTALCODE=10115,"+
		"STREET=Street 1,L=Mitte,ST=Berlin,C=DE", ca.Subject.String())
	if algorithm != "ED25519" { // whose key bits the official provider wraps once more
		sum := sha1.Sum(publicKeyBits(t, ca))
		require.Equal(t, sum[:], ca.SubjectKeyId)
	}
	require.Empty(t, ca.AuthorityKeyId)
}

// publicKeyBits are the last part of a public key's DER: what a subject key id is made of.
func publicKeyBits(t *testing.T, certificate *x509.Certificate) []byte {
	bits, err := subjectPublicKey(certificate.RawSubjectPublicKeyInfo)
	require.NoError(t, err)
	return bits
}

func requireServer(t *testing.T, server, ca *x509.Certificate) {
	require.False(t, server.IsCA)
	require.True(t, server.BasicConstraintsValid)
	require.Equal(t, "CN=registry.example", server.Subject.String())
	require.Equal(t, []string{"registry.example", "localhost"}, server.DNSNames)
	require.Len(t, server.IPAddresses, 2)
	require.Equal(t, "spiffe://example/registry", server.URIs[0].String())
	require.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, server.ExtKeyUsage)
	require.Equal(t, ca.SubjectKeyId, server.AuthorityKeyId)
	require.Empty(t, server.SubjectKeyId, "only with setSubjectKeyId")
	require.LessOrEqual(t, server.SerialNumber.BitLen(), 128)
}

func requireTimes(t *testing.T, state property.Map, certificate *x509.Certificate, hours int) {
	start, err := time.Parse(time.RFC3339Nano, pt.Text(t, state, "validityStartTime"))
	require.NoError(t, err)
	end, err := time.Parse(time.RFC3339Nano, pt.Text(t, state, "validityEndTime"))
	require.NoError(t, err)
	require.Equal(t, time.Duration(hours)*time.Hour, end.Sub(start))
	require.Equal(t, start.Unix(), certificate.NotBefore.Unix())
	require.Equal(t, end.Unix(), certificate.NotAfter.Unix())
}

func verifyWithOpenSSL(t *testing.T, ca, server *x509.Certificate) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("no openssl here: verified by Go only")
		return
	}
	folder := t.TempDir()
	for name, certificate := range map[string]*x509.Certificate{"ca.pem": ca, "server.pem": server} {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	output, err := exec.Command(openssl, "verify", "-purpose", "sslserver", "-verify_hostname", "registry.example",
		"-CAfile", filepath.Join(folder, "ca.pem"), filepath.Join(folder, "server.pem")).CombinedOutput()
	require.NoError(t, err, string(output))
}

func TestKeyIDsOnRequest(t *testing.T) {
	caKey := keyPEM(t, "ECDSA")
	inputs := authorityInputs(caKey)
	inputs["setAuthorityKeyId"] = true
	_, caState := pt.New(t, "tls", selfSignedCertToken, New).Create(inputs)
	ca := parse(t, caState, "certPem")
	require.NotEmpty(t, ca.SubjectKeyId)
	require.Equal(t, ca.SubjectKeyId, ca.AuthorityKeyId)

	_, request := pt.New(t, "tls", certRequestToken, New).Create(requestInputs(keyPEM(t, "ECDSA")))
	server := serverInputs(pt.Text(t, caState, "certPem"), caKey, pt.Text(t, request, "certRequestPem"))
	server["setSubjectKeyId"] = true
	_, state := pt.New(t, "tls", locallySignedCertToken, New).Create(server)
	require.Len(t, parse(t, state, "certPem").SubjectKeyId, sha1.Size)
}

func TestMaxPathLength(t *testing.T) {
	for length, want := range map[int]int{-1: -1, 0: -1, 2: 2} {
		inputs := authorityInputs(keyPEM(t, "ECDSA"))
		inputs["maxPathLength"] = length
		_, state := pt.New(t, "tls", selfSignedCertToken, New).Create(inputs)
		require.Equal(t, want, parse(t, state, "certPem").MaxPathLen)
		require.Equal(t, property.New(float64(length)), state.Get("maxPathLength"))
	}
	_, state := pt.New(t, "tls", selfSignedCertToken, New).Create(authorityInputs(keyPEM(t, "ECDSA")))
	require.True(t, state.Get("maxPathLength").IsNull())
}

func TestIssuingRefuses(t *testing.T) {
	caKey := keyPEM(t, "ECDSA")
	_, caState := pt.New(t, "tls", selfSignedCertToken, New).Create(authorityInputs(caKey))
	_, request := pt.New(t, "tls", certRequestToken, New).Create(requestInputs(keyPEM(t, "ECDSA")))
	caCert, csr := pt.Text(t, caState, "certPem"), pt.Text(t, request, "certRequestPem")
	for name, test := range map[string]struct {
		token  string
		inputs pt.Values
		want   string
	}{
		"another key than the authority's": {locallySignedCertToken, serverInputs(caCert, keyPEM(t, "ECDSA"), csr), "doesn't match parent's PublicKey"},
		"no request":                       {locallySignedCertToken, serverInputs(caCert, caKey, caCert), `certRequestPem: a PEM block "CERTIFICATE", want "CERTIFICATE REQUEST"`},
		"no certificate":                   {locallySignedCertToken, serverInputs("text", caKey, csr), `caCertPem: not PEM, want a block "CERTIFICATE"`},
		"no key":                           {locallySignedCertToken, serverInputs(caCert, "text", csr), "caPrivateKeyPem: the private key is not PEM"},
		"an authority without a name": {selfSignedCertToken, pt.Values{
			"privateKeyPem": caKey, "isCaCertificate": true, "validityPeriodHours": 1, "allowedUses": []any{},
		}, "needs a subject"},
		"a key id that is not there": {selfSignedCertToken, pt.Values{
			"privateKeyPem": caKey, "setAuthorityKeyId": true, "validityPeriodHours": 1, "allowedUses": []any{},
		}, "needs setSubjectKeyId"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := pt.New(t, "tls", test.token, New).TryCreate(test.inputs)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), caKey)
		})
	}
}

func TestIssuerThatIsNoAuthorityIsAWarningOnly(t *testing.T) {
	key := keyPEM(t, "ECDSA")
	_, issuer := pt.New(t, "tls", selfSignedCertToken, New).Create(pt.Values{
		"privateKeyPem": key, "validityPeriodHours": 1, "allowedUses": []any{}, "dnsNames": []any{"issuer"},
	})
	_, request := pt.New(t, "tls", certRequestToken, New).Create(requestInputs(key))
	pt.New(t, "tls", locallySignedCertToken, New).Create(
		serverInputs(pt.Text(t, issuer, "certPem"), key, pt.Text(t, request, "certRequestPem")))
}
