package serve

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/stretchr/testify/require"
)

type thing struct{}

type state struct {
	Word string `pulumi:"word"`
}

func (r *thing) Annotate(a infer.Annotator) { a.SetToken("index/thing", "Thing") }

func (*thing) Create(context.Context, infer.CreateRequest[state]) (infer.CreateResponse[state], error) {
	panic("not in these tests")
}

// What the CLI needs to bind a schema whose tokens have a module in two parts, as the official ones.
func TestSchemaSaysHowItsTokensAreRead(t *testing.T) {
	provider, err := Build("sample", nil, infer.Resource(&thing{}))
	require.NoError(t, err)
	server, err := integration.NewServer(t.Context(), "sample", semver.MustParse("1.0.0"),
		integration.WithProvider(WithModuleFormat(provider)))
	require.NoError(t, err)
	resp, err := server.GetSchema(p.GetSchemaRequest{})
	require.NoError(t, err)
	var spec struct {
		Meta      struct{ ModuleFormat string }
		Resources map[string]struct {
			InputProperties map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(resp.Schema), &spec))
	require.Equal(t, "(.*)(?:/[^/]*)", spec.Meta.ModuleFormat)
	require.Contains(t, spec.Resources["sample:index/thing:Thing"].InputProperties, "word", "the rest is as it was")
}

// Such a version never looks like an official build, and counts as the official one when versions are compared.
func TestVersionCarriesTheMark(t *testing.T) {
	require.Equal(t, "1.2.3+offline", Version("1.2.3"))
	require.True(t, semver.MustParse(Version("1.2.3")).EQ(semver.MustParse("1.2.3")))
}
