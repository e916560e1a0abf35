// The compatible command provider, named as the engine looks for it.
package main

import (
	"private-registry/offline/providers/command"
	"private-registry/offline/providers/internal/serve"
)

func main() { serve.Main("command", "1.2.1", command.New) }
