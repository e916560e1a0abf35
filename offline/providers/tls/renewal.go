package tls

import (
	"fmt"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"private-registry/offline/providers/internal/plan"
)

// planRenewal replaces a certificate that has entered its last earlyRenewalHours, in an ordinary
// `up` with the same inputs. The key in the diff is the official one, readyForRenewal.
func planRenewal(state, planned property.Map) (map[string]p.PropertyDiff, error) {
	end, _ := plan.String(state, "validityEndTime")
	early, known := plan.Int(planned, "earlyRenewalHours")
	if end == "" || !known {
		return nil, nil
	}
	due, err := renewalDue(end, early)
	if err != nil {
		return nil, err
	}
	marked, _ := plan.Bool(state, "readyForRenewal")
	switch {
	case due:
		return map[string]p.PropertyDiff{"readyForRenewal": {Kind: p.UpdateReplace}}, nil
	case marked: // by a refresh, and since then earlyRenewalHours was lowered
		return map[string]p.PropertyDiff{"readyForRenewal": {Kind: p.Update}}, nil
	default:
		return nil, nil
	}
}

func renewalDue(validityEndTime string, earlyRenewalHours int) (bool, error) {
	end, err := time.Parse(time.RFC3339, validityEndTime)
	if err != nil {
		return false, fmt.Errorf("validityEndTime in the state: %w", err)
	}
	at, err := now()
	if err != nil {
		return false, err
	}
	return !at.Before(end.Add(-time.Duration(earlyRenewalHours) * time.Hour)), nil
}

// refresh notes in the state that renewal is due; only a plan acts on it.
func (s CertificateState) refresh() (CertificateState, error) {
	due, err := renewalDue(s.ValidityEndTime, s.EarlyRenewalHours)
	if due {
		s.ReadyForRenewal = true
	}
	return s, err
}
