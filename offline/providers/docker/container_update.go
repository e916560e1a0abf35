package docker

import (
	"context"
	"reflect"

	"github.com/docker/docker/api/types/container"
)

// updateContainer sends changed limits in one call, and starts the container if it must run now.
func (e *engine) updateContainer(ctx context.Context, id string, before, after ContainerState) error {
	if want := limits(after.ContainerShared); !reflect.DeepEqual(limits(before.ContainerShared), want) {
		if _, err := e.ContainerUpdate(ctx, id, want); err != nil {
			return e.explain("cannot update container "+after.Name, err)
		}
	}
	mustStart := orElse(after.MustRun, true) && !orElse(before.MustRun, true) && orElse(after.Start, true)
	if !mustStart {
		return nil
	}
	if err := e.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return e.explain("cannot start container "+after.Name, err)
	}
	return nil
}

// deleteContainer stops the container at once unless it was given grace, and removes it with its
// anonymous volumes. A step that finds it gone already has nothing to do.
func (e *engine) deleteContainer(ctx context.Context, id string, s ContainerState) error {
	what := "cannot remove container " + s.Name
	if !deref(s.Attach) { // an attached container was awaited, so it has ended
		grace := deref(s.DestroyGraceSeconds)
		if err := e.ContainerStop(ctx, id, container.StopOptions{Timeout: &grace}); err != nil && !isGone(err) {
			return e.explain(what, err)
		}
	}
	err := e.ContainerRemove(ctx, id, container.RemoveOptions{
		RemoveVolumes: orElse(s.RemoveVolumes, true), Force: true,
	})
	switch {
	case err == nil || isGone(err):
		return nil
	case isBeingRemoved(err):
		return e.awaitRemoval(ctx, id, what)
	default:
		return e.explain(what, err)
	}
}

// awaitRemoval waits for a removal that the daemon has begun by itself, for a container with rm.
func (e *engine) awaitRemoval(ctx context.Context, id, what string) error {
	done, failed := e.ContainerWait(ctx, id, container.WaitConditionRemoved)
	select {
	case <-done:
		return nil
	case err := <-failed:
		if err == nil || isGone(err) {
			return nil
		}
		return e.explain(what, err)
	}
}
