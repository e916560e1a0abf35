package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// algorithms are those of the official provider, with how a key of each is written as PEM.
var algorithms = []string{"ECDSA", "ED25519", "RSA"}

var curves = map[string]elliptic.Curve{
	"P224": elliptic.P224(),
	"P256": elliptic.P256(),
	"P384": elliptic.P384(),
	"P521": elliptic.P521(),
}

func generateKey(algorithm string, rsaBits int, curve string) (crypto.Signer, error) {
	switch algorithm {
	case "RSA":
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case "ECDSA":
		if curves[curve] == nil {
			return nil, fmt.Errorf("unknown ecdsaCurve %q", curve)
		}
		return ecdsa.GenerateKey(curves[curve], rand.Reader)
	case "ED25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("unknown algorithm %q", algorithm)
	}
}

// privateKeyPEM writes a key in the traditional form of its algorithm.
func privateKeyPEM(key crypto.Signer) (string, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), nil
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(key)
		return encodePEM("EC PRIVATE KEY", der), err
	default:
		return privateKeyPKCS8(key)
	}
}

func privateKeyPKCS8(key crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return encodePEM("PRIVATE KEY", der), err
}

// parsePrivateKey reads the first PEM block. Its errors never quote the text, which is a secret.
func parsePrivateKey(text string) (key crypto.Signer, algorithm string, err error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, "", errors.New("the private key is not PEM")
	}
	var parsed any
	switch block.Type {
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, "", fmt.Errorf("the private key is a PEM block %q; "+
			"allowed: RSA PRIVATE KEY, EC PRIVATE KEY, PRIVATE KEY", block.Type)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the private key (PEM block %q): %w", block.Type, err)
	}
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		return key, "RSA", nil
	case *ecdsa.PrivateKey:
		return key, "ECDSA", nil
	case ed25519.PrivateKey:
		return key, "ED25519", nil
	default:
		return nil, "", fmt.Errorf("private keys of type %T are not supported", parsed)
	}
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// decodePEM is the content of the first PEM block, which must be of the kind given.
func decodePEM(text, kind string) ([]byte, error) {
	block, _ := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, fmt.Errorf("not PEM, want a block %q", kind)
	case block.Type != kind:
		return nil, fmt.Errorf("a PEM block %q, want %q", block.Type, kind)
	default:
		return block.Bytes, nil
	}
}
