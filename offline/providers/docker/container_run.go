package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// defaultWaitTimeout is how many seconds `wait` gives a container to become healthy.
const defaultWaitTimeout = 60

// bringUp attaches, fills, starts and awaits a created container, and returns its logs if wanted.
func (e *engine) bringUp(ctx context.Context, id string, in ContainerInputs, files []archive) (string, error) {
	name := deref(in.Name)
	if err := e.attachNetworks(ctx, id, in); err != nil {
		return "", err
	}
	if err := e.upload(ctx, id, name, files); err != nil {
		return "", err
	}
	if orElse(in.Start, true) {
		if err := e.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
			return "", e.explain("container "+name+" was created but cannot be started", err)
		}
		if deref(in.Wait) {
			limit := time.Duration(orElse(in.WaitTimeout, defaultWaitTimeout)) * time.Second
			if err := e.awaitHealthy(ctx, id, name, limit); err != nil {
				return "", err
			}
		}
	}
	if !deref(in.Attach) {
		return "", nil
	}
	return e.awaitExit(ctx, id, in)
}

// awaitHealthy polls until the health check passes. Like the official provider it does not give up
// early on a container that is unhealthy or has stopped: only time ends the wait.
func (e *engine) awaitHealthy(ctx context.Context, id, name string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		found, err := e.ContainerInspect(ctx, id)
		if err != nil {
			return e.explain("cannot read the health of container "+name, err)
		}
		if found.State.Health == nil || found.State.Health.Status == container.NoHealthcheck {
			return fmt.Errorf("container %s has no health check, so `wait` would never end; "+
				"set healthcheck, or leave wait out", name)
		}
		status := found.State.Health.Status
		if status == container.Healthy {
			return nil
		}
		if !time.Now().Before(deadline) {
			return fmt.Errorf("container failed to be in healthy state: %s is %q and %s after %s; see "+
				"`docker logs %s` and `docker inspect %s`, or raise waitTimeout",
				name, status, found.State.Status, limit, name, name)
		}
		if err := pause(ctx, min(time.Second, time.Until(deadline))); err != nil {
			return e.explain("waiting for container "+name+" to become healthy", err)
		}
	}
}

// awaitExit waits until the container has stopped; its exit code, good or bad, is not judged here.
func (e *engine) awaitExit(ctx context.Context, id string, in ContainerInputs) (string, error) {
	name := deref(in.Name)
	done, failed := e.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case err := <-failed:
		if err != nil {
			return "", e.explain("waiting for container "+name+" to end", err)
		}
	case result := <-done:
		if result.Error != nil {
			return "", e.explain("waiting for container "+name+" to end", errors.New(result.Error.Message))
		}
	}
	if !deref(in.Logs) {
		return "", nil
	}
	return e.logs(ctx, id, name, deref(in.Tty))
}

func (e *engine) logs(ctx context.Context, id, name string, tty bool) (string, error) {
	stream, err := e.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if isGone(err) { // a container with rm takes its logs along
		return "", nil
	}
	if err != nil {
		return "", e.explain("cannot read the logs of container "+name, err)
	}
	defer stream.Close()
	var text bytes.Buffer
	if tty { // one stream, not framed
		_, err = text.ReadFrom(stream)
	} else {
		_, err = stdcopy.StdCopy(&text, &text, stream)
	}
	if err != nil {
		return "", e.explain("cannot read the logs of container "+name, err)
	}
	return text.String(), nil
}

func errVanished(name string) error {
	return fmt.Errorf("container %s has ended and is gone already (rm is set), so there is nothing to keep; "+
		"set rm to false", name)
}
