package random

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/bcrypt"
)

// bcryptCost is that of the official provider.
const bcryptCost = 10

// bcryptLimit is how many bytes bcrypt looks at; the official provider cuts there, Go refuses more.
const bcryptLimit = 72

// RandomPassword is made once, with its bcrypt hash, and kept until a replacement.
type RandomPassword struct{}

// RandomPasswordArgs are the inputs.
type RandomPasswordArgs struct {
	Keepers         map[string]string `pulumi:"keepers,optional" provider:"replaceOnChanges"`
	Length          int               `pulumi:"length" provider:"replaceOnChanges"`
	Lower           *bool             `pulumi:"lower,optional" provider:"replaceOnChanges"`
	MinLower        *int              `pulumi:"minLower,optional" provider:"replaceOnChanges"`
	MinNumeric      *int              `pulumi:"minNumeric,optional" provider:"replaceOnChanges"`
	MinSpecial      *int              `pulumi:"minSpecial,optional" provider:"replaceOnChanges"`
	MinUpper        *int              `pulumi:"minUpper,optional" provider:"replaceOnChanges"`
	Number          *bool             `pulumi:"number,optional" provider:"replaceOnChanges"`
	Numeric         *bool             `pulumi:"numeric,optional" provider:"replaceOnChanges"`
	OverrideSpecial *string           `pulumi:"overrideSpecial,optional" provider:"replaceOnChanges"`
	Special         *bool             `pulumi:"special,optional" provider:"replaceOnChanges"`
	Upper           *bool             `pulumi:"upper,optional" provider:"replaceOnChanges"`
}

// RandomPasswordState is what the state holds: every input with its default, and the password.
type RandomPasswordState struct {
	BcryptHash      string            `pulumi:"bcryptHash" provider:"secret"`
	Keepers         map[string]string `pulumi:"keepers,optional"`
	Length          int               `pulumi:"length"`
	Lower           bool              `pulumi:"lower"`
	MinLower        int               `pulumi:"minLower"`
	MinNumeric      int               `pulumi:"minNumeric"`
	MinSpecial      int               `pulumi:"minSpecial"`
	MinUpper        int               `pulumi:"minUpper"`
	Number          bool              `pulumi:"number"`
	Numeric         bool              `pulumi:"numeric"`
	OverrideSpecial *string           `pulumi:"overrideSpecial,optional"`
	Result          string            `pulumi:"result" provider:"secret"`
	Special         bool              `pulumi:"special"`
	Upper           bool              `pulumi:"upper"`
}

// Annotate gives the official token.
func (r *RandomPassword) Annotate(a infer.Annotator) {
	a.SetToken("index/randomPassword", "RandomPassword")
}

// WireDependencies keeps the password secret and the defaults known in a preview.
func (*RandomPassword) WireDependencies(
	f infer.FieldSelector, _ *RandomPasswordArgs, state *RandomPasswordState,
) {
	f.OutputField(&state.Result).AlwaysSecret()
	f.OutputField(&state.BcryptHash).AlwaysSecret()
	for _, field := range []any{
		&state.Lower, &state.Upper, &state.Numeric, &state.Number, &state.Special,
		&state.MinLower, &state.MinUpper, &state.MinNumeric, &state.MinSpecial,
	} {
		f.OutputField(field).AlwaysKnown()
	}
}

// Create draws the password. All of them have the id "none", as with the official provider, which
// so keeps the value out of the id.
func (*RandomPassword) Create(_ context.Context, req infer.CreateRequest[RandomPasswordArgs]) (
	infer.CreateResponse[RandomPasswordState], error,
) {
	state := passwordState(req.Inputs)
	if req.DryRun {
		return infer.CreateResponse[RandomPasswordState]{Output: state}, nil
	}
	password, err := draw(state)
	if err != nil {
		return infer.CreateResponse[RandomPasswordState]{}, err
	}
	hash, err := bcrypt.GenerateFromPassword(password[:min(len(password), bcryptLimit)], bcryptCost)
	if err != nil {
		return infer.CreateResponse[RandomPasswordState]{}, err
	}
	state.Result, state.BcryptHash = string(password), string(hash)
	return infer.CreateResponse[RandomPasswordState]{ID: "none", Output: state}, nil
}

// Read keeps the state: there is nothing outside it to look at.
func (*RandomPassword) Read(_ context.Context, req infer.ReadRequest[RandomPasswordArgs, RandomPasswordState]) (
	infer.ReadResponse[RandomPasswordArgs, RandomPasswordState], error,
) {
	if req.State.Result == "" {
		return infer.ReadResponse[RandomPasswordArgs, RandomPasswordState]{}, errImport("random.RandomPassword")
	}
	return infer.ReadResponse[RandomPasswordArgs, RandomPasswordState](req), nil
}
