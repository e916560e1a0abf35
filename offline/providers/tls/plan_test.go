package tls

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"maps"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"

	"private-registry/offline/providers/internal/plan"
	pt "private-registry/offline/providers/internal/providertest"
)

func subjectPublicKey(der []byte) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	_, err := asn1.Unmarshal(der, &info)
	return info.Key.Bytes, err
}

// set is the inputs with some changed.
func set(inputs pt.Values, change pt.Values) pt.Values {
	all := maps.Clone(inputs)
	maps.Copy(all, change)
	return all
}

func TestCertificateCheck(t *testing.T) {
	key := keyPEM(t, "ECDSA")
	self, request := authorityInputs(key), requestInputs(key)
	local := serverInputs("cert", key, "request")
	for name, test := range map[string]struct {
		token  string
		inputs pt.Values
		want   string
	}{
		"camel case use": {selfSignedCertToken, set(self, pt.Values{"allowedUses": []any{"certSigning"}}), `allowedUses has "certSigning", allowed: any_extended, cert_signing`},
		"negative hours": {selfSignedCertToken, set(self, pt.Values{"validityPeriodHours": -1}), "validityPeriodHours is -1"},
		"negative early": {locallySignedCertToken, set(local, pt.Values{"earlyRenewalHours": -1}), "earlyRenewalHours is -1"},
		"path length":    {locallySignedCertToken, set(local, pt.Values{"maxPathLength": -2}), "maxPathLength is -2"},
		"ip":             {certRequestToken, set(request, pt.Values{"ipAddresses": []any{"1.2.3"}}), `"1.2.3" is not an IP address`},
		"write-only key": {certRequestToken, set(request, pt.Values{"privateKeyPemWo": "x"}), "privateKeyPemWo of tls.CertRequest is not supported by the compatible provider"},
		"version of it":  {locallySignedCertToken, set(local, pt.Values{"caPrivateKeyPemWoVersion": 1}), "caPrivateKeyPemWoVersion of tls.LocallySignedCert is not supported"},
		"email":          {selfSignedCertToken, set(self, pt.Values{"subject": pt.Values{"emailAddress": "a@b"}}), "subject.emailAddress of tls.SelfSignedCert is not supported by the compatible provider"},
		"no key":         {certRequestToken, set(request, pt.Values{"privateKeyPem": nil}), "privateKeyPem is missing"},
		"no ca key":      {locallySignedCertToken, set(local, pt.Values{"caPrivateKeyPem": nil}), "caPrivateKeyPem is missing"},
		"no uses":        {locallySignedCertToken, set(local, pt.Values{"allowedUses": nil}), "allowedUses"},
		"unknown values": {selfSignedCertToken, set(self, pt.Values{"allowedUses": pt.Unknown, "validityPeriodHours": pt.Unknown, "privateKeyPem": pt.Unknown}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, failures := pt.New(t, "tls", test.token, New).CheckFailures(test.inputs)
			if test.want == "" {
				require.Empty(t, failures)
				return
			}
			require.Len(t, failures, 1)
			require.Contains(t, failures[0], test.want)
		})
	}
}

func TestDefaultsStayOutOfTheInputs(t *testing.T) {
	inputs := pt.Values{"privateKeyPem": keyPEM(t, "ECDSA"), "validityPeriodHours": 1, "allowedUses": []any{}}
	certificates := pt.New(t, "tls", selfSignedCertToken, New)
	checked := certificates.Check(inputs)
	require.Equal(t, 3, checked.Len())
	require.True(t, checked.Get("privateKeyPem").Secret(), "secret even when the program did not say so")
	_, state := certificates.Create(inputs)
	for name, want := range map[string]property.Value{
		"earlyRenewalHours": property.New(0.0), "isCaCertificate": property.New(false),
		"setSubjectKeyId": property.New(false), "setAuthorityKeyId": property.New(false),
		"readyForRenewal": property.New(false),
	} {
		require.Equal(t, want, state.Get(name), name)
	}
	require.Empty(t, certificates.Diff(state, inputs))
}

