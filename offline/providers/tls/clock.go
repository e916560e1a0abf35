package tls

import (
	"fmt"
	"os"
	"time"
)

// nowVariable sets the time that certificates are issued and renewed by, in RFC 3339. It is for
// tests of renewal only; the official provider has nothing of the kind.
const nowVariable = "PRIVATE_REGISTRY_OFFLINE_NOW"

// now is the local time, because the official provider writes times with the local zone.
func now() (time.Time, error) {
	text := os.Getenv(nowVariable)
	if text == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s=%q is not a time such as 2030-01-31T00:00:00Z", nowVariable, text)
	}
	return at.Local(), nil
}
