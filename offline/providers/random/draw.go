package random

import (
	"crypto/rand"
	"errors"
	"math/big"
)

const (
	lowerChars   = "abcdefghijklmnopqrstuvwxyz"
	upperChars   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numericChars = "0123456789"
	specialChars = "!@#$%&*()-_=+[]{}<>:?"
)

// draw makes a password: first each class's minimum, even of a class that is off (as the official
// provider does), then the rest from all classes that are on, then everything shuffled.
func draw(want RandomPasswordState) ([]byte, error) {
	special := specialChars
	if want.OverrideSpecial != nil && *want.OverrideSpecial != "" {
		special = *want.OverrideSpecial
	}
	var password []byte
	all := ""
	for _, class := range []struct {
		chars   string
		minimum int
		on      bool
	}{
		{lowerChars, want.MinLower, want.Lower},
		{upperChars, want.MinUpper, want.Upper},
		{numericChars, want.MinNumeric, want.Numeric},
		{special, want.MinSpecial, want.Special},
	} {
		for range class.minimum {
			password = append(password, class.chars[below(len(class.chars))])
		}
		if class.on {
			all += class.chars
		}
	}
	if all == "" && len(password) < want.Length {
		return nil, errors.New("no class of characters is left to draw from")
	}
	for len(password) < want.Length {
		password = append(password, all[below(len(all))])
	}
	for i := len(password) - 1; i > 0; i-- {
		j := below(i + 1)
		password[i], password[j] = password[j], password[i]
	}
	return password, nil
}

// below is a number from 0 to n-1, each as likely as the others.
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand.Reader never fails
	}
	return int(i.Int64())
}
