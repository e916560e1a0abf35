package random

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// RandomBytes is made once and kept until a replacement. As with the official provider its id is
// the value in clear, which Pulumi cannot encrypt: fit for a salt, never for a secret.
type RandomBytes struct{}

// RandomBytesArgs are the inputs.
type RandomBytesArgs struct {
	Keepers map[string]string `pulumi:"keepers,optional" provider:"replaceOnChanges"`
	Length  int               `pulumi:"length" provider:"replaceOnChanges"`
}

// RandomBytesState is what the state holds.
type RandomBytesState struct {
	RandomBytesArgs
	Base64 string `pulumi:"base64" provider:"secret"`
	Hex    string `pulumi:"hex" provider:"secret"`
}

var bytesInputs = []plan.Input{
	{Name: "keepers", Replace: true},
	{Name: "length", Replace: true},
}

func validateBytes(inputs property.Map) []p.CheckFailure { return plan.AtLeast(inputs, 1, "length") }

// Annotate gives the official token.
func (r *RandomBytes) Annotate(a infer.Annotator) { a.SetToken("index/randomBytes", "RandomBytes") }

// WireDependencies keeps the value secret in the state whatever the program's language.
func (*RandomBytes) WireDependencies(f infer.FieldSelector, _ *RandomBytesArgs, state *RandomBytesState) {
	f.OutputField(&state.Base64).AlwaysSecret()
	f.OutputField(&state.Hex).AlwaysSecret()
}

// Create draws the bytes.
func (*RandomBytes) Create(_ context.Context, req infer.CreateRequest[RandomBytesArgs]) (
	infer.CreateResponse[RandomBytesState], error,
) {
	state := RandomBytesState{RandomBytesArgs: req.Inputs}
	if req.DryRun {
		return infer.CreateResponse[RandomBytesState]{Output: state}, nil
	}
	value := make([]byte, req.Inputs.Length)
	rand.Read(value) // never fails
	state.Base64 = base64.StdEncoding.EncodeToString(value)
	state.Hex = hex.EncodeToString(value)
	return infer.CreateResponse[RandomBytesState]{ID: state.Base64, Output: state}, nil
}

// Read keeps the state: there is nothing outside it to look at.
func (*RandomBytes) Read(_ context.Context, req infer.ReadRequest[RandomBytesArgs, RandomBytesState]) (
	infer.ReadResponse[RandomBytesArgs, RandomBytesState], error,
) {
	if req.State.Base64 == "" {
		return infer.ReadResponse[RandomBytesArgs, RandomBytesState]{}, errImport("random.RandomBytes")
	}
	return infer.ReadResponse[RandomBytesArgs, RandomBytesState](req), nil
}
