// Command pulumi-resource-docker is the compatible docker provider; see package docker.
package main

import (
	"private-registry/offline/providers/docker"
	"private-registry/offline/providers/internal/serve"
)

func main() { serve.Main("docker", "5.2.0", docker.New) }
