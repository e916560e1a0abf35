// Package rosetta stands in for github.com/tonistiigi/go-rosetta, which asks macOS whether a program is translated.
package rosetta

// Available says that there is no Rosetta here.
func Available() bool { return false }

// Enabled says that nothing is translated.
func Enabled() bool { return false }

// NativeArch is only asked for where something is translated.
func NativeArch() string { return "" }
