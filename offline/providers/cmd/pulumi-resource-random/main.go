// The compatible random provider, named as the engine looks for it.
package main

import (
	"private-registry/offline/providers/internal/serve"
	"private-registry/offline/providers/random"
)

func main() { serve.Main("random", "4.21.2", random.New) }