func TestSelfSignedCertDiff(t *testing.T) {
	inputs := authorityInputs(keyPEM(t, "ECDSA"))
	certificates := pt.New(t, "tls", selfSignedCertToken, New)
	_, state := certificates.Create(inputs)
	subject := func(change pt.Values) pt.Values {
		return pt.Values{"subject": set(inputs["subject"].(pt.Values), change)}
	}
	testDiffs(t, certificates, state, inputs, map[string]diffTest{
		"unchanged":            {pt.Values{}, nil},
		"defaults written out": {pt.Values{"setSubjectKeyId": false, "setAuthorityKeyId": false, "dnsNames": []any{}}, nil},
		"early renewal":        {pt.Values{"earlyRenewalHours": 721}, map[string]p.DiffKind{"earlyRenewalHours": p.Update}},
		"no early renewal":     {pt.Values{"earlyRenewalHours": nil}, map[string]p.DiffKind{"earlyRenewalHours": p.Update}},
		"subject field":        {subject(pt.Values{"country": "FR"}), map[string]p.DiffKind{"subject": p.UpdateReplace}},
		"subject removed":      {pt.Values{"subject": nil}, map[string]p.DiffKind{"subject": p.DeleteReplace}},
		"names":                {pt.Values{"dnsNames": []any{"a"}}, map[string]p.DiffKind{"dnsNames": p.AddReplace}},
		"addresses":            {pt.Values{"ipAddresses": []any{"::1"}}, map[string]p.DiffKind{"ipAddresses": p.AddReplace}},
		"uris":                 {pt.Values{"uris": []any{"a:b"}}, map[string]p.DiffKind{"uris": p.AddReplace}},
		"uses":                 {pt.Values{"allowedUses": []any{"cert_signing"}}, map[string]p.DiffKind{"allowedUses": p.UpdateReplace}},
		"validity":             {pt.Values{"validityPeriodHours": 87601}, map[string]p.DiffKind{"validityPeriodHours": p.UpdateReplace}},
		"key":                  {pt.Values{"privateKeyPem": keyPEM(t, "RSA")}, map[string]p.DiffKind{"privateKeyPem": p.UpdateReplace}},
		"key not known yet":    {pt.Values{"privateKeyPem": pt.Unknown}, map[string]p.DiffKind{"privateKeyPem": p.UpdateReplace}},
		"authority":            {pt.Values{"isCaCertificate": nil}, map[string]p.DiffKind{"isCaCertificate": p.UpdateReplace}},
		"path length":          {pt.Values{"maxPathLength": 0}, map[string]p.DiffKind{"maxPathLength": p.AddReplace}},
		"key ids": {pt.Values{"setSubjectKeyId": true, "setAuthorityKeyId": true},
			map[string]p.DiffKind{"setSubjectKeyId": p.UpdateReplace, "setAuthorityKeyId": p.UpdateReplace}},
	})
}

func TestRequestAndLocallySignedCertDiff(t *testing.T) {
	key := keyPEM(t, "ECDSA")
	_, caState := pt.New(t, "tls", selfSignedCertToken, New).Create(authorityInputs(key))
	requests := pt.New(t, "tls", certRequestToken, New)
	_, requestState := requests.Create(requestInputs(key))
	testDiffs(t, requests, requestState, requestInputs(key), map[string]diffTest{
		"unchanged":       {pt.Values{}, nil},
		"order of names":  {pt.Values{"dnsNames": []any{"localhost", "registry.example"}}, map[string]p.DiffKind{"dnsNames": p.UpdateReplace}},
		"fewer addresses": {pt.Values{"ipAddresses": nil}, map[string]p.DiffKind{"ipAddresses": p.DeleteReplace}},
		"key":             {pt.Values{"privateKeyPem": pt.Unknown}, map[string]p.DiffKind{"privateKeyPem": p.UpdateReplace}},
		"empty field":     {pt.Values{"subject": pt.Values{"commonName": "registry.example", "country": ""}}, nil},
	})

	inputs := serverInputs(pt.Text(t, caState, "certPem"), key, pt.Text(t, requestState, "certRequestPem"))
	certificates := pt.New(t, "tls", locallySignedCertToken, New)
	_, state := certificates.Create(inputs)
	testDiffs(t, certificates, state, inputs, map[string]diffTest{
		"unchanged":     {pt.Values{}, nil},
		"authority":     {pt.Values{"caCertPem": pt.Unknown}, map[string]p.DiffKind{"caCertPem": p.UpdateReplace}},
		"authority key": {pt.Values{"caPrivateKeyPem": keyPEM(t, "RSA")}, map[string]p.DiffKind{"caPrivateKeyPem": p.UpdateReplace}},
		"request":       {pt.Values{"certRequestPem": "other"}, map[string]p.DiffKind{"certRequestPem": p.UpdateReplace}},
		"early renewal": {pt.Values{"earlyRenewalHours": 1}, map[string]p.DiffKind{"earlyRenewalHours": p.Update}},
	})
}

type diffTest struct {
	change pt.Values
	want   map[string]p.DiffKind
}

func testDiffs(t *testing.T, r *pt.Resource, state property.Map, inputs pt.Values, tests map[string]diffTest) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			kinds := r.Diff(state, set(inputs, test.change))
			if len(test.want) == 0 {
				require.Empty(t, kinds)
				return
			}
			require.Equal(t, test.want, kinds)
		})
	}
}

