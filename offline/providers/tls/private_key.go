package tls

import (
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"golang.org/x/crypto/ssh"

	"private-registry/offline/providers/internal/plan"
)

// The official defaults. Both stand in the state whatever the algorithm.
const (
	defaultRsaBits    = 2048
	defaultEcdsaCurve = "P224"
)

// PrivateKey is made once and lives in the state only.
type PrivateKey struct{}

// PrivateKeyArgs are the inputs.
type PrivateKeyArgs struct {
	Algorithm  string  `pulumi:"algorithm" provider:"replaceOnChanges"`
	EcdsaCurve *string `pulumi:"ecdsaCurve,optional" provider:"replaceOnChanges"`
	RsaBits    *int    `pulumi:"rsaBits,optional" provider:"replaceOnChanges"`
}

// PrivateKeyState is what the state holds. The OpenSSH forms and fingerprints are empty for the
// curve P224, which SSH does not know.
type PrivateKeyState struct {
	Algorithm                  string `pulumi:"algorithm"`
	EcdsaCurve                 string `pulumi:"ecdsaCurve"`
	PrivateKeyOpenssh          string `pulumi:"privateKeyOpenssh" provider:"secret"`
	PrivateKeyPem              string `pulumi:"privateKeyPem" provider:"secret"`
	PrivateKeyPemPkcs8         string `pulumi:"privateKeyPemPkcs8" provider:"secret"`
	PublicKeyFingerprintMd5    string `pulumi:"publicKeyFingerprintMd5"`
	PublicKeyFingerprintSha256 string `pulumi:"publicKeyFingerprintSha256"`
	PublicKeyOpenssh           string `pulumi:"publicKeyOpenssh"`
	PublicKeyPem               string `pulumi:"publicKeyPem"`
	RsaBits                    int    `pulumi:"rsaBits"`
}

var privateKeyInputs = []plan.Input{
	{Name: "algorithm", Replace: true},
	{Name: "ecdsaCurve", Replace: true},
	{Name: "rsaBits", Replace: true},
}

func privateKeyDefaults(inputs property.Map) property.Map {
	inputs = plan.Default(inputs, "rsaBits", float64(defaultRsaBits))
	return plan.Default(inputs, "ecdsaCurve", defaultEcdsaCurve)
}

func validatePrivateKey(inputs property.Map) []p.CheckFailure {
	failures := plan.OneOf(inputs, "algorithm", algorithms...)
	return append(failures, plan.OneOf(inputs, "ecdsaCurve", "P224", "P256", "P384", "P521")...)
}

// Annotate gives the official token.
func (r *PrivateKey) Annotate(a infer.Annotator) { a.SetToken("index/privateKey", "PrivateKey") }

// WireDependencies keeps the key secret and the defaults known in a preview.
func (*PrivateKey) WireDependencies(f infer.FieldSelector, _ *PrivateKeyArgs, state *PrivateKeyState) {
	f.OutputField(&state.PrivateKeyPem).AlwaysSecret()
	f.OutputField(&state.PrivateKeyPemPkcs8).AlwaysSecret()
	f.OutputField(&state.PrivateKeyOpenssh).AlwaysSecret()
	f.OutputField(&state.RsaBits).AlwaysKnown()
	f.OutputField(&state.EcdsaCurve).AlwaysKnown()
}

// Create makes the key. Its id is the SHA-1 of the public key, as with the official provider.
func (*PrivateKey) Create(_ context.Context, req infer.CreateRequest[PrivateKeyArgs]) (
	infer.CreateResponse[PrivateKeyState], error,
) {
	state := PrivateKeyState{
		Algorithm:  req.Inputs.Algorithm,
		RsaBits:    or(req.Inputs.RsaBits, defaultRsaBits),
		EcdsaCurve: or(req.Inputs.EcdsaCurve, defaultEcdsaCurve),
	}
	if req.DryRun {
		return infer.CreateResponse[PrivateKeyState]{Output: state}, nil
	}
	key, err := generateKey(state.Algorithm, state.RsaBits, state.EcdsaCurve)
	if err != nil {
		return infer.CreateResponse[PrivateKeyState]{}, err
	}
	id, err := state.describe(key)
	return infer.CreateResponse[PrivateKeyState]{ID: id, Output: state}, err
}

// describe writes every form of the key into the state and returns the id.
func (s *PrivateKeyState) describe(key crypto.Signer) (id string, err error) {
	if s.PrivateKeyPem, err = privateKeyPEM(key); err != nil {
		return "", err
	}
	if s.PrivateKeyPemPkcs8, err = privateKeyPKCS8(key); err != nil {
		return "", err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", err
	}
	s.PublicKeyPem = encodePEM("PUBLIC KEY", public)
	if sshPublic, err := ssh.NewPublicKey(key.Public()); err == nil {
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			return "", err
		}
		s.PrivateKeyOpenssh = string(pem.EncodeToMemory(block))
		s.PublicKeyOpenssh = string(ssh.MarshalAuthorizedKey(sshPublic))
		s.PublicKeyFingerprintMd5 = ssh.FingerprintLegacyMD5(sshPublic)
		s.PublicKeyFingerprintSha256 = ssh.FingerprintSHA256(sshPublic)
	}
	return sha1Hex(public), nil
}

// sha1Hex is how the official provider makes ids; it protects nothing.
func sha1Hex(der []byte) string {
	sum := sha1.Sum(der)
	return hex.EncodeToString(sum[:])
}

// Read keeps the state: there is nothing outside it to look at.
func (*PrivateKey) Read(_ context.Context, req infer.ReadRequest[PrivateKeyArgs, PrivateKeyState]) (
	infer.ReadResponse[PrivateKeyArgs, PrivateKeyState], error,
) {
	if req.State.PrivateKeyPem == "" {
		return infer.ReadResponse[PrivateKeyArgs, PrivateKeyState]{}, errImport("tls.PrivateKey")
	}
	return infer.ReadResponse[PrivateKeyArgs, PrivateKeyState](req), nil
}
