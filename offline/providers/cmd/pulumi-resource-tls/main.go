// The compatible tls provider, named as the engine looks for it.
package main

import (
	"private-registry/offline/providers/internal/serve"
	"private-registry/offline/providers/tls"
)

func main() { serve.Main("tls", "5.6.1", tls.New) }
