package tls

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	pt "private-registry/offline/providers/internal/providertest"
)

const privateKeyToken = "tls:index/privateKey:PrivateKey"

func TestPrivateKeyForms(t *testing.T) {
	keys := pt.New(t, "tls", privateKeyToken, New)
	for name, test := range map[string]struct {
		inputs pt.Values
		kind   string
		ssh    bool
		check  func(t *testing.T, key any)
	}{
		"RSA": {pt.Values{"algorithm": "RSA"}, "RSA PRIVATE KEY", true, func(t *testing.T, key any) {
			require.Equal(t, 2048, key.(*rsa.PrivateKey).N.BitLen())
		}},
		"RSA 3072": {pt.Values{"algorithm": "RSA", "rsaBits": 3072}, "RSA PRIVATE KEY", true, func(t *testing.T, key any) {
			require.Equal(t, 3072, key.(*rsa.PrivateKey).N.BitLen())
		}},
		"ECDSA": {pt.Values{"algorithm": "ECDSA"}, "EC PRIVATE KEY", false, isCurve("P-224")},
		"P256":  {pt.Values{"algorithm": "ECDSA", "ecdsaCurve": "P256"}, "EC PRIVATE KEY", true, isCurve("P-256")},
		"P384":  {pt.Values{"algorithm": "ECDSA", "ecdsaCurve": "P384"}, "EC PRIVATE KEY", true, isCurve("P-384")},
		"P521":  {pt.Values{"algorithm": "ECDSA", "ecdsaCurve": "P521"}, "EC PRIVATE KEY", true, isCurve("P-521")},
		"ED25519": {pt.Values{"algorithm": "ED25519"}, "PRIVATE KEY", true, func(t *testing.T, key any) {
			require.IsType(t, ed25519.PrivateKey{}, key)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			id, state := keys.Create(test.inputs)
			text := pt.Text(t, state, "privateKeyPem")
			block, rest := pem.Decode([]byte(text))
			require.NotNil(t, block)
			require.Empty(t, rest)
			require.Equal(t, test.kind, block.Type)
			key, _, err := parsePrivateKey(text)
			require.NoError(t, err)
			test.check(t, key)

			pkcs8, _ := pem.Decode([]byte(pt.Text(t, state, "privateKeyPemPkcs8")))
			require.Equal(t, "PRIVATE KEY", pkcs8.Type)
			same, err := x509.ParsePKCS8PrivateKey(pkcs8.Bytes)
			require.NoError(t, err)
			require.Equal(t, key, same)

			public, _ := pem.Decode([]byte(pt.Text(t, state, "publicKeyPem")))
			require.Equal(t, "PUBLIC KEY", public.Type)
			require.Equal(t, sha1Hex(public.Bytes), id)
			require.Regexp(t, "^[0-9a-f]{40}$", id)
			requireSSHForms(t, state, test.ssh)
			for _, name := range []string{"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"} {
				require.True(t, state.Get(name).Secret(), name)
			}
			for _, name := range []string{"publicKeyPem", "publicKeyOpenssh", "algorithm", "rsaBits", "ecdsaCurve"} {
				require.False(t, state.Get(name).Secret(), name)
			}
		})
	}
}

func isCurve(name string) func(*testing.T, any) {
	return func(t *testing.T, key any) { require.Equal(t, name, key.(*ecdsa.PrivateKey).Params().Name) }
}

func requireSSHForms(t *testing.T, state property.Map, known bool) {
	private, public := pt.Text(t, state, "privateKeyOpenssh"), pt.Text(t, state, "publicKeyOpenssh")
	md5, sha256 := pt.Text(t, state, "publicKeyFingerprintMd5"), pt.Text(t, state, "publicKeyFingerprintSha256")
	if !known {
		require.Empty(t, private+public+md5+sha256)
		return
	}
	signer, err := ssh.ParsePrivateKey([]byte(private))
	require.NoError(t, err)
	require.Equal(t, string(ssh.MarshalAuthorizedKey(signer.PublicKey())), public)
	require.Regexp(t, "\n$", public)
	require.Regexp(t, "^([0-9a-f]{2}:){15}[0-9a-f]{2}$", md5)
	require.Regexp(t, "^SHA256:[A-Za-z0-9+/]{43}$", sha256)
	require.Equal(t, ssh.FingerprintSHA256(signer.PublicKey()), sha256)
}

