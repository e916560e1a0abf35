package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// hints say what to do about what daemons commonly answer. The daemon's own words stay in the
// message; they never contain file contents or environment values.
var hints = []struct{ text, hint string }{
	{"port is already allocated", "another container publishes this port; stop it, or choose another external port"},
	{"address already in use", "another process on the Docker host listens on this port; stop it, or choose another external port"},
	{"is already in use by container", "choose another name, or remove that container with `docker rm -f`"},
	{"rootfs is marked read-only", "files cannot be uploaded into a read-only container; bring them in a volume"},
	{"is being used by", "a container still uses it; remove that container first"},
	{"image is referenced in multiple repositories", "other names point at this image; set keepLocally, or forceRemove"},
	{"update the memoryswap at the same time", "set memorySwap together with memory"},
	{"no matching manifest", "the image does not exist for this platform"},
	{"pool overlaps with other one", "the subnet is taken by another network; choose another subnet"},
	{"is not a swarm manager", "make that Docker host one with `docker swarm init`, or point docker:host or DOCKER_HOST at a manager"},
	{"swarm does not have a leader", "too few managers are up; start them again, and see `docker node ls`"},
	{"Swarm is encrypted", "unlock it with `docker swarm unlock`"},
	{"name conflicts with an existing object", "the swarm has one of this name; choose another name, or remove that one"},
	{"in use by the following service", "a service still uses it; give the new one another name, so that the service can go over to it first"},
	{"is already in use by service", "another service publishes this port; choose another publishedPort"},
	{"cannot be used with services", "a service needs an overlay network: set driver to overlay"},
	{"volume name must be unique", "a volume of this name exists with another driver; remove it, or choose another name"},
}

// explain turns what the Docker client returned into a sentence: what failed, why, what to do.
func (e *engine) explain(what string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: cancelled", what)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: took too long; a longer time can be set with the customTimeouts option", what)
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%s: cannot reach the Docker daemon at %s: %w", what, e.host, err)
	}
	for _, h := range hints {
		if strings.Contains(err.Error(), h.text) {
			return fmt.Errorf("%s: %w; %s", what, err, h.hint)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// isGone says that the daemon does not know the object; deleting it again is no error.
func isGone(err error) bool { return cerrdefs.IsNotFound(err) }

// isBeingRemoved says that somebody else is removing the container right now.
func isBeingRemoved(err error) bool { return strings.Contains(err.Error(), "is already in progress") }
