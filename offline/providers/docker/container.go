package docker

import (
	"context"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Container is one container of the daemon. It is replaced by deleting it first: name and ports
// can be held only once.
type Container struct{}

// Annotate gives the resource its official token.
func (r *Container) Annotate(a infer.Annotator) {
	a.SetToken("index/container", "Container")
	a.Describe(&r, "A container of the Docker daemon. Most changes replace it, deleting it first.")
}

// WireDependencies keeps outputs known in the preview of an update, which never changes the image.
func (*Container) WireDependencies(f infer.FieldSelector, in *ContainerInputs, out *ContainerState) {
	f.OutputField(out).DependsOn(f.InputField(&in.Image).Computed())
}

// Create makes the container and brings it to where the inputs want it. Once it exists, a failure
// leaves it in the state, marked as not initialised.
func (*Container) Create(
	ctx context.Context, req infer.CreateRequest[ContainerInputs],
) (infer.CreateResponse[ContainerState], error) {
	in := req.Inputs
	planned := withInputs(ContainerState{}, in)
	if req.DryRun {
		return infer.CreateResponse[ContainerState]{Output: planned}, nil
	}
	e := engineOf(ctx)
	ctx, cancel := withOperationTimeout(ctx)
	defer cancel()

	files, err := uploadArchives(in.Uploads)
	if err != nil {
		return infer.CreateResponse[ContainerState]{}, err
	}
	id, err := e.createContainer(ctx, in)
	if err != nil {
		return infer.CreateResponse[ContainerState]{}, err
	}
	planned.ContainerLogs, err = e.bringUp(ctx, id, in, files)
	if err != nil {
		return infer.CreateResponse[ContainerState]{ID: id, Output: e.partialState(ctx, id, in)},
			infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
	}
	state, found, err := e.readContainer(ctx, id, planned)
	switch {
	case err != nil:
		return infer.CreateResponse[ContainerState]{ID: id, Output: planned},
			infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
	case !found:
		return infer.CreateResponse[ContainerState]{}, errVanished(deref(in.Name))
	}
	return infer.CreateResponse[ContainerState]{ID: id, Output: state}, nil
}

// partialState is what is kept of a container that failed on its way up: the configured values, so
// that the next plain up sees no change, as with the official provider.
func (e *engine) partialState(ctx context.Context, id string, in ContainerInputs) ContainerState {
	// The user may have interrupted; what exists has to reach the state all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	state, found, err := e.readContainer(ctx, id, withInputs(ContainerState{}, in))
	if err != nil || !found {
		state = ContainerState{}
	}
	return withInputs(state, in)
}

// Read takes what the daemon says; a container that is gone leaves the state.
func (*Container) Read(
	ctx context.Context, req infer.ReadRequest[ContainerInputs, ContainerState],
) (infer.ReadResponse[ContainerInputs, ContainerState], error) {
	state, found, err := engineOf(ctx).readContainer(ctx, req.ID, req.State)
	if err != nil || !found {
		return infer.ReadResponse[ContainerInputs, ContainerState]{}, err
	}
	in := req.Inputs
	if in.Image == "" { // an import has no inputs yet
		in = state.asInputs()
	}
	return infer.ReadResponse[ContainerInputs, ContainerState]{ID: req.ID, Inputs: in, State: state}, nil
}

// Update changes limits and restart policy in place, and starts a stopped container that must run.
// Everything else that is no replacement only reaches the state.
func (*Container) Update(
	ctx context.Context, req infer.UpdateRequest[ContainerInputs, ContainerState],
) (infer.UpdateResponse[ContainerState], error) {
	state := withUpdates(req.State, req.Inputs)
	if req.DryRun {
		return infer.UpdateResponse[ContainerState]{Output: state}, nil
	}
	err := engineOf(ctx).updateContainer(ctx, req.ID, req.State, state)
	return infer.UpdateResponse[ContainerState]{Output: state}, err
}

// Delete stops and removes the container; one that is gone already is no error.
func (*Container) Delete(
	ctx context.Context, req infer.DeleteRequest[ContainerState],
) (infer.DeleteResponse, error) {
	ctx, cancel := withOperationTimeout(ctx)
	defer cancel()
	return infer.DeleteResponse{}, engineOf(ctx).deleteContainer(ctx, req.ID, req.State)
}