func TestPrivateKeyDefaultsAreOutputsOnly(t *testing.T) {
	keys := pt.New(t, "tls", privateKeyToken, New)
	require.Equal(t, 1, keys.Check(pt.Values{"algorithm": "ED25519"}).Len())
	_, state := keys.Create(pt.Values{"algorithm": "ED25519"})
	require.Equal(t, property.New(2048.0), state.Get("rsaBits"))
	require.Equal(t, property.New("P224"), state.Get("ecdsaCurve"))
}

func TestPrivateKeyPreview(t *testing.T) {
	state := pt.New(t, "tls", privateKeyToken, New).Preview(pt.Values{"algorithm": "ECDSA", "ecdsaCurve": pt.Unknown})
	require.Equal(t, property.New("ECDSA"), state.Get("algorithm"))
	require.Equal(t, property.New(2048.0), state.Get("rsaBits"))
	require.True(t, state.Get("ecdsaCurve").IsComputed())
	require.True(t, state.Get("privateKeyPem").IsComputed())
	require.True(t, state.Get("privateKeyPem").Secret())
	require.True(t, state.Get("publicKeyPem").IsComputed())
}

func TestPrivateKeyCheck(t *testing.T) {
	keys := pt.New(t, "tls", privateKeyToken, New)
	for name, test := range map[string]struct {
		inputs pt.Values
		want   string
	}{
		"no algorithm": {pt.Values{}, "algorithm"},
		"algorithm":    {pt.Values{"algorithm": "DSA"}, `algorithm has "DSA", allowed: ECDSA, ED25519, RSA`},
		"curve":        {pt.Values{"algorithm": "ECDSA", "ecdsaCurve": "P999"}, "allowed: P224, P256, P384, P521"},
		"unsupported":  {pt.Values{"algorithm": "RSA", "passphrase": "x"}, "passphrase of tls.PrivateKey is not supported by the compatible provider"},
	} {
		t.Run(name, func(t *testing.T) {
			_, failures := keys.CheckFailures(test.inputs)
			require.Len(t, failures, 1)
			require.Contains(t, failures[0], test.want)
		})
	}
}

func TestPrivateKeyDiffAndRead(t *testing.T) {
	keys := pt.New(t, "tls", privateKeyToken, New)
	inputs := pt.Values{"algorithm": "ECDSA", "ecdsaCurve": "P256"}
	id, state := keys.Create(inputs)
	require.Empty(t, keys.Diff(state, inputs))
	require.Empty(t, keys.Diff(state, pt.Values{"algorithm": "ECDSA", "ecdsaCurve": "P256", "rsaBits": 2048}))
	require.Equal(t, map[string]p.DiffKind{"algorithm": p.UpdateReplace, "ecdsaCurve": p.UpdateReplace},
		keys.Diff(state, pt.Values{"algorithm": "ED25519"}), "an unset input is its default")
	require.Equal(t, map[string]p.DiffKind{"rsaBits": p.UpdateReplace},
		keys.Diff(state, pt.Values{"algorithm": "ECDSA", "ecdsaCurve": "P256", "rsaBits": 4096}))
	read, err := keys.Read(id, state, inputs)
	require.NoError(t, err)
	require.Equal(t, state, read)
	_, err = keys.Read("id", property.Map{}, nil)
	require.ErrorContains(t, err, "import of tls.PrivateKey is not supported")
}

func TestErrorsOfKeysDoNotQuoteThem(t *testing.T) {
	for _, text := range []string{
		"TOPSECRET",
		"-----BEGIN RSA PRIVATE KEY-----\nVE9QU0VDUkVU\n-----END RSA PRIVATE KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nVE9QU0VDUkVU\n-----END CERTIFICATE-----\n",
	} {
		_, _, err := parsePrivateKey(text)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "TOPSECRET")
		require.NotContains(t, err.Error(), "VE9QU0VDUkVU")
	}
}