func TestSchemaAgreesWithThePlannedInputs(t *testing.T) {
	for token, inputs := range map[string][]plan.Input{
		privateKeyToken: privateKeyInputs, certRequestToken: certRequestInputs,
		selfSignedCertToken: selfSignedCertInputs, locallySignedCertToken: locallySignedCertInputs,
	} {
		var replacing, all []string
		for _, input := range inputs {
			all = append(all, input.Name)
			if input.Replace {
				replacing = append(replacing, input.Name)
			}
		}
		schemaReplacing, schemaAll := pt.New(t, "tls", token, New).ReplacingInputs()
		require.ElementsMatch(t, schemaAll, all, token)
		require.ElementsMatch(t, schemaReplacing, replacing, token)
	}
}

func TestPreviews(t *testing.T) {
	certificates := pt.New(t, "tls", selfSignedCertToken, New)
	inputs := authorityInputs(keyPEM(t, "ECDSA"))
	preview := certificates.Preview(set(inputs, pt.Values{"privateKeyPem": pt.Unknown}))
	for _, name := range []string{"certPem", "validityEndTime", "validityStartTime", "keyAlgorithm", "privateKeyPem"} {
		require.True(t, preview.Get(name).IsComputed(), name)
	}
	require.Equal(t, property.New(true), preview.Get("isCaCertificate"))
	require.Equal(t, property.New(false), preview.Get("setSubjectKeyId"))

	_, state := certificates.Create(inputs)
	change := set(inputs, pt.Values{"earlyRenewalHours": 1})
	for _, isPreview := range []bool{true, false} {
		updated, err := certificates.Update(state, change, isPreview)
		require.NoError(t, err)
		require.Equal(t, state.Set("earlyRenewalHours", property.New(1.0)), updated,
			"all else is kept, and known in the preview too")
	}
}

func TestRenewal(t *testing.T) {
	issued := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(hours int) {
		t.Setenv(nowVariable, issued.Add(time.Duration(hours)*time.Hour).Format(time.RFC3339))
	}
	certificates := pt.New(t, "tls", selfSignedCertToken, New)
	inputs := set(authorityInputs(keyPEM(t, "ECDSA")), pt.Values{"validityPeriodHours": 100, "earlyRenewalHours": 30})
	at(0)
	id, state := certificates.Create(inputs)
	end, err := time.Parse(time.RFC3339, pt.Text(t, state, "validityEndTime"))
	require.NoError(t, err)
	require.True(t, end.Equal(issued.Add(100*time.Hour)))

	for hours, due := range map[int]bool{0: false, 69: false, 70: true, 99: true, 100: true, 1000: true} {
		at(hours)
		read, err := certificates.Read(id, state, inputs)
		require.NoError(t, err)
		require.Equal(t, state.Set("readyForRenewal", property.New(due)), read, "after %d hours", hours)
		for _, old := range []property.Map{state, read} {
			if due {
				require.Equal(t, map[string]p.DiffKind{"readyForRenewal": p.UpdateReplace}, certificates.Diff(old, inputs))
			} else {
				require.Empty(t, certificates.Diff(old, inputs))
			}
		}
	}

	at(70)
	marked, err := certificates.Read(id, state, inputs)
	require.NoError(t, err)
	later := set(inputs, pt.Values{"earlyRenewalHours": 10})
	require.Equal(t, map[string]p.DiffKind{"earlyRenewalHours": p.Update, "readyForRenewal": p.Update},
		certificates.Diff(marked, later), "a smaller window takes the renewal back")
	updated, err := certificates.Update(marked, later, false)
	require.NoError(t, err)
	require.Equal(t, property.New(false), updated.Get("readyForRenewal"))
	require.Empty(t, certificates.Diff(updated, later))

	sooner := set(inputs, pt.Values{"earlyRenewalHours": 100})
	require.Equal(t, map[string]p.DiffKind{"earlyRenewalHours": p.Update, "readyForRenewal": p.UpdateReplace},
		certificates.Diff(state, sooner), "a window as long as the validity renews at every run")

	t.Setenv(nowVariable, "tomorrow")
	_, _, err = certificates.TryCreate(inputs)
	require.ErrorContains(t, err, nowVariable)
}

func TestReadRefusesImports(t *testing.T) {
	for _, token := range []string{certRequestToken, selfSignedCertToken, locallySignedCertToken} {
		_, err := pt.New(t, "tls", token, New).Read("1", property.Map{}, nil)
		require.ErrorContains(t, err, "is not supported by the compatible provider", token)
	}
}
