package tls

import (
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/url"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// Subject is whom a certificate is about.
type Subject struct {
	CommonName         *string  `pulumi:"commonName,optional"`
	Country            *string  `pulumi:"country,optional"`
	Locality           *string  `pulumi:"locality,optional"`
	Organization       *string  `pulumi:"organization,optional"`
	OrganizationalUnit *string  `pulumi:"organizationalUnit,optional"`
	PostalCode         *string  `pulumi:"postalCode,optional"`
	Province           *string  `pulumi:"province,optional"`
	SerialNumber       *string  `pulumi:"serialNumber,optional"`
	StreetAddresses    []string `pulumi:"streetAddresses,optional"`
}

// subjectMembers leaves out emailAddress, which the project does not use: it is refused by name.
var subjectMembers = []string{
	"commonName", "country", "locality", "organization", "organizationalUnit", "postalCode",
	"province", "serialNumber", "streetAddresses",
}

// nameInputs say whom a certificate or a request is about.
var nameInputs = []plan.Input{
	{Name: "subject", Replace: true, EmptyIsUnset: true, Members: subjectMembers},
	{Name: "dnsNames", Replace: true},
	{Name: "ipAddresses", Replace: true},
	{Name: "uris", Replace: true},
}

// name is the subject as X.509 knows it.
func (s *Subject) name() pkix.Name {
	if s == nil {
		return pkix.Name{}
	}
	return pkix.Name{
		CommonName:         or(s.CommonName, ""),
		SerialNumber:       or(s.SerialNumber, ""),
		Country:            list(s.Country),
		Locality:           list(s.Locality),
		Organization:       list(s.Organization),
		OrganizationalUnit: list(s.OrganizationalUnit),
		PostalCode:         list(s.PostalCode),
		Province:           list(s.Province),
		StreetAddress:      s.StreetAddresses,
	}
}

func list(given *string) []string {
	if given == nil {
		return nil
	}
	return []string{*given}
}

func validateNames(inputs property.Map) []p.CheckFailure {
	var failures []p.CheckFailure
	if _, err := parseIPs(plan.Strings(inputs, "ipAddresses")); err != nil {
		failures = append(failures, plan.Failure("ipAddresses", "are wrong: %v", err))
	}
	if _, err := parseURIs(plan.Strings(inputs, "uris")); err != nil {
		failures = append(failures, plan.Failure("uris", "are wrong: %v", err))
	}
	return failures
}

func parseIPs(texts []string) ([]net.IP, error) {
	var all []net.IP
	for _, text := range texts {
		ip := net.ParseIP(text)
		if ip == nil {
			return nil, fmt.Errorf("%q is not an IP address", text)
		}
		all = append(all, ip)
	}
	return all, nil
}

func parseURIs(texts []string) ([]*url.URL, error) {
	var all []*url.URL
	for _, text := range texts {
		uri, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		all = append(all, uri)
	}
	return all, nil
}
