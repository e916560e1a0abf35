package random

import (
	"encoding/base64"
	"encoding/hex"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/stretchr/testify/require"

	pt "private-registry/offline/providers/internal/providertest"
)

const bytesToken = "random:index/randomBytes:RandomBytes"

func TestBytesState(t *testing.T) {
	salts := pt.New(t, "random", bytesToken, New)
	id, state := salts.Create(pt.Values{"length": 16})
	raw, err := base64.StdEncoding.DecodeString(pt.Text(t, state, "base64"))
	require.NoError(t, err)
	require.Len(t, raw, 16)
	require.Equal(t, hex.EncodeToString(raw), pt.Text(t, state, "hex"))
	require.Equal(t, pt.Text(t, state, "base64"), id, "the official id is the value")
	require.True(t, state.Get("base64").Secret())
	require.True(t, state.Get("hex").Secret())
	other, _ := salts.Create(pt.Values{"length": 16})
	require.NotEqual(t, id, other)
}

func TestBytesDiffAndCheck(t *testing.T) {
	salts := pt.New(t, "random", bytesToken, New)
	id, state := salts.Create(pt.Values{"length": 16})
	require.Empty(t, salts.Diff(state, pt.Values{"length": 16}))
	require.Empty(t, salts.Diff(state, pt.Values{"length": 16, "keepers": pt.Values{}}))
	require.Equal(t, map[string]p.DiffKind{"length": p.UpdateReplace}, salts.Diff(state, pt.Values{"length": 17}))
	require.Equal(t, map[string]p.DiffKind{"keepers": p.AddReplace},
		salts.Diff(state, pt.Values{"length": 16, "keepers": pt.Values{"a": "1"}}))
	read, err := salts.Read(id, state, pt.Values{"length": 16})
	require.NoError(t, err)
	require.Equal(t, state, read)
	_, failures := salts.CheckFailures(pt.Values{"length": 0})
	require.Equal(t, []string{"length is 0, must be at least 1"}, failures)
}

func TestOtherTypesAreRefusedByName(t *testing.T) {
	require.ErrorContains(t, pt.New(t, "random", "random:index/randomPet:RandomPet", New).CheckError(nil),
		"random:index/randomPet:RandomPet is not supported by the compatible provider")
	require.ErrorContains(t, pt.New(t, "random", "random:index/randomId:RandomId", New).CheckError(nil),
		"Supported: "+passwordToken+", "+bytesToken)
}

func TestSettingsAreRefusedByName(t *testing.T) {
	provider := pt.New(t, "random", bytesToken, New)
	require.Empty(t, provider.Settings(pt.Values{"version": "4.21.2"}))
	failures := provider.Settings(pt.Values{"proxy": "http://proxy"})
	require.Len(t, failures, 1)
	require.Contains(t, failures[0], "proxy of the provider is not supported by the compatible provider")
}
