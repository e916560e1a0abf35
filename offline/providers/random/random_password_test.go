package random

import (
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	pt "private-registry/offline/providers/internal/providertest"
)

const passwordToken = "random:index/randomPassword:RandomPassword"

func TestPasswordState(t *testing.T) {
	passwords := pt.New(t, "random", passwordToken, New)
	id, state := passwords.Create(pt.Values{"length": 40, "keepers": pt.Values{"generation": "1"}})
	require.Equal(t, "none", id)
	password, hash := pt.Text(t, state, "result"), pt.Text(t, state, "bcryptHash")
	require.Len(t, password, 40)
	require.True(t, strings.HasPrefix(hash, "$2a$10$"))
	require.NoError(t, bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)))
	require.True(t, state.Get("result").Secret())
	require.True(t, state.Get("bcryptHash").Secret())
	for name, want := range map[string]property.Value{
		"lower": property.New(true), "upper": property.New(true), "numeric": property.New(true),
		"number": property.New(true), "special": property.New(true), "minLower": property.New(0.0),
		"minUpper": property.New(0.0), "minNumeric": property.New(0.0), "minSpecial": property.New(0.0),
	} {
		require.Equal(t, want, state.Get(name), name)
	}
}

func TestPasswordDefaultsStayOutOfTheInputs(t *testing.T) {
	checked := pt.New(t, "random", passwordToken, New).Check(pt.Values{"length": 8})
	require.Equal(t, 1, checked.Len())
}

func TestPasswordPreview(t *testing.T) {
	state := pt.New(t, "random", passwordToken, New).Preview(pt.Values{"length": 8, "keepers": pt.Unknown})
	require.True(t, state.Get("result").IsComputed())
	require.True(t, state.Get("result").Secret())
	require.True(t, state.Get("bcryptHash").IsComputed())
	require.Equal(t, property.New(8.0), state.Get("length"))
	require.Equal(t, property.New(true), state.Get("special"))
	require.True(t, state.Get("keepers").IsComputed())
}

func TestPasswordCharacters(t *testing.T) {
	passwords := pt.New(t, "random", passwordToken, New)
	count := func(password, of string) int {
		n := 0
		for _, char := range password {
			if strings.ContainsRune(of, char) {
				n++
			}
		}
		return n
	}
	for name, test := range map[string]struct {
		inputs  pt.Values
		allowed string
		atLeast map[string]int
	}{
		"all classes":       {pt.Values{}, lowerChars + upperChars + numericChars + specialChars, nil},
		"no special":        {pt.Values{"special": false}, lowerChars + upperChars + numericChars, nil},
		"number is numeric": {pt.Values{"number": false, "special": false}, lowerChars + upperChars, nil},
		"override": {
			pt.Values{"overrideSpecial": "~", "lower": false, "upper": false, "numeric": false}, "~", nil,
		},
		"empty override is none": {pt.Values{"overrideSpecial": "", "lower": false, "upper": false, "numeric": false}, specialChars, nil},
		"minimums": {
			pt.Values{"minLower": 50, "minUpper": 50, "minNumeric": 50, "minSpecial": 50, "overrideSpecial": "~"},
			lowerChars + upperChars + numericChars + "~",
			map[string]int{lowerChars: 50, upperChars: 50, numericChars: 50, "~": 50},
		},
		"minimum of a class that is off": {
			pt.Values{"minUpper": 7, "upper": false, "special": false, "numeric": false},
			lowerChars + upperChars, map[string]int{upperChars: 7, lowerChars: 193},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.inputs["length"] = 200
			_, state := passwords.Create(test.inputs)
			password := pt.Text(t, state, "result")
			require.Len(t, password, 200)
			require.Equal(t, 200, count(password, test.allowed), "only allowed characters")
			for of, minimum := range test.atLeast {
				require.GreaterOrEqual(t, count(password, of), minimum, of)
			}
			hash := []byte(pt.Text(t, state, "bcryptHash"))
			require.NoError(t, bcrypt.CompareHashAndPassword(hash, []byte(password[:bcryptLimit])))
		})
	}
}

func TestPasswordCheck(t *testing.T) {
	passwords := pt.New(t, "random", passwordToken, New)
	for name, test := range map[string]struct {
		inputs pt.Values
		want   string
	}{
		"no length":          {pt.Values{}, "length"},
		"length 0":           {pt.Values{"length": 0}, "length is 0, must be at least 1"},
		"minimums too many":  {pt.Values{"length": 3, "minLower": 2, "minUpper": 2}, "less than the sum of all minimums, 4"},
		"negative minimum":   {pt.Values{"length": 3, "minLower": -1}, "minLower is -1"},
		"twins differ":       {pt.Values{"length": 3, "number": true, "numeric": false}, "numeric, its newer name"},
		"all off":            {pt.Values{"length": 3, "lower": false, "upper": false, "number": false, "special": false}, "one must be true"},
		"not ASCII":          {pt.Values{"length": 3, "overrideSpecial": "é"}, "not supported by the compatible provider"},
		"unsupported by us":  {pt.Values{"length": 3, "resultWo": "x"}, "resultWo of random.RandomPassword is not supported by the compatible provider"},
		"wrong type":         {pt.Values{"length": "three"}, "length"},
		"nothing when known": {pt.Values{"length": pt.Unknown, "minLower": 5, "upper": pt.Unknown}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, failures := passwords.CheckFailures(test.inputs)
			if test.want == "" {
				require.Empty(t, failures)
				return
			}
			require.Len(t, failures, 1)
			require.Contains(t, failures[0], test.want)
		})
	}
}

func TestPasswordDiff(t *testing.T) {
	passwords := pt.New(t, "random", passwordToken, New)
	_, state := passwords.Create(pt.Values{"length": 20, "keepers": pt.Values{"generation": "1"}})
	for name, test := range map[string]struct {
		change pt.Values
		want   map[string]p.DiffKind
	}{
		"unchanged":               {pt.Values{}, none},
		"defaults written out":    {pt.Values{"lower": true, "number": true, "minSpecial": 0}, none},
		"empty overrideSpecial":   {pt.Values{"overrideSpecial": ""}, none},
		"null keeper":             {pt.Values{"keepers": pt.Values{"generation": "1", "other": nil}}, none},
		"length":                  {pt.Values{"length": 21}, map[string]p.DiffKind{"length": p.UpdateReplace}},
		"keeper":                  {pt.Values{"keepers": pt.Values{"generation": "2"}}, map[string]p.DiffKind{"keepers": p.UpdateReplace}},
		"keepers removed":         {pt.Values{"keepers": nil}, map[string]p.DiffKind{"keepers": p.DeleteReplace}},
		"unknown keeper":          {pt.Values{"keepers": pt.Values{"generation": pt.Unknown}}, map[string]p.DiffKind{"keepers": p.UpdateReplace}},
		"number sets both":        {pt.Values{"number": false}, map[string]p.DiffKind{"number": p.UpdateReplace, "numeric": p.UpdateReplace}},
		"overrideSpecial":         {pt.Values{"overrideSpecial": "~"}, map[string]p.DiffKind{"overrideSpecial": p.AddReplace}},
		"special":                 {pt.Values{"special": false}, map[string]p.DiffKind{"special": p.UpdateReplace}},
		"unknown default":         {pt.Values{"upper": pt.Unknown}, map[string]p.DiffKind{"upper": p.UpdateReplace}},
		"minimum and another one": {pt.Values{"minLower": 1, "minUpper": 1}, map[string]p.DiffKind{"minLower": p.UpdateReplace, "minUpper": p.UpdateReplace}},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := pt.Values{"length": 20, "keepers": pt.Values{"generation": "1"}}
			for name, value := range test.change {
				inputs[name] = value
			}
			require.Equal(t, test.want, passwords.Diff(state, inputs))
		})
	}
}

func TestPasswordReadKeepsTheState(t *testing.T) {
	passwords := pt.New(t, "random", passwordToken, New)
	inputs := pt.Values{"length": 20, "keepers": pt.Values{"generation": "1"}}
	id, state := passwords.Create(inputs)
	read, err := passwords.Read(id, state, inputs)
	require.NoError(t, err)
	require.Equal(t, state, read)
	_, err = passwords.Read("a-password", property.Map{}, nil)
	require.ErrorContains(t, err, "import of random.RandomPassword is not supported by the compatible provider")
}

func TestSchemaMarksAllInputsAsReplacing(t *testing.T) {
	for _, token := range []string{passwordToken, bytesToken} {
		replacing, all := pt.New(t, "random", token, New).ReplacingInputs()
		require.ElementsMatch(t, all, replacing)
	}
	_, all := pt.New(t, "random", passwordToken, New).ReplacingInputs()
	require.Len(t, passwordInputs, len(all))
}

var none = map[string]p.DiffKind{}
